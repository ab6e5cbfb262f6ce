"""The networks that `restore` knows by name, those of other packages included."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points

from torch import nn

from icelens.core.errors import CheckpointError, IcelensError
from icelens.jobs.registry import did_you_mean
from icelens.training.checkpoint import Checkpoint
from icelens.training.networks.scunet_3d import SCUNet3D
from icelens.training.networks.unet_3d import UNet3D

ENTRY_POINT_GROUP = "icelens.restore.networks"
"""Another package offers a network as an entry point: its name, and a callable without arguments
that returns a module from (batch, 1, z, y, x) to the same shape."""

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "unet-small": partial(UNet3D, (16, 32, 64, 128, 256)),
    "unet-medium": partial(UNet3D, (32, 64, 128, 256, 320)),
    "unet-large": partial(UNet3D, (64, 128, 256, 320, 320)),
    "scunet-fast": partial(SCUNet3D, 32, is_fast=True),
    "scunet-small": partial(SCUNet3D, 32, is_fast=False),
    "scunet-medium": partial(SCUNet3D, 64, is_fast=False),
    "scunet-fast-large": partial(SCUNet3D, 64, is_fast=True),
}


def build_network(name: str) -> nn.Module:
    """Make a network with fresh weights, drawn from torch's generator.

    Raises:
        IcelensError: If no network has that name; the message offers the nearest.
    """
    if name in NETWORKS:
        return NETWORKS[name]()
    offered = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    if name not in offered:
        raise IcelensError(f"{name}: no such network; {did_you_mean(name, [*NETWORKS, *offered])}")
    network = offered[name].load()()
    if not isinstance(network, nn.Module):
        raise IcelensError(
            f"{name}: the entry point {offered[name].value} gave {type(network).__name__}, "
            "expected a torch.nn.Module; mend or uninstall the package that offers it"
        )
    return network


def load_weights(network: nn.Module, checkpoint: Checkpoint) -> None:
    """Give a network the weights of a checkpoint that says it holds the same one.

    Raises:
        CheckpointError: If they do not fit all the same.
    """
    try:
        network.load_state_dict(dict(checkpoint.tensors))
    except RuntimeError as error:
        raise CheckpointError(
            f"{checkpoint.path}: its weights do not fit {checkpoint.description.get('network')}; "
            "the file is damaged or was made by another version of icelens"
        ) from error
