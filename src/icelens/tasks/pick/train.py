"""Train a picking network: tomograms, network and objective handed to the loop, then judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import CheckpointError, StoppedEarly
from icelens.core.events import Message
from icelens.jobs.run import Run
from icelens.tasks.pick.class_change import adapt_head
from icelens.tasks.pick.costs import steps_for
from icelens.tasks.pick.crops import Crops
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.learning_data import LearningData, open_data
from icelens.tasks.pick.loaded_once import LoadedOnce
from icelens.tasks.pick.model import Model, read_model
from icelens.tasks.pick.network import SegmentationNetwork, build_network
from icelens.tasks.pick.objective import FindParticles, class_loss
from icelens.tasks.pick.scoring import HeldOut, Scorer
from icelens.tasks.pick.settings import DEFAULT_THRESHOLD
from icelens.tasks.pick.splits import Split, choose_split
from icelens.tasks.pick.targets_in_crops import TargetMaker
from icelens.tasks.pick.train_report import report_training
from icelens.tasks.pick.train_settings import LearningConfig, TrainConfig
from icelens.training.checkpoint import load_checkpoint, save_checkpoint
from icelens.training.device import Compute, choose_compute, keep_freed_memory
from icelens.training.loop import FitResult, FitSettings, fit
from icelens.training.seed import seed_everything

_JUDGING_VIEWS = 4
_NETWORK_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "half-unet": {"channels": [16, 32, 64, 128], "blocks": [1, 2, 2, 2]}
}


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
    objects = data.truth.classes
    # what can be refused is, before tomograms are read
    seed_everything(config.seed)  # the first weights are drawn, too
    network = make_network(config, objects, run)
    loss = class_loss(config, objects)
    run.on_event(Message(f"Training runs: {', '.join(split.train)}"))
    tomograms = data.load(split.train, run.on_event)
    validation = data.load(split.validation, run.on_event)
    if not warn_of_absent(objects, validation, run):
        validation, split = (), replace(split, validation=())
    crops = make_crops(config, objects, tomograms, network.stride, compute)
    template = _template(config, objects, network, tomograms[0].pixel_size)
    scorer = Scorer(validation, template, compute, config.beta, run.on_event)
    settings = fit_settings(config, tomograms)
    result = fit(
        network,
        FindParticles(loss),
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
    held_out = judging.judged(best.network, num_views=_JUDGING_VIEWS)
    # on what was learnt from, probabilities are too good to choose a threshold by
    thresholds = held_out.thresholds() if validation else {}
    _note_thresholds(result.checkpoint, thresholds, held_out)
    tests = data.load(split.test, run.on_event)
    tested = None
    if tests:
        judging = Scorer(tests, template, compute, config.beta, run.on_event)
        tested = judging.judged(best.network, num_views=_JUDGING_VIEWS)
    report_training(run, split, judges, held_out, thresholds, tests, tested, objects)
    finish(result, run)
    return Trained(result.checkpoint, held_out, thresholds)


def make_network(
    config: LearningConfig, objects: Sequence[PickableObject], run: Run
) -> SegmentationNetwork:
    """The network as asked for, with the weights of another run if one is named."""
    names = [each.name for each in objects]
    settings = {
        "architecture": config.network,
        **_NETWORK_DEFAULTS.get(config.network, {}),
        **config.network_settings,
    }
    network = build_network(settings, len(names) + 1)
    network.check_box(config.crop_size)
    if config.pretrained is not None:
        start_from(network, config.pretrained, names, run)
    return network


def start_from(network: SegmentationNetwork, path: Path, names: Sequence[str], run: Run) -> None:
    """Take over the weights of a trained model; its classes are matched by name.

    Raises:
        CheckpointError: If it is another architecture.
    """
    model = read_model(path)
    if model.network.settings != network.settings:
        raise CheckpointError(
            f"{model.path}: is {model.network.settings}, not {network.settings}; use --network "
            f"{model.network.settings['architecture']} with the same --network-settings"
        )
    old = [each.name for each in model.objects]
    state = adapt_head(model.network.state_dict(), old, names, network, on_event=run.on_event)
    network.load_state_dict(state)


def make_crops(
    config: LearningConfig,
    objects: Sequence[PickableObject],
    tomograms: Sequence[LabelledTomogram],
    stride: int,
    compute: Compute,
) -> Crops:
    """The source of training crops."""
    targets = TargetMaker(
        tuple(objects),
        "spheres" if config.target is not None else config.targets,
        stride,
        tomograms[0].pixel_size,
        config.centre_width,
        config.radius_scale,
    )
    return Crops(
        tomograms,
        targets,
        size=config.crop_size,
        batch_size=config.batch_size,
        augmentation=config.augmentation,
        background_share=config.background_share,
        seed=config.seed,
        device=compute.device,
    )


def fit_settings(config: LearningConfig, tomograms: Sequence[LabelledTomogram]) -> FitSettings:
    """Length and rates of the run."""
    num_picks = sum(len(tomogram.kind) for tomogram in tomograms)
    steps = config.steps or steps_for(num_picks)
    interval = max(1, steps // config.validations)
    return FitSettings(
        num_steps=steps,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        min_learning_rate=config.learning_rate / 100,
        warmup_steps=min(40, steps // 4),
        weight_decay=config.weight_decay,
        ema_decay=config.ema_decay,
        save_every=min(interval, 200),
        validate_every=interval,
        patience=config.patience,
        time_limit=None if config.time_limit is None else config.time_limit * 60.0,
    )


def describe(
    config: LearningConfig,
    objects: Sequence[PickableObject],
    network: SegmentationNetwork,
    pixel_size: float,
) -> dict[str, Any]:
    """What a prediction must know of the training; stored in the checkpoint."""
    is_centres = config.target is None and config.targets == "centres"
    return {
        "task": "pick",
        "network": network.settings,
        "stride": network.stride,
        "objects": [
            {
                "name": each.name,
                "label": each.label,
                "radius": each.radius,
                "weight": each.weight,
                "is_particle": each.is_particle,
            }
            for each in objects
        ],
        "voxel_size": pixel_size,
        "tomogram_types": list(config.tomogram_type),
        "targets": {
            "kind": "centres" if is_centres else "spheres",
            "radius_scale": config.radius_scale,
            "crop_size": list(config.crop_size),
        },
        "thresholds": {},
    }


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


def finish(result: FitResult, run: Run) -> None:
    """Say how the run ended.

    Raises:
        StoppedEarly: If the time limit came first.
    """
    if result.stopped == "time_limit":
        raise StoppedEarly(
            f"the time limit was reached at step {result.last_step}; {result.checkpoint} can be "
            "used, `--resume` continues"
        )
    reason = " (no better score for a while)" if result.stopped == "early_stop" else ""
    run.on_event(Message(f"Trained {result.last_step} steps{reason}: {result.checkpoint}"))


def _template(
    config: LearningConfig,
    objects: Sequence[PickableObject],
    network: SegmentationNetwork,
    pixel_size: float,
) -> Model:
    """The model that the network will be, before there is a file of it."""
    return Model(
        path=Path("network in training"),
        network=network,
        objects=tuple(objects),
        finds_centres=config.target is None and config.targets == "centres",
        thresholds={},
        voxel_size=pixel_size,
        tomogram_types=config.tomogram_type,
        radius_scale=config.radius_scale,
        crop_size=config.crop_size,
    )


def _note_thresholds(path: Path, thresholds: Mapping[str, float], held_out: HeldOut) -> None:
    """Write the checkpoint once more with the thresholds that were found."""
    checkpoint = load_checkpoint(path)
    description = {
        **checkpoint.description,
        "thresholds": dict(thresholds),
        "score": held_out.score,
    }
    save_checkpoint(path, checkpoint.tensors, description)
