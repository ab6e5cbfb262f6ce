"""Tomograms of noise on disk, listed in a STAR file, and a description of an untrained network."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.boxes import HANDLING
from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.io.tomogram_star import write_tomograms
from icelens.core.io.volumes import new_volume

PIXEL_SIZE = 10.0


def write_pair(folder: Path, shape: tuple[int, int, int]) -> None:
    """Write even, odd and full tomograms and `tomograms.star`; plane by plane, as they are big."""
    paths = {name: folder / f"TS_01_{name}.mrc" for name in ("even", "odd", "full")}
    for seed, path in enumerate(paths.values()):
        generator = np.random.default_rng(seed)
        with new_volume(
            path, shape=shape, pixel_size=PIXEL_SIZE, origin_xyz=(0.0, 0.0, 0.0)
        ) as array:
            for plane in range(shape[0]):
                array[plane] = generator.standard_normal(shape[1:], np.float32)
    row = TomogramRow(index=1, pixel_size=PIXEL_SIZE, defocus=35000.0, **paths)
    write_tomograms(folder / "tomograms.star", TomogramList.from_rows([row]))


def describe_network(network: str) -> dict[str, Any]:
    """What a checkpoint of `icelens restore refine` says of itself."""
    handling = asdict(HANDLING)
    return {
        "task": "restore",
        "method": "even-odd",
        "network": network,
        "box_size": 64,
        "pixel_size": PIXEL_SIZE,
        "contrast": "dark",
        "input_column": "auto",
        "use_tilt_files": False,
        "ctf_mode": handling.pop("mode"),
        **handling,
    }
