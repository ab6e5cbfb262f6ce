"""IsoNet2's names for the weights of its networks, and ours."""

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from icelens.core.errors import CheckpointError
from icelens.training.networks.scunet_3d import FRN_EPSILON
from icelens.training.networks.window_attention_3d import NUM_OFFSETS

WRAPPERS = ("module.", "_orig_mod.")
"""What distributed training and compilation put before every name."""

_LEAVES = {
    "gamma": "scale",
    "beta": "offset",
    "tau": "floor",
    "relative_position_params": "position_bias",
}
_LEVELS = range(4)


def rename(weights: Mapping[str, Tensor], network: str, where: object) -> dict[str, Tensor]:
    """Give each tensor of IsoNet2's `network` our name and shape.

    A name that is not IsoNet2's is kept; whoever loads the weights will miss the right one.

    Raises:
        CheckpointError: If a normalisation of `where` has another epsilon than ours.
    """
    is_scunet = network.startswith("scunet")
    modules = dict(_scunet(is_fast="fast" in network) if is_scunet else _unet())
    renamed = {}
    for name, tensor in weights.items():
        module, _, leaf = _unwrapped(name).rpartition(".")
        if leaf == "eps":
            _check_epsilon(tensor, where)
            continue
        if leaf == "relative_position_params":
            tensor = _for_largest_window(tensor)
        renamed[f"{modules.get(module, module)}.{_LEAVES.get(leaf, leaf)}"] = tensor
    return renamed


def _unwrapped(name: str) -> str:
    while name.startswith(WRAPPERS):
        name = name.partition(".")[2]
    return name


def _unet() -> Iterator[tuple[str, str]]:
    """Pair the modules of a U-Net; a layer is a convolution, a norm and an activation in turn."""
    encoder, decoder = "encoder.module_dict", "decoder.module_dict"
    yield f"{encoder}.first_conv", "stem"
    yield "final", "head"
    yield from _layers(f"{encoder}.bottleneck", ["bottleneck.0", "bottleneck.1"])
    for n in _LEVELS:
        yield f"{decoder}.deconv_{n}", f"up.{n}"
        yield from _layers(f"{encoder}.stride_conv_{n}", [f"down.{n}"])
        yield from _layers(f"{encoder}.conv_stack_{n}", [f"encoder.{n}.{k}" for k in range(3)])
        joined = [f"decoder.{n}.{name}" for name in ("join", "stack.0", "stack.1")]
        yield from _layers(f"{decoder}.conv_stack_{n}", joined)


def _layers(theirs: str, ours: list[str]) -> Iterator[tuple[str, str]]:
    for k, layer in enumerate(ours):
        yield f"{theirs}.net.{3 * k}", f"{layer}.conv"
        yield f"{theirs}.net.{3 * k + 1}", f"{layer}.norm"


def _scunet(*, is_fast: bool) -> Iterator[tuple[str, str]]:
    """Pair the modules of a SCUNet; its levels count from one, and hold the halving too."""
    yield "m_head.0", "stem"
    yield "m_tail.0", "head"
    for n in _LEVELS:
        yield f"m_up{n + 1}.0", f"up.{n}"
        if n == 0 and is_fast:
            yield "m_down1.0", "encoder.0.norm"
            yield "m_down1.7", "down.0"
            for k in range(6):
                yield f"m_down1.{k + 1}", f"encoder.0.stack.{k}"
                yield f"m_up1.{k + 1}", f"decoder.0.stack.{k}"
            continue
        yield f"m_down{n + 1}.2", f"down.{n}"
        for k in range(2):
            yield from _block(f"m_down{n + 1}.{k}", f"encoder.{n}.blocks.{k}")
            yield from _block(f"m_up{n + 1}.{k + 1}", f"decoder.{n}.blocks.{k}")
    for k in range(2):
        yield from _block(f"m_body.{k}", f"bottleneck.blocks.{k}")


def _block(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    yield f"{theirs}.conv1_1", f"{ours}.mix_in"
    yield f"{theirs}.conv1_2", f"{ours}.mix_out"
    for k in range(4):
        yield f"{theirs}.conv_block.{k}", f"{ours}.convolutions.{k}"
    yield f"{theirs}.trans_block.ln1", f"{ours}.norm_1"
    yield f"{theirs}.trans_block.ln2", f"{ours}.norm_2"
    yield f"{theirs}.trans_block.msa", f"{ours}.attention"
    yield f"{theirs}.trans_block.msa.embedding_layer", f"{ours}.attention.project_in"
    yield f"{theirs}.trans_block.msa.linear", f"{ours}.attention.project_out"
    for k in (0, 2):
        yield f"{theirs}.trans_block.mlp.{k}", f"{ours}.mlp.{k}"


def _check_epsilon(epsilon: Tensor, where: object) -> None:
    """Refuse a trained epsilon; IsoNet2 stores it with the weights but keeps it fixed."""
    if not torch.allclose(epsilon, torch.full_like(epsilon, FRN_EPSILON)):
        raise CheckpointError(
            f"{where}: a filter response norm with epsilon {float(epsilon.flatten()[0]):g}, "
            f"expected IsoNet2's {FRN_EPSILON:g}; this network cannot be converted"
        )


def _for_largest_window(bias: Tensor) -> Tensor:
    """Lay the biases of a window, (head, offset z, y, x), in the middle of the largest one's."""
    margin = (NUM_OFFSETS - bias.shape[-1]) // 2
    return F.pad(bias, (margin,) * 6).flatten(1)
