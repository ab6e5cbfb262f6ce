"""Let networks answer for particle images."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.particles import Particles
from icelens.core.io.image_stacks import ImageReader
from icelens.tasks.pose.found_poses import NetworkPoses
from icelens.tasks.pose.model import PoseModel, PoseReader
from icelens.tasks.pose.network_images import network_images, same_optics
from icelens.training.device import Compute

Integers = npt.NDArray[np.int64]

_AT_ONCE = {"cpu": 64, "cuda": 256, "mps": 64}


def predict(
    models: Sequence[PoseModel],
    particles: Particles,
    rows: Integers,
    *,
    reader: ImageReader,
    compute: Compute,
    top_k: int,
    on_done: Callable[[int], None],
) -> NetworkPoses:
    """Answers for rows; of several models the one that is surest of an image answers for it.

    All models see images alike (`shape`), or they could not have been trained together.
    """
    shape = models[0].shape
    readers = [
        PoseReader(model.network, model.symmetry, shape, compute, sharpness=model.sharpness)
        for model in models
    ]
    poses = NetworkPoses(
        np.empty((len(rows), top_k, 3, 3)),
        np.empty((len(rows), 2)),
        np.empty((len(rows), top_k)),
        np.empty((len(rows), top_k)),
    )
    done = 0
    for places in same_optics(particles, rows, _AT_ONCE[compute.device.type]):
        images = torch.from_numpy(reader.read(rows[places])).to(compute.device)
        prepared = network_images(images, particles, rows[places], shape)
        answers = [answer(prepared, top_k=top_k) for answer in readers]
        sure = torch.stack([answer.modes.probability[:, 0] for answer in answers])
        best = sure.argmax(dim=0).cpu().numpy()
        for number, answer in enumerate(answers):
            mine = best == number
            chosen = torch.from_numpy(mine)
            here = places[mine]
            poses.rotation[here] = answer.modes.rotation.cpu()[chosen].double().numpy()
            poses.probability[here] = answer.modes.probability.cpu()[chosen].double().numpy()
            poses.width[here] = answer.modes.width.cpu()[chosen].double().numpy()
            shift_yx = answer.shift_yx.cpu()[chosen].double().numpy()
            poses.shift_yx[here] = shift_yx * shape.pixel_size
        done += len(places)
        on_done(done)
    return poses
