"""What the browser is sent of pictures: lossless and whole where they are small, bounded where they are not."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from demo.pictures import FILM_SIDE, MOST_WIDTH, film_picture, tiles_picture


def noise(n, height, width):
    return np.random.default_rng(0).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


def opened(picture):
    """(its pixels, (across, down))."""
    head, _, data = picture.uri.partition(",")
    assert head.startswith("data:image/webp;tiles=")
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
        return np.asarray(image.convert("RGB")), tuple(map(int, re.search(r"(\d+)x(\d+)", head).groups()))


def test_small_pictures_arrive_to_the_last_bit():
    tiles = noise(3, 8, 12)  # wider than high
    page, grid = opened(tiles_picture(tiles))
    assert grid == (3, 1)
    assert np.array_equal(page.reshape(8, 3, 12, 3).transpose(1, 0, 2, 3), tiles)
    page, grid = opened(film_picture(tiles, tiles[::-1]))
    assert grid == (3, 2)
    assert np.array_equal(page[8:].reshape(8, 3, 12, 3).transpose(1, 0, 2, 3), tiles[::-1])


@pytest.mark.parametrize("side", [256, 512])
def test_a_film_of_large_frames_is_bounded(side):
    frames = noise(41, side, side)
    page, grid = opened(film_picture(frames, frames))
    assert grid == (41, 2)
    assert page.shape == (2 * FILM_SIDE, 41 * FILM_SIDE, 3)
    assert abs(float(page[:FILM_SIDE, :FILM_SIDE].mean()) - float(frames[0].mean())) < 1


@pytest.mark.parametrize(("n", "side", "shown"), [(32, 256, 256), (33, 256, 128), (32, 512, 256), (1, 1024, 1024)])
def test_a_row_is_no_wider_than_a_browser_and_a_webp_can_have(n, side, shown):
    page, grid = opened(tiles_picture(np.zeros((n, side, side, 3), np.uint8)))
    assert grid == (n, 1)
    assert page.shape == (shown, n * shown, 3)
    assert page.shape[1] <= MOST_WIDTH
