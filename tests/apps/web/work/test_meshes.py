"""Tests of apps/web/work/meshes.py."""

import math

import numpy as np
import pytest

from icelens.apps.web.work.meshes import describe, picture, surface
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError
from icelens.core.io.volumes import write_volume


@pytest.fixture
def blob(tmp_path):
    z, y, x = np.indices((24, 24, 24)) - np.reshape([8, 12, 15], (3, 1, 1, 1))
    path = tmp_path / "ein Blatt ä.mrc"
    write_volume(path, Volume(np.exp(-(z * z + y * y + x * x) / 18.0).astype(np.float32), 3.0))
    return path


def parts(answer):
    """Positions, normals, values or None, triangles."""
    num, has_values = answer.data["vertices"], answer.data["is_coloured"]
    sizes = [12 * num, 12 * num, 4 * num * has_values]
    starts = np.cumsum([0, *sizes])
    kinds = ("<f4", "<f4", "<f4", "<u4")
    ends = [*starts[1:], len(answer.blob)]
    return [
        np.frombuffer(answer.blob[start:end], kind)
        for start, end, kind in zip(starts, ends, kinds, strict=True)
    ]


def test_the_mesh_lies_around_the_density_in_angstrom(blob):
    answer = surface(str(blob), 0.5)
    position, normal, values, triangles = parts(answer)
    position = position.reshape(-1, 3)
    centre = (position.min(axis=0) + position.max(axis=0)) / 2
    np.testing.assert_allclose(centre, [45.0, 36.0, 24.0], atol=0.1)
    # half of a Gaussian's height lies at sqrt(2 ln 2) standard deviations of 3 px
    radius = 3.0 * 3.0 * math.sqrt(2 * math.log(2))
    np.testing.assert_allclose(np.linalg.norm(position - centre, axis=1), radius, rtol=0.03)
    assert len(triangles) == 3 * answer.data["triangles"]
    assert triangles.max() == answer.data["vertices"] - 1
    assert len(values) == 0
    np.testing.assert_allclose(np.linalg.norm(normal.reshape(-1, 3), axis=1), 1.0, rtol=1e-4)


def test_binning_does_not_shift_the_surface(blob):
    fine, coarse = (parts(surface(str(blob), 0.4, box=box))[0].reshape(-1, 3) for box in (24, 12))
    middles = [(each.min(axis=0) + each.max(axis=0)) / 2 for each in (fine, coarse)]
    np.testing.assert_allclose(middles[0], middles[1], atol=0.5)


def test_dark_density_has_the_same_surface_as_bright(blob, tmp_path):
    from icelens.core.io.volumes import open_volume

    write_volume(tmp_path / "dark.mrc", open_volume(blob).inverted())
    bright, dark = surface(str(blob), 0.5), surface(str(tmp_path / "dark.mrc"), -0.5, is_dark=True)
    np.testing.assert_allclose(parts(bright)[0], parts(dark)[0], atol=1e-4)


def test_colours_are_the_values_of_the_second_map_at_the_same_place(blob, tmp_path):
    ramp = np.broadcast_to(np.arange(12, dtype=np.float32) * 6.0, (12, 12, 12))
    write_volume(tmp_path / "ramp.mrc", Volume(ramp, 6.0))  # value is x in Å
    answer = surface(str(blob), 0.5, colour=str(tmp_path / "ramp.mrc"))
    position, _, values, _ = parts(answer)
    np.testing.assert_allclose(values, position.reshape(-1, 3)[:, 0], atol=1e-3)
    assert answer.data["colour"]["low"] < answer.data["colour"]["high"]
    assert answer.data["colour"]["note"] == ""


def test_a_surface_beyond_the_map_of_colours_is_told(blob, tmp_path):
    write_volume(tmp_path / "small.mrc", Volume(np.eye(4, dtype=np.float32)[None], 3.0))
    answer = surface(str(blob), 0.5, colour=str(tmp_path / "small.mrc"))
    assert "reaches beyond" in answer.data["colour"]["note"]


def test_a_level_that_nothing_reaches_is_an_empty_mesh_even_with_colours(blob):
    answer = surface(str(blob), 99.0, colour=str(blob))
    assert answer.data["triangles"] == 0
    assert answer.blob == b""


def test_levels_that_are_no_numbers_are_refused(blob):
    with pytest.raises(GeometryError, match="must be a number"):
        surface(str(blob), float("nan"))


def test_facts_name_a_level_between_noise_and_peak(blob):
    facts = describe(str(blob)).data
    assert facts["low"] < facts["level"] < facts["high"]
    assert (facts["unit"], facts["is_dark"]) == ("Å", False)


def test_the_picture_is_a_png_of_the_surface_on_its_ground(blob):
    from io import BytesIO

    from PIL import Image

    answer = picture(str(blob), 0.5, size=64, theme="light")
    pixels = np.asarray(Image.open(BytesIO(answer.blob)))
    assert pixels.shape == (64, 64, 3)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[32, 32].mean() < 230
    with pytest.raises(GeometryError, match="nothing reaches"):
        picture(str(blob), 99.0, size=64)
