"""Weights of a network for a changed list of objects: known classes keep theirs."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from icelens.core.errors import CheckpointError
from icelens.core.events import Message, OnEvent, ignore
from icelens.tasks.pick.network import SegmentationNetwork, build_network


def adapt_head(
    state: Mapping[str, Tensor],
    old_objects: Sequence[str],
    new_objects: Sequence[str],
    network: SegmentationNetwork,
    *,
    on_event: OnEvent = ignore,
) -> dict[str, Tensor]:
    """Fit trained weights to a network for other objects, or for the same in another order.

    Which axes of which weights count classes is found by building the network with one class
    more. Along them the background and the objects named in both lists are copied; new objects
    keep the fresh values of `network`.

    Args:
        state: Weights of the trained network.
        old_objects: Its objects, in the order of its channels, without the background.
        new_objects: Those of `network`.
        network: Freshly built for the new objects.
        on_event: Hears which classes were kept.

    Returns:
        Weights for `network.load_state_dict`.

    Raises:
        CheckpointError: If the weights are not of such a network with as many classes.
    """
    kept = [name for name in new_objects if name in old_objects]
    old_rows = torch.tensor([0, *(1 + list(old_objects).index(name) for name in kept)])
    new_rows = torch.tensor([0, *(1 + list(new_objects).index(name) for name in kept)])
    fresh = network.state_dict()
    _check_names(state, fresh)
    wider = _shapes_with_one_class_more(network)
    adapted = {}
    for name, new in fresh.items():
        old = state[name].to(new.dtype)
        axes = [axis for axis in range(new.ndim) if new.shape[axis] != wider[name][axis]]
        _check_shape(name, old, new, axes, num_old=len(old_objects) + 1)
        adapted[name] = _with_rows(new, old, axes, new_rows, old_rows) if axes else old.clone()
    on_event(Message(_report(kept, old_objects, new_objects)))
    return adapted


def _shapes_with_one_class_more(network: SegmentationNetwork) -> dict[str, tuple[int, ...]]:
    with torch.random.fork_rng(devices=[]):  # the caller's stream goes on as if nothing was drawn
        wider = build_network(network.settings, network.num_classes + 1)
    return {name: tuple(tensor.shape) for name, tensor in wider.state_dict().items()}


def _with_rows(
    new: Tensor, old: Tensor, axes: Sequence[int], new_rows: Tensor, old_rows: Tensor
) -> Tensor:
    """Copy `old_rows` of `old` to `new_rows` of a copy of `new`, along each of the axes."""
    target, source = _grid(new, axes, new_rows), _grid(old, axes, old_rows)
    result = new.clone()
    result[target] = old[source].to(new.device)
    return result


def _grid(tensor: Tensor, axes: Sequence[int], rows: Tensor) -> tuple[Tensor, ...]:
    """Index arrays that choose `rows` along each of the axes and all along the others."""
    chosen = [
        rows if axis in axes else torch.arange(tensor.shape[axis]) for axis in range(tensor.ndim)
    ]
    return torch.meshgrid(*chosen, indexing="ij")


def _check_names(state: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> None:
    strange = sorted(state.keys() ^ fresh.keys())
    if strange:
        where = "the network" if strange[0] in state else "the checkpoint"
        raise CheckpointError(
            f"{strange[0]} is absent from {where}; only weights of the same architecture with the "
            "same settings can be trained on"
        )


def _check_shape(name: str, old: Tensor, new: Tensor, axes: Sequence[int], *, num_old: int) -> None:
    expected = tuple(num_old if axis in axes else side for axis, side in enumerate(new.shape))
    if tuple(old.shape) != expected:
        raise CheckpointError(
            f"{name} is {tuple(old.shape)} in the checkpoint, expected {expected}; its settings or "
            "its list of objects are others than it says"
        )


def _report(kept: Sequence[str], old: Sequence[str], new: Sequence[str]) -> str:
    drawn = [name for name in new if name not in kept]
    left = [name for name in old if name not in kept]
    parts = [f"kept {', '.join(['background', *kept])}"]
    parts += [f"drawn anew {', '.join(drawn)}"] if drawn else []
    parts += [f"left out {', '.join(left)}"] if left else []
    return f"classes of the trained network: {'; '.join(parts)}"
