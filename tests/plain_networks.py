"""IsoNet2's networks as plain torch modules, assembled from its published layout and names.

Slow and simple: the oracle for ours, and the maker of synthetic checkpoints.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv_stack(num_in: int, num_out: int, num_layers: int, side: int = 3) -> nn.Module:
    stack = nn.Module()
    layers: list[nn.Module] = []
    for k in range(num_layers):
        stride, padding = (2, 0) if side == 2 else (1, 1)
        layers += [
            nn.Conv3d(num_out if k else num_in, num_out, side, stride, padding, bias=False),
            nn.BatchNorm3d(num_out),
            nn.LeakyReLU(0.01),
        ]
    stack.net = nn.Sequential(*layers)
    return stack


class PlainUNet(nn.Module):
    def __init__(self, filters: tuple[int, ...]) -> None:
        super().__init__()
        depth = len(filters) - 1
        self.depth = depth
        self.encoder, self.decoder = nn.Module(), nn.Module()
        down, up = nn.ModuleDict(), nn.ModuleDict()
        down["first_conv"] = nn.Conv3d(1, filters[0], 3, padding=1)
        for n in range(depth):
            down[f"conv_stack_{n}"] = conv_stack(filters[n], filters[n], 3)
            down[f"stride_conv_{n}"] = conv_stack(filters[n], filters[n + 1], 1, side=2)
        down["bottleneck"] = conv_stack(filters[-1], filters[-1], 2)
        for n in reversed(range(depth)):
            up[f"deconv_{n}"] = nn.ConvTranspose3d(filters[n + 1], filters[n], 2, 2)
            up[f"conv_stack_{n}"] = conv_stack(2 * filters[n], filters[n], 3)
        self.encoder.module_dict, self.decoder.module_dict = down, up
        self.final = nn.Conv3d(filters[0], 1, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        down, up = self.encoder.module_dict, self.decoder.module_dict
        features, skips = down["first_conv"](image), []
        for n in range(self.depth):
            features = down[f"conv_stack_{n}"].net(features)
            skips.append(features)
            features = down[f"stride_conv_{n}"].net(features)
        features = down["bottleneck"].net(features)
        for n in reversed(range(self.depth)):
            joined = torch.cat([skips[n], up[f"deconv_{n}"](features)], dim=1)
            features = up[f"conv_stack_{n}"].net(F.leaky_relu(joined, 0.01))
        return self.final(features) + image


class ResponseNorm(nn.Module):
    def __init__(self, num_channels: int) -> None:
        super().__init__()
        shape = (1, num_channels, 1, 1, 1)
        self.eps = nn.Parameter(torch.full(shape, 1e-6), requires_grad=False)
        self.gamma = nn.Parameter(torch.rand(shape))
        self.beta = nn.Parameter(torch.rand(shape))
        self.tau = nn.Parameter(torch.rand(shape))


def normalised_convs(num_channels: int, count: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for _ in range(count):
        layers.append(nn.Conv3d(num_channels, num_channels, 3, padding=1, bias=False))
        layers.append(ResponseNorm(num_channels))
    return layers


def scunet_block(num_channels: int, window: int) -> nn.Module:
    half = num_channels // 2
    block, transformer, attention = nn.Module(), nn.Module(), nn.Module()
    block.conv1_1 = nn.Conv3d(num_channels, num_channels, 1)
    block.conv1_2 = nn.Conv3d(num_channels, num_channels, 1)
    block.conv_block = nn.Sequential(*normalised_convs(half, 2))
    attention.embedding_layer = nn.Linear(half, 3 * half)
    attention.linear = nn.Linear(half, half)
    offsets = torch.rand(half // 16, *(2 * window - 1,) * 3)
    attention.relative_position_params = nn.Parameter(offsets)
    transformer.msa = attention
    transformer.ln1, transformer.ln2 = nn.LayerNorm(half), nn.LayerNorm(half)
    transformer.mlp = nn.Sequential(nn.Linear(half, 4 * half), nn.GELU(), nn.Linear(4 * half, half))
    block.trans_block = transformer
    return block


def scunet_weights(dim: int, *, is_fast: bool, window: int = 3) -> nn.Module:
    """A tree that holds a SCUNet's weights under IsoNet2's names; it computes nothing."""
    tree = nn.Module()
    tree.m_head = nn.Sequential(nn.Conv3d(1, dim, 3, padding=1, bias=False))
    tree.m_tail = nn.Sequential(nn.Conv3d(dim, 1, 3, padding=1, bias=False))
    for n in range(4):
        width = dim * 2**n
        down: list[nn.Module] = [scunet_block(width, window) for _ in range(2)]
        up: list[nn.Module] = [scunet_block(width, window) for _ in range(2)]
        if is_fast and n == 0:
            down = [ResponseNorm(width), *normalised_convs(width, 3)]
            up = normalised_convs(width, 3)
        half = nn.Conv3d(width, 2 * width, 2, 2, bias=False)
        twice = nn.ConvTranspose3d(2 * width, width, 2, 2, bias=False)
        setattr(tree, f"m_down{n + 1}", nn.Sequential(*down, half))
        setattr(tree, f"m_up{n + 1}", nn.Sequential(twice, *up))
    tree.m_body = nn.Sequential(*(scunet_block(16 * dim, window) for _ in range(2)))
    return tree
