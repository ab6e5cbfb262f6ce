"""Records of cryoSPARC are loaded without pickles and written again with other poses."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.core.errors import InputFileError
from icelens.core.io.cryosparc_records import (
    load_records,
    poses_from_rotations,
    rotations_from_poses,
    with_fields,
)
from icelens.core.io.particle_files import read_particles, write_particles


def test_rotation_vectors_go_round() -> None:
    rotation = Rotation.random(50, rng=np.random.default_rng(0)).as_matrix()
    np.testing.assert_allclose(rotations_from_poses(poses_from_rotations(rotation)), rotation)


def test_poses_are_the_vectors_that_cryodrgn_expects(shared_data: Path) -> None:
    records = load_records(shared_data / "particles_real" / "cryosparc_P12_J24_001_particles.cs")
    vector = np.asarray(records["alignments3D/pose"][:20], np.float64)
    # Rodrigues' formula, then transposed, as cryoDRGN's parse_pose_csparc documents it
    angle = np.linalg.norm(vector, axis=-1)[:, None, None]
    x, y, z = (vector / angle[:, 0]).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(-1, 3, 3)
    expected = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    np.testing.assert_allclose(
        rotations_from_poses(vector), np.swapaxes(expected, -1, -2), atol=1e-12
    )


def test_fields_are_replaced_and_added() -> None:
    made = np.zeros(2, [("a", "f4"), ("b", "S2"), ("c", "f4", 3)])
    made["c"] = 5
    result = with_fields(made, {"b": np.array([b"long", b"x"]), "d": np.ones((2, 2))})
    assert result.dtype.names == ("a", "b", "c", "d")
    assert result["b"].tolist() == [b"long", b"x"]
    assert (result["c"].tolist(), result["d"].tolist()) == ([[5.0] * 3] * 2, [[1.0] * 2] * 2)


def test_real_records_are_written_with_other_poses(shared_data: Path, tmp_path: Path) -> None:
    file = read_particles(shared_data / "particles_real" / "cryosparc_P12_J24_001_particles.cs")
    rows = np.array([9, 3])
    other = file.particles.take([0, 1])
    write_particles(
        tmp_path / "q.cs",
        file,
        rotation=other.rotation,
        shift_yx=other.shift_yx,
        columns={"rlnRandomSubset": np.array([2, 1]), "rlnScore": np.array([0.5, 0.25])},
        rows=rows,
    )
    again = read_particles(tmp_path / "q.cs")
    np.testing.assert_allclose(again.particles.rotation, other.rotation, atol=1e-5)
    np.testing.assert_allclose(again.particles.shift_yx, other.shift_yx, atol=1e-4)
    assert again.particles.half_set.tolist() == [2, 1]
    assert again.records["icelens/rlnScore"].tolist() == [0.5, 0.25]
    for name in file.records.dtype.names:
        if name not in {"alignments3D/pose", "alignments3D/shift", "alignments3D/split"}:
            np.testing.assert_array_equal(again.records[name], file.records[name][rows])


def test_they_become_a_star_file_with_the_same_particles(shared_data: Path, tmp_path: Path) -> None:
    file = read_particles(shared_data / "particles_real" / "cryosparc_P12_J24_001_particles.cs")
    write_particles(tmp_path / "q.star", file, rows=np.arange(30))
    again, expected = read_particles(tmp_path / "q.star").particles, file.particles.take(range(30))
    for name in ("rotation", "shift_yx", "defocus_u", "ctf_scale", "half_set", "slice_index"):
        np.testing.assert_allclose(
            getattr(again, name), getattr(expected, name), atol=1e-5, err_msg=name
        )
    assert again.optics == expected.optics


def test_written_paths_lead_to_the_stacks(tmp_path: Path) -> None:
    (tmp_path / "P1" / "J1").mkdir(parents=True)
    mrcfile.write(tmp_path / "P1" / "J1" / "a.mrc", np.zeros((1, 8, 8), np.float32))
    made = np.zeros(1, [("blob/path", "S9"), ("blob/idx", "u4"), ("blob/shape", "u4", 2),
                        ("blob/psize_A", "f4")])  # fmt: skip
    made["blob/path"], made["blob/shape"], made["blob/psize_A"] = b">J1/a.mrc", 8, 1.5
    (tmp_path / "P1" / "J2").mkdir()
    with (tmp_path / "P1" / "J2" / "p.cs").open("wb") as stream:
        np.save(stream, made)
    file = read_particles(tmp_path / "P1" / "J2" / "p.cs")
    for target in (tmp_path / "P1" / "J3" / "q.cs", tmp_path / "far" / "q.cs"):
        write_particles(target, file)
        assert read_particles(target).particles.stacks[0].is_file()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\x94CSDAT and more", "compressed cryoSPARC data set"),
        (b"something else", "not a readable .cs file"),
        (None, "no such .cs file"),
    ],
)
def test_what_is_no_numpy_array_is_refused(tmp_path: Path, content, words) -> None:
    path = tmp_path / "p.cs"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFileError, match=words) as caught:
        load_records(path)
    assert "\n" not in str(caught.value)


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    for name, content in (("o.cs", np.array([{"a": 1}], object)), ("n.cs", np.zeros(3))):
        with (tmp_path / name).open("wb") as stream:
            np.save(stream, content, allow_pickle=True)
    with pytest.raises(InputFileError, match="numpy array without objects"):
        load_records(tmp_path / "o.cs")
    with pytest.raises(InputFileError, match="a plain array"):
        load_records(tmp_path / "n.cs")


def test_an_archive_of_arrays_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.cs"
    with path.open("wb") as stream:
        np.savez(stream, a=np.zeros(3))
    with pytest.raises(InputFileError, match="expected records of cryoSPARC"):
        load_records(path)
