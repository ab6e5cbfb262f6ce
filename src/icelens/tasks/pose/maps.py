"""Half maps, the map of all images and their correlation, written as files."""

from collections.abc import Mapping
from pathlib import Path

import torch

from icelens.core.data.volume import Volume
from icelens.core.events import Message, OnEvent, Saved
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.wiener import HalfMaps, reconstruct_halves
from icelens.core.io.fsc_table import write_fsc
from icelens.core.io.volumes import write_volume

MAP_NAMES = ("half_1.mrc", "half_2.mrc", "map.mrc")
NUM_HALVES = 2


def write_maps(
    folder: Path,
    sums: Mapping[int, SliceSums | None],
    symmetry: str,
    pixel_size: float,
    on_event: OnEvent,
) -> HalfMaps | None:
    """Reconstruct from the sums of both half sets; nothing if one of them has no image."""
    first, second = sums.get(1), sums.get(2)
    with_images = [each for each in (first, second) if each is not None and _has_images(each)]
    if first is None or second is None or len(with_images) < NUM_HALVES:
        found = "only one half set has" if with_images else "no"
        on_event(Message(f"{found} images to use: no map is reconstructed", "warning"))
        return None
    maps = reconstruct_halves(first, second, symmetry=symmetry, pixel_size=pixel_size)
    save_halves(folder, "", maps, pixel_size, on_event)
    on_event(Message(f"The half maps agree to {maps.resolution:.2f} Å (FSC 0.143, no mask)"))
    return maps


def _has_images(sums: SliceSums) -> bool:
    return bool(sums.values[..., 2].any())


def save_halves(
    folder: Path, stem: str, maps: HalfMaps, pixel_size: float, on_event: OnEvent
) -> None:
    """Write `half_1.mrc`, `half_2.mrc`, `map.mrc` and `fsc.csv`, after `stem`."""
    for name, density in (("half_1", maps.half_1), ("half_2", maps.half_2), ("map", maps.full)):
        path = folder / f"{stem}{name}.mrc"
        write_volume(path, Volume(density.to(torch.float32).cpu().numpy(), pixel_size))
        on_event(Saved(path, "volume"))
    path = folder / f"{stem}fsc.csv"
    write_fsc(path, maps.fsc.spatial_frequency.tolist(), {"fsc": maps.fsc.correlation.tolist()})
    on_event(Saved(path, "table"))
