"""The `model_config.yaml` of octopi: which network, which objects, which tomograms."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from icelens.core.errors import InputFileError

ARCHITECTURE_OF = {
    "unet": "unet",
    "dynunet": "dynunet",
    "segresnet": "segresnet",
    "segresnetds": "segresnet",
    "swinunetr": "swinunetr",
    "attentionunet": "attention-unet",
    "mednext": "mednext",
}
"""Our names for octopi's, those of its earlier versions included, in lower case."""
NOT_OF_NETWORK = ("architecture", "num_classes", "dim_in")
"""Keys of the `model` section that are no settings of the network."""


@dataclass(frozen=True)
class OctopiModel:
    """What octopi notes of a model.

    `network` has our names. `labels` maps objects to output channels and is empty where an early
    or interrupted run did not write them. `box_size` is in voxels, `pixel_size` in Å.
    """

    path: Path
    network: Mapping[str, Any]
    num_classes: int
    labels: Mapping[str, int]
    box_size: int | None = None
    pixel_size: float | None = None
    tomogram_types: tuple[str, ...] = ()


def read_model_config(path: Path) -> OctopiModel:
    """Read a `model_config.yaml`, complete or as written when training began.

    Raises:
        InputFileError: If it is missing, no plain YAML, or says something impossible.
    """
    content = _read_yaml(path)
    # the first layout has the settings of the network alone, the second as one of four sections
    model = content.get("model", content)
    if not isinstance(model, Mapping) or "architecture" not in model:
        raise InputFileError(
            f"{path}: names no architecture, expected `model: architecture: Unet` and so on; give "
            "the model_config.yaml that octopi wrote"
        )
    name = str(model["architecture"])
    if name.lower() not in ARCHITECTURE_OF:
        raise InputFileError(
            f"{path}: architecture {name} is unknown, expected Unet, DynUNet, SegResNet, "
            "SwinUNETR, AttentionUnet or MedNeXt; other networks cannot be converted"
        )
    settings = {key: value for key, value in model.items() if key not in NOT_OF_NETWORK}
    num_classes = _whole_number(path, model, "num_classes", least=2)
    assert num_classes is not None, "required"
    loader = content.get("dataloader") or {}
    if not isinstance(loader, Mapping):
        raise InputFileError(f"{path}: its dataloader is {loader!r}, expected settings by name")
    return OctopiModel(
        path=path,
        network={"architecture": ARCHITECTURE_OF[name.lower()], **settings},
        num_classes=num_classes,
        labels=_labels(path, content.get("labels"), num_classes),
        box_size=_whole_number(path, model, "dim_in", least=1, is_required=False),
        pixel_size=_pixel_size(path, loader.get("voxel_size")),
        tomogram_types=_words(loader.get("tomo_algorithm")),
    )


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); give octopi's model_config.yaml"
        ) from error
    except yaml.constructor.ConstructorError as error:
        raise InputFileError(
            f"{path}: asks for a Python object ({error.problem}); nothing was executed, write "
            "plain lists and numbers instead"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(getattr(error, "problem", None) or "no text")
        raise InputFileError(
            f"{path}: not valid YAML ({reason}); give octopi's model_config.yaml"
        ) from error
    if not isinstance(content, Mapping):
        raise InputFileError(f"{path}: holds no settings; give octopi's model_config.yaml")
    return content


def _whole_number(
    path: Path, model: Mapping[str, Any], key: str, *, least: int, is_required: bool = True
) -> int | None:
    value = model.get(key)
    if value is None and not is_required:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputFileError(
            f"{path}: {key} is {value!r}, expected a whole number from {least}; mend the file"
        )
    return value


def _labels(path: Path, found: object, num_classes: int) -> dict[str, int]:
    """Names of the objects by channel; the background is left out."""
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise InputFileError(f"{path}: labels are {found!r}, expected `name: number`")
    labels: dict[str, int] = {}
    for name, label in found.items():
        if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < num_classes:
            raise InputFileError(
                f"{path}: object {name} has label {label!r}, but the network has {num_classes} "
                "classes, background included; labels and num_classes do not belong together"
            )
        if label in labels.values():
            raise InputFileError(f"{path}: label {label} stands for two objects; mend the file")
        if label > 0:
            labels[str(name)] = label
    return labels


def _pixel_size(path: Path, found: object) -> float | None:
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not found > 0:
        raise InputFileError(f"{path}: voxel_size is {found!r}, expected Å; mend the file")
    return float(found)


def _words(found: object) -> tuple[str, ...]:
    if found is None:
        return ()
    words = found if isinstance(found, list) else str(found).split(",")
    return tuple(str(word).strip() for word in words)
