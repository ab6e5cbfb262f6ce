"""Folders as cryoDRGN leaves them, with random weights under the names that it gives them."""

import itertools
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from icelens.core.data.volume import Volume
from icelens.core.io.volumes import write_volume
from icelens.core.simulate.poses import random_poses

NUM_IMAGES, BOX, PIXEL_SIZE = 12, 16, 2.5
Weights = dict[str, torch.Tensor]


@dataclass
class Workdir:
    """What a folder is made of; arrays are of all images, before an index."""

    folder: Path
    kind: str = "vae"
    latent_dim: int = 3
    width: int = 8
    num_layers: int = 2
    encoding: str = "gaussian"
    pe_dim: int | None = 5
    domain: str = "fourier"
    activation: str = "relu"
    extent: float = 0.5
    norm: tuple[float, float] = (0.0, 7.5)
    invert_data: bool = True
    has_ctf: bool = True
    index: tuple[int, ...] | None = None
    refines_poses: bool = False
    epochs: tuple[int, ...] = ()
    seed: int = 0
    rotation: Any = field(init=False)
    shift_xy: Any = field(init=False)
    ctf: Any = field(init=False)
    latent: Any = field(init=False)
    log_variance: Any = field(init=False)
    weights: Weights = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.rotation = random_poses(NUM_IMAGES, rng).astype(np.float32)
        self.shift_xy = rng.uniform(-0.1, 0.1, (NUM_IMAGES, 2)).astype(np.float32)
        self.ctf = np.zeros((NUM_IMAGES, 9), np.float32)
        # extracted in a box twice as wide, and downsampled
        self.ctf[:] = [2 * BOX, PIXEL_SIZE / 2, 0, 0, 30, 300, 2.7, 0.1, 0]
        self.ctf[:, 2] = rng.uniform(1e4, 2e4, NUM_IMAGES)
        self.ctf[:, 3] = self.ctf[:, 2] - 200
        count = NUM_IMAGES if self.index is None else len(self.index)
        shape = (count, self.latent_dim)
        self.latent = rng.normal(size=shape).astype(np.float32)
        self.log_variance = rng.normal(-2, 0.3, shape).astype(np.float32)
        self.weights = decoder_weights(self, rng)

    @property
    def config(self) -> dict[str, Any]:
        """What it writes to `config.yaml`."""
        data = {
            "particles": str(self.folder / "data" / "images.mrcs"),
            "ctf": str(self.folder / "data" / "ctf.pkl") if self.has_ctf else None,
            "invert_data": self.invert_data,
            "ind": None if self.index is None else str(self.folder / "data" / "ind.pkl"),
            "datadir": None,
        }
        network = {"pe_type": self.encoding, "pe_dim": self.pe_dim, "feat_sigma": 0.5}
        network |= {"domain": self.domain}
        config: dict[str, Any] = {
            "lattice_args": {"D": BOX + 1, "extent": self.extent, "ignore_DC": True},
            "seed": 1,
            "version": "4.3.0",
            "cmd": ["cryodrgn", "train"],
        }
        if self.kind == "abinitio":
            network |= {"zdim": self.latent_dim, "use_conf_encoder": False}
            training = {"hypervolume_layers": self.num_layers, "hypervolume_dim": self.width}
            training |= {"window_radius_gt_real": 0.85, "subtomogram_averaging": False}
            config |= {"training": training, "data_norm_mean": self.norm[0]}
            return config | {
                "dataset_args": data,
                "model_args": network,
                "data_norm_std": self.norm[1],
            }
        data |= {"poses": str(self.folder / "data" / "pose.pkl"), "norm": list(self.norm)}
        data |= {"window": True, "window_r": 0.85, "do_pose_sgd": self.refines_poses}
        network |= {"activation": self.activation}
        if self.kind == "vae":
            network |= {"qlayers": 2, "qdim": 4, "players": self.num_layers, "pdim": self.width}
            network |= {"zdim": self.latent_dim, "encode_mode": "resid", "enc_mask": BOX // 2}
        else:
            network |= {"layers": self.num_layers, "dim": self.width}
            network |= {"zdim": self.latent_dim} if self.kind == "autodecoder" else {}
        return config | {"dataset_args": data, "model_args": network}

    def write(self) -> "Workdir":
        """Write the folder and its data."""
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        images = np.random.default_rng(7).normal(size=(NUM_IMAGES, BOX, BOX)).astype(np.float32)
        write_volume(data / "images.mrcs", Volume(images, PIXEL_SIZE))
        dump(data / "ctf.pkl", self.ctf)
        dump(data / "pose.pkl", (self.rotation, self.shift_xy))
        if self.index is not None:
            dump(data / "ind.pkl", np.asarray(self.index))
        (self.folder / "config.yaml").write_text(yaml.dump(self.config))
        for number in self.epochs:
            self.write_epoch(f".{number}")
        if self.kind != "abinitio":
            self.write_epoch("")
        return self

    def write_epoch(self, suffix: str) -> None:
        """Latents, weights and, where they are learnt, poses."""
        parts = (self.latent, self.log_variance) if self.kind == "vae" else (self.latent,)
        if self.kind != "homogeneous" and self.latent_dim:
            dump(self.folder / f"z{suffix}.pkl", *parts)
        torch.save(self.checkpoint(), self.folder / f"weights{suffix}.pkl")
        rows = slice(None) if self.index is None else list(self.index)
        if self.kind == "abinitio":
            shift = self.shift_xy[rows].astype(np.float64) * BOX
            dump(self.folder / f"pose{suffix}.pkl", (self.rotation[rows].astype(np.float64), shift))
        elif self.refines_poses:
            # the reference divides by a box that is larger by one
            shift = self.shift_xy[rows] * BOX / (BOX + 1)
            dump(self.folder / f"pose{suffix}.pkl", (self.rotation[rows], shift))

    def checkpoint(self) -> dict[str, Any]:
        """What it gives to `torch.save`."""
        content: dict[str, Any] = {"epoch": 2, "optimizer_state_dict": {"state": {}}}
        if self.kind == "abinitio":
            own = {f"hypervolume.{name}": value for name, value in self.weights.items()}
            return content | {
                "model_state_dict": {"coords": torch.zeros(3, 3), **own},
                "hypervolume_state_dict": dict(self.weights),
                "hypervolume_params": {
                    "resolution": BOX + 1, "z_dim": self.latent_dim, "n_layers": self.num_layers,
                    "hidden_dim": self.width, "pe_type": self.encoding, "pe_dim": self.pe_dim,
                    "feat_sigma": 0.5, "domain": self.domain, "pe_type_conf": None,
                },
                "output_mask_radius": BOX // 2,
            }  # fmt: skip
        prefix = "decoder." if self.kind == "vae" else ""
        named = {prefix + name: value for name, value in self.weights.items()}
        if self.kind == "vae":
            named["encoder.main.0.weight"] = torch.zeros(4, 197)
        else:
            content["norm"] = [0, np.float64(self.norm[1])]
        return content | {"model_state_dict": named}


def decoder_weights(made: Workdir, rng: np.random.Generator) -> Weights:
    """Random weights of a decoder; names and shapes are the reference's."""
    has_encoding = made.encoding != "none"
    frequencies = made.pe_dim or BOX // 2
    latent_dim = 0 if made.kind == "homogeneous" else made.latent_dim
    inputs = (6 * frequencies if has_encoding else 3) + latent_dim
    outputs = 1 if made.domain == "hartley" else 2
    if made.kind == "abinitio":
        prefix = "mlp.main"
    else:
        prefix = "decoder.main" if has_encoding or made.domain == "fourier" else "main"
    sides = [inputs, *([made.width] * (made.num_layers + 1)), outputs]
    weights: Weights = {}
    for number, (before, after) in enumerate(itertools.pairwise(sides)):
        is_hidden = 0 < number < len(sides) - 2
        inner = ".linear" if is_hidden or before == after else ""
        for name, shape in (("weight", (after, before)), ("bias", (after,))):
            values = rng.normal(scale=before**-0.5, size=shape)
            weights[f"{prefix}.{2 * number}{inner}.{name}"] = torch.tensor(values).float()
    if made.encoding == "gaussian":
        drawn = rng.normal(scale=0.5, size=(3 * frequencies, 3))
        weights["rand_freqs"] = torch.tensor(drawn).float()
    return weights


def dump(path: Path, *values: Any) -> None:
    """Write pickles back to back."""
    path.write_bytes(b"".join(pickle.dumps(value) for value in values))
