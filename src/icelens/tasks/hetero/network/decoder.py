"""What every decoder is: a module that knows the transforms of volumes by latent and frequency."""

from abc import ABC, abstractmethod

from jaxtyping import Complex, Float, Int
from torch import Tensor, nn

from icelens.core.refinement.samples import DiscSamples
from icelens.tasks.hetero.network.component_part import ComponentPart


class Decoder(nn.Module, ABC):
    """Latents and frequencies to transforms of volumes.

    Attributes:
        start: What it adds to; None for nothing.
        num_embedded: Numbers that `embedded_points` makes of each point.
    """

    start: ComponentPart | None
    num_embedded: int

    @abstractmethod
    def set_scale(self, scale: Float[Tensor, " shell"]) -> None:
        """Say how strong the signal is in each shell, root mean square."""

    @abstractmethod
    def forward(
        self,
        latent: Float[Tensor, "row latent"],
        axes: Float[Tensor, "row 3 3"],
        samples: DiscSamples,
        places: Int[Tensor, " place"],
    ) -> Float[Tensor, "row place 2"]:
        """Real and imaginary part of slices at some samples, what it starts from included.

        Args:
            latent: Of each image.
            axes: Take a sample to the volume; `PreparedImages.rotation`.
            samples: Of images on the volumes' grid.
            places: Which of the samples are asked for.
        """

    @abstractmethod
    def embedded_points(
        self, index_xyz: Float[Tensor, "point 3"]
    ) -> tuple[Float[Tensor, "point number"], ...]:
        """What all volumes share at frequencies in cycles per box with `k_z <= 0`."""

    @abstractmethod
    def points(
        self,
        latent: Float[Tensor, " latent"],
        index_xyz: Float[Tensor, "point 3"],
        embedded: tuple[Float[Tensor, "point number"], ...],
    ) -> Complex[Tensor, " point"]:
        """What it adds to its start at the points that were embedded."""
