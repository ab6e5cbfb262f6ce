import torch
from pose_world import World, blobs

from icelens.core.fourier.shift import shift_images
from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.refinement.matched import Images, gram_matrices, ramps
from icelens.core.refinement.reference import SliceTable, slice_table
from icelens.core.refinement.samples import disc_samples


def _images(world: World, stage: torch.Tensor | None = None, num_images: int = 1) -> Images:
    samples = disc_samples(32, 14)
    image = samples.of(world.spectrum).view(-1, num_images, len(samples.index))
    ctf = samples.of(world.ctf).view(image.shape)
    shift = torch.zeros(*image.shape[:2], 2)
    return Images(
        image,
        torch.complex(ctf, ctf),
        samples.frequency_xy,
        samples.frequency_xy,
        32,
        shift,
        stage,
    )


def _table() -> SliceTable:
    return slice_table(blobs(), radius=14, padding=2, is_linear=True)


def test_ramps_translate_as_shift_images_does(clean_world: World) -> None:
    samples = disc_samples(32, 14)
    shift_yx = torch.tensor([1.3, -2.2]).expand(len(clean_world.images), 2)
    moved = samples.of(shift_images(clean_world.spectrum, shift_yx))
    ramped = samples.of(clean_world.spectrum) * ramps(shift_yx.flip(-1), samples.frequency_xy, 32)
    assert torch.allclose(moved, ramped, rtol=1e-3, atol=1e-2)


def test_image_equals_its_model_at_the_true_pose(clean_world: World) -> None:
    images = _images(clean_world)
    owner = torch.arange(len(clean_world.images))
    shift = torch.nn.functional.pad(clean_world.shift_yx_px.flip(-1), (0, 1))
    gram = gram_matrices(_table(), images, owner, clean_world.rotation, shift)
    assert torch.allclose(gram[:, 5, 5], gram[:, 5, 6], rtol=1e-2)
    assert torch.allclose(gram[:, 5, 5], gram[:, 6, 6], rtol=1e-2)


def test_derivatives_predict_the_change_of_the_fit(clean_world: World) -> None:
    images, table = _images(clean_world), _table()
    owner = torch.arange(len(clean_world.images))
    rotation = clean_world.start(3.0)
    shift = torch.zeros(len(owner), 3)
    gram = gram_matrices(table, images, owner, rotation, shift)
    step = 2e-3
    scale = gram[:, 5, 5].sqrt() * gram[:, 6, 6].sqrt()
    for axis in range(3):
        turn = rotation_from_vector(step * torch.eye(3)[axis])
        plus = gram_matrices(table, images, owner, turn @ rotation, shift)[:, 5, 6]
        minus = gram_matrices(table, images, owner, turn.T @ rotation, shift)[:, 5, 6]
        error = ((plus - minus) / (2 * step) - gram[:, axis, 6]) / scale
        # the interpolated slice has kinks between its cells
        assert float(error.abs().max()) < 0.05
    for axis in range(2):
        move = step * torch.eye(3)[axis]
        plus = gram_matrices(table, images, owner, rotation, shift + move)[:, 5, 6]
        minus = gram_matrices(table, images, owner, rotation, shift - move)[:, 5, 6]
        # the model's derivative stands for the image's, which is the same at the truth only
        both = gram_matrices(table, images, owner, clean_world.rotation, shift)
        assert torch.isfinite(both).all()
        slope = (plus - minus) / (2 * step)
        assert torch.allclose(slope, gram[:, 3 + axis, 6], atol=0.02 * float(scale.mean()))


def test_parts_do_not_change_the_result(clean_world: World) -> None:
    images, table = _images(clean_world), _table()
    owner = torch.arange(12).repeat(4)
    rotation = random_rotations(48, torch.Generator().manual_seed(3))
    shift = torch.zeros(48, 3)
    together = gram_matrices(table, images, owner, rotation, shift)
    one = gram_matrices(table, images, owner[40:41], rotation[40:41], shift[40:41])
    assert torch.allclose(together[40:41], one, rtol=1e-4, atol=1e-3 * float(one.abs().max()))


def test_series_of_identical_stages_sums_its_images(clean_world: World) -> None:
    single, table = _images(clean_world), _table()
    stage = torch.eye(3).expand(6, 2, 3, 3)
    series = _images(clean_world, stage, 2)
    rotation = random_rotations(6, torch.Generator().manual_seed(4))
    shift = torch.zeros(6, 3)
    joint = gram_matrices(table, series, torch.arange(6), rotation, shift)
    first, second = (
        gram_matrices(table, single, torch.arange(6) * 2 + image, rotation, shift)
        for image in (0, 1)
    )
    kept = torch.tensor([0, 1, 2, 3, 4, 6, 7])
    summed = joint[:, kept][:, :, kept]
    assert torch.allclose(summed, first + second, rtol=1e-3, atol=1e-3 * float(first.max()))
    # along the beam a shift changes nothing
    assert float(joint[:, 5].abs().max()) < 1e-4 * float(first.max())
