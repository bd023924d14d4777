"""Paths through latent space (paper Sec. 5.3 and App. D.5)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.errors import RequestError

_TINY = 1e-6


def slerp(a: Tensor, b: Tensor, w: float) -> Tensor:
    """Spherical interpolation (paper eq. 67): sin((1−w)θ)/sin θ · a + sin(wθ)/sin θ · b.

    a, b: equal shapes; θ is the angle of the flattened vectors, in float64. The ends are exact.
    θ → 0 falls back to a straight line. For θ → π no shortest arc is defined, so a fixed one is taken.
    """
    if a.shape != b.shape:
        raise RequestError(f"slerp needs equal shapes, not {tuple(a.shape)} and {tuple(b.shape)}.")
    if w == 0.0:
        return a.clone()
    if w == 1.0:
        return b.clone()
    u, v = a.double().flatten(), b.double().flatten()
    norms = u.norm() * v.norm()
    if norms == 0:
        return torch.lerp(a, b, w)
    cos = float((u @ v / norms).clamp(-1, 1))
    theta = math.acos(cos)
    if theta < _TINY:
        return torch.lerp(a, b, w)
    if math.pi - theta < _TINY:
        side = u.roll(1)
        side = side - (side @ u) / (u @ u) * u
        if side.norm() < _TINY * u.norm():  # a is constant, so its roll is parallel to it
            side = torch.zeros_like(u)
            side[0], side[-1] = u[-1], -u[0]
        radius = u.norm() ** (1 - w) * v.norm() ** w
        out = radius * (math.cos(w * math.pi) * u / u.norm() + math.sin(w * math.pi) * side / side.norm())
    else:
        out = (math.sin((1 - w) * theta) * u + math.sin(w * theta) * v) / math.sin(theta)
    return out.view_as(a).to(a.dtype)


def strip(keys: Tensor, frames: int, loop: bool = False) -> Tensor:
    """``frames`` latents along slerps through the keys (K, C, H, W), evenly spaced: (frames, C, H, W).

    Both ends are included; with ``loop`` the path closes on the first key, which is not repeated.
    """
    stops = torch.cat([keys, keys[:1]]) if loop else keys
    segments = len(stops) - 1
    if segments < 1 or frames < 2:
        raise RequestError("An interpolation needs at least two seeds and two frames.")
    path = []
    for i in range(frames):
        position = i * segments / (frames if loop else frames - 1)
        k = min(int(position), segments - 1)
        path.append(slerp(stops[k], stops[k + 1], position - k))
    return torch.stack(path)


def between_corners(corners: Tensor, across: float, down: float) -> Tensor:
    """The latent (C, H, W) at a place of the square of four corners (4, C, H, W): top left, top right, bottom
    left, bottom right. Slerp within the pairs, then across (paper App. D.5)."""
    return slerp(slerp(corners[0], corners[1], across), slerp(corners[2], corners[3], across), down)


def sheet(corners: Tensor, side: int) -> Tensor:
    """side×side latents evenly spread over the square of four corners, row by row: (side², C, H, W)."""
    if len(corners) != 4 or side < 2:
        raise RequestError("A sheet needs four corner seeds and a side of at least 2.")
    weights = [i / (side - 1) for i in range(side)]
    return torch.stack([between_corners(corners, across, down) for down in weights for across in weights])
