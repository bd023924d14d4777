"""The course of a path of pictures: how straight it is in features, how its attributes change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.data.datasets import UInt8Array
from core.evaluate.distances import FloatArray
from core.evaluate.feature_net import FeatureNet


def smoothness(features: FloatArray) -> dict[str, object]:
    """Of paths (P,F,D), means over those with distinct ends: detour = length / distance of the ends (1: straight);
    jump = longest step / mean step (1: even, F − 1: all at once)."""
    steps = np.linalg.norm(np.diff(features, axis=1), axis=2)
    apart = np.linalg.norm(features[:, -1] - features[:, 0], axis=1)
    moved = (apart > 0) & (steps.sum(axis=1) > 0)
    if not moved.any():
        return {"detour": None, "jump": None}
    steps, apart = steps[moved], apart[moved]
    return {
        "detour": float((steps.sum(axis=1) / apart).mean()),
        "jump": float((steps.max(axis=1) / steps.mean(axis=1)).mean()),
    }


def switches(labels: NDArray[np.int64]) -> dict[str, object]:
    """Of classes (P,F) along paths: ``differing`` paths have different ends, and ``once`` is the share of them that
    switch exactly once; ``steady`` is the share of the others that never switch; _switches are the means. None for
    a share of no paths."""
    count = (np.diff(labels, axis=1) != 0).sum(axis=1)
    differ = labels[:, 0] != labels[:, -1]

    def mean(values: NDArray[np.bool_ | np.int64]) -> float | None:
        return float(np.mean(values)) if values.size else None

    return {
        "differing": int(differ.sum()),
        "once": mean(count[differ] == 1),
        "differing_switches": mean(count[differ]),
        "steady": mean(count[~differ] == 0),
        "steady_switches": mean(count[~differ]),
    }


def travel(positions: FloatArray, ring: bool) -> dict[str, object]:
    """Of positions 0..1 (P,F) along paths: mean way ``travelled`` and mean ``distance`` of the ends (on a ring, the
    short way round). Equal where no path turns back."""

    def gap(a: FloatArray, b: FloatArray) -> FloatArray:
        away = np.abs(a - b)
        return np.minimum(away, 1 - away) if ring else away

    return {
        "travelled": float(gap(positions[:, 1:], positions[:, :-1]).sum(axis=1).mean()),
        "distance": float(gap(positions[:, -1], positions[:, 0]).mean()),
    }


def attribute_courses(net: FeatureNet, images: UInt8Array, frames: int) -> dict[str, object]:
    """What the feature net takes the pictures (P·F,C,H,W) of paths for: ``switches`` of every class attribute,
    ``travel`` of every continuous one."""
    labels = {name: values.reshape(-1, frames) for name, values in net.label_pixels(images).items()}
    rings = net.config.rings
    return {
        name: switches(values) if name in net.config.classes else travel(values.astype(np.float64), name in rings)
        for name, values in labels.items()
    }
