"""The one declaration of a job: its function, settings, citations and estimate.

    @job("restore.refine", cites=("liu2025isonet2",), estimate=estimate_refine, resumable=True)
    def refine(config: RefineConfig, run: Run) -> Path:
        \"\"\"Train a network on tomograms.\"\"\"

From this come the Python function, the command, the form, the schema and the record of a run.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from icelens.jobs.config import Config

if TYPE_CHECKING:
    from icelens.jobs.run import Run

ConfigT = TypeVar("ConfigT", bound=Config)
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Estimate:
    """What a job will cost, said before it starts; 0 means not known."""

    seconds: float = 0.0
    """Expected time."""
    memory_bytes: int = 0
    """Expected peak of main memory, or of GPU memory if a GPU is used."""
    disk_bytes: int = 0
    """What the job will write."""
    notes: tuple[str, ...] = ()
    """Sentences the user should read, such as how a number was found."""


@dataclass(frozen=True)
class Job(Generic[ConfigT, ResultT]):
    """A function with a name, typed settings and all that is known about it without running it."""

    name: str
    """`task.job`, as in `restore.refine`."""
    function: "Callable[[ConfigT, Run], ResultT]"
    config_type: type[ConfigT]
    cites: tuple[str, ...] = ()
    estimate: Callable[[ConfigT], Estimate] | None = None
    resumable: bool = False
    shared_by: str = ""
    """How several processes can work on it: `tomograms` or `runs`, the setting of which each takes
    a part; `storage`, where they record their trials; `output`, a folder they share; empty: not."""

    def __call__(self, config: ConfigT, run: "Run") -> ResultT:
        """Run the plain function; `run_job` adds the folder, the record and the report."""
        return self.function(config, run)

    @property
    def task(self) -> str:
        """The capability the job belongs to."""
        return self.name.partition(".")[0]

    @property
    def command(self) -> str:
        """The job's word within its task."""
        return self.name.partition(".")[2]

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return self.description.splitlines()[0]

    @property
    def description(self) -> str:
        """The whole docstring."""
        return inspect.getdoc(self.function) or ""


def job(
    name: str,
    *,
    cites: tuple[str, ...] = (),
    estimate: Callable[[Any], Estimate] | None = None,
    resumable: bool = False,
    shared_by: str = "",
) -> "Callable[[Callable[[ConfigT, Run], ResultT]], Job[ConfigT, ResultT]]":
    """Declare a job.

    Args:
        name: `task.job`, lower case, words joined by hyphens.
        cites: Keys of `citations.bib` for the methods the job always uses.
        estimate: Says time, memory and disk for `--dry-run`; must not write anything.
        resumable: A second run in the same folder needs `--resume` or `--overwrite`.
        shared_by: Setting by which several processes share the work, see `Job.shared_by`.

    Raises:
        TypeError: If the name is malformed, the docstring or a hint is missing, or the settings
            are not a `Config`: a mistake in the declaration, found when the module is imported.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*", name):
        raise TypeError(f"job name {name!r}: expected `task.job` in lower case")

    def declare(function: "Callable[[ConfigT, Run], ResultT]") -> Job[ConfigT, ResultT]:
        config_type: type[ConfigT] = _config_type(name, function)
        return Job(name, function, config_type, tuple(cites), estimate, resumable, shared_by)

    return declare


def _config_type(name: str, function: Callable[..., Any]) -> type[Any]:
    """The settings' class from the hint of `config`; no other hint is resolved.

    The result type and `Run` may therefore live under `TYPE_CHECKING`, which keeps torch out.
    """
    if not inspect.getdoc(function):
        raise TypeError(f"job {name}: {function.__name__} needs a docstring, it is the help text")
    signature = inspect.signature(function)
    if tuple(signature.parameters) != ("config", "run"):
        raise TypeError(f"job {name}: expected the arguments (config, run), got {signature}")
    hints = [parameter.annotation for parameter in signature.parameters.values()]
    if inspect.Signature.empty in (*hints, signature.return_annotation):
        raise TypeError(f"job {name}: every argument and the result need a type hint")
    hint = hints[0]
    if isinstance(hint, str):
        hint = inspect.unwrap(function).__globals__.get(hint)
    if not (isinstance(hint, type) and issubclass(hint, Config)):
        raise TypeError(f"job {name}: `config` must be hinted with a subclass of Config")
    return hint
