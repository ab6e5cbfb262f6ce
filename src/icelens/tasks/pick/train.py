"""Train a picking network: tomograms, network and objective handed to the loop, then judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from icelens.core.data.pickable import PickableObject
from icelens.core.events import Message
from icelens.jobs.run import Run
from icelens.tasks.pick.description import describe
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.learning_data import LearningData, open_data
from icelens.tasks.pick.learning_setup import (
    class_loss,
    fit_settings,
    make_crops,
    make_network,
    template_of,
)
from icelens.tasks.pick.loaded_once import LoadedOnce
from icelens.tasks.pick.model import read_model
from icelens.tasks.pick.objective import FindParticles
from icelens.tasks.pick.scoring import JUDGING_VIEWS, HeldOut, Scorer
from icelens.tasks.pick.settings import DEFAULT_THRESHOLD
from icelens.tasks.pick.splits import Split, choose_split
from icelens.tasks.pick.train_report import report_training
from icelens.tasks.pick.train_settings import LearningConfig, TrainConfig
from icelens.training.checkpoint import amend_checkpoint
from icelens.training.device import choose_compute, keep_freed_memory
from icelens.training.ending import say_how_it_ended
from icelens.training.loop import fit
from icelens.training.seed import seed_everything


@dataclass(frozen=True, eq=False)
class Trained:
    """A model and how it did on the runs that chose its thresholds."""

    checkpoint: Path
    held_out: HeldOut
    thresholds: Mapping[str, float]


def train(config: TrainConfig, run: Run) -> Path:
    """Train a network on the named runs and return its checkpoint."""
    data = open_data(config, run.on_event)
    split = choose_split(
        data.run_names(),
        train=data.checked(config.train_runs),
        validation=data.checked(config.validation_runs),
        test=data.checked(config.test_runs),
        shares=config.split,
        seed=config.seed,
    )
    return train_on(config, data, split, run).checkpoint


def train_on(
    config: LearningConfig,
    data: LearningData | LoadedOnce,
    split: Split,
    run: Run,
    *,
    selects: bool = True,
) -> Trained:
    """Train on one split of the runs; thresholds come from the validation runs.

    `selects` keeps the step that does best on them; otherwise they are looked at once, at the end.

    Raises:
        StoppedEarly: If the time limit came first.
    """
    compute = choose_compute(config.device, config.precision, config.threads)
    keep_freed_memory(compute)
    run.on_event(Message(f"Training runs: {', '.join(split.train)}"))
    objects = data.truth.classes
    # mistakes in settings are told before tomograms are read
    class_loss(config, objects, grid_size=1.0)
    seed_everything(config.seed)  # the first weights are drawn, too
    network = make_network(config, objects, run)
    tomograms = data.load(split.train, run.on_event)
    validation = data.load(split.validation, run.on_event)
    if not warn_of_absent(objects, validation, run):
        validation, split = (), replace(split, validation=())
    crops = make_crops(config, objects, tomograms, network.stride, compute)
    template = template_of(config, objects, network, tomograms[0].pixel_size)
    scorer = Scorer(validation, template, compute, config.beta, run.on_event)
    settings = fit_settings(config, tomograms)
    result = fit(
        network,
        FindParticles(class_loss(config, objects, grid_size=crops.targets.grid_size)),
        crops,
        settings,
        compute=compute,
        folder=run.folder,
        describe=describe(config, objects, network, tomograms[0].pixel_size),
        seed=config.seed,
        resume=run.resume,
        on_event=run.on_event,
        validate=scorer if validation and selects else None,
    )
    judges = validation or tomograms
    if not validation:
        run.on_event(
            Message(
                f"no validation run: every threshold is {DEFAULT_THRESHOLD:g}; name some with "
                "--validation-runs, or use `icelens pick cross-validate`",
                "warning",
            )
        )
    best = read_model(result.checkpoint)
    judging = Scorer(judges, template, compute, config.beta, run.on_event)
    held_out = judging.judged(best.network, num_views=JUDGING_VIEWS)
    # on what was learnt from, probabilities are too good to choose a threshold by
    thresholds = held_out.thresholds() if validation else {}
    amend_checkpoint(result.checkpoint, {"thresholds": dict(thresholds), "score": held_out.score})
    tests = data.load(split.test, run.on_event)
    tested = None
    if tests:
        judging = Scorer(tests, template, compute, config.beta, run.on_event)
        tested = judging.judged(best.network, num_views=JUDGING_VIEWS)
    report_training(run, split, judges, held_out, thresholds, tests, tested, objects)
    say_how_it_ended(result, run.on_event)
    return Trained(result.checkpoint, held_out, thresholds)


def warn_of_absent(
    objects: Sequence[PickableObject], validation: Sequence[LabelledTomogram], run: Run
) -> bool:
    """Name the classes that no validation run can judge; say whether one can be judged at all."""
    if not validation:
        return False
    absent = [
        each.name
        for number, each in enumerate(objects)
        if not any(tomogram.holds(number) for tomogram in validation)
    ]
    if absent:
        run.on_event(
            Message(
                f"no validation run holds {', '.join(absent)}: left out of the score, and the "
                f"threshold stays {DEFAULT_THRESHOLD:g}",
                "warning",
            )
        )
    return len(absent) < len(objects)
