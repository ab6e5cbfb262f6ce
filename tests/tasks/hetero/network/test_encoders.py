"""Encoders look at any number of images in any order."""

from dataclasses import replace

import pytest
import torch
from hetero_networks import batch, network
from torch import nn

from icelens.core.errors import IcelensError
from icelens.tasks.hetero.network import build


@pytest.mark.parametrize("encoder", ["mlp", "conv"])
def test_the_order_of_tilts_does_not_matter_and_other_particles_do_not(encoder: str) -> None:
    made = network(encoder=encoder).eval()
    own = batch(made, tilts=3)
    with torch.no_grad():
        mean, log_variance = made.latent(own)
        order = torch.randperm(15, generator=torch.Generator().manual_seed(0))
        shuffled = replace(
            own,
            seen=own.seen[order],
            seen_transfer=own.seen_transfer[order],
            owner=own.owner[order],
        )
        again, _ = made.latent(shuffled)
        changed = own.seen.clone()
        changed[own.owner == 3] *= 5.0
        other, _ = made.latent(replace(own, seen=changed))
    assert torch.allclose(mean, again, atol=1e-5)
    same = torch.arange(5) != 3
    assert torch.allclose(mean[same], other[same], atol=1e-5)
    assert not torch.allclose(mean[3], other[3], atol=1e-3)
    assert log_variance.shape == (5, 2)


@pytest.mark.parametrize("encoder", ["mlp", "conv"])
def test_one_image_twice_tells_what_it_tells_once(encoder: str) -> None:
    made = network(encoder=encoder).eval()
    once = batch(made, tilts=1)
    twice = replace(
        once,
        seen=once.seen.repeat_interleave(2, 0),
        seen_transfer=once.seen_transfer.repeat_interleave(2, 0),
        owner=once.owner.repeat_interleave(2),
    )
    with torch.no_grad():
        assert torch.allclose(made.latent(once)[0], made.latent(twice)[0], atol=1e-5)


@pytest.mark.parametrize("encoder", ["mlp", "conv"])
def test_flipped_transfer_flips_what_is_seen(encoder: str) -> None:
    made = network(encoder=encoder).eval()
    own = batch(made)
    flipped = replace(own, seen=-own.seen, seen_transfer=-own.seen_transfer)
    with torch.no_grad():
        assert torch.allclose(made.latent(own)[0], made.latent(flipped)[0], atol=1e-5)


def test_coarse_encoders_see_no_fine_samples() -> None:
    made = network(encoder_settings={"width": 8, "num_layers": 0, "max_radius": 4}).eval()
    own = batch(made)
    changed = own.seen.clone()
    changed[:, made.samples.shell > 4] = 9.0
    with torch.no_grad():
        assert torch.equal(made.latent(own)[0], made.latent(replace(own, seen=changed))[0])


def test_first_latents_are_those_of_the_linear_model() -> None:
    made = network(start="linear", num_components=3, latent_dim=2).eval()
    own = batch(made)
    with torch.no_grad():
        mean, log_variance = made.latent(own)
    assert torch.allclose(mean, own.known[:, :2, 0], atol=1e-6)
    assert torch.allclose((0.5 * log_variance).exp(), own.known[:, :2, 1], atol=1e-3)
    wide = network(start="linear", num_components=1, latent_dim=4).eval()
    with torch.no_grad():
        mean, log_variance = wide.latent(batch(wide))
    assert (mean[:, 1:] == 0).all()
    assert (log_variance[:, 1:] == 0).all()


def test_unknown_encoders_and_settings_are_refused_with_a_proposal() -> None:
    with pytest.raises(IcelensError, match="no encoder con; did you mean conv"):
        network(encoder="con")
    with pytest.raises(IcelensError, match="encoder mlp: no setting depth; it has width"):
        network(encoder_settings={"depth": 3})
    with pytest.raises(IcelensError, match="decoder: encoding is 'fourier'"):
        network(decoder_settings={"encoding": "fourier"})
    with pytest.raises(IcelensError, match="--model homogeneous"):
        network(latent_dim=0)
    with pytest.raises(IcelensError, match="network: no setting colour"):
        network(colour=3)


def test_other_packages_offer_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare(nn.Module):
        def __init__(self, settings: object, samples: object) -> None:
            super().__init__()
            self.linear = nn.Linear(1, 16)

        def forward(self, values: torch.Tensor, transfer: torch.Tensor) -> torch.Tensor:
            return self.linear(values.abs().mean(1, keepdim=True) + 0 * transfer[:, :1])

    class Entry:
        name = "bare"

        @staticmethod
        def load() -> type[Bare]:
            return Bare

    monkeypatch.setattr(build, "entry_points", lambda group: [Entry()])
    made = network(encoder="bare")
    assert made.latent(batch(made))[0].shape == (5, 2)
