"""What a page of jobs shows: a filter as its address says it, and the jobs that pass it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

from fastapi import Depends, Query

from icelens.apps.web.job_view.cards import Card, card_of
from icelens.apps.web.workbench import Workbench
from icelens.jobs.project.entry import STATES, State
from icelens.jobs.project.listing import SORTS, Sort

PAGE_LENGTH = 100
COLUMN_LENGTH = 40
"""Cards of a column of the board; a link leads to all others."""
View = Literal["board", "table"]
VIEWS: tuple[View, ...] = get_args(View)


@dataclass(frozen=True)
class Filter:
    """Which jobs a page shows, and how; whatever an address says wrongly is left out."""

    view: View = "board"
    states: tuple[State, ...] = ()
    task: str = ""
    text: str = ""
    sort: Sort = "number"
    is_ascending: bool = False
    offset: int = 0
    is_trash: bool = False

    def url(self, place: str = "/jobs", **changes: object) -> str:
        """An address that shows the same, but for some changes."""
        other = replace(self, **changes)  # type: ignore[arg-type]
        values = {
            "view": other.view,
            "state": ",".join(other.states),
            "task": other.task,
            "text": other.text,
            "sort": "" if other.sort == "number" else other.sort,
            "up": "1" if other.is_ascending else "",
            "offset": str(other.offset) if other.offset else "",
            "trash": "1" if other.is_trash else "",
        }
        return f"{place}?{urlencode({name: value for name, value in values.items() if value})}"


@dataclass(frozen=True)
class Column:
    """One column of the board."""

    name: str
    title: str
    states: tuple[State, ...]
    cards: list[Card]
    total: int


@dataclass(frozen=True)
class Listed:
    """Jobs that pass a filter: columns for the board, one list for the table."""

    filter: Filter
    columns: list[Column]
    cards: list[Card]
    total: int


_COLUMNS: tuple[tuple[str, str, tuple[State, ...]], ...] = (
    ("queued", "Queued", ("queued", "waiting")),
    ("running", "Running", ("running",)),
    ("done", "Done", ("done",)),
    ("failed", "Failed, stopped", ("failed", "stopped")),
    ("draft", "Drafts", ("draft",)),
)


def column_of(state: State) -> str:
    """Name of the column a job stands in."""
    return next(name for name, _, states in _COLUMNS if state in states)


def asked_filter(
    view: Annotated[str, Query(max_length=20)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
    task: Annotated[str, Query(max_length=100)] = "",
    text: Annotated[str, Query(max_length=200)] = "",
    sort: Annotated[str, Query(max_length=20)] = "number",
    up: Annotated[str, Query(max_length=5)] = "",
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    trash: Annotated[str, Query(max_length=5)] = "",
) -> Filter:
    """The filter of an address."""
    return Filter(
        view=view if view in VIEWS else "board",
        states=tuple(word for word in STATES if word in state.split(",")),
        task=task,
        text=" ".join(text.split()),
        sort=sort if sort in SORTS else "number",
        is_ascending=bool(up),
        offset=offset,
        is_trash=bool(trash),
    )


AskedFilter = Annotated[Filter, Depends(asked_filter)]


def listed(bench: Workbench, asked: Filter) -> Listed:
    """The jobs that pass a filter."""
    if asked.view == "board" and not asked.is_trash:
        columns = [
            _column(bench, asked, name, title, states)
            for name, title, states in _COLUMNS
            if not asked.states or set(asked.states) & set(states)
        ]
        return Listed(asked, columns, [], sum(column.total for column in columns))
    queue, roots = bench.queue, bench.roots
    entries = queue.entries(
        states=asked.states,
        text=asked.text,
        task=asked.task,
        limit=PAGE_LENGTH,
        offset=asked.offset,
        is_removed=asked.is_trash,
        sort=asked.sort,
        is_ascending=asked.is_ascending,
    )
    total = queue.count(
        states=asked.states, text=asked.text, task=asked.task, is_removed=asked.is_trash
    )
    return Listed(asked, [], [card_of(roots, entry) for entry in entries], total)


def some_cards(bench: Workbench, asked: Filter, numbers: Sequence[int]) -> list[Card]:
    """The cards of those jobs that pass a filter."""
    entries = bench.queue.entries(
        numbers=numbers,
        states=asked.states,
        text=asked.text,
        task=asked.task,
        is_removed=asked.is_trash,
        limit=len(numbers),
    )
    return [card_of(bench.roots, entry) for entry in entries] if numbers else []


def _column(
    bench: Workbench, asked: Filter, name: str, title: str, states: tuple[State, ...]
) -> Column:
    chosen = tuple(state for state in states if not asked.states or state in asked.states)
    queue = bench.queue
    entries = queue.entries(
        states=chosen,
        text=asked.text,
        task=asked.task,
        limit=COLUMN_LENGTH,
        sort="queue" if name == "queued" else "number",
    )
    total = queue.count(states=chosen, text=asked.text, task=asked.task)
    return Column(name, title, chosen, [card_of(bench.roots, each) for each in entries], total)
