"""Steps shaped as the reference's: a pass per half, complex transforms, losses in real space."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.plain_network import PlainUNet


def filtered(boxes: Tensor, mask: Tensor) -> Tensor:
    """Multiply by a shifted mask in Fourier space, with full complex transforms both ways."""
    axes = (-3, -2, -1)
    spectrum = torch.fft.fftshift(torch.fft.fftn(boxes, dim=axes), dim=axes)
    back = torch.fft.ifftn(torch.fft.ifftshift(spectrum * mask, dim=axes), dim=axes)
    return back.real


class PlainSteps:
    """Denoise and refine steps (network CTF mode, weighted missing wedge) on fixed boxes."""

    def __init__(self, halves: Tensor, measured: Tensor, transfer: Tensor) -> None:
        self.first, self.second = halves.unsqueeze(2)
        self.measured, self.transfer = measured, transfer
        self.network: nn.Module = PlainUNet()
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=3e-4)

    def denoise(self) -> None:
        """One half in, compared with the other."""
        answer = filtered(self.network(self.first), self.transfer)
        self._update(functional.mse_loss(answer, self.second))

    def refine(self) -> None:
        """Two passes without gradient fill the wedge, two with gradient learn to."""
        noise = torch.std(self.first - self.second) / 2**0.5
        boxes = [filtered(half, self.measured) for half in (self.first, self.second)]
        with torch.no_grad():
            words = [self.network(box) for box in boxes]
        rest = torch.std(words[0] - words[1]) / 2**0.5
        added = (noise**2 - rest**2).abs().sqrt()
        turned = []
        for box, word in zip(boxes, words, strict=True):
            word = filtered(word, self.transfer) + added * torch.randn_like(word)
            turned.append((filtered(word, 1 - self.measured) + box).rot90(1, (-3, -1)))
        mask = self.measured.rot90(1, (-3, -1))
        answers = [
            filtered(self.network(filtered(box, self.measured)), self.transfer) for box in turned
        ]
        total = torch.zeros(())
        for answer, target in zip(answers, turned[::-1], strict=True):
            for weight, region in ((1.0, self.measured), (20.0, 1 - self.measured)):
                seen = mask * region
                distance = functional.mse_loss(filtered(answer, seen), filtered(target, seen))
                total = total + weight * distance
        self._update(total)

    def _update(self, loss: Tensor) -> None:
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
