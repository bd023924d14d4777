"""The one conversion between the network's range [−1, 1] and 8-bit pixels, each way."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import RequestError


def to_uint8(x: Tensor) -> Tensor:
    """(…, H, W) in [−1, 1] → uint8 on the same device: clamped, scaled, rounded (not floored)."""
    return x.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)


def to_pixels(x: Tensor) -> NDArray[np.uint8]:
    """(N, C, H, W) in [−1, 1] → N×H×W×3 uint8 on the CPU; grey is repeated over the three channels. Raises RequestError
    for another number of channels, of which nobody knows the colours."""
    if x.shape[1] not in (1, 3):
        raise RequestError(
            f"These pictures have {x.shape[1]} channels, and only 1 (grey) or 3 (colour) can be shown: "
            "take the numbers, --out x0.npy or the images of a result."
        )
    pixels = to_uint8(x).permute(0, 2, 3, 1).cpu().numpy()
    return pixels if pixels.shape[-1] == 3 else np.repeat(pixels, 3, axis=-1)


def from_pixels(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 of any shape → float32 in [−1, 1]; the inverse of to_uint8."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).float().div(127.5).sub(1)


def from_rgb(pixels: NDArray[np.uint8], channels: int) -> Tensor:
    """N×H×W×3 uint8 → (N, channels, H, W) in [−1, 1]; colours become their luminance (ITU-R BT.601) for a grey network.
    Raises RequestError for another number of channels, of which nobody knows what they mean."""
    if channels not in (1, 3):
        raise RequestError(f"A picture cannot be given to a network of {channels} channels: only 1 or 3 are colours.")
    if channels == 1:
        pixels = np.rint(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]
    return from_pixels(pixels.transpose(0, 3, 1, 2))


def sheet_size(n: int, h: int, w: int, columns: int | None = None, gap: int = 2) -> tuple[int, int]:
    """(height, width) of a ``sheet`` of n pictures of h×w pixels."""
    columns = columns or max(1, round(n**0.5))
    return -(-n // columns) * (h + gap) - gap, columns * (w + gap) - gap


def sheet(pictures: NDArray[np.uint8], columns: int | None = None, gap: int = 2) -> NDArray[np.uint8]:
    """N×H×W×3 → one picture, row by row, on white with ``gap`` pixels between."""
    n, h, w, _ = pictures.shape
    columns = columns or max(1, round(n**0.5))
    page = np.full((*sheet_size(n, h, w, columns, gap), 3), 255, dtype=np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // columns * (h + gap), i % columns * (w + gap)
        page[y : y + h, x : x + w] = picture
    return page
