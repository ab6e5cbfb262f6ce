"""What alignment of a tilt series leaves uncorrected: shifts, wrong tilts, a turned tilt axis."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Misalignment:
    """Errors of a tilt series as the reconstruction finds it; all zero means none.

    `shift` is the root mean square along each axis in Å, drawn anew for each image; `tilt` likewise
    in degrees; `tilt_axis` is one in-plane angle of the whole series in degrees.
    """

    shift: float = 0.0
    tilt: float = 0.0
    tilt_axis: float = 0.0

    def tilt_errors(self, count: int, generator: torch.Generator) -> list[float]:
        """What to add to each nominal tilt angle to get the true one, in degrees."""
        return (self.tilt * torch.randn(count, generator=generator)).tolist()

    def applied(
        self, image: Float[Tensor, "y x"], pixel_size: float, generator: torch.Generator
    ) -> Float[Tensor, "y x"]:
        """The image turned and shifted in its plane, by cubic interpolation; zero comes in."""
        shift_yx = self.shift / pixel_size * torch.randn(2, generator=generator)
        if self.shift == 0.0 and self.tilt_axis == 0.0:
            return image
        angle = math.radians(self.tilt_axis)
        y, x = (torch.arange(n, dtype=image.dtype) - n // 2 for n in image.shape)
        grid_y, grid_x = torch.meshgrid(y - shift_yx[0], x - shift_yx[1], indexing="ij")
        source_x = math.cos(angle) * grid_x + math.sin(angle) * grid_y
        source_y = math.cos(angle) * grid_y - math.sin(angle) * grid_x
        num_y, num_x = image.shape
        normal = torch.stack(
            [
                2.0 * (source_x + num_x // 2) / (num_x - 1) - 1.0,
                2.0 * (source_y + num_y // 2) / (num_y - 1) - 1.0,
            ],
            dim=-1,
        )
        return torch.nn.functional.grid_sample(
            image[None, None],
            normal[None],
            mode="bicubic",
            padding_mode="zeros",
            align_corners=True,
        )[0, 0]
