"""The reference's U-Net of plain torch modules: what a step costs without any trick of ours."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def layer(num_in: int, num_out: int, side: int = 3) -> nn.Sequential:
    """Convolution (side two halves the size), batch norm, LeakyReLU."""
    conv = nn.Conv3d(
        num_in, num_out, side, stride=2 if side == 2 else 1, padding=side // 3, bias=False
    )
    return nn.Sequential(conv, nn.BatchNorm3d(num_out), nn.LeakyReLU(0.01))


class PlainUNet(nn.Module):
    """Stem, four levels down and up with concatenated skips, head, global residual."""

    def __init__(self, filters: tuple[int, ...] = (16, 32, 64, 128, 256)) -> None:
        super().__init__()
        fine, coarse = filters[:-1], filters[1:]
        pairs = list(zip(fine, coarse, strict=True))
        self.stem = nn.Conv3d(1, filters[0], 3, padding=1)
        self.encoder = nn.ModuleList(nn.Sequential(*(layer(n, n) for _ in range(3))) for n in fine)
        self.down = nn.ModuleList(layer(a, b, 2) for a, b in pairs)
        self.bottleneck = nn.Sequential(*(layer(filters[-1], filters[-1]) for _ in range(2)))
        self.up = nn.ModuleList(nn.ConvTranspose3d(b, a, 2, stride=2) for a, b in pairs)
        self.decoder = nn.ModuleList(
            nn.Sequential(layer(2 * n, n), layer(n, n), layer(n, n)) for n in fine
        )
        self.head = nn.Conv3d(filters[0], 1, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Restore (batch, 1, z, y, x)."""
        features = self.stem(image)
        skips = []
        for stack, down in zip(self.encoder, self.down, strict=True):
            skips.append(stack(features))
            features = down(skips[-1])
        features = self.bottleneck(features)
        for level in reversed(range(4)):
            joined = torch.cat([skips[level], self.up[level](features)], dim=1)
            features = self.decoder[level](functional.leaky_relu(joined, 0.01))
        restored: Tensor = self.head(features) + image
        return restored
