"""What cryoDRGN notes of a run in `config.yaml`: data, lattice and network, for all its models."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from icelens.core.errors import InputFileError

Kind = Literal["vae", "autodecoder", "homogeneous", "abinitio"]
Encoding = Literal[
    "gaussian", "geom_ft", "geom_full", "geom_lowf", "geom_nohighf", "linear_lowf", "none"
]

ENCODINGS: tuple[str, ...] = get_args(Encoding)
_WIDEST = 1 << 20
_WHAT = "give the config.yaml that cryoDRGN wrote"


@dataclass(frozen=True)
class CryodrgnConfig:
    """What a `config.yaml` says; names of files are as they stand there.

    Attributes:
        path: The file.
        kind: `vae` of train_vae, `autodecoder` of train_dec, `homogeneous` of train_nn, `abinitio`
            of abinit.
        box_size: Of the images, in px; the lattice has one more.
        latent_dim: Dimensions of the latent; 0 for one structure.
        particles: Stack, list of stacks, STAR or .cs file.
        ctf: CTF parameters; None if it was trained without.
        poses: Poses it was given; None of `abinit`, which finds its own.
        index: Of chosen images, or of particles if they are tilt series.
        folder: Of the stacks.
        is_inverted: Whether images were multiplied by -1.
        are_tilts: Whether images are tilts of particles.
        are_poses_refined: Whether poses were learnt, so that the folder holds the last ones.
        norm: Mean and standard deviation by which transforms were standardised.
        encoding: Of positions.
        num_frequencies: Of the encoding, along an axis.
        domain: Whether the network gives Fourier or Hartley coefficients.
        activation: Between its layers.
        num_layers: Hidden layers, without the first.
        width: Of hidden layers; 0 where only the weights tell (`abinit`).
        extent: Half side of the lattice; 0.5 for frequencies in cycles/px.
        version: Of cryoDRGN; "unknown" of early ones.
    """

    path: Path
    kind: Kind
    box_size: int
    latent_dim: int
    particles: str | None
    ctf: str | None
    poses: str | None
    index: str | None
    folder: str | None
    is_inverted: bool
    are_tilts: bool
    are_poses_refined: bool
    norm: tuple[float, float]
    encoding: Encoding
    num_frequencies: int
    domain: Literal["fourier", "hartley"]
    activation: Literal["relu", "leaky_relu"]
    num_layers: int
    width: int
    extent: float
    version: str


def read_cryodrgn_config(path: Path) -> CryodrgnConfig:
    """Read a `config.yaml` with a loader that makes no objects.

    Raises:
        InputFileError: If it is missing, not plain, of another program, or says what cannot be.
    """
    reader = _Reader(path, _read_yaml(path))
    is_abinitio = "data_norm_mean" in reader.content
    data, model = reader.section("dataset_args"), reader.section("model_args")
    lattice_side = reader.whole(reader.section("lattice_args"), "D", least=3)
    if lattice_side % 2 == 0:
        raise InputFileError(
            f"{path}: the lattice has {lattice_side} points a side, expected an odd number (the "
            f"box and one); {_WHAT}"
        )
    training = reader.section("training") if is_abinitio else {}
    kind = _kind(reader, model, is_abinitio=is_abinitio)
    layers_key, width_key = ("players", "pdim") if kind == "vae" else ("layers", "dim")
    if is_abinitio:
        model = {**model, "layers": training.get("hypervolume_layers", 3)}
        model |= {"dim": training.get("hypervolume_dim", 0)}
    box_size = lattice_side - 1
    frequencies = model.get("pe_dim")
    return CryodrgnConfig(
        path=path,
        kind=kind,
        box_size=box_size,
        latent_dim=0 if kind == "homogeneous" else reader.whole(model, "zdim", least=0),
        particles=reader.name(data, "particles"),
        ctf=reader.name(data, "ctf"),
        poses=reader.name(data, "poses"),
        index=reader.name(data, "ind"),
        folder=reader.name(data, "datadir"),
        is_inverted=bool(data.get("invert_data", True)),
        are_tilts=model.get("encode_mode") == "tilt"
        or bool(training.get("subtomogram_averaging", False)),
        are_poses_refined=bool(data.get("do_pose_sgd", False)) or is_abinitio,
        norm=_norm(reader, data, is_abinitio=is_abinitio),
        encoding=reader.choice(model, "pe_type", ENCODINGS),
        num_frequencies=box_size // 2
        if frequencies is None
        else reader.whole(model, "pe_dim", least=1),
        domain=reader.choice(model, "domain", ("fourier", "hartley")),
        activation=reader.choice(
            {"activation": "relu", **model}, "activation", ("relu", "leaky_relu")
        ),
        num_layers=reader.whole(model, layers_key, least=0),
        width=reader.whole(model, width_key, least=0),
        extent=reader.number(reader.section("lattice_args"), "extent", 0.5),
        version=str(reader.content.get("version", "unknown"))[:40],
    )


def _kind(reader: "_Reader", model: Mapping[str, Any], *, is_abinitio: bool) -> Kind:
    if is_abinitio:
        return "abinitio"
    if "players" in model:
        return "vae"
    if "layers" not in model:
        raise InputFileError(
            f"{reader.path}: model_args names neither players nor layers, expected the settings of "
            f"train_vae, train_dec, train_nn or abinit; {_WHAT}"
        )
    return "autodecoder" if "zdim" in model else "homogeneous"


def _norm(reader: "_Reader", data: Mapping[str, Any], *, is_abinitio: bool) -> tuple[float, float]:
    if is_abinitio:
        mean, std = (
            reader.number(reader.content, key, None) for key in ("data_norm_mean", "data_norm_std")
        )
    else:
        found = data.get("norm")
        if not isinstance(found, list | tuple) or len(found) != 2:
            raise InputFileError(
                f"{reader.path}: norm is {found!r}, expected mean and standard deviation; {_WHAT}"
            )
        named = {"norm": found[0], "norm (2nd)": found[1]}
        mean, std = reader.number(named, "norm", None), reader.number(named, "norm (2nd)", None)
    if std <= 0:
        raise InputFileError(
            f"{reader.path}: the standard deviation of the data is {std:g}, expected one above 0; "
            f"{_WHAT}"
        )
    return mean, std


@dataclass(frozen=True)
class _Reader:
    """Values of a YAML file, checked one by one."""

    path: Path
    content: Mapping[str, Any]

    def section(self, key: str) -> Mapping[str, Any]:
        found = self.content.get(key)
        if not isinstance(found, Mapping):
            raise InputFileError(f"{self.path}: section {key} is missing; {_WHAT}")
        return found

    def whole(self, values: Mapping[str, Any], key: str, *, least: int) -> int:
        value = values.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _WIDEST:
            raise InputFileError(
                f"{self.path}: {key} is {_short(value)}, expected a whole number from {least}; "
                f"{_WHAT}"
            )
        return value

    def number(self, values: Mapping[str, Any], key: str, absent: float | None) -> float:
        value = values.get(key, absent)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not abs(float(value)) < float("inf"):
            raise InputFileError(
                f"{self.path}: {key} is {_short(value)}, expected a finite number; {_WHAT}"
            )
        return float(value)

    def name(self, values: Mapping[str, Any], key: str) -> str | None:
        value = values.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or "\0" in value or not value.strip():
            raise InputFileError(
                f"{self.path}: {key} is {_short(value)}, expected the name of a file; {_WHAT}"
            )
        return value

    def choice(self, values: Mapping[str, Any], key: str, known: tuple[str, ...]) -> Any:  # noqa: ANN401 - a literal
        value = values.get(key)
        if value not in known:
            raise InputFileError(
                f"{self.path}: {key} is {_short(value)}, expected {', '.join(known)}; other "
                "versions of cryoDRGN are not known"
            )
        return value


def _short(value: object) -> str:
    return "missing" if value is None else repr(value)[:60]


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}), expected cryoDRGN's settings; give the "
            "folder that it wrote to"
        ) from error
    except yaml.constructor.ConstructorError as error:
        reason = " ".join(str(error.problem).split())[:120]
        raise InputFileError(
            f"{path}: asks for a Python object ({reason}); nothing was executed, write plain lists "
            "and numbers instead"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(getattr(error, "problem", None) or type(error).__name__)
        raise InputFileError(f"{path}: not valid YAML ({reason}); {_WHAT}") from error
    if not isinstance(content, Mapping):
        raise InputFileError(f"{path}: holds no settings; {_WHAT}")
    return content
