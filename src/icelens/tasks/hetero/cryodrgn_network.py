"""Our network with the weights of cryoDRGN's decoder; latents that were found are its table."""

import torch

from icelens.core.data.latents import LatentTable
from icelens.core.io.cryodrgn_config import CryodrgnConfig
from icelens.tasks.hetero.cryodrgn_weights import DecoderWeights
from icelens.tasks.hetero.network.build import build_network
from icelens.tasks.hetero.network.hetero_network import HeteroNetwork
from icelens.tasks.hetero.network.network_settings import DecoderSettings, NetworkSettings


def imported_network(
    config: CryodrgnConfig, weights: DecoderWeights, latents: LatentTable | None, num_images: int
) -> HeteroNetwork:
    """Build the network that says what the reference's decoder says.

    The encoder is left out: it was trained on images that were prepared in another way. What the
    reference never learnt, the zero frequency, and what lies beyond the sphere within the box stay
    zero. In the plane `k_z = 0` either half may be asked.

    Args:
        config: Settings of the run.
        weights: Its decoder.
        latents: Of its particles; None of a homogeneous run.
        num_images: That it was trained on.
    """
    shape = DecoderSettings(
        width=weights.width,
        num_layers=weights.num_layers,
        encoding=config.encoding,
        num_frequencies=config.num_frequencies,
        domain=config.domain,
        activation=config.activation,
    )
    settings = NetworkSettings(
        model="homogeneous" if latents is None else "autodecoder",
        box_size=config.box_size,
        radius=config.box_size // 2,
        latent_dim=config.latent_dim,
        num_particles=0 if latents is None else len(latents),
        num_images=num_images,
        start="nothing",
        decoder_settings=shape.model_dump(mode="json"),
    )
    network = build_network(settings.model_dump(mode="json"))
    decoder = network.decoders[0]
    decoder.load_state_dict({**decoder.state_dict(), **weights.tensors})
    if latents is not None:
        with torch.no_grad():
            network.table.copy_(torch.from_numpy(latents.latent))
    return network
