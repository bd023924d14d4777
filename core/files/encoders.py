"""Pixels as the bytes of a PNG, a GIF or a lossless WebP, each carrying a record; images as those of a .npy.

Animations are written by imageio. A GIF gets one palette made once from all its frames, two to six times
faster than a palette for each frame (docs/bench-*.md) and free of flicker in flat areas.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from typing import BinaryIO

import imageio.v3 as iio
import numpy as np
from imageio.plugins.pillow import PillowPlugin
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from core.embedded import EXIF_DESCRIPTION, PNG_KEY
from core.errors import RequestError
from core.files.layout import Pictures
from core.record import Record, to_text

KEY_MS = 600
PALETTE_SAMPLE = 8192  # pixels; four times as many gain 2 % and take ten times as long


def durations(count: int, frame_ms: int = 80, hold_ms: int = 0, keys: Collection[int] = ()) -> list[int]:
    """Milliseconds of each frame; the last is held longer by hold_ms, and ``keys`` stand for KEY_MS at least. GIF
    counts in 10 ms."""
    if frame_ms < 20 or hold_ms < 0:
        raise RequestError("A frame must last at least 20 ms: players slow shorter ones down.")
    out = [frame_ms // 10 * 10] * count
    out[-1] += hold_ms // 10 * 10
    for key in keys:
        out[key] = max(out[key], KEY_MS)
    return out


def _codes(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """One number a colour."""
    return pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)


def index_colours(frames: Pictures) -> tuple[NDArray[np.uint8], bytes]:
    """(N×H×W indices, palette) with one palette for all frames, made from a sample of them.

    Exact where 256 colours suffice: Pillow's own lookup would merge neighbouring greys.
    """
    pixels = np.ascontiguousarray(frames).reshape(-1, 3)
    sample = pixels[:: max(1, len(pixels) // 65_536)]
    if len(np.unique(_codes(sample))) <= 256:  # sorting all pixels is slow, so only where it can pay
        codes, indices = np.unique(_codes(pixels), return_inverse=True)
        if len(codes) <= 256:
            colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.uint8)
            return indices.reshape(frames.shape[:3]).astype(np.uint8), np.resize(colours, (256, 3)).tobytes()
    few = sample[:: max(1, len(sample) // PALETTE_SAMPLE)]  # refined by k-means, whose time grows with the colours
    palette = Image.fromarray(few[None]).quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1)
    indexed = [np.asarray(Image.fromarray(f).quantize(palette=palette, dither=Image.Dither.NONE)) for f in frames]
    return np.stack(indexed), bytes(palette.getpalette() or ())


def gif_bytes(
    frames: Pictures, record: Record, frame_ms: int = 80, hold_ms: int = 0, keys: Collection[int] = ()
) -> bytes:
    """N×H×W×3 → an endlessly looping GIF; the record is its comment."""
    grey = bool((frames[..., :1] == frames).all())
    indexed, palette = (np.ascontiguousarray(frames[..., 0]), b"") if grey else index_colours(frames)
    ms = durations(len(frames), frame_ms, hold_ms, keys)
    data = io.BytesIO()
    with iio.imopen(data, "w", extension=".gif", plugin="pillow") as file:
        assert isinstance(file, PillowPlugin)
        file.write(
            indexed, mode="L" if grey else "P", is_batch=True,
            duration=ms if len(ms) > 1 else ms[0], loop=0,  # for one frame Pillow takes a number only
            comment=to_text(record).encode(), optimize=False,
        )  # fmt: skip
        # as an option of write(), the palette would be matched anew with every frame, 40 ms each
        for frame in () if grey else file.images_to_write:
            frame.putpalette(palette)
    return data.getvalue()


def webp_bytes(
    frames: Pictures, record: Record, frame_ms: int = 80, hold_ms: int = 0, keys: Collection[int] = ()
) -> bytes:
    """N×H×W×3 → a lossless, endlessly looping WebP (a still one for N = 1); the record is in its EXIF."""
    exif = Image.Exif()
    exif[EXIF_DESCRIPTION] = to_text(record)
    return iio.imwrite(
        "<bytes>", np.asarray(frames), extension=".webp", plugin="pillow", is_batch=True, lossless=True,
        method=0, duration=durations(len(frames), frame_ms, hold_ms, keys), loop=0, exif=exif.tobytes(),
    )  # fmt: skip


def png_bytes(picture: NDArray[np.uint8], record: Record | None) -> bytes:
    """H×W×3 → PNG with the record as text; None where no run made the picture."""
    text = PngInfo()
    if record is not None:
        text.add_text(PNG_KEY, to_text(record))
    return iio.imwrite("<bytes>", picture, extension=".png", plugin="pillow", pnginfo=text)


def npy_writer(images: Tensor) -> Callable[[BinaryIO], None]:
    """(N, C, H, W) float32 on the CPU → what writes them, unrounded, to an open file, without a copy in memory."""
    return lambda file: np.save(file, images.numpy())


def npy_bytes(images: Tensor) -> bytes:
    """The same as bytes."""
    data = io.BytesIO()
    npy_writer(images)(data)
    return data.getvalue()
