import torch
from scipy.ndimage import gaussian_filter
from turned_images import quarter_turned

from icelens.tasks.pose.network.gaussian_bank import GaussianBank


def test_differences_add_up_to_the_blurs_of_scipy() -> None:
    image = torch.zeros(1, 2, 24, 24)
    image[0, :, 8:18, 7:15] = torch.randn(2, 10, 8)
    found = GaussianBank(24, (0.8, 2.0))(image)
    assert found.shape == (1, 4, 25, 25)
    steps, widest = found.chunk(2, dim=1)
    for channel in range(2):
        plain = image[0, channel].numpy()
        wide = gaussian_filter(plain, 2.0, mode="constant", radius=5)
        fine = gaussian_filter(plain, 0.8, mode="constant", radius=5)
        inside = (0, channel, slice(0, 24), slice(0, 24))
        assert torch.allclose(widest[inside], torch.from_numpy(wide), atol=1e-4)
        assert torch.allclose((steps + widest)[inside], torch.from_numpy(fine), atol=1e-4)


def test_turned_images_have_turned_blurs_up_to_the_rim() -> None:
    image = torch.randn(1, 1, 16, 16)
    bank = GaussianBank(16)
    # 17 rows and columns about row 8 make a whole turn of them exact
    expected = torch.rot90(bank(quarter_turned(image, 0)), -1, dims=(-2, -1))
    assert torch.allclose(bank(quarter_turned(image)), expected, atol=1e-5)


def test_the_bank_is_not_saved_and_one_width_is_enough() -> None:
    bank = GaussianBank(16, (1.0,))
    assert not bank.state_dict()
    constant = bank(torch.ones(1, 1, 16, 16))
    assert torch.allclose(constant[0, 0, 6:10, 6:10], torch.ones(4, 4))
