"""Shapes of networks that a search may try, by architecture. Imports neither torch nor Optuna."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
_DROPOUT = (0.0, 0.3)


class Draw(Protocol):
    """Where values come from."""

    def number(self, name: str, bounds: tuple[float, float], *, is_log: bool = False) -> float:
        """A number within bounds."""
        ...

    def choice(self, name: str, options: Mapping[str, T]) -> T:
        """One of the options."""
        ...


def _half_unet(draw: Draw) -> dict[str, Any]:
    first = draw.choice("half_unet_channels", _numbers(8, 16, 24, 32))
    levels = draw.choice("half_unet_levels", _numbers(3, 4))
    per_level = draw.choice("half_unet_blocks", _numbers(1, 2, 3))
    return {
        "channels": [first * 2**level for level in range(levels)],
        # the first level holds most voxels: one block there, more below
        "blocks": [1, *[per_level] * (levels - 1)],
    }


def _unet(draw: Draw) -> dict[str, Any]:
    first = draw.choice("unet_channels", _numbers(8, 16, 32))
    levels = draw.choice("unet_levels", _numbers(3, 4))
    hidden = draw.choice("unet_hidden_levels", _numbers(1, 2))
    channels = [first * 2**level for level in range(levels)]
    return {
        "channels": [*channels, *[channels[-1]] * hidden],
        "strides": [*[2] * (levels - 1), *[1] * hidden],
        "num_res_units": draw.choice("unet_res_units", _numbers(1, 2)),
        "dropout": draw.number("unet_dropout", _DROPOUT),
    }


def _dynunet(draw: Draw) -> dict[str, Any]:
    strides = draw.choice(
        "dynunet_strides", {"1-2-2": [1, 2, 2], "1-2-2-2": [1, 2, 2, 2], "1-2-2-1": [1, 2, 2, 1]}
    )
    supervised = draw.choice("dynunet_supervised_levels", _numbers(0, 1))
    return {
        "strides": strides,
        "kernel_size": [3] * len(strides),
        "deep_supervision": supervised > 0,
        "deep_supr_num": supervised,
        "dropout": draw.number("dynunet_dropout", _DROPOUT),
    }


def _segresnet(draw: Draw) -> dict[str, Any]:
    blocks = {"1-2-2-4": [1, 2, 2, 4], "1-2-2-2": [1, 2, 2, 2], "1-1-2-2": [1, 1, 2, 2]}
    return {
        "init_filters": draw.choice("segresnet_filters", _numbers(16, 32)),
        "blocks_down": draw.choice("segresnet_blocks", blocks),
        "dsdepth": draw.choice("segresnet_supervised_levels", _numbers(1, 2, 3)),
    }


def _swinunetr(draw: Draw) -> dict[str, Any]:
    sizes = {
        f"{size}, {heads} heads": (size, [heads * 2**level for level in range(4)])
        for size, heads in ((12, 3), (24, 3), (24, 6), (36, 3), (36, 6))
    }
    size, heads = draw.choice("swinunetr_features", sizes)
    depths = {"2-2-2-2": [2, 2, 2, 2], "2-2-4-2": [2, 2, 4, 2], "2-4-4-2": [2, 4, 4, 2]}
    return {
        "feature_size": size,
        "num_heads": heads,
        "depths": draw.choice("swinunetr_depths", depths),
        "window_size": draw.choice("swinunetr_window", _numbers(5, 7)),
        "drop_rate": draw.number("swinunetr_dropout", _DROPOUT),
        "dropout_path_rate": draw.number("swinunetr_path_dropout", (0.0, 0.2)),
        "use_checkpoint": True,
    }


NETWORK_SPACES: dict[str, Callable[[Draw], dict[str, Any]]] = {
    "half-unet": _half_unet,
    "unet": _unet,
    "dynunet": _dynunet,
    "segresnet": _segresnet,
    "swinunetr": _swinunetr,
}
"""Others are tried with the settings they come with."""


def _numbers(*values: int) -> dict[str, int]:
    return {str(value): value for value in values}
