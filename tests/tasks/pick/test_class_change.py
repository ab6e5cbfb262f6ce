"""A network for other objects keeps what it knows of those it shares."""

from typing import Any

import pytest
import torch
from pick_networks import every_network

from icelens.core.errors import CheckpointError
from icelens.core.events import Event, Message
from icelens.tasks.pick.class_change import adapt_head
from icelens.tasks.pick.network import build_network

OLD = ["ribosome", "apoferritin", "vault"]


@every_network
def test_the_same_objects_in_another_order_permute_the_logits(
    settings: dict[str, Any], sides: tuple[int, int, int]
) -> None:
    trained = build_network(settings, 4).eval()
    network = build_network(settings, 4).eval()
    new = ["vault", "ribosome", "apoferritin"]
    network.load_state_dict(adapt_head(trained.state_dict(), OLD, new, network))
    image = torch.randn(1, 1, *sides)
    with torch.no_grad():
        before, after = trained(image), network(image)
    # the same sums in another order
    torch.testing.assert_close(after, before[:, [0, 3, 1, 2]], rtol=1e-3, atol=1e-4)


def test_a_removed_class_leaves_the_others_where_the_head_does_not_mix() -> None:
    settings = {"architecture": "segresnet", "init_filters": 4, "blocks_down": [1, 1]}
    trained = build_network(settings, 4).eval()
    network = build_network(settings, 3).eval()
    network.load_state_dict(adapt_head(trained.state_dict(), OLD, ["vault", "ribosome"], network))
    image = torch.randn(1, 1, 8, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(network(image), trained(image)[:, [0, 3, 1]])


def test_new_classes_keep_the_fresh_weights_and_all_is_said() -> None:
    settings = {"architecture": "unet", "channels": [4, 6], "strides": [2]}
    trained, network = build_network(settings, 4), build_network(settings, 5)
    fresh = {name: weight.clone() for name, weight in network.state_dict().items()}
    heard: list[Event] = []
    new = ["virus", "vault", "motor", "ribosome"]
    adapted = adapt_head(trained.state_dict(), OLD, new, network, on_event=heard.append)
    name = "body.model.2.1.conv.unit0.conv.bias"
    rows = [trained.state_dict()[name][0], fresh[name][1], trained.state_dict()[name][3]]
    rows += [fresh[name][3], trained.state_dict()[name][1]]
    assert torch.equal(adapted[name], torch.stack(rows))
    body = "body.model.0.conv.unit0.conv.weight"
    assert torch.equal(adapted[body], trained.state_dict()[body])
    assert heard == [
        Message(
            "classes of the trained network: kept background, vault, ribosome; "
            "drawn anew virus, motor; left out apoferritin"
        )
    ]


def test_neither_argument_nor_the_random_stream_is_touched() -> None:
    settings = {"architecture": "unet", "channels": [4, 6], "strides": [2]}
    trained, network = build_network(settings, 4), build_network(settings, 3)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    state = torch.get_rng_state()
    adapt_head(trained.state_dict(), OLD, ["vault", "new"], network)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], weight) for name, weight in network.state_dict().items())


def test_weights_of_another_network_or_class_count_are_refused() -> None:
    settings = {"architecture": "unet", "channels": [4, 6], "strides": [2]}
    network = build_network(settings, 3)
    wide = build_network(settings | {"channels": [8, 6]}, 4)
    deep = build_network(settings | {"channels": [4, 6, 6], "strides": [2, 2]}, 4)
    cases = [(wide, OLD, "body.model"), (deep, OLD, "same architecture")]
    cases += [(build_network(settings, 4), OLD[:2], "list of objects")]
    for trained, old, words in cases:
        with pytest.raises(CheckpointError, match=words) as caught:
            adapt_head(trained.state_dict(), old, ["vault", "ribosome"], network)
        assert "\n" not in str(caught.value)
