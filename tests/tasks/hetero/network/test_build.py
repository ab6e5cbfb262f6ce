"""Networks of hetero from settings, parts of other packages among them."""

import pytest

from icelens.core.errors import IcelensError
from icelens.tasks.hetero.network import build as build_module
from icelens.tasks.hetero.network.build import build_network
from icelens.tasks.hetero.network.coordinate_decoder import CoordinateDecoder
from icelens.tasks.hetero.network.network_settings import DecoderSettings


def test_decoder_of_another_package_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, object] = {}

    def build(settings: dict[str, object], start: object, **grid: int) -> CoordinateDecoder:
        made.update(settings=settings, **grid)
        return CoordinateDecoder(DecoderSettings(width=8), start=start, **grid)

    class Offered:
        name = "mine"

        def load(self) -> object:
            return build

    monkeypatch.setattr(build_module, "entry_points", lambda group: [Offered()])
    given = {"model": "autodecoder", "box_size": 16, "radius": 7, "latent_dim": 2}
    given |= {"num_particles": 3, "num_images": 3, "decoder": "mine"}
    network = build_network(given | {"decoder_settings": {"depth": 5}})
    assert made == {"settings": {"depth": 5}, "box_size": 16, "latent_dim": 2}
    assert len(network.decoders) == 1
    with pytest.raises(IcelensError, match="no decoder yours; known: coordinates, mine"):
        build_network(given | {"decoder": "yours"})
