"""Stacks of tilts become images whose poses reproduce the map, and return as one row each."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest
from back_projection import back_projection, fourier_shell_correlation

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import IcelensError, InputFileError
from icelens.core.geometry.axis_rotations import about_y
from icelens.core.geometry.relion_angles import matrices_from_relion_angles
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.core.io.star import read_star

NAME = "warptools_test_4-tomos_10-ptcls_box-32_angpix-12"
TILTS = np.array([-30.0, 0.0, 30.0])


def project(folder: Path, images: int = 3, visible: str = "") -> Path:
    """A small RELION-5 project of two particles with three tilts."""
    for number in (1, 2):
        values = np.full((images, 8, 8), number, np.float32) + np.arange(images)[:, None, None]
        mrcfile.write(folder / f"{number}.mrcs", values.astype(np.float32), overwrite=True)
    (folder / "tomograms.star").write_text(
        "data_global\nloop_\n_rlnTomoName\n_rlnTomoTiltSeriesPixelSize\n_rlnTomoHand\n"
        "_rlnTomoSizeX\n_rlnTomoSizeY\n_rlnTomoSizeZ\nTS_1 2.0 -1 100 100 50\n\n"
        "data_TS_1\nloop_\n_rlnTomoXTilt\n_rlnTomoYTilt\n_rlnTomoZRot\n_rlnDefocusU\n"
        "_rlnMicrographPreExposure\n0 -30 0 20000 6\n0 0 0 21000 0\n0 30 0 22000 3\n"
    )
    (folder / "run_optimisation_set.star").write_text(
        "data_\n_rlnTomoParticlesFile p.star\n_rlnTomoTomogramsFile tomograms.star\n"
    )
    told = "_rlnTomoVisibleFrames\n" if visible else ""
    (folder / "p.star").write_text(
        "data_general\n_rlnTomoSubTomosAre2DStacks 1\n\n"
        "data_optics\nloop_\n_rlnOpticsGroup\n_rlnImagePixelSize\n_rlnImageSize\n_rlnVoltage\n"
        "1 4.0 8 200\n\n"
        "data_particles\nloop_\n_rlnTomoName\n_rlnImageName\n_rlnOpticsGroup\n"
        "_rlnCenteredCoordinateXAngst\n_rlnCenteredCoordinateYAngst\n_rlnCenteredCoordinateZAngst\n"
        "_rlnAngleRot\n_rlnAngleTilt\n_rlnAnglePsi\n"
        "_rlnOriginXAngst\n_rlnOriginYAngst\n_rlnOriginZAngst\n"
        f"{told}"
        f"TS_1 1.mrcs 1 100 0 0 10 20 30 0 0 0 {visible}\n"
        f"TS_1 2.mrcs 1 0 0 50 40 50 60 1 2 4 {visible}\n"
    )
    return folder / "p.star"


def test_each_tilt_is_an_image_with_the_pose_of_its_particle(tmp_path: Path) -> None:
    particles = read_particles(project(tmp_path)).particles
    assert (len(particles), particles.particle.tolist()) == (6, [0, 0, 0, 1, 1, 1])
    stage = about_y(np.deg2rad(TILTS))
    np.testing.assert_allclose(particles.stage[:3], stage, atol=1e-12)
    own = matrices_from_relion_angles([40, 50, 60])
    np.testing.assert_allclose(particles.rotation[3:], stage @ own, atol=1e-12)
    np.testing.assert_allclose(particles.shift_yx[4], [2.0, 1.0])  # untilted: the origin's y, x
    np.testing.assert_allclose(particles.shift_yx[5], [2.0, np.cos(np.pi / 6) + 4 * 0.5])
    assert particles.b_factor.tolist() == [24.0, 0.0, 12.0] * 2
    np.testing.assert_allclose(particles.ctf_scale[0], np.cos(np.pi / 6))
    assert particles.optics[0].voltage == 200.0
    images = ImageReader(particles).read(np.arange(6))
    assert images[:, 0, 0].tolist() == [1, 2, 3, 2, 3, 4]


def test_depth_along_the_beam_changes_the_defocus(tmp_path: Path) -> None:
    particles = read_particles(project(tmp_path)).particles
    # z' = -sin(tilt) x + cos(tilt) z, times rlnTomoHand -1; the origin is taken off the place
    first = np.array([20000, 21000, 22000]) + np.sin(np.deg2rad(TILTS)) * 100
    np.testing.assert_allclose(particles.defocus_u[:3], first)
    np.testing.assert_allclose(particles.defocus_u[4], 21000 - 46)


@pytest.mark.parametrize(("images", "places"), [(3, [0, 2]), (2, [0, 1])])
def test_stacks_hold_all_tilts_or_the_visible_ones(tmp_path: Path, images, places) -> None:
    particles = read_particles(project(tmp_path, images, "[1,0,1]")).particles
    assert particles.slice_index.tolist() == places * 2
    np.testing.assert_allclose(particles.stage[1], about_y(np.deg2rad(30.0)), atol=1e-12)
    ImageReader(particles)


def test_pixel_coordinates_count_from_the_tomograms_corner(tmp_path: Path) -> None:
    path = project(tmp_path)
    text = path.read_text()
    for axis in "XYZ":
        text = text.replace(f"rlnCenteredCoordinate{axis}Angst", f"rlnCoordinate{axis}")
    # 2 Å pixels of the tilt series; the centre is at 50, 50, 25
    text = text.replace("1.mrcs 1 100 0 0", "1.mrcs 1 100 50 25")
    path.write_text(text.replace("2.mrcs 1 0 0 50", "2.mrcs 1 50 50 50"))
    found = read_particles(path).particles.defocus_u
    np.testing.assert_allclose(found, read_particles(project(tmp_path)).particles.defocus_u)


def test_what_is_written_is_one_row_per_particle(tmp_path: Path) -> None:
    file = read_particles(project(tmp_path))
    particles = file.particles
    random = np.random.default_rng(0)
    own = matrices_from_relion_angles(random.uniform(10, 80, (2, 3)))[particles.particle]
    origin = random.normal(size=(2, 3))[particles.particle]
    shift_yx = np.einsum("nij,nj->ni", particles.stage, origin)[:, 1::-1]
    target = tmp_path / "out" / "q.star"
    write_particles(
        target,
        file,
        rotation=particles.stage @ own,
        shift_yx=shift_yx,
        columns={"rlnParticleFigureOfMerit": np.arange(6.0)},
    )
    table = read_star(target)["particles"]
    assert table["rlnParticleFigureOfMerit"].tolist() == [1.0, 4.0]
    # the optimisation set beside it leads to the tomograms
    again = read_particles(target.parent / "q_optimisation_set.star").particles
    np.testing.assert_allclose(again.rotation, particles.stage @ own, atol=1e-6)
    np.testing.assert_allclose(again.shift_yx, shift_yx, atol=1e-6)
    write_particles(target, file, rows=particles.particle == 1)
    assert read_star(target)["particles"]["rlnImageName"].str.endswith("2.mrcs").tolist() == [True]


def test_real_stacks_name_the_tomogram_that_is_not_there(shared_data: Path) -> None:
    folder = shared_data / "subtomo_real"
    with pytest.raises(InputFileError, match=r"10 of 40 particles .*tomograms Unt_088.tomostar"):
        read_particles(folder / f"{NAME}.star", stack_root=folder)


def test_poses_of_real_tilts_reproduce_the_shipped_map(shared_data: Path) -> None:
    """The tilt angles of this set have the wrong sign: its geometry gives the mirror image.

    The shipped map has the hand of the ribosome, which no rotation of these images can give.
    """
    folder = shared_data / "subtomo_real"
    file = read_real(folder)
    particles = file.particles
    assert len(particles) == 1060  # 30 particles, of 36 tilts on average
    early = particles.take(particles.b_factor < 4 * 60)
    images = ImageReader(early).read(np.arange(len(early)))
    raw = (folder / "warptools_test_box-32_angpix-12_reconstruct.mrc").read_bytes()
    shipped = np.frombuffer(raw, np.float32, 32**3, 1024).reshape(32, 32, 32).astype(float)
    mirrored = np.roll(shipped[::-1], 1, axis=0)
    volume = back_projection(early, images)
    shells = fourier_shell_correlation(volume, mirrored)
    # thirty particles against thousands; what is not the mirror image has 0.14 at shell 4
    assert shells[1:5].min() > 0.7
    assert shells[5:9].min() > 0.4
    assert fourier_shell_correlation(volume, shipped)[4] < 0.3


def read_real(folder: Path) -> ParticleFile:
    return read_particles(folder / f"{NAME}.star", stack_root=folder, skip_missing=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: (d / "run_optimisation_set.star").unlink(), "no optimisation set beside"),
        (lambda d: (d / "tomograms.star").unlink(), "tomograms.star does not exist"),
        (lambda d: edit(d, "TS_1 1.mrcs", "TS_9 1.mrcs"), "tomogram TS_9 of 1 particles is not in"),
        (lambda d: edit(d, "_rlnTomoName", "_rlnOther"), "rlnTomoName is missing"),
        (lambda d: edit(d, "rlnAngleRot", "rlnOther"), "expected particles with poses"),
        (lambda d: mrcfile.write(d / "1.mrcs", np.zeros((5, 8, 8), np.float32), overwrite=True),
         "5 images, expected 3 visible or 3 tilts of TS_1"),
        (lambda d: (d / "2.mrcs").unlink(), "1 of 2 particles have no stack"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_in_one_line(tmp_path: Path, change, words) -> None:
    path = project(tmp_path)
    change(tmp_path)
    with pytest.raises(IcelensError, match=words) as caught:
        read_particles(path, need_poses=True)
    assert "\n" not in str(caught.value)


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "p.star"
    path.write_text(path.read_text().replace(old, new))


def test_visible_tilts_of_another_series_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IcelensError, match="rlnTomoVisibleFrames has 2 values, expected 3"):
        read_particles(project(tmp_path, visible="[1,1]"))
