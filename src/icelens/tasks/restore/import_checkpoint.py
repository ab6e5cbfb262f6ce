"""Convert IsoNet2's `.pt` checkpoints: the same weights under our names, in a safe file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from icelens.core.errors import CheckpointError
from icelens.tasks.restore.isonet2_names import rename
from icelens.tasks.restore.network import NETWORKS, build_network
from icelens.training.checkpoint import BEST_NAME, save_checkpoint
from icelens.training.contract import JSON
from icelens.training.restricted_import import read_foreign_checkpoint

METHODS = {"n2n": "denoise", "isonet2": "single-map", "isonet2-n2n": "even-odd"}
CTF_MODES = {
    "None": "none",
    "phase_only": "phase-only",
    "network": "network",
    "wiener": "wiener",
}
NEEDED = ("method", "arch", "cube_size", "model_state_dict")


def import_checkpoint(path: Path, output: Path, *, pixel_size: float | None = None) -> Path:
    """Convert a checkpoint of IsoNet2; return the new file, in the folder `output`.

    IsoNet2 stores neither the pixel size nor the B-factor nor how the first peak of the CTF was
    treated: the description holds its defaults, and `pixel_size` (Å/px) as given.

    Raises:
        CheckpointError: If the file is damaged, unsafe, not of IsoNet2, or of an unknown network.
    """
    content = read_foreign_checkpoint(path)
    description = _describe(content, path, pixel_size)
    network = str(description["network"])
    tensors = rename(content["model_state_dict"], network, path)
    _check_fit(tensors, network, path)
    target = output / BEST_NAME
    save_checkpoint(target, tensors, description)
    return target


def _describe(content: Mapping[str, Any], path: Path, pixel_size: float | None) -> dict[str, JSON]:
    """Translate what IsoNet2 noted beside the weights.

    Raises:
        CheckpointError: If something is missing or unknown.
    """
    missing = [key for key in NEEDED if key not in content]
    if missing or not isinstance(content["model_state_dict"], Mapping):
        raise CheckpointError(
            f"{path}: not a checkpoint of IsoNet2, it lacks {', '.join(missing) or 'weights'}; "
            "give the network_..._full.pt that its training wrote"
        )
    network = str(content["arch"])
    if network not in NETWORKS:
        raise CheckpointError(
            f"{path}: its network is {network!r}, expected one of {', '.join(NETWORKS)}"
        )
    return {
        "task": "restore",
        "method": _translate(content["method"], METHODS, f"{path}: its method"),
        "network": network,
        "box_size": int(content["cube_size"]),
        "pixel_size": pixel_size,
        "input_column": "auto",
        "use_tilt_files": False,
        "ctf_mode": _translate(content.get("CTF_mode"), CTF_MODES, f"{path}: its CTF_mode"),
        "contrast": "dark",
        "phase_flipped": False,
        "phase_flip_input": bool(content.get("do_phaseflip_input", True)),
        "b_factor": 0.0,
        "clip_first_peak": 1,
        # The Wiener settings that IsoNet2 always trains with, whatever its flags say.
        "snr_falloff": 0.0,
        "deconvolution_strength": 1.0,
        "highpass_nyquist": 0.02,
        "isonet2_exact": False,
        "imported_from": f"IsoNet2, {path.name}",
    }


def _translate(word: object, known: Mapping[str, str], what: str) -> str:
    if str(word) not in known:
        raise CheckpointError(f"{what} is {word!r}, expected one of {', '.join(known)}")
    return known[str(word)]


def _check_fit(tensors: Mapping[str, Tensor], network: str, path: Path) -> None:
    """Compare names and shapes with those of the network.

    Raises:
        CheckpointError: Naming the first that does not fit.
    """
    expected = build_network(network).state_dict()
    for name in sorted(expected.keys() | tensors.keys()):
        found = tuple(tensors[name].shape) if name in tensors else "absent"
        needed = tuple(expected[name].shape) if name in expected else "absent"
        if found != needed:
            raise CheckpointError(
                f"{path}: {name} is {found}, {network} of IsoNet2 has {needed}; the file is "
                "incomplete or was made by a changed program"
            )
