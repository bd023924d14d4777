"""Arrays that callers give – pictures, latents – as the engine computes with them, and what latents mean to a request.

Latents stand in for the seeds' own: one for each seed. Of a path, a sheet or a place these are the keys it lies
between. There they may also be one for each picture, already on their way; where both numbers agree (a path of as many
frames as keys, a sheet of 2 × 2) both readings give the same latents.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import RequestError
from core.request import Request

Array = Tensor | NDArray[np.floating]


def tensor_of(values: Array, what: str) -> Tensor:
    """A tensor or a NumPy array of numbers as float32 on the CPU. Raises RequestError for anything else."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        values = torch.from_numpy(np.array(values, dtype=np.float32))  # a copy: what was given may be read-only
    if not isinstance(values, Tensor) or values.is_complex() or values.dtype == torch.bool:
        kind = getattr(values, "dtype", type(values).__name__)
        raise RequestError(f"The {what} are {kind}: give a float tensor or a NumPy array (N, C, H, W).")
    return values.detach().float().cpu().contiguous()


def given_latents(values: Array, request: Request, shape: tuple[int, int, int]) -> Tensor:
    """Latents (N, C, H, W) for a request, float32 on the CPU: N its number of seeds or, between seeds, of pictures.

    shape: (C, H, W) of the checkpoint. Raises RequestError for another shape, NaN or infinity.
    """
    latents = tensor_of(values, "latents")
    keys, each = (len(request.seeds), *shape), (request.count, *shape)
    wanted = (keys, each) if request.between else (keys,)
    if tuple(latents.shape) not in wanted:
        needs = f"{keys}"
        if request.between:
            needs = f"{keys}, one for each seed, or {each}, one for each picture"
        raise RequestError(f"The latents are {tuple(latents.shape)}; this request needs {needs}.")
    if not bool(torch.isfinite(latents).all()):
        raise RequestError("The latents hold NaN or infinity: make them anew.")
    return latents


def digest(latents: Tensor) -> str:
    """The sha256 of float32 latents in their order (N, C, H, W), which a record keeps of latents that were given."""
    return hashlib.sha256(latents.numpy().tobytes()).hexdigest()
