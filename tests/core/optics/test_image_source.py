from pathlib import Path

import numpy as np
import torch
from pose_world import BOX, PIXEL, make_world, written

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource


def _source(folder: Path, optics: OpticsGroup) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    world = make_world(6, None, optics=optics)
    particles = written(world, folder)
    source = ImageSource(particles, ImageReader(particles), torch.device("cpu"))
    spectrum, transfer = source.read(np.arange(6))
    plain = make_world(6, None, optics=OpticsGroup("one", PIXEL, BOX))
    return spectrum, transfer, plain.spectrum


def test_plain_images_come_as_they_are(tmp_path: Path) -> None:
    spectrum, transfer, plain = _source(tmp_path, OpticsGroup("one", PIXEL, BOX))
    assert torch.allclose(spectrum, plain, rtol=1e-4, atol=1e-3)
    assert transfer.shape == plain.shape


def test_premultiplied_images_are_divided_by_their_ctf(tmp_path: Path) -> None:
    optics = OpticsGroup("one", PIXEL, BOX, is_premultiplied=True)
    spectrum, transfer, plain = _source(tmp_path, optics)
    kept = transfer != 0
    assert float(kept.float().mean()) > 0.95
    error = (spectrum - plain)[kept].norm() / plain[kept].norm()
    assert float(error) < 1e-2


def test_beam_tilt_is_taken_out(tmp_path: Path) -> None:
    spectrum, _, plain = _source(tmp_path, OpticsGroup("one", PIXEL, BOX, beam_tilt_xy=(3.0, 1.0)))
    # the noise of the simulation differs, by a thousandth of the signal
    error = (spectrum - plain).norm() / plain.norm()
    assert float(error) < 1e-2
