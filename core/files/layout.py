"""Pictures made larger, put beside each other and played back: what the files of one run need before encoding."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]  # N×H×W×3


def enlarge(pictures: Pictures, at_least: int = 168) -> Pictures:
    """Whole-number nearest-neighbour enlargement until the side is at_least pixels; no filtering."""
    k = max(1, math.ceil(at_least / pictures.shape[1]))
    return pictures.repeat(k, axis=1).repeat(k, axis=2)


def boomerang(frames: Sequence[Pictures] | Pictures) -> Pictures:
    """There and back, the ends not repeated."""
    forth = np.asarray(frames)
    return np.concatenate([forth, forth[-2:0:-1]]) if len(forth) > 2 else forth


def beside(left: Pictures, right: Pictures, gap: int = 2) -> Pictures:
    """Two films of one length and size as one, ``gap`` white pixels between."""
    return np.concatenate([left, np.full_like(left[:, :, :gap], 255), right], axis=2)
