import pickle
from pathlib import Path

import numpy as np
import pytest
from cryodrgn_workdir import dump

from icelens.core.errors import IcelensError, MetadataError
from icelens.core.io.cryodrgn_files import (
    CryodrgnPoses,
    read_cryodrgn_ctf,
    read_cryodrgn_index,
    read_cryodrgn_latents,
    read_cryodrgn_poses,
    write_cryodrgn_ctf,
    write_cryodrgn_index,
    write_cryodrgn_latents,
    write_cryodrgn_poses,
)
from icelens.core.simulate.poses import random_poses

CTF = np.tile([32, 1.5, 15000, 14000, 30, 300, 2.7, 0.1, 0], (4, 1)).astype(np.float32)
ROTATION = random_poses(4, np.random.default_rng(0))
SHIFT = np.linspace(-0.1, 0.1, 8).reshape(4, 2)
LATENT = np.arange(8.0).reshape(4, 2)


def changed(values: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    values = np.array(values, np.float64)
    values[place] = value
    return values


def test_every_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    write_cryodrgn_ctf(path, CTF.astype(np.float64))
    assert np.array_equal(read_cryodrgn_ctf(path), CTF)
    write_cryodrgn_poses(path, CryodrgnPoses(ROTATION, SHIFT))
    poses = read_cryodrgn_poses(path)
    assert np.allclose(poses.rotation, ROTATION, atol=1e-6)
    assert poses.shift_xy is not None
    assert np.allclose(poses.shift_xy, SHIFT, atol=1e-7)
    write_cryodrgn_index(path, np.array([3, 1]))
    assert read_cryodrgn_index(path, 4).tolist() == [3, 1]
    write_cryodrgn_latents(path, LATENT, LATENT + 1.0)
    latent, deviation = read_cryodrgn_latents(path)
    assert deviation is not None
    assert np.array_equal(latent, LATENT)
    assert np.allclose(deviation, LATENT + 1.0, rtol=1e-6)


def test_written_files_are_what_the_reference_unpickles(tmp_path: Path) -> None:
    write_cryodrgn_poses(tmp_path / "pose.pkl", CryodrgnPoses(ROTATION, SHIFT))
    poses = pickle.loads((tmp_path / "pose.pkl").read_bytes())
    assert type(poses) is tuple
    assert [(each.shape, each.dtype) for each in poses] == [
        ((4, 3, 3), np.float32),
        ((4, 2), np.float32),
    ]
    write_cryodrgn_latents(tmp_path / "z.pkl", LATENT, None)
    assert pickle.loads((tmp_path / "z.pkl").read_bytes()).shape == (4, 2)


@pytest.mark.parametrize("content", [ROTATION, (ROTATION,), [ROTATION]])
def test_rotations_alone_are_poses_without_shifts(content: object, tmp_path: Path) -> None:
    dump(tmp_path / "pose.pkl", content)
    poses = read_cryodrgn_poses(tmp_path / "pose.pkl")
    assert poses.shift_xy is None
    assert np.array_equal(poses.rotation, ROTATION)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CTF[:, :8], r"shape \(4, 8\), expected an array of N x 9"),
        (CTF[0], r"shape \(9,\)"),
        (CTF[:0], r"shape \(0, 9\)"),
        ((ROTATION, SHIFT), "holds a tuple"),
        (changed(CTF, (2, 2), np.nan), "row 2 holds values that are not finite"),
        (changed(CTF, (1, 0), 0), "box size .px. is 0 in row 1"),
        (changed(CTF, (1, 1), -1), "pixel size"),
        (changed(CTF, (3, 5), 0), "voltage"),
        (changed(CTF, (3, 7), 7.0), "amplitude contrast goes from 0.1 to 7"),
        (CTF.astype(str), "holds an array of <U32"),
    ],
)
def test_what_is_no_ctf_is_refused(content: object, message: str, tmp_path: Path) -> None:
    dump(tmp_path / "ctf.pkl", content)
    with pytest.raises(MetadataError, match=message):
        read_cryodrgn_ctf(tmp_path / "ctf.pkl")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((ROTATION, SHIFT[:3]), "4 rotations but 3 shifts"),
        ((ROTATION, SHIFT, SHIFT), "holds 3 parts"),
        ((ROTATION, np.c_[SHIFT, SHIFT]), r"shape \(4, 4\)"),
        (SHIFT, r"shape \(4, 2\)"),
        ({"rot": ROTATION}, "holds a dict"),
        (2 * ROTATION, "row 0 is no rotation .4 of 4"),
        (-ROTATION, "no rotation"),
        (changed(ROTATION, (3, 1, 1), np.inf), "row 3 holds values that are not finite"),
        ((ROTATION, changed(SHIFT, (1, 1), np.nan)), "row 1 holds values"),
    ],
)
def test_what_is_no_pose_is_refused(content: object, message: str, tmp_path: Path) -> None:
    dump(tmp_path / "pose.pkl", content)
    with pytest.raises(MetadataError, match=message):
        read_cryodrgn_poses(tmp_path / "pose.pkl")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((LATENT, LATENT[:3]), r"shape \(4, 2\) but log-variances of \(3, 2\)"),
        ((LATENT,) * 3, "holds 3 pickles"),
        ((LATENT[:, 0],), r"shape \(4,\)"),
        ((changed(LATENT, (0, 0), np.nan),), "row 0 holds"),
        (([1.0, 2.0],), "holds a list"),
    ],
)
def test_what_is_no_latent_is_refused(
    parts: tuple[object, ...], message: str, tmp_path: Path
) -> None:
    dump(tmp_path / "z.pkl", *parts)
    with pytest.raises(MetadataError, match=message):
        read_cryodrgn_latents(tmp_path / "z.pkl")


@pytest.mark.parametrize("content", [[0, 2], (0, 2), np.array([0, 2], np.uint8)])
def test_an_index_may_be_a_list_or_an_array(content: object, tmp_path: Path) -> None:
    dump(tmp_path / "ind.pkl", content)
    assert read_cryodrgn_index(tmp_path / "ind.pkl").tolist() == [0, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.array([0, 4]), "goes from 0 to 4, expected places from 0 to 3"),
        (np.array([-1, 2]), "goes from -1"),
        (np.array([1, 1]), "names places twice"),
        (np.array([True, False]), "expected a list of whole numbers"),
        (np.array([0.5]), "expected a list of whole numbers"),
        ([], "expected a list of whole numbers"),
        ([[1, 2], [3]], "lists of lists"),
        (5, "holds a int"),
    ],
)
def test_what_is_no_index_is_refused(content: object, message: str, tmp_path: Path) -> None:
    dump(tmp_path / "ind.pkl", content)
    with pytest.raises(MetadataError, match=message):
        read_cryodrgn_index(tmp_path / "ind.pkl", 4)


def test_files_of_another_kind_are_refused_in_one_line(tmp_path: Path) -> None:
    dump(tmp_path / "a.pkl", CTF, CTF)
    for read in (read_cryodrgn_ctf, read_cryodrgn_poses, read_cryodrgn_index):
        with pytest.raises(IcelensError, match="holds 2 pickles") as caught:
            read(tmp_path / "a.pkl")
        assert "\n" not in str(caught.value)


def test_files_of_the_reference_are_read(shared_data: Path) -> None:
    poses = read_cryodrgn_poses(shared_data / "particles_sim" / "toy_rot_trans.pkl")
    assert poses.shift_xy is not None
    assert poses.shift_xy.shape == (1000, 2)
    assert read_cryodrgn_ctf(shared_data / "particles_sim" / "test_ctf.pkl").shape == (1000, 9)
    chosen = shared_data / "subtomo_sim" / "ind_ptcl_first10last10.pkl"
    assert len(read_cryodrgn_index(chosen)) == 20
