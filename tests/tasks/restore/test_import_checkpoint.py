"""IsoNet2's checkpoints, made from plain networks with its names, come over unchanged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain_networks import PlainUNet, scunet_weights

from icelens.core.errors import CheckpointError
from icelens.tasks.restore.import_checkpoint import import_checkpoint
from icelens.tasks.restore.network import build_network
from icelens.training.checkpoint import load_checkpoint

SMALL = (16, 32, 64, 128, 256)


def write(path: Path, weights: dict[str, torch.Tensor], **changes: Any) -> Path:
    content = {
        "method": "isonet2-n2n",
        "CTF_mode": "network",
        "do_phaseflip_input": True,
        "arch": "unet-small",
        "model_state_dict": weights,
        "metrics": {"average_loss": [np.array(0.5), np.float64(0.25)]},
        "cube_size": 64,
    }
    kept = {key: value for key, value in (content | changes).items() if value != "absent"}
    torch.save(kept, path)
    return path


@pytest.fixture(scope="module")
def plain() -> PlainUNet:
    torch.manual_seed(1)
    network = PlainUNet(SMALL)
    network(torch.randn(2, 1, 16, 16, 16))  # statistics that are not those of a fresh network
    return network.eval()


@pytest.mark.parametrize("prefix", ["", "module.", "module._orig_mod."])
def test_imported_network_computes_the_same(tmp_path: Path, plain: PlainUNet, prefix: str) -> None:
    weights = {prefix + name: tensor for name, tensor in plain.state_dict().items()}
    target = import_checkpoint(write(tmp_path / "old.pt", weights), tmp_path / "new")
    checkpoint = load_checkpoint(tmp_path / "new")
    assert checkpoint.path == target
    network = build_network(checkpoint.description["network"])
    network.load_state_dict(dict(checkpoint.tensors))
    image = torch.randn(1, 1, 32, 32, 32)
    with torch.no_grad():
        # the same weights, sums in another order through twenty layers
        torch.testing.assert_close(network.eval()(image), plain(image), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("n2n", "denoise"), ("isonet2", "single-map"), ("isonet2-n2n", "even-odd")],
)
def test_description_is_translated(
    tmp_path: Path, plain: PlainUNet, theirs: str, ours: str
) -> None:
    path = write(tmp_path / "old.pt", plain.state_dict(), method=theirs, do_phaseflip_input=False)
    import_checkpoint(path, tmp_path, pixel_size=10.0)
    known = load_checkpoint(tmp_path).description
    assert known["task"] == "restore"
    assert (known["method"], known["network"], known["box_size"]) == (ours, "unet-small", 64)
    assert (known["ctf_mode"], known["phase_flip_input"]) == ("network", False)
    assert known["pixel_size"] == 10.0
    assert known["imported_from"] == "IsoNet2, old.pt"


@pytest.mark.parametrize("ctf_mode", [None, "None", "absent"])
def test_no_ctf_mode_is_none(tmp_path: Path, plain: PlainUNet, ctf_mode: str | None) -> None:
    import_checkpoint(write(tmp_path / "a.pt", plain.state_dict(), CTF_mode=ctf_mode), tmp_path)
    known = load_checkpoint(tmp_path).description
    assert (known["ctf_mode"], known["pixel_size"]) == ("none", None)


@pytest.mark.parametrize(("network", "is_fast"), [("scunet-fast", True), ("scunet-small", False)])
def test_every_weight_of_a_scunet_finds_its_place(
    tmp_path: Path, network: str, *, is_fast: bool
) -> None:
    tree = scunet_weights(32, is_fast=is_fast)
    path = write(tmp_path / "old.pt", tree.state_dict(), arch=network, cube_size=96)
    import_checkpoint(path, tmp_path)
    tensors = load_checkpoint(tmp_path).tensors
    build_network(network).load_state_dict(dict(tensors))
    down = tree.m_down2[1].trans_block.msa
    assert torch.equal(tensors["encoder.1.blocks.1.attention.project_in.weight"],
                       down.embedding_layer.weight)  # fmt: skip
    bias = tensors["encoder.1.blocks.1.attention.position_bias"].unflatten(1, (7, 7, 7))
    assert torch.equal(bias[:, 1:-1, 1:-1, 1:-1], down.relative_position_params)
    assert torch.equal(tensors["up.3.weight"], tree.m_up4[0].weight)
    total = sum(
        float(p.detach().sum()) for n, p in tree.named_parameters() if not n.endswith(".eps")
    )
    # every number arrives once; the sums differ by the rounding of float32
    assert sum(float(t.sum()) for t in tensors.values()) == pytest.approx(total, rel=1e-5)


def test_trained_epsilon_is_refused(tmp_path: Path) -> None:
    weights = scunet_weights(32, is_fast=True).state_dict()
    weights["m_body.0.conv_block.1.eps"] += 1e-3
    path = write(tmp_path / "old.pt", weights, arch="scunet-fast", cube_size=96)
    with pytest.raises(CheckpointError, match="epsilon"):
        import_checkpoint(path, tmp_path / "new")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arch": "absent"}, "lacks arch"),
        ({"arch": "hsformer"}, "its network is 'hsformer', expected one of unet-small"),
        ({"arch": "unet-medium"}, "is .*unet-medium of IsoNet2 has"),
        ({"method": "regular"}, "its method is 'regular', expected one of n2n"),
        ({"CTF_mode": "magic"}, "its CTF_mode is 'magic'"),
        ({"model_state_dict": {}}, "is absent"),
        ({"model_state_dict": 3}, "lacks weights"),
    ],
)
def test_other_checkpoints_are_refused_and_nothing_is_written(
    tmp_path: Path, plain: PlainUNet, changes: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "old.pt", plain.state_dict(), **changes)
    with pytest.raises(CheckpointError, match=message):
        import_checkpoint(path, tmp_path / "new")
    assert not (tmp_path / "new").exists()
