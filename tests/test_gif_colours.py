"""The one palette of a GIF against the best that Pillow makes of the same frames."""

import numpy as np
import pytest
from PIL import Image

from core.files.encoders import index_colours


def error(frames, indices, palette):
    colours = np.frombuffer(bytes(palette)[:768].ljust(768, b"\0"), np.uint8).reshape(-1, 3)
    return float(np.sqrt(np.mean(np.square(colours[indices].astype(float) - frames))))


def pillow(frames, method):
    palette = Image.fromarray(frames.reshape(1, -1, 3)).quantize(256, method=method)
    indices = [np.asarray(Image.fromarray(f).quantize(palette=palette, dither=Image.Dither.NONE)) for f in frames]
    return error(frames, np.stack(indices), palette.getpalette())


def soft(count=8, side=48):
    """Colour fields that drift from frame to frame, with flat walls, as drawn faces have."""
    y, x = np.mgrid[:side, :side] / side
    frames = []
    for i in range(count):
        w = i / count
        frame = np.stack([200 - 120 * x * w, 90 + 100 * y, 60 + 150 * (x * y + w) / 2], axis=-1)
        frame[: side // 4] = (210, 216 - 30 * w, 200)
        frames.append(frame)
    return np.rint(frames).astype(np.uint8)


def noisy(count=6, side=48):
    rng = np.random.default_rng(5)
    picture, noise = soft(1, side)[0].astype(float), rng.normal(128, 60, (side, side, 3))
    shares = np.linspace(0, 1, count)
    return np.stack([np.clip((1 - w) * noise + w * picture, 0, 255) for w in shares]).astype(np.uint8)


@pytest.mark.parametrize("frames", [soft(), noisy()], ids=["soft", "from noise to picture"])
def test_colours_are_no_worse_than_the_best_of_pillows_quantisers(frames):
    methods = (Image.Quantize.MEDIANCUT, Image.Quantize.MAXCOVERAGE, Image.Quantize.FASTOCTREE)
    assert error(frames, *index_colours(frames)) <= min(pillow(frames, method) for method in methods)
