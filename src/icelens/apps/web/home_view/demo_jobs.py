"""The demo as jobs of a project: the commands of `icelens demo`, each after those it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from icelens.apps import arguments, demo, demo_picks
from icelens.apps.demo_report import DemoFiles
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.queue import Queue
from icelens.jobs.registry import find_job

Part = Literal["restore", "all"]
FOLDER = "demo"
_SEED, _EPOCHS = 1, 3
_RESTORED = f"{demo_picks.KEPT_BACK}.mrc"


@dataclass(frozen=True)
class _Chain:
    """Steps of which each waits for the one before.

    Attributes:
        start: What the first waits for: the place of a step among all, or None.
    """

    steps: Sequence[demo.Step]
    start: int | None


def queue_demo(queue: Queue, part: Part) -> list[Entry]:
    """Put the demo in the queue of a project.

    Args:
        queue: Of the project; its working directory is the project's folder.
        part: `restore` ends with tomograms that are compared with the truth; `all` goes on to
            picks, poses and states.
    """
    folder = Path(_free_name(queue))
    entries: list[Entry] = []
    for chain in _chains(folder, part):
        before = () if chain.start is None else (entries[chain.start].number,)
        for step in chain.steps:
            entries.append(_submit(queue, step, before))
            before = (entries[-1].number,)
    return entries


def _chains(folder: Path, part: Part) -> list[_Chain]:
    plan = demo.plan(folder, seed=_SEED, epochs=_EPOCHS)
    predict = next(i for i, step in enumerate(plan) if step.words[1] == "predict")
    # the scores compare files that will be there by then
    simulated = folder / "simulated"
    files = DemoFiles(
        before=simulated / "full" / _RESTORED,
        after=simulated / demo_picks.RESTORED / _RESTORED,
        truth=simulated / "truth" / _RESTORED,
    )
    chains = [_Chain(plan, None)]
    chains += [_Chain((step,), predict) for step in demo.score(folder, files)]
    if part == "all":
        chains.append(_Chain(demo.picking(folder, seed=_SEED), predict))
        chains.append(_Chain(demo.posing(folder, seed=_SEED), None))
        chains.append(_Chain(demo.parting(folder, seed=_SEED), None))
    return chains


def _submit(queue: Queue, step: demo.Step, after: Sequence[int]) -> Entry:
    """Read a command as the command line does, and queue it with what it sets."""
    job = find_job(".".join(step.words[:2]))
    config = arguments.parse(job, step.words[2:]).config
    settings = config.model_dump(mode="json", exclude_unset=True)
    return queue.submit(job.name, settings, after=after, title=step.title)


def _free_name(queue: Queue) -> str:
    """A folder that no earlier demo uses."""
    number, name = 1, FOLDER
    used = {str(entry.settings.get("output", "")) for entry in _simulations(queue)}
    while queue.project.absolute(name).exists() or f"{name}/simulated" in used:
        number += 1
        name = f"{FOLDER}-{number}"
    return name


def _simulations(queue: Queue) -> list[Entry]:
    return queue.entries(text="simulate.tomograms", limit=1000)
