"""Columns of image tables: numbers, names, poses, half sets, or one line about what is wrong."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from icelens.core.errors import MetadataError
from icelens.core.geometry.relion_angles import matrices_from_relion_angles
from icelens.core.io.image_columns import (
    blocks_of_images,
    defocus,
    half_sets,
    number_list,
    numbers,
    rotations,
    shifts_yx,
    split_image_names,
    weights,
)

PATH = Path("p.star")


def table(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_image_names_count_from_one_and_stacks_keep_their_order() -> None:
    names = ["000002@b/ü 1.mrcs", "1@a.mrcs", "3@b/ü 1.mrcs", "single.mrc"]
    stacks, stack, index = split_image_names(PATH, table(rlnImageName=names))
    assert stacks == ["b/ü 1.mrcs", "a.mrcs", "single.mrc"]
    assert (stack.tolist(), index.tolist()) == ([0, 1, 0, 2], [1, 0, 2, 0])


@pytest.mark.parametrize("name", ["0@a.mrcs", "-1@a.mrcs", "x@a.mrcs", "1.5@a.mrcs", "@a.mrcs"])
def test_image_numbers_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(MetadataError, match=r"p.star: rlnImageName '.*' in row 2"):
        split_image_names(PATH, table(rlnImageName=["1@a.mrcs", name]))
    with pytest.raises(MetadataError, match="rlnImageName is missing"):
        split_image_names(PATH, table(rlnDefocusU=[1.0]))


def test_defocus_in_micrometres_is_refused_and_none_at_all_is_not() -> None:
    with pytest.raises(MetadataError, match=r"largest defocus is 2.5"):
        defocus(PATH, table(rlnDefocusU=[1.5, 2.5], rlnDefocusV=[1.4, 2.4]))
    u, v, angle = defocus(PATH, table(rlnDefocusU=[0.0, 15000.0]))
    assert (v.tolist(), angle.tolist()) == (u.tolist(), [0.0, 0.0])
    assert not defocus(PATH, table(rlnImageName=["a"]))[0].any()


def test_all_three_angles_make_a_pose() -> None:
    angles = table(rlnAngleRot=[10.0], rlnAngleTilt=[20.0], rlnAnglePsi=[30.0])
    np.testing.assert_array_equal(
        rotations(PATH, angles, need_poses=True), matrices_from_relion_angles([[10, 20, 30]])
    )
    psi = table(rlnAnglePsi=[30.0])
    assert rotations(PATH, psi, need_poses=False) is None
    with pytest.raises(MetadataError, match="rlnAngleRot is missing, expected particles with pose"):
        rotations(PATH, psi, need_poses=True)


def test_origins_in_pixels_are_multiplied_and_those_in_angstrom_win() -> None:
    old = {"rlnOriginX": [1.0], "rlnOriginY": [2.0]}
    new = {"rlnOriginXAngst": [5.0], "rlnOriginYAngst": [6.0]}
    sizes = np.array([1.5])
    shift, in_pixels = shifts_yx(PATH, table(**old), sizes)
    assert (shift.tolist(), in_pixels) == ([[3.0, 1.5]], True)
    shift, in_pixels = shifts_yx(PATH, table(**old, **new), sizes)
    assert (shift.tolist(), in_pixels) == ([[6.0, 5.0]], False)
    assert shifts_yx(PATH, table(rlnImageName=["a"]), sizes)[0].tolist() == [[0.0, 0.0]]


def test_half_sets_and_weights_are_checked() -> None:
    assert half_sets(PATH, table(rlnRandomSubset=[1, 2, 0])).tolist() == [1, 2, 0]
    with pytest.raises(MetadataError, match="rlnRandomSubset is 3"):
        half_sets(PATH, table(rlnRandomSubset=[1, 3]))
    assert weights(PATH, table(rlnMaxValueProbDistribution=[0.5])).tolist() == [0.5]
    with pytest.raises(MetadataError, match=r"-0\.5"):
        weights(PATH, table(rlnMaxValueProbDistribution=[-0.5, 1.0]))


def test_values_that_are_no_numbers_are_counted() -> None:
    with pytest.raises(MetadataError, match=r"rlnPhaseShift is nan in row 2 \(2 rows\)"):
        numbers(PATH, table(rlnPhaseShift=[0.0, np.nan, np.inf]), "rlnPhaseShift", 0.0)
    with pytest.raises(MetadataError, match="hold text"):
        numbers(PATH, table(rlnPhaseShift=["a"]), "rlnPhaseShift", 0.0)
    assert number_list(PATH, "rlnOddZernike", "[0.5,-2]") == (0.5, -2.0)
    assert number_list(PATH, "rlnOddZernike", "[]") == ()
    with pytest.raises(MetadataError, match="rlnOddZernike is"):
        number_list(PATH, "rlnOddZernike", "[a]")


def test_the_block_with_images_is_found() -> None:
    images = table(rlnImageName=["1@a"])
    optics = table(rlnOpticsGroup=[1])
    for name in ("particles", "images", "", "anything"):
        assert blocks_of_images(PATH, {"optics": optics, name: images})[0] == name
    with pytest.raises(MetadataError, match="no block data_particles among"):
        blocks_of_images(PATH, {"optics": optics})
    with pytest.raises(MetadataError, match="has no rows"):
        blocks_of_images(PATH, {"particles": images[:0]})


def test_defocus_of_some_rows_or_of_v_alone_in_micrometres_is_refused() -> None:
    some = [15000.0, 1.5, 16000.0, 2.5]
    with pytest.raises(MetadataError, match=r"rlnDefocusU is below 100 in 2 of 4 rows"):
        defocus(PATH, table(rlnDefocusU=some))
    with pytest.raises(MetadataError, match=r"largest defocus is 1.5 \(rlnDefocusV\)"):
        defocus(PATH, table(rlnDefocusU=[15000.0], rlnDefocusV=[1.5]))
    with pytest.raises(MetadataError, match=r"rlnDefocusU reaches 1e\+300"):
        defocus(PATH, table(rlnDefocusU=[1e300]))
    defocus(PATH, table(rlnDefocusU=[50.0, *[15000.0] * 40]))


def test_image_numbers_beyond_any_stack_are_refused() -> None:
    with pytest.raises(MetadataError, match="in row 1, expected a number"):
        split_image_names(PATH, table(rlnImageName=["99999999999999999999@a.mrcs"]))


def test_lists_of_numbers_are_finite() -> None:
    with pytest.raises(MetadataError, match="rlnEvenZernike is"):
        number_list(PATH, "rlnEvenZernike", "[0.1,nan]")


def test_shifts_out_of_any_image_are_refused() -> None:
    far = table(rlnOriginXAngst=[0.0, 1e300], rlnOriginYAngst=[0.0, 0.0])
    with pytest.raises(MetadataError, match=r"rlnOriginXAngst or rlnOriginYAngst reaches 1e\+300"):
        shifts_yx(PATH, far, np.ones(2))
