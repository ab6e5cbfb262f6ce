import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.fourier.transforms import image_rfft
from icelens.core.refinement.samples import disc_samples


@pytest.mark.parametrize("box_size", [16, 17])
def test_each_sample_stands_for_itself_and_its_mate(box_size: int) -> None:
    samples = disc_samples(box_size, box_size // 2)
    x, y = samples.frequency_xy.long().tolist()
    points = set(zip(x, y, strict=True))
    mates = {(-a, -b) for a, b in points}
    assert not points & mates
    whole = {
        (a, b)
        for a in range(-box_size, box_size)
        for b in range(-box_size, box_size)
        if 0 < a * a + b * b < (box_size / 2 - 0.25) ** 2
    }
    # corners of the last shell may be left out, nothing else
    assert points | mates <= whole
    assert all(a * a + b * b >= (box_size // 2 + 0.5) ** 2 for a, b in whole - points - mates)


def test_samples_come_by_resolution() -> None:
    samples = disc_samples(24, 9)
    assert bool((samples.shell.diff() >= 0).all())
    assert int(samples.shell.max()) == samples.radius == 9
    assert samples.count(5) == int((samples.shell <= 5).sum())


def test_samples_are_where_they_say() -> None:
    images = torch.randn(2, 12, 12)
    spectrum = image_rfft(images)
    samples = disc_samples(12, 5)
    taken = samples.of(spectrum)
    for place, (x, y) in enumerate(samples.frequency_xy.long().T.tolist()):
        assert torch.equal(taken[:, place], spectrum[:, y, x])


def test_box_without_samples_is_refused() -> None:
    with pytest.raises(GeometryError, match="no Fourier samples"):
        disc_samples(16, 0)
