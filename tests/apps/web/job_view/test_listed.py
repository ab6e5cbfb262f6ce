"""What a page of jobs shows."""

from urllib.parse import parse_qsl

from project_jobs import add_job

from icelens.apps.web.job_view.listed import COLUMN_LENGTH, Filter, asked_filter, listed, some_cards


def test_an_address_says_the_whole_filter_and_is_read_back():
    asked = Filter("table", ("failed",), "pick", "a b&c", "title", True, 100, False)  # noqa: FBT003
    query = asked.url().partition("?")[2]
    read = dict(parse_qsl(query))
    read["offset"] = int(read["offset"])
    assert asked_filter(**read) == asked


def test_what_an_address_says_wrongly_is_left_out():
    asked = asked_filter(view="cube", state="failed,odd", sort="mood", text="  a   b ")
    assert asked == Filter(states=("failed",), text="a b")


def test_the_board_sorts_jobs_into_columns_and_bounds_them(bench, project):
    for state in ("queued", "waiting", "running", "done", "failed", "stopped", "draft"):
        add_job(project, state=state)
    for _ in range(COLUMN_LENGTH + 3):
        add_job(project)
    found = listed(bench, Filter())
    assert {column.name: column.total for column in found.columns} == {
        "queued": 2,
        "running": 1,
        "done": COLUMN_LENGTH + 4,
        "failed": 2,
        "draft": 1,
    }
    assert all(len(column.cards) <= COLUMN_LENGTH for column in found.columns)


def test_a_filter_by_state_shows_only_its_columns(bench, project):
    add_job(project, state="failed")
    add_job(project, state="stopped")
    (column,) = listed(bench, Filter(states=("failed",))).columns
    assert (column.name, column.total) == ("failed", 1)


def test_the_table_is_sorted_and_counted(bench, project):
    for title in ("b", "a", "c"):
        add_job(project, title=title)
    found = listed(bench, Filter("table", sort="title", is_ascending=True))
    assert [card.entry.title for card in found.cards] == ["a", "b", "c"]
    assert found.total == 3


def test_changed_jobs_are_given_if_they_pass(bench, project):
    done, failed = add_job(project), add_job(project, state="failed")
    found = some_cards(bench, Filter(states=("failed",)), [done, failed, 99])
    assert [card.entry.number for card in found] == [failed]
    assert some_cards(bench, Filter(), []) == []
