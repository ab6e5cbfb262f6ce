"""What a search may change, and within which bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from icelens.core.errors import IcelensError
from icelens.tasks.pick.search_networks import NETWORK_SPACES, Draw
from icelens.tasks.pick.search_settings import SearchConfig

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

T = TypeVar("T")
SEARCHED = (
    "learning_rate", "weight_decay", "crop_size", "batch_size", "augmentation", "centre_weight",
    "centre_width", "radius_scale", "loss", "network_settings",
)  # fmt: skip
"""Settings that a search changes unless it is told to keep them."""
_LEARNING_RATE, _WEIGHT_DECAY = (3e-4, 1e-2), (1e-4, 1e-1)
_CENTRE_WEIGHT = (32.0, 1024.0)
_CENTRE_WIDTH = (0.6, 1.6)
"""Shares of the given width."""
_RADIUS_SCALE = (0.5, 0.9)
_CROP_SCALES = {"smaller": 2 / 3, "as given": 1.0, "larger": 4 / 3}
_BATCH_FACTORS = (1, 2, 4)
_SIDE_MULTIPLE = {"swinunetr": 32}


@dataclass(frozen=True, eq=False)
class OptunaDraw:
    """Draws from an Optuna trial; a name always stands for the same bounds."""

    trial: "BaseTrial"

    def number(self, name: str, bounds: tuple[float, float], *, is_log: bool = False) -> float:
        """A number within bounds."""
        return self.trial.suggest_float(name, *bounds, log=is_log)

    def choice(self, name: str, options: Mapping[str, T]) -> T:
        """One of the options; they are recorded by their names."""
        return options[self.trial.suggest_categorical(name, tuple(options))]


def propose(trial: "BaseTrial", config: SearchConfig) -> dict[str, Any]:
    """Draw the settings of a trial: those that differ from the given ones.

    Args:
        trial: Where values come from and are recorded.
        config: What stays as given, and the middle of what is relative to it.
    """
    draw = OptunaDraw(trial)
    names = config.networks or (config.network,)
    changes: dict[str, Any] = {
        "network": draw.choice("network", {name: name for name in names})
        if len(names) > 1
        else names[0]
    }
    if _is_free(config, "network_settings"):
        space = NETWORK_SPACES.get(changes["network"])
        changes["network_settings"] = {} if space is None else space(draw)
    for name, bounds in (("learning_rate", _LEARNING_RATE), ("weight_decay", _WEIGHT_DECAY)):
        if _is_free(config, name):
            changes[name] = draw.number(name, bounds, is_log=True)
    if _is_free(config, "crop_size"):
        scale = draw.choice("crop_size", _CROP_SCALES)
        multiple = _SIDE_MULTIPLE.get(changes["network"], 16)
        changes["crop_size"] = tuple(
            max(multiple, round(side * scale / multiple) * multiple) for side in config.crop_size
        )
    if _is_free(config, "batch_size"):
        sizes = {str(factor * config.batch_size): factor for factor in _BATCH_FACTORS}
        changes["batch_size"] = config.batch_size * draw.choice("batch_size", sizes)
    if _is_free(config, "augmentation"):
        changes["augmentation"] = config.augmentation.model_copy(update=_augmentation(draw))
    return {**changes, **_targets(draw, config)}


def with_changes(config: SearchConfig, changes: Mapping[str, Any]) -> SearchConfig:
    """The settings of a trial."""
    return config.model_copy(update=dict(changes))


def check_space(config: SearchConfig) -> None:
    """Refuse names that mean nothing, before the first trial.

    Raises:
        IcelensError: If a kept setting or a network is unknown, or settings of one network are
            given for several.
    """
    from icelens.jobs.registry import did_you_mean
    from icelens.tasks.pick.network import architecture_names

    for name in config.keep:
        if name not in SEARCHED:
            raise IcelensError(
                f"--keep {name}: is not searched; {did_you_mean(name, SEARCHED)} (searched are "
                f"{', '.join(SEARCHED)})"
            )
    for name in config.networks or (config.network,):
        if name not in architecture_names():
            raise IcelensError(
                f"{name}: no such network; {did_you_mean(name, architecture_names())}"
            )
    if len(config.networks) > 1 and config.network_settings:
        raise IcelensError(
            "--network-settings belong to one network, but --networks names "
            f"{', '.join(config.networks)}; leave one of both out"
        )


def _is_free(config: SearchConfig, name: str) -> bool:
    """Whether a setting is searched; a network whose settings are given is kept as it is."""
    is_given = name == "network_settings" and bool(config.network_settings)
    return name not in config.keep and not is_given


def _augmentation(draw: Draw) -> dict[str, float]:
    return {
        "noise": draw.number("noise", (0.0, 0.6)),
        "intensity": draw.number("intensity", (0.0, 0.3)),
        "mixup": draw.number("mixup", (0.0, 0.5)),
        "turn_probability": draw.number("turn_probability", (0.0, 0.5)),
    }


def _targets(draw: Draw, config: SearchConfig) -> dict[str, Any]:
    """What centres weigh and how wide they are; or spheres and the loss of labelled voxels."""
    changes: dict[str, Any] = {}
    if config.learns_centres:
        if _is_free(config, "centre_weight"):
            changes["centre_weight"] = draw.number("centre_weight", _CENTRE_WEIGHT, is_log=True)
        if _is_free(config, "centre_width"):
            share = draw.number("centre_width_scale", _CENTRE_WIDTH)
            changes["centre_width"] = share * config.centre_width
        return changes
    if config.target is None and _is_free(config, "radius_scale"):
        changes["radius_scale"] = draw.number("radius_scale", _RADIUS_SCALE)
    if _is_free(config, "loss"):
        losses = ("tversky", "focal", "focal-tversky", "weighted-focal-tversky")
        changes["loss"] = draw.choice("loss", {name: name for name in losses})
        changes["loss_settings"] = _loss_settings(draw, changes["loss"])
    return changes


def _loss_settings(draw: Draw, loss: str) -> dict[str, float]:
    settings = {}
    if "tversky" in loss:
        settings["alpha"] = draw.number("alpha", (0.1, 0.5))
    if "focal" in loss:
        # below 0.5 the exponent 1 / gamma of focal-tversky flattens the loss where it is small
        settings["gamma"] = draw.number("gamma", (0.5, 2.0))
    if loss == "weighted-focal-tversky":
        settings["weight_tversky"] = draw.number("weight_tversky", (0.1, 0.9))
    return settings
