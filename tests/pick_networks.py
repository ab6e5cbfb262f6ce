"""Settings of a small network of each architecture of `pick`, with a box that it takes."""

from typing import Any

import pytest

SMALL: list[tuple[dict[str, Any], tuple[int, int, int]]] = [
    ({"architecture": "unet", "channels": [4, 6, 8], "strides": [2, 2]}, (8, 16, 8)),
    (
        {"architecture": "unet", "channels": [4, 6, 8], "strides": [2, 1], "output_stride": 2},
        (8, 16, 8),
    ),
    ({"architecture": "dynunet", "filters": [4, 6, 8, 8]}, (16, 16, 8)),
    (
        {
            "architecture": "dynunet",
            "filters": [4, 6, 8, 8],
            "deep_supervision": True,
            "deep_supr_num": 2,
        },
        (16, 16, 8),
    ),
    (
        {
            "architecture": "dynunet",
            "filters": [4, 6, 8],
            "strides": [2, 2, 1],
            "kernel_size": [3, 3, 3],
            "res_block": True,
            "dropout": 0.1,
        },
        (8, 8, 8),
    ),
    (
        {"architecture": "segresnet", "init_filters": 4, "blocks_down": [1, 1, 1], "dsdepth": 2},
        (8, 16, 8),
    ),
    (
        {"architecture": "swinunetr", "feature_size": 12, "window_size": 3, "depths": [1, 1, 1, 1]},
        (32, 64, 32),
    ),
    (
        {"architecture": "attention-unet", "channels": [4, 6, 8], "strides": [2, 2]},
        (8, 16, 8),
    ),
    (
        {
            "architecture": "mednext",
            "init_filters": 2,
            "kernel_size": 3,
            "blocks_down": [1, 1],
            "blocks_up": [1, 1],
            "blocks_bottleneck": 1,
            "deep_supervision": True,
        },
        (8, 16, 8),
    ),
]
every_network = pytest.mark.parametrize(
    ("settings", "sides"), SMALL, ids=[f"{s['architecture']}-{i}" for i, (s, _) in enumerate(SMALL)]
)
