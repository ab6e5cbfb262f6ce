"""Light on a surface whose heights and normals are known: soft, with folds dark and depth faint."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[np.float32]
Colour = tuple[float, float, float]

# From the upper left before the surface, and a weaker one from the right; x right, y up, z near.
_KEY = np.asarray([-0.45, 0.55, 0.70])
_FILL = np.asarray([0.80, -0.10, 0.45])
_AMBIENT, _KEY_LIGHT, _FILL_LIGHT, _SHINE = 0.30, 0.78, 0.14, 0.10
_SHINE_POWER = 28.0
# Folds: radius of a neighbourhood in half widths of the picture, depth in the same, strength.
_FOLDS = ((0.025, 0.05, 0.40), (0.09, 0.16, 0.60))
# Share of the background in what lies farthest.
_HAZE = 0.30
# It begins and ends so far before and behind the centre, in half widths.
_HAZE_DEPTH = 0.7
_OUTLINE = 0.35
_GAMMA = 2.2


@dataclass(frozen=True)
class Look:
    """Colours of a picture.

    Attributes:
        colour: Of the surface, red, green, blue from 0 to 1 as screens show them.
        background: Likewise.
    """

    colour: Colour = (0.45, 0.63, 0.82)
    background: Colour = (1.0, 1.0, 1.0)


def shaded(height: Array, normal: Array, *, half_width: float, look: Look) -> Array:
    """RGB from 0 to 255 of each ray.

    Args:
        height: `(y, x)` in Å towards the viewer; NaN where there is no surface.
        normal: `(y, x, 3)`, outward unit vectors with x right, y up and z towards the viewer.
        half_width: What the picture shows to either side, in Å.
        look: Colours.
    """
    is_hit = np.isfinite(height)
    background = np.asarray(look.background, np.float32)
    if not is_hit.any():
        return np.broadcast_to(255.0 * background, (*height.shape, 3)).copy()
    light = _light(normal) * _open_to_light(height, is_hit, half_width)
    shine = _SHINE * np.clip(normal @ _halfway(), 0.0, 1.0) ** _SHINE_POWER
    colour = np.asarray(look.colour) ** _GAMMA
    linear = light[..., None] * colour + shine[..., None]
    linear *= (1.0 - _OUTLINE * _edges(height, is_hit, half_width))[..., None]
    # by the camera, not by what is seen: frames of one film fade alike
    far = np.clip(0.5 - np.nan_to_num(height) / (2.0 * _HAZE_DEPTH * half_width), 0.0, 1.0)
    haze = (_HAZE * far)[..., None]
    seen = np.clip(linear, 0.0, 1.0) ** (1.0 / _GAMMA)
    seen = np.where(is_hit[..., None], (1.0 - haze) * seen + haze * background, background)
    return np.asarray(255.0 * seen, np.float32)


def _light(normal: Array) -> Array:
    """What reaches an open surface: a sky, and two lamps."""
    sky = _AMBIENT * (0.75 + 0.25 * normal[..., 1])
    key, fill = (
        np.clip(normal @ (lamp / np.linalg.norm(lamp)), 0.0, 1.0) for lamp in (_KEY, _FILL)
    )
    return np.asarray(sky + _KEY_LIGHT * key + _FILL_LIGHT * fill, np.float32) * 1.25


def _halfway() -> npt.NDArray[np.float64]:
    """Between the lamp and the viewer: what shines faces there."""
    half = _KEY / np.linalg.norm(_KEY) + np.asarray([0.0, 0.0, 1.0])
    return np.asarray(half / np.linalg.norm(half), np.float64)


def _open_to_light(height: Array, is_hit: npt.NDArray[np.bool_], half_width: float) -> Array:
    """1 on what stands out, less where the surface around it is nearer to the viewer."""
    filled = np.where(is_hit, height, 0.0).astype(np.float32)
    openness = np.ones(height.shape, np.float32)
    for radius, depth, strength in _FOLDS:
        # the neighbourhood is wide and smooth: every second ray tells enough of it
        sigma = radius * height.shape[0] / 4.0
        weight, mean = (
            ndimage.gaussian_filter(values[::2, ::2], sigma, truncate=2.5)
            for values in (is_hit.astype(np.float32), filled)
        )
        around = (mean / np.maximum(weight, 1e-4)).repeat(2, axis=0).repeat(2, axis=1)
        fold = np.clip((around - filled) / (depth * half_width), 0.0, 1.0)
        openness *= 1.0 - strength * fold
    return openness


def _edges(height: Array, is_hit: npt.NDArray[np.bool_], half_width: float) -> Array:
    """1 where the surface breaks off and something far behind it is seen, or nothing."""
    behind = np.where(is_hit, height, np.nanmin(height) - half_width)
    lowest = ndimage.minimum_filter(behind, size=3)
    drop = (behind - lowest) / half_width
    return np.asarray(np.clip((drop - 0.06) / 0.1, 0.0, 1.0), np.float32)
