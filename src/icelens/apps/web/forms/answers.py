"""What is sent to and from the routes of forms, with bounds on every text and list."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from icelens.apps.web.forms.fields import Field as FormField
from icelens.apps.web.forms.lanes import Scalar
from icelens.apps.web.forms.submission import Wish
from icelens.apps.web.forms.values import Problem
from icelens.jobs.project.entry import Entry, State

Text = StringConstraints(max_length=20_000)
ShortText = Annotated[str, StringConstraints(max_length=200)]
Items = Annotated[list[Annotated[str, Text]], Field(max_length=2000)]
Values = dict[ShortText, Annotated[str, Text] | Items]
JobName = Annotated[str, Path(min_length=1, max_length=100)]
Number = Annotated[int, Field(ge=1, lt=2**53)]


class Question(BaseModel):
    """Values of a form, as typed."""

    model_config = ConfigDict(extra="forbid")
    job: ShortText
    values: Values = Field(default_factory=dict)
    number: Number | None = None
    """Of the job that is edited."""

    def wish(self) -> Wish:
        """The part of it that concerns settings."""
        return Wish(self.job, self.values)


class JobBody(BaseModel):
    """A form to be queued or kept."""

    model_config = ConfigDict(extra="forbid")
    job: ShortText
    values: Values = Field(default_factory=dict)
    lane: ShortText = ""
    variables: dict[ShortText, Scalar] = Field(default_factory=dict)
    priority: int = Field(default=0, ge=-1000, le=1000)
    after: list[Number] = Field(default_factory=list, max_length=200)
    run_now: bool = False
    title: Annotated[str, StringConstraints(max_length=1000)] = ""
    parts: int = Field(default=1, ge=1, le=1000)
    is_draft: bool = False

    def wish(self) -> Wish:
        """What the form says."""
        return Wish(**(self.model_dump() | {"after": tuple(dict.fromkeys(self.after))}))


class ProblemAnswer(BaseModel):
    """What is wrong with a field, or with the whole form if `field` is empty."""

    field: str
    message: str


class CheckAnswer(BaseModel):
    """The command, and what is wrong."""

    command: str
    problems: list[ProblemAnswer]
    warnings: list[ProblemAnswer]


class EstimateAnswer(BaseModel):
    """What a job will cost; 0 where it is not known."""

    is_known: bool
    """Whether the job can tell; those that cannot take little."""
    seconds: float = 0.0
    memory_bytes: int = 0
    machine_bytes: int = 0
    disk_bytes: int = 0
    free_bytes: int = 0
    notes: list[str] = Field(default_factory=list)


class FormAnswer(BaseModel):
    """The form of a job."""

    job: str
    summary: str
    description: str
    shared_by: str
    resumable: bool
    fields: list[FormField]


class EntryAnswer(BaseModel):
    """Jobs that came of a form; several where it was parted."""

    number: int
    state: State
    title: str
    folder: str
    numbers: list[int]


def problems_of(found: "tuple[Problem, ...] | list[Problem]") -> list[ProblemAnswer]:
    """Problems as they are sent."""
    return [ProblemAnswer(field=each.field, message=each.message) for each in found]


def entry_answer(entries: list[Entry]) -> EntryAnswer:
    """Jobs as they are sent."""
    first = entries[0]
    return EntryAnswer(
        number=first.number,
        state=first.state,
        title=first.title,
        folder=first.folder,
        numbers=[entry.number for entry in entries],
    )
