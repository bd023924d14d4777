"""Exports decode to what went in, play as asked, and carry their record."""

import io
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from core import Request, RequestError
from core.files import Made, save
from core.files.encoders import durations, gif_bytes, png_bytes, webp_bytes
from core.files.layout import boomerang, enlarge
from core.pixels import sheet
from core.record import read_record

RECORD = {
    "schema": "ddim-run/1",
    "checkpoint": {"name": "η = 0, “quotes”", "sha256": "0"},
    "request": {**asdict(Request()), "seeds": [0]},
    "timing": {"device": "cpu", "device_name": "cpu", "precision": "fp32", "threads": 1, "batch": 1, "total_s": 0.1},
    "versions": {},
    "numbers": [1, 0.1],
}
ANIMATIONS = {"gif": gif_bytes, "webp": webp_bytes}


def decode(data):
    """(N×H×W×3, milliseconds of each frame, the picture's info)."""
    with Image.open(io.BytesIO(data)) as image:
        info, frames, ms = dict(image.info), [], []
        for i in range(image.n_frames):
            image.seek(i)
            image.load()
            frames.append(np.asarray(image.convert("RGB")))
            ms.append(image.info.get("duration"))
    return np.stack(frames), ms, info


def random_frames(n=5, colours=None):
    rng = np.random.default_rng(0)
    if colours is None:
        return rng.integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)
    palette = rng.integers(0, 256, (colours, 3), dtype=np.uint8)
    chosen = rng.integers(0, colours, (n, 16, 16))
    chosen.reshape(-1)[:colours] = np.arange(colours)
    return palette[chosen]


def greys():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=-1)
    return np.stack([ramp, ramp[::-1], ramp[:, ::-1]])


def test_a_png_is_exact():
    picture = random_frames(1)[0]
    assert np.array_equal(decode(png_bytes(picture, RECORD))[0][0], picture)


def test_a_webp_is_exact():
    frames = random_frames()
    assert np.array_equal(decode(webp_bytes(frames, RECORD))[0], frames)


@pytest.mark.parametrize("colours", [1, 2, 7, 255, 256])
def test_a_gif_is_exact_up_to_256_colours(colours):
    frames = random_frames(colours=colours)
    got = decode(gif_bytes(frames, RECORD))[0]
    assert np.array_equal(got, frames[: len(got)])
    assert len(got) == (5 if colours > 1 else 1)  # equal neighbours are merged


def test_a_gif_keeps_every_one_of_256_greys():
    assert np.array_equal(decode(gif_bytes(greys(), RECORD))[0], greys())


def test_a_gif_of_more_colours_is_near_and_has_one_palette():
    ramp = np.linspace(0, 255, 32)
    frames = np.stack([np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], f * 60.0), -1) for f in range(4)])
    frames = frames.astype(np.uint8)
    assert len(np.unique(frames.reshape(-1, 3), axis=0)) > 256
    got = decode(gif_bytes(frames, RECORD))[0]
    assert got.shape == frames.shape
    assert len(np.unique(got.reshape(-1, 3), axis=0)) <= 256
    assert np.sqrt(np.square(got.astype(float) - frames).mean()) < 16


@pytest.mark.parametrize("kind", ANIMATIONS)
def test_an_animation_has_its_frames_loops_for_ever_and_holds_the_last(kind):
    got, ms, info = decode(ANIMATIONS[kind](random_frames(5), RECORD, frame_ms=70, hold_ms=1500))
    assert got.shape == (5, 16, 16, 3)
    assert info["loop"] == 0
    assert ms == [70, 70, 70, 70, 1570]


@pytest.mark.parametrize("kind", ANIMATIONS)
def test_one_frame_is_a_still_picture(kind):
    assert decode(ANIMATIONS[kind](random_frames(1, colours=9), RECORD))[0].shape == (1, 16, 16, 3)


def test_a_gif_merges_equal_neighbours_without_losing_time():
    a, b = greys()[:2]
    got, ms, _ = decode(gif_bytes(np.stack([a, a, b]), RECORD, frame_ms=80, hold_ms=500))
    assert np.array_equal(got, np.stack([a, b]))
    assert ms == [160, 580]


def test_durations_count_in_tens_and_hold_the_last():
    assert durations(3, 80) == [80, 80, 80]
    assert durations(3, 87, 1234) == [80, 80, 80 + 1230]
    assert durations(1, 20, 50) == [70]


@pytest.mark.parametrize("bad", [(19, 0), (0, 0), (80, -1)])
def test_frames_too_short_to_play_are_refused(bad):
    with pytest.raises(RequestError, match="20 ms"):
        durations(3, *bad)


@pytest.mark.parametrize(("n", "order"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2, 1]), (5, [0, 1, 2, 3, 4, 3, 2, 1])])
def test_there_and_back_does_not_repeat_the_ends(n, order):
    assert np.array_equal(boomerang(random_frames(n)), random_frames(n)[order])
    assert np.array_equal(boomerang(list(random_frames(n))), random_frames(n)[order])


def test_enlarging_repeats_whole_pixels():
    frames = random_frames(2)
    big = enlarge(frames, at_least=40)
    assert big.shape == (2, 48, 48, 3)
    assert np.array_equal(big[:, ::3, ::3], frames)
    assert np.array_equal(big[:, 2::3, 1::3], frames)
    assert np.array_equal(enlarge(frames, at_least=16), frames)  # 16 pixels are enough
    assert enlarge(frames, at_least=17).shape == (2, 32, 32, 3)
    assert np.array_equal(enlarge(frames, at_least=5), frames)


@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp", ".PNG"])
def test_a_saved_file_carries_its_record(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    save(path, Made(RECORD, random_frames()))
    assert read_record(path) == RECORD
    assert list(tmp_path.iterdir()) == [path]


def test_a_saved_png_is_one_sheet(tmp_path):
    save(tmp_path / "x.png", Made(RECORD, random_frames(6)), columns=3)
    got = decode((tmp_path / "x.png").read_bytes())[0][0]
    assert np.array_equal(got, sheet(random_frames(6), columns=3))


@pytest.mark.parametrize(("there_and_back", "order"), [(False, [0, 1, 2, 3, 4]), (True, [0, 1, 2, 3, 4, 3, 2, 1])])
def test_a_saved_animation_plays_the_pictures_enlarged(tmp_path, there_and_back, order):
    save(tmp_path / "x.webp", Made(RECORD, random_frames()), back=there_and_back)
    got = decode((tmp_path / "x.webp").read_bytes())[0]
    assert np.array_equal(got, enlarge(random_frames()[order]))


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"\.npy, \.png, \.gif, \.webp or \.mp4"):
        save(tmp_path / "x.jpg", Made(RECORD, random_frames()))
    assert list(tmp_path.iterdir()) == []
