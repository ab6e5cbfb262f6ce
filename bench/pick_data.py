"""CPU-seconds to cut a step's training crops, with targets and augmentation."""

import torch

from bench.figure import Figure, cpu_seconds
from bench.pick_volumes import FULL_SHAPE, OBJECTS, PIXEL_SIZE, QUICK_SHAPE, noisy_tomogram
from icelens.tasks.pick.crops import Crops
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.targets_in_crops import TargetMaker
from icelens.tasks.pick.train_settings import AugmentConfig, TargetKind
from icelens.training.device import choose_compute, keep_freed_memory

NUM_CROPS, SIDE = 16, 96
REFERENCE, REACH = "1.99 CPU-s", "<= 0.15"


def measure(*, quick: bool) -> list[Figure]:
    """16 crops of 96^3 as `icelens pick train` makes them; the reference's are not varied."""
    torch.set_num_threads(1)
    keep_freed_memory(choose_compute("cpu", "float32", 1))
    tomogram = noisy_tomogram(QUICK_SHAPE if quick else FULL_SHAPE)
    plain = AugmentConfig(flips=False, noise=0.0, intensity=0.0)
    cases: dict[str, tuple[TargetKind, AugmentConfig]] = {
        "targets and default augmentation": ("centres", AugmentConfig()),
        "targets only": ("centres", plain),
        "spheres and default augmentation": ("spheres", AugmentConfig()),
        "half of them turned as well": ("centres", AugmentConfig(turn_probability=0.5)),
    }
    size = "x".join(str(side) for side in tomogram.shape)
    return [
        Figure(
            f"{NUM_CROPS} crops of {SIDE}^3 from {size}, {words}",
            _seconds(tomogram, kind, augmentation, repeats=3 if quick else 9),
            "CPU-s",
            REFERENCE,
            REACH if "default" in words else "",
        )
        for words, (kind, augmentation) in cases.items()
    ]


def _seconds(
    tomogram: LabelledTomogram, kind: TargetKind, augmentation: AugmentConfig, repeats: int
) -> float:
    targets = TargetMaker(OBJECTS, kind, 2, PIXEL_SIZE, 12.0, 0.7)
    crops = Crops(
        [tomogram],
        targets,
        size=(SIDE, SIDE, SIDE),
        batch_size=NUM_CROPS,
        augmentation=augmentation,
        background_share=0.0,
        seed=1,
        device=torch.device("cpu"),
    )
    steps = iter(range(repeats + 1))
    return cpu_seconds(lambda: crops(next(steps), range(NUM_CROPS)), repeats=repeats)
