"""What a search draws can be trained, stays within bounds, and leaves alone what it must."""

from pathlib import Path
from typing import Any

import optuna
import pytest

from icelens.core.errors import IcelensError
from icelens.tasks.pick.learning_setup import class_loss
from icelens.tasks.pick.network import build_network
from icelens.tasks.pick.objective import LabelLoss
from icelens.tasks.pick.search_networks import NETWORK_SPACES
from icelens.tasks.pick.search_settings import SearchConfig
from icelens.tasks.pick.search_space import SEARCHED, check_space, propose, with_changes


def settings(**changes: Any) -> SearchConfig:
    return SearchConfig(project=(Path("p.json"),), output=Path("out"), **changes)


def drawn(config: SearchConfig, seed: int = 0) -> tuple[SearchConfig, dict[str, Any]]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trial = study.ask()
    return with_changes(config, propose(trial, config)), trial.params


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("network", ["half-unet", "unet", "dynunet", "segresnet"])
def test_every_drawn_network_can_be_built_for_its_crops(network: str, seed: int) -> None:
    config, _ = drawn(settings(network=network), seed)
    built = build_network({"architecture": network, **config.network_settings}, 3)
    built.check_box(config.crop_size)
    assert all(side % built.box_multiple == 0 for side in config.crop_size)


def test_windowed_attention_gets_boxes_it_can_halve() -> None:
    config, _ = drawn(settings(network="swinunetr", crop_size=(64, 96, 96)))
    assert all(side % 32 == 0 for side in config.crop_size)
    build_network({"architecture": "swinunetr", **config.network_settings}, 3)


@pytest.mark.parametrize("seed", range(6))
def test_drawn_settings_are_valid(seed: int) -> None:
    for changes in ({}, {"targets": "spheres"}):
        config, _ = drawn(settings(networks=("half-unet", "mednext"), **changes), seed)
        assert SearchConfig.model_validate(config.model_dump()) == config
        learns_labels = isinstance(class_loss(config, [], grid_size=20.0), LabelLoss)
        assert learns_labels == (config.targets == "spheres")


def test_spheres_have_losses_and_centres_have_weights() -> None:
    _, centres = drawn(settings())
    _, spheres = drawn(settings(targets="spheres"))
    assert {"centre_weight", "centre_width_scale"} <= set(centres)
    assert {"loss", "radius_scale"} <= set(spheres)
    assert not {"loss", "radius_scale"} & set(centres)
    assert not {"centre_weight", "centre_width_scale"} & set(spheres)
    _, labels = drawn(settings(target=("targets", "user", "1")))
    assert "loss" in labels
    assert "radius_scale" not in labels, "spheres of a target segmentation are drawn already"


def test_kept_settings_stay() -> None:
    config = settings(keep=SEARCHED)
    chosen, params = drawn(config)
    assert params == {}
    assert chosen == config


def test_a_given_network_stays() -> None:
    given = {"channels": [4, 8], "blocks": [1, 1]}
    chosen, params = drawn(settings(network_settings=given))
    assert chosen.network_settings == given
    assert not [name for name in params if name.startswith("half_unet")]


def test_the_same_values_make_the_same_settings() -> None:
    config = settings(networks=tuple(NETWORK_SPACES))
    chosen, params = drawn(config, seed=3)
    again = with_changes(config, propose(optuna.trial.FixedTrial(params), config))
    assert again == chosen


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"keep": ("crop-size",)}, "--keep crop-size: is not searched; did you mean crop_size"),
        ({"networks": ("unett",)}, "unett: no such network; did you mean unet"),
        ({"network": "unett"}, "unett: no such network"),
        (
            {"networks": ("unet", "dynunet"), "network_settings": {"channels": [4]}},
            "belong to one network",
        ),
    ],
)
def test_unknown_names_end_before_the_first_trial(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(IcelensError, match=words):
        check_space(settings(**changes))
