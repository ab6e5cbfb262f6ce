import pytest
import torch

from icelens.core.errors import MetadataError
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.symmetrise import extra_fade, symmetrised
from icelens.core.fourier.transforms import image_rfft
from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.symmetry import symmetry_operators

DOUBLE = {"dtype": torch.float64}


def sums_of(images: torch.Tensor, rotations: list[torch.Tensor]) -> SliceSums:
    sums = SliceSums(images.shape[-1], **DOUBLE)
    for rotation in rotations:
        sums.insert(image_rfft(images), None, rotation)
    return sums


@pytest.mark.parametrize("symmetry", ["C2", "C4", "D2", "D4", "O"])
def test_turns_that_keep_the_grid_are_as_exact_as_many_insertions(symmetry: str) -> None:
    images = torch.randn(8, 11, 11, **DOUBLE)  # odd: the grid does not reach its own Nyquist
    rotation = random_rotations(8, torch.Generator().manual_seed(2), **DOUBLE)
    operators = symmetry_operators(symmetry).double().round()
    turned = symmetrised(sums_of(images, [rotation]), symmetry)
    expected = sums_of(images, [rotation @ operator for operator in operators])
    # points beyond the radius hold corners of samples within it, which are not turned
    axis = torch.fft.fftfreq(22, d=1 / 22)
    inside = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis[:12] ** 2 <= 10**2
    assert torch.allclose(turned.numerator[inside], expected.numerator[inside], atol=1e-6)
    assert torch.allclose(turned.weight[inside], expected.weight[inside], atol=1e-6)


@pytest.mark.parametrize("symmetry", ["C3", "T", "I1"])
def test_symmetrised_sums_do_not_change_when_turned(symmetry: str) -> None:
    # a smooth map: what lies between points is then known well
    axis = torch.arange(16, **DOUBLE) - 8
    blob = torch.exp(-((axis[:, None] - 2.0) ** 2 + axis**2) / 12)
    rotation = random_rotations(60, torch.Generator().manual_seed(2), **DOUBLE)
    sums = sums_of(blob.expand(60, 16, 16), [rotation])
    once = symmetrised(sums, symmetry)
    operator = symmetry_operators(symmetry)[1].double()
    other = symmetrised(sums_of(blob.expand(60, 16, 16), [rotation @ operator]), symmetry)
    difference = (once.numerator - other.numerator).abs().max() / once.numerator.abs().max()
    assert float(difference) < 0.02


def test_no_symmetry_changes_nothing() -> None:
    sums = sums_of(torch.randn(5, 12, 12, **DOUBLE), [torch.eye(3, **DOUBLE).expand(5, 3, 3)])
    same = symmetrised(sums, "C1")
    axis = torch.fft.fftfreq(24, d=1 / 24)
    inside = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis[:13] ** 2 < 12**2
    assert torch.allclose(same.numerator[inside], sums.numerator[inside])
    assert torch.allclose(same.weight[inside], sums.weight[inside])


def test_only_turns_off_the_grid_fade() -> None:
    fade = torch.full((4, 4, 4), 0.6)
    assert torch.allclose(extra_fade("O", fade).float(), torch.ones(4, 4, 4))
    # the identity of three rotations keeps the grid
    assert torch.allclose(
        extra_fade("C3", fade).float(), torch.full((4, 4, 4), 0.6 * 2 / 3 + 1 / 3)
    )


def test_unknown_groups_are_named() -> None:
    with pytest.raises(MetadataError, match="unknown symmetry"):
        symmetrised(SliceSums(8), "Q7")
