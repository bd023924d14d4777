"""Colours along smooth ramps, mixed in OKLab (Ottosson 2020), where equal steps look equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_LMS = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
_LAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip


def to_oklab(rgb: ArrayLike) -> FloatArray:
    """sRGB 0..255 (…,3) → OKLab (…,3): L 0..1, a, b about −0.4..0.4."""
    srgb = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _LMS.T) @ _LAB.T


def from_oklab(lab: ArrayLike) -> FloatArray:
    """OKLab (…,3) → sRGB 0..255 (…,3), clipped to the gamut, not rounded."""
    linear = (np.asarray(lab, dtype=np.float64) @ np.linalg.inv(_LAB).T) ** 3 @ np.linalg.inv(_LMS).T
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def hex_rgb(code: str) -> tuple[int, int, int]:
    """ "#f3cdb0" → (243, 205, 176)."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def ramp(stops: tuple[str, ...], u: ArrayLike) -> FloatArray:
    """Position u 0..1 on a ramp of evenly spaced stops → sRGB 0..255 (…,3)."""
    labs = to_oklab([hex_rgb(stop) for stop in stops])
    at = np.asarray(u, dtype=np.float64) * (len(stops) - 1)
    return from_oklab(np.stack([np.interp(at, np.arange(len(stops)), labs[:, i]) for i in range(3)], axis=-1))


def ring(lightness: float, chroma: float, u: ArrayLike) -> FloatArray:
    """Position u 0..1 on a closed circle of hues of one lightness and chroma → sRGB 0..255 (…,3)."""
    angle = 2 * np.pi * np.asarray(u, dtype=np.float64)
    lab = np.stack([np.full_like(angle, lightness), chroma * np.cos(angle), chroma * np.sin(angle)], axis=-1)
    return from_oklab(lab)
