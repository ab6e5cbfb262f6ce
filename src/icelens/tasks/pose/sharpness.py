"""Make stated probabilities honest: one factor on the logits, fitted to held-out particles.

Label smoothing and a band limit leave a network too humble, few particles too sure of itself. The
factor that makes the true poses likeliest mends both.
"""

import math

import torch

from icelens.core.geometry.so3_functions import RotationGrid, value_at, wigner_at
from icelens.tasks.pose.batches import LabelledImages
from icelens.tasks.pose.network.rotation_network import RotationNetwork
from icelens.tasks.pose.network_images import ImageShape
from icelens.training.device import Compute, autocast

FACTORS = tuple(round(0.5 * 1.1**step, 4) for step in range(20))
"""From 0.5 to 3 in steps of a tenth."""
_ORDER = 3
_AT_ONCE = 64
_MOST_IMAGES = 1000


@torch.inference_mode()
def fitted_sharpness(
    network: RotationNetwork, data: LabelledImages, shape: ImageShape, compute: Compute
) -> float:
    """The factor on the logits under which the true rotations have the highest likelihood.

    References:
        Guo et al., ICML (2017), section 4.2 (its temperature is one over the factor).
    """
    degree = network.max_degree
    grid = RotationGrid(degree, _ORDER, device=compute.device)
    mask = shape.mask().to(compute.device)
    total = torch.zeros(len(FACTORS), dtype=torch.float64)
    network = network.to(compute.device).eval()
    for start in range(0, min(len(data), _MOST_IMAGES), _AT_ONCE):
        part = data.take(torch.arange(start, min(start + _AT_ONCE, len(data), _MOST_IMAGES)))
        with autocast(compute):
            answer = network(part.images.to(compute.device).float() * mask)[0]
        logits = torch.view_as_complex(answer.float().contiguous())
        truth = value_at(logits, wigner_at(part.rotation.to(compute.device), degree))
        values = grid(logits)
        for number, factor in enumerate(FACTORS):
            log_mean = torch.logsumexp(factor * values, dim=1) - math.log(values.shape[1])
            total[number] += float((factor * truth - log_mean).sum())
    return FACTORS[int(total.argmax())]
