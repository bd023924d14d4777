"""Is it a toon face in a colour of the data? Three figures of a 64×64 picture that no attribute covers.

The places were found in the data: PATCH shows bare skin and BACKGROUND bare background in every one of the
6,000 held-out faces, whatever hair, beard and clothes. The limits are the extremes of those faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.colour import to_oklab

FACES, FACE_SIZE = "toon-faces", 64  # the feature net's name; pixels
PATCH = (slice(33, 37), slice(29, 35))  # rows, columns: the bridge of the nose
SKIN_HUE = (40.6, 59.4)  # degrees in OKLab
LUMINANCE = (138.0, 205.5)  # mean of .2126 R + .7152 G + .0722 B over the picture, 0..255
# A background counts as flat below 2% of the variance that its colour has between faces (628, mean of R, G, B).
# Within one drawn face the variance is exactly 0.
FLAT_VARIANCE = 12.5


@dataclass(frozen=True)
class FaceChecks:
    """One value a picture: hue (degrees), variance (of the background, worst channel), luminance (0..255)."""

    hue: NDArray[np.float64]
    variance: NDArray[np.float64]
    luminance: NDArray[np.float64]

    @property
    def hue_ok(self) -> NDArray[np.bool_]:
        return (self.hue >= SKIN_HUE[0]) & (self.hue <= SKIN_HUE[1])

    @property
    def flat_ok(self) -> NDArray[np.bool_]:
        return self.variance <= FLAT_VARIANCE

    @property
    def luminance_ok(self) -> NDArray[np.bool_]:
        return (self.luminance >= LUMINANCE[0]) & (self.luminance <= LUMINANCE[1])

    @property
    def all_ok(self) -> NDArray[np.bool_]:
        return self.hue_ok & self.flat_ok & self.luminance_ok

    def shares(self) -> dict[str, float]:
        """Share of the pictures that pass each check, and all three."""
        return {name: float(np.mean(getattr(self, f"{name}_ok"))) for name in ("hue", "flat", "luminance", "all")}


def has_faces(net: str, pixels: NDArray[np.uint8]) -> bool:
    """Whether pictures N×H×W×C measured by the feature net of this name are what the checks are made for."""
    return net == FACES and pixels.shape[1:] == (FACE_SIZE, FACE_SIZE, 3)


def background(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The strips left and right of the head: N×64×64×3 → N×n×3."""
    strips = np.concatenate([pixels[:, :51, :11], pixels[:, :51, 53:]], axis=2)
    return strips.reshape(len(pixels), -1, 3).astype(np.float64)


def check_faces(pixels: NDArray[np.uint8]) -> FaceChecks:
    """N×64×64×3 uint8 → the three figures of each picture."""
    skin = to_oklab(pixels[:, PATCH[0], PATCH[1]].reshape(len(pixels), -1, 3).mean(axis=1))
    return FaceChecks(
        hue=np.degrees(np.arctan2(skin[:, 2], skin[:, 1])),
        variance=background(pixels).var(axis=1).max(axis=1),
        luminance=(pixels @ np.array([0.2126, 0.7152, 0.0722])).mean(axis=(1, 2)),
    )
