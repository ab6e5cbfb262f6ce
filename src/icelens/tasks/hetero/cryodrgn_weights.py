"""The decoder in a `weights.pkl` of cryoDRGN, in the form and under the names of our network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import CheckpointError
from icelens.core.io.cryodrgn_config import CryodrgnConfig
from icelens.tasks.hetero.network.encodings import encoding_vectors
from icelens.training.restricted_import import read_foreign_checkpoint

PREFIXES = ("module.", "_orig_mod.")
"""What parallel and compiled modules put before every name."""
# layers are numbered with the activations between them: 0, 2, 4 ...
_LAYER = re.compile(r"(?:decoder\.|mlp\.)?main\.(\d{1,3})\.(linear\.)?(weight|bias)")
_FREQUENCIES = "rand_freqs"


@dataclass(frozen=True, eq=False)
class DecoderWeights:
    """What cryoDRGN's decoder learnt, as our `CoordinateDecoder` has it.

    Attributes:
        width: Of its hidden layers.
        num_layers: Hidden layers after the first.
        tensors: By the names of `CoordinateDecoder`.
    """

    width: int
    num_layers: int
    tensors: Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class _Layer:
    weight: Float[Tensor, "output input"]
    bias: Float[Tensor, " output"]
    is_residual: bool

    def plain(self) -> "_Layer":
        """The same layer without what it adds of its input."""
        if not self.is_residual:
            return self
        return _Layer(self.weight + torch.eye(len(self.weight)), self.bias, is_residual=False)


def read_decoder_weights(path: Path, config: CryodrgnConfig) -> DecoderWeights:
    """Read the decoder; encoders and tables are left where they are.

    The grey scale of the images (`norm`) and the lattice's extent enter the weights, so that
    frequencies are in cycles per pixel and values those of transforms of images.

    Args:
        path: `weights.pkl` or `weights.N.pkl`.
        config: Settings of the run.

    Raises:
        CheckpointError: If the file is damaged or unsafe, is not of the network in the settings,
            or holds one that cannot be converted.
    """
    found = _decoder_tensors(path, read_foreign_checkpoint(path), config)
    layers = _layers(path, found)
    width = _fitting_width(path, layers, config)
    first, last = layers[0].plain(), layers[-1].plain()
    tensors = {
        "vectors": _vectors(path, found, config),
        "scale": torch.full((config.box_size // 2 + 1,), config.norm[1]),
        "network.first.weight": _reordered(first.weight, config),
        "network.first.bias": first.bias,
        "network.last.weight": last.weight,
        "network.last.bias": last.bias.clone(),
    }
    # a mean that was taken away from every coefficient comes back with each
    tensors["network.last.bias"][0] += config.norm[0] / config.norm[1]
    for number, layer in enumerate(layers[1:-1]):
        tensors[f"network.hidden.{number}.weight"] = layer.weight
        tensors[f"network.hidden.{number}.bias"] = layer.bias
    return DecoderWeights(width, len(layers) - 2, tensors)


def _decoder_tensors(
    path: Path, content: Mapping[str, Any], config: CryodrgnConfig
) -> dict[str, Tensor]:
    """Tensors of the decoder alone, by its own names."""
    section = "hypervolume_state_dict" if config.kind == "abinitio" else "model_state_dict"
    state = content.get(section)
    if not isinstance(state, Mapping):
        raise CheckpointError(
            f"{path}: holds no {section}, expected the weights of cryoDRGN's "
            f"{_COMMANDS[config.kind]}; give the folder with its own config.yaml"
        )
    tensors: dict[str, Tensor] = {}
    prefix = "decoder." if config.kind == "vae" else ""
    for key, value in state.items():
        name = str(key)
        while name.startswith(PREFIXES):
            name = name.partition(".")[2]
        if not name.startswith(prefix):
            continue
        if not isinstance(value, Tensor) or not value.is_floating_point():
            raise CheckpointError(f"{path}: {name} is no tensor of numbers; copy the file again")
        if not value.isfinite().all():
            raise CheckpointError(
                f"{path}: {name} holds numbers that are not finite: its training broke; choose "
                "another --epoch"
            )
        tensors[name.removeprefix(prefix)] = value.detach().float()
    _refuse_other_kinds(path, tensors, content)
    return tensors


_COMMANDS = {
    "vae": "train_vae",
    "autodecoder": "train_dec",
    "homogeneous": "train_nn",
    "abinitio": "abinit",
}


def _refuse_other_kinds(
    path: Path, tensors: Mapping[str, Tensor], content: Mapping[str, Any]
) -> None:
    """Refuse what our network cannot be: volumes of voxels, and encoded latents."""
    if "volume" in tensors:
        raise CheckpointError(
            f"{path}: holds an explicit volume instead of a network; use the reconstruct.mrc that "
            "cryoDRGN wrote"
        )
    settings = content.get("hypervolume_params")
    encodes = isinstance(settings, Mapping) and settings.get("pe_type_conf") is not None
    if encodes or "geom_freqs_conf" in tensors:
        raise CheckpointError(
            f"{path}: encodes its latents (--pe-type-conf), which our network does not; leave the "
            "network out (--no-network)"
        )
    strange = [name for name in tensors if name != _FREQUENCIES and not _LAYER.fullmatch(name)]
    if strange:
        raise CheckpointError(
            f"{path}: {strange[0]} is no part of cryoDRGN's decoder; was it made by a changed "
            "program, or by one of before 2021?"
        )


def _layers(path: Path, tensors: Mapping[str, Tensor]) -> list[_Layer]:
    """Linear layers in their order."""
    parts: dict[int, dict[str, Tensor]] = {}
    residual: dict[int, bool] = {}
    for name, tensor in tensors.items():
        match = _LAYER.fullmatch(name)
        if match:
            number = int(match[1])
            parts.setdefault(number, {})[match[3]] = tensor
            residual[number] = match[2] is not None
    numbers = sorted(parts)
    is_whole = all({"weight", "bias"} == set(each) for each in parts.values())
    if len(numbers) < 2 or numbers != list(range(0, 2 * len(numbers), 2)) or not is_whole:
        raise CheckpointError(
            f"{path}: has layers {', '.join(map(str, numbers)) or 'of another name'}, expected 0, "
            "2, 4 ... with weight and bias each; the file is incomplete"
        )
    layers = [_Layer(parts[n]["weight"], parts[n]["bias"], residual[n]) for n in numbers]
    for number, layer in zip(numbers, layers, strict=True):
        rows, columns = (*layer.weight.shape, 0, 0)[:2]
        if layer.weight.ndim != 2 or layer.bias.shape != (rows,):
            raise CheckpointError(f"{path}: layer {number} is no linear one; copy the file again")
        if layer.is_residual and rows != columns:
            raise CheckpointError(
                f"{path}: layer {number} adds {columns} values to {rows}; the file is damaged"
            )
    if not all(layer.is_residual for layer in layers[1:-1]):
        raise CheckpointError(f"{path}: its hidden layers are not residual; convert another one")
    return layers


def _fitting_width(path: Path, layers: list[_Layer], config: CryodrgnConfig) -> int:
    """Width of hidden layers, once all shapes are those that the settings lead to."""
    width = config.width or len(layers[0].weight)
    features = 3 if config.encoding == "none" else 6 * config.num_frequencies
    inputs = features + config.latent_dim
    outputs = 1 if config.domain == "hartley" else 2
    expected = [(width, inputs), *[(width, width)] * config.num_layers, (outputs, width)]
    found = [tuple(layer.weight.shape) for layer in layers]
    if len(found) != len(expected):
        raise CheckpointError(
            f"{path}: has {len(found) - 2} hidden layers, expected {config.num_layers} as "
            f"{config.path.name} says; give weights and settings of one run"
        )
    for number, (shape, needed) in enumerate(zip(found, expected, strict=True)):
        if shape != needed:
            raise CheckpointError(
                f"{path}: layer {2 * number} is {shape}, expected {needed} as {config.path.name} "
                "says; give weights and settings of one run"
            )
    return width


def _vectors(
    path: Path, tensors: Mapping[str, Tensor], config: CryodrgnConfig
) -> Float[Tensor, "feature 3"]:
    """Vectors of the encoding, for frequencies in cycles per pixel."""
    # the lattice's coordinates are frequencies if it reaches 0.5
    stretch = 2.0 * config.extent
    if config.encoding != "gaussian":
        return stretch * encoding_vectors(
            config.encoding, config.box_size, config.num_frequencies, width=1.0, seed=0
        )
    expected = (3 * config.num_frequencies, 3)
    drawn = tensors.get(_FREQUENCIES)
    if drawn is None or tuple(drawn.shape) != expected:
        found = "absent" if drawn is None else str(tuple(drawn.shape))
        raise CheckpointError(
            f"{path}: {_FREQUENCIES} is {found}, expected {expected} as {config.path.name} says; "
            "give weights and settings of one run"
        )
    return drawn * (stretch * (config.box_size // 2))


def _reordered(
    weight: Float[Tensor, "output input"], config: CryodrgnConfig
) -> Float[Tensor, "output input"]:
    """Columns of the first layer in the order of our features: all sines, then all cosines."""
    if config.encoding == "gaussian":
        return weight
    if config.encoding == "none":
        return torch.cat([weight[:, :3] * (2.0 * config.extent), weight[:, 3:]], dim=1)
    # there, sines and cosines of x, then of y, then of z
    count = config.num_frequencies
    features = weight[:, : 6 * count].reshape(-1, 3, 2, count).transpose(1, 2).flatten(1)
    return torch.cat([features, weight[:, 6 * count :]], dim=1)
