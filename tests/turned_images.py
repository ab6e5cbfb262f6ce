"""Images turned by right angles about the pixel that RELION and icelens call the centre."""

import torch


def quarter_turned(images: torch.Tensor, quarters: int = 1) -> torch.Tensor:
    """Turn `(..., y, x)` by so many right angles from x towards y about pixel `n // 2`, exactly.

    Of even boxes the first row and column have no partners and become zero.
    """
    odd = images.shape[-1] % 2
    inner = images if odd else images[..., 1:, 1:]
    turned = torch.rot90(inner, -quarters, dims=(-2, -1))
    return turned if odd else torch.nn.functional.pad(turned, (1, 0, 1, 0))
