"""Image tables of RELION 3.0 to 5 and of M, with the files of other programs as witnesses."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest
from back_projection import back_projection, fourier_shell_correlation

from icelens.core.data.particles import Particles
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.relion_images import read_relion_images
from icelens.core.io.star import read_star


def read(path: Path, **settings) -> Particles:
    return read_relion_images(path, read_star(path), **settings).particles


def test_relion_31_parses_to_what_the_file_says(shared_data: Path) -> None:
    particles = read(shared_data / "particles_real" / "relion31.star")
    (group,) = particles.optics
    assert (group.pixel_size, group.box_size, group.voltage) == (2.806, 256, 300.0)
    assert (len(particles), particles.slice_index.tolist()) == (5, [0, 1, 2, 3, 4])
    np.testing.assert_allclose(particles.shift_yx[0], [-0.64686, 0.019324])
    np.testing.assert_allclose(particles.defocus_u[0], 13108.082418)
    assert particles.has_poses
    assert set(particles.half_set.tolist()) <= {1, 2}


def test_six_optics_groups_keep_their_aberrations(shared_data: Path) -> None:
    particles = read(shared_data / "metadata_star" / "relion31.6opticsgroups.star")
    assert [group.name for group in particles.optics][:2] == ["opticsGroup5", "opticsGroup3"]
    assert [group.pixel_size for group in particles.optics] == [1.25, 1.24, 1.25, 1.25, 1.24, 1.25]
    first = particles.optics[0]
    assert first.beam_tilt_xy == (0.657334, 0.884982)
    assert first.magnification == (1.011472, 0.004231, 0.00456, 1.008858)
    assert (len(first.odd_zernike), len(first.even_zernike)) == (6, 9)
    assert particles.optics_index[0] == 5  # the file's group 6


def test_relion_5_takes_poses_and_weights(shared_data: Path) -> None:
    particles = read(shared_data / "metadata_star" / "relion5.star")
    assert particles.optics[0].voltage == 100.0
    np.testing.assert_allclose(particles.shift_yx[0], [-1.41031, -3.12578])
    np.testing.assert_allclose(particles.weight[0], 0.391266)


def test_a_file_of_relion_30_needs_a_stack_to_know_its_box(shared_data: Path) -> None:
    with pytest.raises(InputFileError, match="nothing else says its box size"):
        read(shared_data / "metadata_star" / "FinalRefinement-OriginalParticles-PfCRT.star")


def test_volumes_are_not_images(shared_data: Path) -> None:
    with pytest.raises(MetadataError, match="particles are volumes"):
        read(shared_data / "metadata_star" / "relion_4.0.star")


def test_m_exports_one_row_per_tilt(shared_data: Path) -> None:
    particles = read(shared_data / "subtomo_real" / "sta_testing_bin8.star")
    assert particles.optics[0].pixel_size == 1.96
    counts = np.bincount(particles.particle)
    assert counts.tolist()[:5] == [39] * 5
    assert particles.b_factor[:3].tolist() == [13.0, 26.0, 39.0]  # RELION's sign: decay
    np.testing.assert_allclose(particles.ctf_scale[:2], [1.0, 0.9986])
    # neighbouring tilts are three degrees apart, and a stage does not know the particle
    own = np.swapaxes(particles.stage, -1, -2) @ particles.rotation
    first = np.unique(particles.particle, return_index=True)[1]
    np.testing.assert_allclose(own, particles.rotation[first][particles.particle], atol=1e-9)
    angle = np.degrees(np.arccos((np.trace(particles.stage[1]) - 1) / 2))
    assert 2.0 < angle < 4.0
    np.testing.assert_allclose(particles.stage[1], particles.stage[40], atol=0.02)


def test_groups_that_share_their_envelope_are_micrographs(tmp_path: Path) -> None:
    path = tmp_path / "p.star"
    path.write_text(
        "data_\nloop_\n_rlnImageName\n_rlnImagePixelSize\n_rlnGroupName\n_rlnCtfBfactor\n"
        "1@a.mrcs 1 mic1 20\n2@a.mrcs 1 mic1 20\n3@a.mrcs 1 mic2 30\n"
    )
    mrcfile.write(tmp_path / "a.mrcs", np.zeros((3, 8, 8), np.float32))
    assert read(path).particle.tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["D", "E"])
def test_poses_of_independent_simulations_reproduce_their_map(shared_data: Path, name: str) -> None:
    folder = shared_data / "subtomo_sim"
    path = folder / f"10076_class{name}_32_clean.star"
    heard = []
    particles = read(path, stack_root=folder, on_event=heard.append)
    assert "no rlnDefocusU" in heard[0].text
    images = ImageReader(particles).read(np.arange(len(particles)))
    raw = (folder / f"10076_class{name}_32.mrc").read_bytes()
    truth = np.frombuffer(raw, np.float32, 32**3, 1024).reshape(32, 32, 32)
    shells = fourier_shell_correlation(back_projection(particles, images), truth)
    # Nearest-neighbour insertion of images without noise; the mirror image has 0.4 at shell 5
    assert shells[1:10].min() > 0.9
