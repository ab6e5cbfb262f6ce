"""From settings to what the training loop needs: network, crops, loss and lengths."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import CheckpointError, IcelensError
from icelens.jobs.run import Run
from icelens.tasks.pick.class_change import adapt_head
from icelens.tasks.pick.costs import steps_for
from icelens.tasks.pick.crops import Crops
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.losses import DeepSupervision, build_loss
from icelens.tasks.pick.model import Model, read_model
from icelens.tasks.pick.network import SegmentationNetwork, build_network
from icelens.tasks.pick.objective import CentreLoss, ClassLoss, LabelLoss
from icelens.tasks.pick.targets_in_crops import TargetMaker
from icelens.tasks.pick.train_settings import LearningConfig
from icelens.training.device import Compute
from icelens.training.loop import FitSettings

_CENTRE_LOSS = "weighted-cross-entropy"
_NETWORK_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "half-unet": {"channels": [16, 32, 64, 128], "blocks": [1, 2, 2, 2]}
}


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
        "centres" if config.learns_centres else "spheres",
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


def class_loss(
    config: LearningConfig, objects: Sequence[PickableObject], *, grid_size: float
) -> ClassLoss:
    """What is minimised, chosen once: centres as maps, or voxels as labels.

    `grid_size` is the sampling of the network's output in Å.

    Raises:
        IcelensError: If the loss is unknown, or not one of centres.
    """
    is_default = config.loss == _CENTRE_LOSS
    if config.learns_centres:
        if not is_default or config.loss_settings:
            raise IcelensError(
                f"--loss {config.loss}: centres have {_CENTRE_LOSS}, set by --centre-weight; for "
                "other losses and their settings add --targets spheres"
            )
        radius = max((each.radius or 0.0 for each in objects), default=0.0)
        return CentreLoss(
            config.centre_weight,
            tuple(not each.is_particle for each in objects),
            unlabelled_weight=config.unlabelled_weight,
            reach=math.ceil(radius / grid_size),
        )
    name = "tversky" if is_default else config.loss
    return LabelLoss(DeepSupervision(build_loss({"name": name, **config.loss_settings})))


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


def template_of(
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
        finds_centres=config.learns_centres,
        thresholds={},
        voxel_size=pixel_size,
        tomogram_types=config.tomogram_type,
        radius_scale=config.radius_scale,
        crop_size=config.crop_size,
    )
