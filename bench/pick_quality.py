"""Quality of pick on the CZII-like phantom, by the issue's commands; more with its own flags.

`python -m bench.pick_quality --signal 0.12 --labelled 10,30 --folder DIR` keeps what it makes.
"""

import argparse
import json
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.command import Usage, run_icelens
from bench.figure import Figure
from bench.pick_phantom import (
    HIDDEN,
    TRAINING,
    TRUTH,
    TYPE,
    Phantom,
    make_project,
    write_fewer_picks,
)
from bench.pick_template import template_score
from icelens.core.data.pickable import Source
from icelens.core.io.copick.project import open_project

REFERENCE = "0.43, with 4 views 0.55 (a harder phantom's)"
LABELLED = (10, 30, 100)
SEED = 1


@dataclass(frozen=True)
class Outcome:
    """Scores of one training on the hidden runs, and what its commands used."""

    scores: dict[str, object]
    spent: dict[str, Usage]


def measure(*, quick: bool) -> list[Figure]:
    """Score, learning curve and cost at the default contrast; a few steps if `quick`."""
    with tempfile.TemporaryDirectory() as name:
        if quick:
            small = Phantom(shape=(64, 96, 96), particles=20)
            return figures_of(Path(name), small, labelled=(10,), more="--steps 20")
        return figures_of(Path(name), Phantom(), labelled=LABELLED)


def figures_of(
    folder: Path, phantom: Phantom, *, labelled: Sequence[int], more: str = ""
) -> list[Figure]:
    """Simulate, train with all picks and with fewer, and score each on the hidden runs.

    Args:
        folder: To work in.
        phantom: What to simulate.
        labelled: How many picks to train on, besides all.
        more: Further flags of `icelens pick train`.
    """
    path, simulated = make_project(folder, phantom)
    project = open_project(path)
    title = f"phantom of signal {phantom.signal:g}"
    figures = [Figure(f"{title}, simulated and filtered, CPU", simulated.cpu_seconds, "CPU-s")]
    template = template_score(project)
    figures.append(
        Figure(f"weighted F4, {title}, radial template filter", template.f_beta or 0, "")
    )
    outcome = _learn(folder, TRUTH, more)
    figures += _all_about(outcome, title)
    for count in labelled:
        source = write_fewer_picks(project, count, SEED)
        outcome = _learn(folder, source, more)
        what = f"weighted F4, {title}, about {count} picks labelled"
        figures.append(Figure(what, _number(outcome.scores["f_beta"]), ""))
    return figures


def _learn(folder: Path, truth: Source, more: str) -> Outcome:
    """Train, segment, localize and evaluate, each in a process of one thread."""
    project = f"--project {shlex.quote(str(folder / 'project.json'))}"
    hidden, name = ",".join(HIDDEN), truth.user_id
    picks = f"{name}-net,1"
    commands = {
        "train": f"{project} --output model_{name} --tomogram-type {TYPE} --truth {truth} "
        f"--train-runs {','.join(TRAINING)} --device cpu --threads 1 --seed {SEED} {more}",
        "segment": f"{project} --model model_{name} --runs {hidden} --output segment_{name} "
        f"--segmentation {name},icelens,1 --device cpu --threads 1",
        "localize": f"{project} --model model_{name} --runs {hidden} --output localize_{name} "
        f"--segmentation {name},icelens,1 --user {name}-net --session 1",
        "evaluate": f"{project} --truth {TRUTH} --picks {picks} --runs {hidden} "
        f"--output evaluation_{name}",
    }
    spent = {job: run_icelens(f"pick {job} {words}", folder) for job, words in commands.items()}
    scores = json.loads((folder / f"evaluation_{name}" / "scores.json").read_text())
    return Outcome(scores, spent)


def _all_about(outcome: Outcome, title: str) -> list[Figure]:
    """Rows of the score, the errors, each object, and the cost."""
    objects = outcome.scores["objects"]
    assert isinstance(objects, dict)
    found = [(each["true"], each["rms_error"]) for each in objects.values() if each["true"]]
    count = sum(true for true, _ in found)
    error = (sum(true * rms**2 for true, rms in found) / count) ** 0.5 if count else float("nan")
    rows = [
        Figure(
            f"weighted F4, {title}", _number(outcome.scores["f_beta"]), "", REFERENCE, ">= 0.80"
        ),
        Figure(f"localisation error, {title}, all objects, RMS", error, "Å", "", "<= 8"),
    ]
    for name, each in objects.items():
        rows += [
            Figure(f"F4 of {name}", _number(each["f_beta"]), ""),
            Figure(f"localisation error of {name}, RMS", _number(each["rms_error"]), "Å"),
        ]
    for job, used in outcome.spent.items():
        reach = "<= 680 CPU-s" if job == "train" else ""
        rows.append(Figure(f"pick {job}, {title}, CPU", used.cpu_seconds, "CPU-s", "", reach))
    return rows


def _number(value: object) -> float:
    return float("nan") if value is None else float(str(value))


def main() -> None:
    """Print the rows for another contrast, or with other flags of the training."""
    parser = argparse.ArgumentParser(prog="python -m bench.pick_quality", description=__doc__)
    parser.add_argument("--signal", type=float, default=Phantom.signal)
    parser.add_argument("--labelled", default="", help="numbers of picks, such as 10,30,100")
    parser.add_argument("--folder", type=Path, help="an empty folder to work in and to keep")
    parser.add_argument("--train", default="", help="further flags of icelens pick train")
    given = parser.parse_args()
    labelled = [int(word) for word in given.labelled.split(",") if word]
    with tempfile.TemporaryDirectory() as name:
        folder = (given.folder or Path(name)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        phantom = Phantom(signal=given.signal)
        for figure in figures_of(folder, phantom, labelled=labelled, more=given.train):
            print(figure.row(), flush=True)


if __name__ == "__main__":
    main()
