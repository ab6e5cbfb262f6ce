"""Optics of all RELIONs: tables, columns of particles, aberrations; nonsense is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.errors import MetadataError
from icelens.core.io.relion_optics import optics_table, read_optics, with_pixel_size

PATH = Path("p.star")
GROUPS = (
    OpticsGroup("a", 1.35, 64, 200.0, 1.4, 0.07, (0.25, -0.5), (1.0,) * 6, (0.5,) * 9),
    OpticsGroup("b", 2.7, 32, magnification=(1.01, 0.002, 0.003, 0.99), is_premultiplied=True),
)


def particles(**columns) -> pd.DataFrame:
    return pd.DataFrame({"rlnDefocusU": [1e4, 1e4, 1e4]} | columns)


def read(blocks, table, boxes=(64, 64, 64), stack=(0, 0, 0), pixel_size=None):
    return read_optics(PATH, blocks, table, lambda row: boxes[row], np.asarray(stack), pixel_size)


def test_a_table_returns_the_groups_it_was_made_of() -> None:
    # numbered otherwise than they stand
    optics = optics_table(GROUPS).assign(rlnOpticsGroup=[7, 3])
    groups, index = read({"optics": optics}, particles(rlnOpticsGroup=[3, 7, 3]))
    assert index.tolist() == [1, 0, 1]
    assert groups[0] == GROUPS[0]
    assert groups[1].magnification == GROUPS[1].magnification
    assert groups[1].is_premultiplied
    assert not any(groups[1].odd_zernike)


def test_columns_of_particles_become_groups_of_equal_rows() -> None:
    table = particles(
        rlnDetectorPixelSize=[5.0, 5.0, 5.0],
        rlnMagnification=[5e4, 2.5e4, 5e4],
        rlnVoltage=[300.0, 200.0, 300.0],
        rlnSphericalAberration=[0.001] * 3,
        rlnBeamTiltX=[0.1, 0.1, 0.1],
    )
    groups, index = read({"": table}, table, boxes=(64, 32, 48), stack=(0, 1, 2))
    assert index.tolist() == [0, 1, 2]
    assert [group.pixel_size for group in groups] == [1.0, 2.0, 1.0]
    assert [group.box_size for group in groups] == [64, 32, 48]
    assert [group.voltage for group in groups] == [300.0, 200.0, 300.0]
    assert groups[0].beam_tilt_xy == (0.1, 0.0)
    assert groups[0].amplitude_contrast == 0.1


def test_a_file_without_defocus_has_a_transfer_of_one() -> None:
    table = particles(rlnImagePixelSize=[2.0] * 3).drop(columns="rlnDefocusU")
    (group,), _ = read({"": table}, table)
    assert (group.amplitude_contrast, group.spherical_aberration) == (1.0, 0.0)


def test_a_microscope_that_only_particles_name_is_taken_from_them() -> None:
    optics = optics_table(GROUPS).drop(columns="rlnVoltage")
    table = particles(rlnOpticsGroup=[1, 2, 1], rlnVoltage=[120.0, 200.0, 120.0])
    groups, _ = read({"optics": optics}, table)
    assert [group.voltage for group in groups] == [120.0, 200.0]
    with pytest.raises(MetadataError, match=r"rlnVoltage differs within an optics group"):
        read({"optics": optics}, table.assign(rlnVoltage=[120.0, 200.0, 300.0]))


def test_a_given_pixel_size_wins_and_is_written() -> None:
    table = particles()
    groups, _ = read({"": table}, table, pixel_size=3.0)
    assert groups[0].pixel_size == 3.0
    for blocks in ({"": table}, {"": particles(rlnImagePixelSize=[1.0] * 3)}):
        written = with_pixel_size(blocks, "", 3.0)
        assert read(written, written[""])[0][0].pixel_size == 3.0
    blocks = with_pixel_size({"optics": optics_table(GROUPS), "particles": table}, "particles", 3.0)
    assert blocks["optics"]["rlnImagePixelSize"].tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("optics", "columns", "words"),
    [
        (None, {}, "no data_optics with rlnImagePixelSize and no rlnDetectorPixelSize"),
        (None, {"rlnImagePixelSize": [0.0] * 3}, "p.star: .*pixel size is 0, expected Å above 0"),
        (None, {"rlnDetectorPixelSize": [5.0] * 3, "rlnMagnification": [0.0] * 3}, "is 0, expect"),
        ({"rlnImagePixelSize": [-1.0, 1.0]}, {"rlnOpticsGroup": [1, 2, 1]}, "pixel size is -1"),
        ({"rlnOpticsGroup": [1, 1]}, {"rlnOpticsGroup": [1, 1, 1]}, "1 comes twice"),
        ({}, {"rlnOpticsGroup": [1, 5, 5]}, "rlnOpticsGroup 5 of 2 particles is not in"),
        ({}, {}, "rlnOpticsGroup is missing"),
        ({"rlnVoltage": ["x", "y"]}, {"rlnOpticsGroup": [1, 1, 1]}, "rlnVoltage is 'x'"),
        ({"rlnImageSize": [64.5, 64]}, {"rlnOpticsGroup": [1, 1, 1]}, "64.5, expected a whole"),
        ({"rlnOddZernike": ["[x]", "[]"]}, {"rlnOpticsGroup": [1, 1, 1]}, "rlnOddZernike is"),
    ],
)
def test_optics_that_cannot_be_are_refused_in_one_line(optics, columns, words) -> None:
    table = particles(**columns)
    blocks = {} if optics is None else {"optics": optics_table(GROUPS).assign(**optics)}
    with pytest.raises(MetadataError, match=words) as caught:
        read(blocks | {"particles": table}, table)
    assert "\n" not in str(caught.value)


def test_a_table_without_pixel_size_is_refused() -> None:
    optics = optics_table(GROUPS).drop(columns="rlnImagePixelSize")
    with pytest.raises(MetadataError, match="rlnImagePixelSize is missing in data_optics"):
        read({"optics": optics}, particles(rlnOpticsGroup=[1, 2, 1]))


def test_a_part_of_a_magnification_matrix_is_refused() -> None:
    table = particles(rlnOpticsGroup=[1, 1, 1])
    optics = optics_table(GROUPS).drop(columns=["rlnMagMat10"], errors="ignore")
    optics = optics.assign(rlnMagMat00=[1.0, 1.0])
    with pytest.raises(MetadataError, match="rlnMagMat10 is missing"):
        read({"optics": optics, "particles": table}, table)
