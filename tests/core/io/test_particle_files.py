"""Particles survive reading and writing in each dialect; what is wrong is said in one line."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, IcelensError, InputFileError, MetadataError
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import (
    ParticleFile,
    new_particle_file,
    new_tilt_file,
    read_particles,
    write_particles,
)
from icelens.core.io.star import read_star

GROUPS = (
    OpticsGroup("a", 1.5, 8, beam_tilt_xy=(0.1, 0.2), odd_zernike=(0.5, 0, 0, 0, 0, 1.0)),
    OpticsGroup("b", 3.0, 4, 200.0, 1.4, 0.07, magnification=(1.01, 0, 0, 0.99)),
)
ROWS = (
    "rotation", "shift_yx", "defocus_u", "defocus_v", "astigmatism_angle", "phase_shift",
    "b_factor", "ctf_scale", "half_set", "weight", "slice_index", "optics_index", "particle",
    "stage",
)  # fmt: skip


def simulated(folder: Path, rows: int = 12) -> Particles:
    random = np.random.default_rng(0)
    for name, side in (("a ü.mrcs", 8), ("b.mrcs", 4)):
        images = random.normal(size=(rows, side, side)).astype(np.float32)
        mrcfile.write(folder / name, images)
    index = random.integers(0, 2, rows)
    return Particles(
        (folder / "a ü.mrcs", folder / "b.mrcs"),
        index,
        random.permutation(rows),
        GROUPS,
        index,
        rotation=Rotation.random(rows, rng=random).as_matrix(),
        shift_yx=random.normal(size=(rows, 2)),
        defocus_u=random.uniform(1e4, 2e4, rows),
        defocus_v=random.uniform(1e4, 2e4, rows),
        astigmatism_angle=random.uniform(-90, 90, rows),
        phase_shift=np.full(rows, 90.0),
        b_factor=random.uniform(0, 100, rows),
        ctf_scale=random.uniform(0.5, 1, rows),
        half_set=random.integers(1, 3, rows),
        weight=random.uniform(size=rows),
    )


def assert_same(found: Particles, expected: Particles) -> None:
    assert found.optics == expected.optics
    stacks = [[each.stacks[i].resolve() for i in each.stack] for each in (found, expected)]
    assert stacks[0] == stacks[1]
    for name in ROWS:
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), atol=1e-6, err_msg=name
        )


def rewrite(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def test_new_particles_return_as_they_were(tmp_path: Path) -> None:
    particles = simulated(tmp_path)
    file = new_particle_file(particles, {"rlnClassNumber": np.arange(12)})
    write_particles(tmp_path / "p.star", file)
    again = read_particles(tmp_path / "p.star")
    assert_same(again.particles, particles)
    assert again.blocks["particles"]["rlnClassNumber"].tolist() == list(range(12))
    assert again.blocks["particles"]["rlnImageName"].str.endswith(("@a ü.mrcs", "@b.mrcs")).all()
    np.testing.assert_array_equal(
        ImageReader(again.particles).read(particles.stack == 1),
        ImageReader(particles).read(particles.stack == 1),
    )


def test_poses_and_columns_are_replaced_and_the_rest_is_kept(tmp_path: Path) -> None:
    file = new_particle_file(simulated(tmp_path), {"rlnFoo": [f"t {i}" for i in range(12)]})
    write_particles(tmp_path / "p.star", file)
    file = read_particles(tmp_path / "p.star")
    rows = np.array([5, 0, 7])
    other = file.particles.take([1, 2, 3])
    score = np.array([0.25, 0.5, 0.75])
    write_particles(
        tmp_path / "far away" / "q.star",
        file,
        rotation=other.rotation,
        shift_yx=other.shift_yx,
        columns={"rlnParticleFigureOfMerit": score},
        rows=rows,
    )
    again = read_particles(tmp_path / "far away" / "q.star")
    expected = file.particles.take(rows).with_poses(other.rotation, other.shift_yx)
    np.testing.assert_allclose(again.particles.rotation, expected.rotation, atol=1e-6)
    np.testing.assert_allclose(again.particles.shift_yx, expected.shift_yx, atol=1e-6)
    np.testing.assert_array_equal(again.particles.slice_index, expected.slice_index)
    table = again.blocks["particles"]
    assert table["rlnFoo"].tolist() == ["t 5", "t 0", "t 7"]
    assert table["rlnParticleFigureOfMerit"].tolist() == score.tolist()
    assert list(file.blocks["particles"].columns) == list(table.columns)[:-1]
    ImageReader(again.particles)  # the stacks are found from there


def test_old_tables_keep_their_form_and_count_origins_in_pixels(tmp_path: Path) -> None:
    mrcfile.write(tmp_path / "a.mrcs", np.zeros((2, 8, 8), np.float32))
    path = tmp_path / "old.star"
    path.write_text(
        "data_images\nloop_\n_rlnImageName\n_rlnDetectorPixelSize\n_rlnMagnification\n"
        "_rlnDefocusU\n_rlnAngleRot\n_rlnAngleTilt\n_rlnAnglePsi\n_rlnOriginX\n_rlnOriginY\n"
        "2@a.mrcs 5 25000 9000 10 20 30 1 2\n1@a.mrcs 5 25000 9000 40 50 60 3 4\n"
    )
    file = read_particles(path)
    assert file.particles.shift_yx.tolist() == [[4.0, 2.0], [8.0, 6.0]]
    shift_yx = np.array([[1.0, 2.0], [3.0, 5.0]])
    write_particles(tmp_path / "new.star", file, shift_yx=shift_yx)
    table = read_star(tmp_path / "new.star")["images"]
    assert table[["rlnOriginX", "rlnOriginY"]].to_numpy().tolist() == [[1.0, 0.5], [2.5, 1.5]]
    assert not {"rlnOpticsGroup", "rlnOriginXAngst"} & set(table.columns)
    np.testing.assert_allclose(read_particles(tmp_path / "new.star").particles.shift_yx, shift_yx)


def test_a_given_pixel_size_goes_into_what_is_written(tmp_path: Path) -> None:
    mrcfile.write(tmp_path / "a.mrcs", np.zeros((1, 8, 8), np.float32))
    (tmp_path / "p.star").write_text("data_\nloop_\n_rlnImageName\n1@a.mrcs\n")
    with pytest.raises(MetadataError, match="give the pixel size"):
        read_particles(tmp_path / "p.star")
    file = read_particles(tmp_path / "p.star", pixel_size=2.5)
    write_particles(tmp_path / "q.star", file)
    assert read_particles(tmp_path / "q.star").particles.optics[0].pixel_size == 2.5


def test_several_files_are_joined_row_after_row(tmp_path: Path) -> None:
    first = simulated(tmp_path)
    (tmp_path / "sub").mkdir()
    second = simulated(tmp_path / "sub", rows=5)
    paths = [tmp_path / "p.star", tmp_path / "sub" / "p.star"]
    for path, particles in zip(paths, (first, second), strict=True):
        write_particles(path, new_particle_file(particles))
    joined = read_particles(paths)
    assert len(joined) == 17
    assert len(joined.particles.optics) == 4
    assert joined.particles.optics_index[12:].tolist() == (second.optics_index + 2).tolist()
    assert joined.particles.particle.tolist() == list(range(17))
    names = joined.blocks["optics"]["rlnOpticsGroupName"].tolist()
    assert names == ["a", "b", "a_2", "b_2"]
    write_particles(tmp_path / "joined.star", joined)
    again = read_particles(tmp_path / "joined.star").particles
    np.testing.assert_allclose(again.rotation, joined.particles.rotation, atol=1e-6)
    np.testing.assert_array_equal(again.optics_index, joined.particles.optics_index)
    ImageReader(again)


def test_images_without_a_stack_are_left_out_on_request(tmp_path: Path) -> None:
    particles = simulated(tmp_path)
    write_particles(tmp_path / "p.star", new_particle_file(particles))
    (tmp_path / "b.mrcs").unlink()
    with pytest.raises(InputFileError, match=r"b.mrcs: no such stack"):
        ImageReader(read_particles(tmp_path / "p.star").particles)
    heard = []
    file = read_particles(tmp_path / "p.star", skip_missing=True, on_event=heard.append)
    assert len(file) == int((particles.stack == 0).sum())
    assert f"{12 - len(file)} of 12 images have no stack" in heard[0].text
    write_particles(tmp_path / "q.star", file)
    assert len(read_star(tmp_path / "q.star")["particles"]) == len(file)
    (tmp_path / "a ü.mrcs").unlink()
    with pytest.raises(InputFileError, match="12 of 12 images have no stack"):
        read_particles(tmp_path / "p.star", skip_missing=True)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rlnImagePixelSize", "rlnOther", "rlnImagePixelSize is missing in data_optics"),
        ("1.500000", "-1.5", "pixel size is -1.5"),
        ("data_optics", "data_particles", "two blocks are called data_particles"),
        ("rlnAngleTilt", "rlnOther", "rlnAngleTilt is missing, expected particles with poses"),
        ("rlnImageName", "rlnOther", "rlnImageName is missing"),
        ("rlnRandomSubset", "rlnDefocusU", "rlnDefocusU comes twice"),
        ("@b.mrcs", "@", "expected a number from 1, @ and a stack|no such stack"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "p.star"
    write_particles(path, new_particle_file(simulated(tmp_path)))
    rewrite(path, old, new)
    with pytest.raises(IcelensError, match=words) as caught:
        ImageReader(read_particles(path, need_poses=True).particles)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.star", "", "the file is empty"),
        ("p.star", "data_particles\n_rlnImageName 1\n_x 2\n", "data_particles|Pixel"),
        ("p.star", "data_particles\nloop_\n_rlnImageName\n", "has no rows"),
        ("p.star", None, "no such STAR file"),
        ("p.txt", "x", "cannot be read from this ending"),
        ("p.cs", "", "the file is empty"),
    ],
)
def test_files_that_hold_no_particles_are_refused(tmp_path, name, content, words) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(IcelensError, match=words):
        read_particles(path)
    with pytest.raises(InputFileError, match="no file is given"):
        read_particles([])


def test_what_cannot_be_written_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    file: ParticleFile = new_particle_file(simulated(tmp_path))
    with pytest.raises(GeometryError, match="rotation has 3 rows, expected 12"):
        write_particles(tmp_path / "q.star", file, rotation=np.stack([np.eye(3)] * 3))
    with pytest.raises(GeometryError, match=r"column rlnFoo has shape \(2,\), expected \(12,\)"):
        write_particles(tmp_path / "q.star", file, columns={"rlnFoo": [1, 2]})
    with pytest.raises(InputFileError, match=r"write a .star"):
        write_particles(tmp_path / "q.cs", file)
    with pytest.raises(InputFileError, match=r"expected .star or .cs"):
        write_particles(tmp_path / "q.csv", file)
    assert not list(tmp_path.glob("*q*"))


def test_tilts_in_the_form_of_m_are_read_as_images_of_their_particles(tmp_path: Path) -> None:
    rows = 12
    mrcfile.write(tmp_path / "tilts.mrcs", np.zeros((rows, 8, 8), np.float32))
    one_group = OpticsGroup("opticsGroup1", 1.5, 8, 200.0, 1.4, 0.07)
    random = np.random.default_rng(0)
    turned = Rotation.random(rows, rng=random).as_matrix()
    first = turned[np.repeat([0, 4, 8], 4)]
    made = Particles(
        (tmp_path / "tilts.mrcs",),
        np.zeros(rows, np.int64),
        np.arange(rows),
        (one_group,),
        rotation=turned,
        stage=turned @ np.swapaxes(first, 1, 2),
        shift_yx=random.normal(size=(rows, 2)),
        defocus_u=random.uniform(1e4, 2e4, rows),
        defocus_v=random.uniform(1e4, 2e4, rows),
        astigmatism_angle=random.uniform(-90, 90, rows),
        b_factor=np.tile([4.0, 8.0, 12.0, 16.0], 3),
        ctf_scale=np.tile([1.0, 0.9, 0.8, 0.7], 3),
        half_set=np.repeat([1, 2, 1], 4),
        weight=random.uniform(size=rows),
        particle=np.repeat([0, 1, 2], 4),
    )
    path = tmp_path / "tilts.star"
    write_particles(path, new_tilt_file(made, {"rlnClassNumber": made.particle + 1}))
    assert_same(read_particles(path).particles, made)
    assert (read_star(path)[""]["rlnClassNumber"] == made.particle + 1).all()
