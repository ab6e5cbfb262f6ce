"""One seed for everything: independent random streams named by what they are for."""

import hashlib
import random

import numpy as np
import torch


def derive_seed(seed: int, *path: int | str) -> int:
    """Hash a seed and a path, such as `(step, item)`, to 63 bits; different paths are unrelated."""
    words = "/".join(f"{type(word).__name__}:{word}" for word in (seed, *path))
    digest = hashlib.blake2b(words.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator_for(seed: int, *path: int | str) -> torch.Generator:
    """Return a fresh CPU generator whose stream depends on `seed` and `path` alone.

    Random numbers drawn on the CPU are the same on every device, so that a run on a GPU sees the
    crops and rotations of a run without one.
    """
    return torch.Generator().manual_seed(derive_seed(seed, *path))


def seed_everything(seed: int, *path: int | str) -> None:
    """Set the global streams of Python, NumPy and torch (all devices) from `seed` and `path`.

    For code that draws from global streams, such as dropout; new code takes a generator.
    """
    derived = derive_seed(seed, *path)
    random.seed(derived)
    np.random.seed(derived % 2**32)  # noqa: NPY002 - the legacy stream is the one others draw from
    torch.manual_seed(derived)
