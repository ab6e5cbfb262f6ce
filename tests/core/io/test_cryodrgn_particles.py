from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cryodrgn_workdir import BOX, NUM_IMAGES, PIXEL_SIZE, Workdir
from particle_stars import write_star

from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import insert_particles
from icelens.core.fourier.wiener import reconstruct_map
from icelens.core.io.cryodrgn_files import (
    CryodrgnPoses,
    read_cryodrgn_ctf,
    read_cryodrgn_poses,
)
from icelens.core.io.cryodrgn_images import read_image_list
from icelens.core.io.cryodrgn_particles import (
    CryodrgnData,
    cryodrgn_particles,
    ctf_table,
    pose_table,
)
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.core.io.volumes import open_volume, write_volume
from icelens.core.metrics.fsc import fourier_shell_correlation
from icelens.core.optics.image_source import ImageSource
from icelens.core.optics.particle_ctf import particle_ctf

ROWS = np.arange(NUM_IMAGES)
SAME = ("rotation", "shift_yx", "defocus_u", "defocus_v", "astigmatism_angle", "phase_shift",
        "b_factor", "ctf_scale", "particle", "half_set", "slice_index", "stack")  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Workdir:
    return Workdir(tmp_path).write()


def data_of(made: Workdir, **changes: Any) -> CryodrgnData:
    data = CryodrgnData(
        images=read_image_list(made.folder / "data" / "images.mrcs"),
        ctf=made.ctf.astype(np.float64),
        poses=CryodrgnPoses(made.rotation.astype(np.float64), made.shift_xy.astype(np.float64)),
    )
    return replace(data, **changes)


def map_of(particles: Particles) -> torch.Tensor:
    sums = SliceSums(int(particles.box_size()[0]))
    source = ImageSource(particles, ImageReader(particles), torch.device("cpu"))
    size = float(particles.pixel_size()[0])
    rows = np.arange(len(particles))
    insert_particles(sums, source, rows, pixel_size=size, on_done=lambda _: None)
    return reconstruct_map(sums)


def correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()))


def reference_ctf(table: np.ndarray, frequency_xy: np.ndarray) -> np.ndarray:
    """The formula of cryoDRGN's documentation, with its constants."""
    u, v, angle, kv, cs, w, shift = table[2:9]
    volts = kv * 1e3
    wavelength = 12.2639 / np.sqrt(volts + 0.97845e-6 * volts**2)
    x, y = frequency_xy
    s2 = x**2 + y**2
    defocus = 0.5 * (u + v + (u - v) * np.cos(2 * (np.arctan2(y, x) - np.deg2rad(angle))))
    gamma = 2 * np.pi * (-defocus * wavelength * s2 / 2 + cs * 1e7 * wavelength**3 * s2**2 / 4)
    gamma = gamma - np.deg2rad(shift)
    return np.sqrt(1 - w**2) * np.sin(gamma) - w * np.cos(gamma)


def test_poses_and_sampling_are_ours(made: Workdir) -> None:
    particles = cryodrgn_particles(data_of(made)).particles
    assert np.allclose(particles.rotation, made.rotation, atol=1e-6)
    assert np.allclose(particles.shift_yx[:, ::-1], made.shift_xy * BOX * PIXEL_SIZE, atol=1e-5)
    assert particles.pixel_size().tolist() == [PIXEL_SIZE] * NUM_IMAGES
    assert particles.has_poses


def test_ctf_is_the_reference_s_with_the_other_sign(made: Workdir) -> None:
    made.ctf[:, 8] = np.linspace(0, 90, NUM_IMAGES)
    particles = cryodrgn_particles(data_of(made)).particles
    ours = particle_ctf(particles, ROWS, box_size=BOX, pixel_size=PIXEL_SIZE).numpy()
    y, x = np.meshgrid(np.fft.fftfreq(BOX, PIXEL_SIZE), np.fft.rfftfreq(BOX, PIXEL_SIZE),
                       indexing="ij")  # fmt: skip
    for row in range(NUM_IMAGES):
        theirs = reference_ctf(made.ctf[row].astype(np.float64), np.stack([x, y]))
        # its wavelength is 0.003 % off, in phases of up to a hundred
        assert np.allclose(ours[row], -theirs, atol=5e-3)


@pytest.mark.parametrize("has_ctf", [True, False])
@pytest.mark.parametrize("is_bright", [True, False])
def test_contrast_is_in_the_scale_of_the_ctf(
    made: Workdir, *, has_ctf: bool, is_bright: bool
) -> None:
    data = data_of(made, is_bright=is_bright, **({} if has_ctf else {"ctf": None}))
    particles = cryodrgn_particles(data, pixel_size=2.0).particles
    ctf = particle_ctf(particles, ROWS, box_size=BOX, pixel_size=2.0).numpy()
    sign = 1.0 if is_bright else -1.0
    assert (particles.ctf_scale == sign).all()
    # without CTF it is one everywhere; with one it starts at the amplitude contrast
    assert np.allclose(ctf[:, 0, 0], sign * (0.1 if has_ctf else 1.0), atol=1e-6)
    assert has_ctf or np.allclose(ctf, sign)


def test_written_particles_come_back(made: Workdir, tmp_path: Path) -> None:
    file = cryodrgn_particles(data_of(made, is_bright=False))
    write_particles(tmp_path / "particles.star", file)
    back = read_particles(tmp_path / "particles.star").particles
    for name in SAME:
        assert np.allclose(getattr(back, name), getattr(file.particles, name), atol=1e-5), name
    assert back.optics == file.particles.optics
    assert back.stacks[0].samefile(made.folder / "data" / "images.mrcs")


def test_pixel_size_and_microscope_are_those_of_each_row(made: Workdir) -> None:
    made.ctf[5:, 1] *= 1.1
    made.ctf[7:, 5] = 200
    particles = cryodrgn_particles(data_of(made)).particles
    assert len(particles.optics) == 3
    assert particles.optics_index.tolist() == [0] * 5 + [1] * 2 + [2] * 5
    assert particles.optics[1].pixel_size == pytest.approx(1.1 * PIXEL_SIZE)
    assert particles.optics[2].voltage == 200
    assert np.allclose(particles.shift_yx[6, ::-1], made.shift_xy[6] * BOX * PIXEL_SIZE * 1.1)


def test_an_index_chooses_images_in_its_order(made: Workdir) -> None:
    index = np.array([7, 2, 9])
    particles = cryodrgn_particles(data_of(made, index=index)).particles
    assert particles.slice_index.tolist() == [7, 2, 9]
    assert np.allclose(particles.rotation, made.rotation[index], atol=1e-6)
    assert np.allclose(particles.defocus_u, made.ctf[index, 2])


def test_poses_of_the_chosen_images_alone_go_with_an_index(made: Workdir) -> None:
    index = np.array([7, 2, 9])
    poses = CryodrgnPoses(made.rotation[:3].astype(np.float64), None)
    particles = cryodrgn_particles(data_of(made, index=index, poses=poses)).particles
    assert np.allclose(particles.rotation, made.rotation[:3], atol=1e-6)
    assert (particles.shift_yx == 0).all()


def test_counts_have_to_agree(made: Workdir) -> None:
    few = CryodrgnPoses(made.rotation[:5].astype(np.float64), None)
    with pytest.raises(MetadataError, match=r"pose.pkl: 5 rows, but there are 12 images; give"):
        cryodrgn_particles(data_of(made, poses=few))
    with pytest.raises(MetadataError, match=r"ctf.pkl: 4 rows, but there are 12 images .3 of"):
        cryodrgn_particles(data_of(made, ctf=data_of(made).ctf[:4], index=np.arange(3)))
    with pytest.raises(MetadataError, match="the index names image 12, but the last is 11"):
        cryodrgn_particles(data_of(made, index=np.array([0, 12])))


def test_pixels_are_not_taken_for_fractions_of_the_box(made: Workdir) -> None:
    in_px = CryodrgnPoses(
        made.rotation.astype(np.float64), np.multiply(made.shift_xy, BOX, dtype=np.float64)
    )
    with pytest.raises(MetadataError, match=r"expected fractions of the box.*--shifts pixels"):
        cryodrgn_particles(data_of(made, poses=in_px))
    right = cryodrgn_particles(data_of(made)).particles
    told = cryodrgn_particles(data_of(made, poses=in_px, shift_unit="pixels")).particles
    assert np.allclose(told.shift_yx, right.shift_yx, atol=1e-5)


def test_pixels_beyond_the_image_are_refused(made: Workdir) -> None:
    far = CryodrgnPoses(made.rotation.astype(np.float64), np.full((NUM_IMAGES, 2), 100.0))
    with pytest.raises(MetadataError, match="reach 100 px, but images have 16 px"):
        cryodrgn_particles(data_of(made, poses=far, shift_unit="pixels"))


def test_images_of_another_box_are_refused(made: Workdir) -> None:
    with pytest.raises(MetadataError, match="images of 16 px, expected 32 px"):
        cryodrgn_particles(data_of(made), box_size=32)


def test_the_box_has_to_be_known(made: Workdir, tmp_path: Path) -> None:
    star = write_star(tmp_path / "lost.star", (NUM_IMAGES,), has_images=False)
    lost = data_of(made, images=read_image_list(star), ctf=None)
    known = cryodrgn_particles(lost, box_size=BOX, pixel_size=2.0).particles
    assert known.box_size()[0] == BOX
    with pytest.raises(MetadataError, match="nothing else says their box size"):
        cryodrgn_particles(lost)


def test_defoci_in_micrometres_are_refused(made: Workdir) -> None:
    made.ctf[:, 2:4] /= 1e4
    with pytest.raises(MetadataError, match="µm"):
        cryodrgn_particles(data_of(made))


def test_without_ctf_the_stack_says_the_pixel_size(made: Workdir) -> None:
    heard: list[Any] = []
    particles = cryodrgn_particles(data_of(made, ctf=None), on_event=heard.append).particles
    assert particles.pixel_size()[0] == PIXEL_SIZE
    assert any("taken from the stack" in event.text for event in heard)


def star_and_data(folder: Path, **columns: object) -> CryodrgnData:
    star = write_star(folder / "all.star", (3, 2), **columns)
    own = read_particles(star).particles
    return CryodrgnData(
        images=read_image_list(star),
        ctf=ctf_table(own),
        poses=pose_table(own),
    )


def test_columns_of_the_star_file_are_kept(tmp_path: Path) -> None:
    named = {"rlnMicrographName": list("abcde"), "rlnRandomSubset": [1, 2, 1, 2, 1]}
    file = cryodrgn_particles(star_and_data(tmp_path, **named))
    assert file.particles.half_set.tolist() == [1, 2, 1, 2, 1]
    write_particles(tmp_path / "new.star", file)
    back = read_particles(tmp_path / "new.star")
    assert back.blocks["particles"]["rlnMicrographName"].tolist() == list("abcde")
    assert back.particles.half_set.tolist() == [1, 2, 1, 2, 1]


def test_arrays_in_another_order_than_the_star_file_are_refused(tmp_path: Path) -> None:
    data = star_and_data(tmp_path)
    assert data.ctf is not None
    with pytest.raises(MetadataError, match=r"in another order .row 0"):
        cryodrgn_particles(replace(data, ctf=data.ctf[::-1]))


def test_refined_values_are_taken_with_a_notice(tmp_path: Path) -> None:
    data = star_and_data(tmp_path)
    assert data.ctf is not None
    heard: list[Any] = []
    ctf = data.ctf + np.eye(9)[2] * 500.0
    particles = cryodrgn_particles(replace(data, ctf=ctf), on_event=heard.append).particles
    assert np.allclose(particles.defocus_u, ctf[:, 2])
    assert any("defoci are not those of" in event.text for event in heard)
    turned = CryodrgnPoses(data.poses.rotation[::-1].copy(), None)
    cryodrgn_particles(replace(data, ctf=None, poses=turned), on_event=heard.append)
    assert any("angles are not the poses" in event.text for event in heard)


def tilts(folder: Path) -> CryodrgnData:
    columns = {
        "rlnGroupName": ["a", "a", "b", "b", "a"],
        "rlnCtfScalefactor": [1.0, 0.9, 1.0, 0.9, 0.8],
        "rlnCtfBfactor": [-4.0, -8.0, -4.0, -8.0, -12.0],
    }
    return replace(star_and_data(folder, **columns), are_tilts=True)


def test_tilts_stay_those_of_their_particle(tmp_path: Path) -> None:
    file = cryodrgn_particles(tilts(tmp_path))
    write_particles(tmp_path / "new.star", file)
    for particles in (file.particles, read_particles(tmp_path / "new.star").particles):
        assert particles.particle.tolist() == [0, 0, 1, 1, 0]
        assert particles.ctf_scale.tolist() == [1.0, 0.9, 1.0, 0.9, 0.8]
        assert particles.b_factor.tolist() == [4, 8, 4, 8, 12]
        assert particles.optics[0].pixel_size == 3.0


def test_an_index_of_tilt_series_counts_particles(tmp_path: Path) -> None:
    data = replace(tilts(tmp_path), index=np.array([1]))
    particles = cryodrgn_particles(data).particles
    assert particles.slice_index.tolist() == [2, 0]
    with pytest.raises(MetadataError, match="the index names particle 2, but the last is 1"):
        cryodrgn_particles(replace(data, index=np.array([2])))


def test_tilts_without_names_of_particles_are_refused(made: Workdir) -> None:
    with pytest.raises(MetadataError, match="does not name the particle of each tilt"):
        cryodrgn_particles(data_of(made, are_tilts=True))


def test_tables_are_what_they_were_made_of(made: Workdir) -> None:
    particles = cryodrgn_particles(data_of(made)).particles
    table = ctf_table(particles)
    # of the images as they are now
    assert np.allclose(table[:, :2], [BOX, PIXEL_SIZE])
    assert np.allclose(table[:, 2:], made.ctf[:, 2:])
    poses = pose_table(particles)
    assert np.allclose(poses.rotation, made.rotation, atol=1e-6)
    assert np.allclose(poses.shift_xy, made.shift_xy, atol=1e-6)


def test_toy_images_make_the_true_map(shared_data: Path) -> None:
    folder = shared_data / "particles_sim"
    truth = open_volume(folder / "toymodel_small_nocenter.mrc", pixel_size=1.0).array
    images = read_image_list(folder / "toy_projections.mrcs")
    poses = read_cryodrgn_poses(folder / "toy_angles.pkl")
    for ctf in (None, read_cryodrgn_ctf(folder / "test_ctf.pkl")):
        file = cryodrgn_particles(CryodrgnData(images, ctf, poses), pixel_size=1.0)
        assert correlation(map_of(file.particles), torch.tensor(np.array(truth))) > 0.95


def test_halves_of_the_hand_agree(shared_data: Path) -> None:
    folder = shared_data / "particles_sim"
    data = CryodrgnData(
        read_image_list(folder / "hand.mrcs"), None, read_cryodrgn_poses(folder / "hand_rot.pkl")
    )
    particles = cryodrgn_particles(data, pixel_size=1.0).particles
    halves = [map_of(particles.take(np.arange(start, 100, 2))) for start in (0, 1)]
    assert correlation(*halves) > 0.95


def test_tilts_of_tomodrgn_are_those_of_their_star_file(shared_data: Path) -> None:
    folder = shared_data / "subtomo_sim"
    star = folder / "10076_classD_32_sim.star"
    data = CryodrgnData(
        read_image_list(star, folder),
        read_cryodrgn_ctf(folder / "ctf_classD.pkl"),
        read_cryodrgn_poses(folder / "pose_classD.pkl"),
        are_tilts=True,
    )
    file, own = cryodrgn_particles(data), read_particles(star, stack_root=folder).particles
    for name in SAME:
        # of single precision
        assert np.allclose(getattr(file.particles, name), getattr(own, name), atol=5e-3), name
    assert file.particles.optics == own.optics


def test_shifts_centre_the_particles(shared_data: Path) -> None:
    folder = shared_data / "subtomo_sim"
    data = CryodrgnData(
        read_image_list(folder / "10076_classD_32_sim.star", folder),
        read_cryodrgn_ctf(folder / "ctf_classD.pkl"),
        read_cryodrgn_poses(folder / "pose_classD.pkl"),
        are_tilts=True,
        # made with the sign of its CTF: to be trained with --uninvert-data
        is_bright=False,
    )
    particles = cryodrgn_particles(data).particles
    truth = open_volume(folder / "10076_classD_32.mrc", pixel_size=13.1).array
    agreement = []
    for sign in (1.0, 0.0, -1.0):
        moved = particles.with_poses(particles.rotation, sign * particles.shift_yx)
        fsc = fourier_shell_correlation(
            map_of(moved), torch.tensor(np.array(truth)), pixel_size=13.1
        )
        agreement.append(float(fsc.correlation[1:7].mean()))
    assert agreement[0] > 0.8
    assert max(agreement[1:]) < 0.6


def test_volume_headers_without_a_pixel_size_are_said(made: Workdir) -> None:
    path = made.folder / "data" / "images.mrcs"
    write_volume(path, Volume(np.zeros((NUM_IMAGES, BOX, BOX), np.float32), 1.0))
    content = bytearray(path.read_bytes())
    content[40:52] = bytes(12)
    path.write_bytes(bytes(content))
    with pytest.raises(MetadataError, match="neither a CTF nor the stacks say the pixel size"):
        cryodrgn_particles(data_of(made, ctf=None))
