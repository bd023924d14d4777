"""A film as an MP4 for slides and messengers: H.264, which every player knows and which is lossy.

Written where the optional package imageio-ffmpeg is installed (docs/decisions/0001-dependencies.md); it brings its own
ffmpeg.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from functools import cache
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path

import numpy as np

from core.errors import RequestError
from core.files.encoders import durations
from core.files.layout import Pictures
from core.record import Record, to_text

PACKAGE = "imageio-ffmpeg==0.8.1"
FPS = 25
QUALITY = "14"  # of x264, where 0 is lossless and 23 its default: blocks would be taken for the network's
LONGEST_RECORD = 100_000  # bytes; an argument of a program may have 131,072 on Linux


@cache
def mp4_there() -> bool:
    """Whether this machine can write one; the page asks with every message of a run."""
    return find_spec("imageio_ffmpeg") is not None


def require_mp4(suffix: str) -> None:
    """Before anything is sampled for it. Raises RequestError where ``suffix`` is .mp4 and the package is not there."""
    if suffix == ".mp4" and not mp4_there():
        raise RequestError(f"An MP4 takes one more package: pip install {PACKAGE}, or choose .gif or .webp.")


def times_shown(ms: Collection[int]) -> list[int]:
    """For how many pictures of an MP4, at FPS, each frame stands: once at least, and right in the sum."""
    ends = [round(end * FPS / 1000) for end in accumulate(ms)]
    out, at = [], 0
    for end in ends:
        out.append(max(1, end - at))
        at += out[-1]
    return out


def mp4_bytes(
    frames: Pictures, record: Record, frame_ms: int = 80, hold_ms: int = 0, keys: Collection[int] = ()
) -> bytes:
    """N×H×W×3 → an MP4 that plays once, one pixel wider or higher where that makes its sides even; the record is its
    comment. Raises RequestError without the package, and for a run whose record is too long."""
    require_mp4(".mp4")
    import imageio_ffmpeg

    text = to_text(record)
    if len(text.encode()) > LONGEST_RECORD:
        raise RequestError("An MP4 cannot carry the settings of so many seeds: choose .gif or .webp.")
    height, width = frames.shape[1:3]
    even = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        writer = imageio_ffmpeg.write_frames(
            str(path), (even.shape[2], even.shape[1]), fps=FPS, codec="libx264", macro_block_size=2,
            output_params=["-crf", QUALITY, "-metadata", f"comment={text}", "-movflags", "+faststart"],
        )  # fmt: skip
        writer.send(None)
        for frame, count in zip(even, times_shown(durations(len(frames), frame_ms, hold_ms, keys)), strict=True):
            for _ in range(count):
                writer.send(np.ascontiguousarray(frame))
        writer.close()
        return path.read_bytes()
