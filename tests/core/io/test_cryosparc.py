"""cryoSPARC's particles in our units: poses, shifts, signs, pass-through files."""

import math
from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.particles import Particles
from icelens.core.errors import IcelensError, MetadataError
from icelens.core.geometry.relion_angles import matrices_from_relion_angles
from icelens.core.io.cryosparc import read_cryosparc

KINDS = [
    ("uid", "u8"), ("blob/path", "S20"), ("blob/idx", "u4"), ("blob/shape", "u4", 2),
    ("blob/psize_A", "f4"), ("blob/sign", "f4"), ("ctf/exp_group_id", "u4"),
    ("ctf/accel_kv", "f4"), ("ctf/cs_mm", "f4"), ("ctf/amp_contrast", "f4"), ("ctf/df1_A", "f4"),
    ("ctf/df2_A", "f4"), ("ctf/df_angle_rad", "f4"), ("ctf/phase_shift_rad", "f4"),
    ("ctf/tilt_A", "f4", 2), ("ctf/anisomag", "f4", 4), ("alignments3D/pose", "f4", 3),
    ("alignments3D/shift", "f4", 2), ("alignments3D/psize_A", "f4"), ("alignments3D/split", "u4"),
]  # fmt: skip


def records(rows: int = 4) -> np.ndarray:
    made = np.zeros(rows, KINDS)
    made["uid"] = np.arange(rows) * 7 + 100
    made["blob/path"] = [b">J1/a.mrc", b"J1/b.mrc"] * (rows // 2)
    made["blob/idx"] = np.arange(rows)
    made["blob/shape"] = 64
    made["blob/psize_A"] = 1.5
    made["blob/sign"] = 1.0
    made["ctf/accel_kv"], made["ctf/cs_mm"], made["ctf/amp_contrast"] = 300, 2.7, 0.1
    made["ctf/df1_A"], made["ctf/df2_A"] = 15000, 14000
    made["alignments3D/psize_A"] = 3.0
    made["alignments3D/split"] = [0, 1] * (rows // 2)
    return made


def save(path: Path, made: np.ndarray) -> Path:
    with path.open("wb") as stream:
        np.save(stream, made)
    return path


def read(folder: Path, made: np.ndarray, **settings) -> Particles:
    return read_cryosparc(save(folder / "p.cs", made), **settings).particles


def test_fields_come_in_our_units(tmp_path: Path) -> None:
    made = records()
    made["alignments3D/shift"][0] = 2.0, -1.0
    made["ctf/df_angle_rad"], made["ctf/phase_shift_rad"] = math.pi / 6, math.pi / 2
    made["ctf/tilt_A"] = [2.7e7 * 1e-3, -2.7e7 * 2e-3]
    particles = read(tmp_path, made)
    assert particles.shift_yx[0].tolist() == [-3.0, 6.0]  # pixels of the alignment, not the image
    np.testing.assert_allclose(particles.astigmatism_angle, 30.0, rtol=1e-6)
    np.testing.assert_allclose(particles.phase_shift, 90.0, rtol=1e-6)
    (group,) = particles.optics
    assert (group.pixel_size, group.box_size, group.amplitude_contrast) == (1.5, 64, 0.1)
    np.testing.assert_allclose(group.beam_tilt_xy, (1.0, -2.0), rtol=1e-5)
    assert particles.half_set.tolist() == [1, 2, 1, 2]
    assert [path.name for path in particles.stacks] == ["a.mrc", "b.mrc"]


@pytest.mark.parametrize(
    ("pose", "angles"),
    [
        # A turn by +phi about z is RELION's psi = phi; about y, its tilt.
        ([0, 0, math.pi / 6], [0, 0, 30]),
        ([0, math.pi / 3, 0], [0, 60, 0]),
        ([math.pi / 4, 0, 0], [-90, 45, 90]),
        ([0, 0, 0], [0, 0, 0]),
    ],
)
def test_poses_are_those_of_relions_angles(tmp_path: Path, pose, angles) -> None:
    made = records()
    made["alignments3D/pose"] = pose
    expected = matrices_from_relion_angles(angles)
    np.testing.assert_allclose(read(tmp_path, made).rotation[0], expected, atol=1e-6)


def test_dark_particles_have_a_negative_transfer(tmp_path: Path) -> None:
    made = records()
    made["blob/sign"] = [-1, 1, -1, 1]
    assert read(tmp_path, made).ctf_scale.tolist() == [-1.0, 1.0, -1.0, 1.0]


def test_exposure_groups_and_samplings_become_optics_groups(tmp_path: Path) -> None:
    made = records()
    made["ctf/exp_group_id"] = [3, 3, 9, 3]
    made["blob/psize_A"][3] = 2.0
    particles = read(tmp_path, made)
    assert particles.optics_index.tolist() == [0, 0, 1, 2]
    assert [group.pixel_size for group in particles.optics] == [1.5, 1.5, 2.0]
    assert read(tmp_path, made, pixel_size=4.0).optics[0].pixel_size == 4.0


def test_a_pass_through_file_beside_gives_what_is_missing(tmp_path: Path) -> None:
    made = records()
    names = list(made.dtype.names)
    blobs = [name for name in names if name == "uid" or name.startswith("blob/")]
    rest = [name for name in names if not name.startswith("blob/")]
    save(tmp_path / "J2_passthrough_particles.cs", made[::-1][blobs])
    heard = []
    particles = read(tmp_path, made[rest], on_event=heard.append)
    assert particles.slice_index.tolist() == [0, 1, 2, 3]
    assert "by uid" in heard[0].text
    # files of other jobs with other particles are passed over, unless they are named
    other = made[blobs].copy()
    other["uid"] += 1
    (tmp_path / "J2_passthrough_particles.cs").unlink()
    wrong = save(tmp_path / "J1_passthrough_particles.cs", other)
    with pytest.raises(MetadataError, match="blob/path is missing"):
        read(tmp_path, made[rest])
    with pytest.raises(MetadataError, match=r"4 of 4 particles of .* are not in it"):
        read(tmp_path, made[rest], passed_through=[wrong])


def test_aberrations_of_unknown_convention_are_said_to_be_left_out(tmp_path: Path) -> None:
    made = records()
    made["ctf/anisomag"][0, 0] = 0.01
    heard = []
    read(tmp_path, made, on_event=heard.append)
    assert [(event.level, "ctf/anisomag" in event.text) for event in heard] == [("warning", True)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda made: made[:0], "no rows"),
        (lambda made: made[["uid", "blob/idx"]], "blob/path is missing"),
        (lambda made: _set(made, "ctf/df1_A", 1.5), "largest defocus is 1.5"),
        (lambda made: _set(made, "blob/psize_A", 0.0), "p.cs: .*pixel size is 0"),
        (lambda made: _set(made, "alignments3D/pose", np.nan), "p.cs: .*pose is not finite in row"),
        (lambda made: _set(made, "ctf/df1_A", np.inf), "p.cs: ctf/df1_A is not finite in row 1"),
        (lambda made: _set(made, "blob/shape", [64, 32]), "blob/shape is not square"),
    ],
)
def test_records_that_cannot_be_are_refused_in_one_line(tmp_path: Path, change, words) -> None:
    with pytest.raises(IcelensError, match=words) as caught:
        read(tmp_path, change(records()))
    assert "\n" not in str(caught.value)


def _set(made: np.ndarray, name: str, value: object) -> np.ndarray:
    made[name] = value
    return made


def test_poses_are_asked_for_only_where_they_are_needed(shared_data: Path) -> None:
    path = shared_data / "metadata_star" / "cryosparc_J2_particles_exported.cs"
    file = read_cryosparc(path)
    assert len(file) == 22
    assert not file.particles.has_poses
    assert file.particles.stacks[0].name == "000090334788266266069_18jam15b_0345_ali_DW.mrcs"
    with pytest.raises(MetadataError, match="alignments3D/pose is missing"):
        read_cryosparc(path, need_poses=True)


def test_a_real_refinement_parses_to_what_the_file_holds(shared_data: Path) -> None:
    particles = read_cryosparc(
        shared_data / "particles_real" / "cryosparc_P12_J24_001_particles.cs"
    ).particles
    assert len(particles) == 2019
    (group,) = particles.optics
    assert (group.pixel_size, group.box_size, group.voltage) == (2.95, 180, 200.0)
    np.testing.assert_allclose(particles.defocus_u[0], 45591.37109375)
    np.testing.assert_allclose(
        particles.shift_yx[0], np.array([-1.828125, 11.334375381]) * 2.95, rtol=1e-6
    )
    assert particles.half_set[:2].tolist() == [2, 1]
