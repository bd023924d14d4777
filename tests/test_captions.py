"""Words around the frames of a film: what they say, and that the pictures inside stay as they are."""

import io

import numpy as np
import pytest
from PIL import Image

from core import Engine, Request, SamplerSettings, files
from core.files.captions import FOOT, HEAD, PAD, SIDE, caption, captioned
from core.record import read_record


def decoded(data):
    frames, ms = [], []
    with Image.open(io.BytesIO(data)) as film:
        for i in range(film.n_frames):
            film.seek(i)
            frames.append(np.asarray(film.convert("RGB")))
            ms.append(film.info["duration"])
    return np.stack(frames), ms


@pytest.fixture(scope="module")
def run(tiny_folder):
    run = Engine.open(tiny_folder, "cpu").run(Request((3, 8, 12), SamplerSettings(4, 0.5), frames=5))
    for _ in run:
        pass
    return run


def test_a_caption_says_what_was_run_and_what_it_took(run):
    head, foot = caption(run.made.record)
    assert head == "S = 4 · η = 0.5 · seeds 3 → 8 → 12"
    assert foot == f"tiny · {run.timing.total_s:.2f} s"


def test_pictures_inside_are_exact_and_large_enough(run):
    frames = run.made.pictures
    page = captioned(frames, "above", "below")
    k = SIDE // 8
    assert page.shape[1:3] == (HEAD + 8 * k + FOOT, 8 * k + 2 * PAD)
    inside = page[:, HEAD : HEAD + 8 * k, PAD : PAD + 8 * k]
    assert (inside[:, ::k, ::k] == frames).all()
    assert (inside.reshape(5, 8, k, 8, k, 3) == frames[:, :, None, :, None]).all()


def test_words_are_there_and_differ(run):
    plain = captioned(run.made.pictures, "", "")
    words = captioned(run.made.pictures, "S = 4", "tiny")
    assert (plain[:, :HEAD] != words[:, :HEAD]).any()
    assert (plain[:, -FOOT:] != words[:, -FOOT:]).any()


def test_a_line_without_room_is_cut_and_not_drawn_over_the_edge():
    frames = np.zeros((1, 8, 8, 3), np.uint8)
    long = captioned(frames, "x" * 500, "y" * 500)
    assert (long[:, :, :PAD] == 255).all()
    assert (long[:, :HEAD, -PAD:] == 255).all()


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_a_strip_with_words_holds_its_keys_there_and_back(run, suffix):
    frames, ms = decoded(files.strip(suffix, run.made, words=True))
    assert len(frames) == 8  # five and three back
    assert ms == [600, 80, 600, 80, 600, 80, 600, 80]
    assert decoded(files.strip(suffix, run.made))[1] == [80] * 8


def test_a_closed_loop_holds_each_key_once(tiny_folder):
    run = Engine.open(tiny_folder, "cpu").run(Request((1, 2), SamplerSettings(2), frames=8, loop=True))
    for _ in run:
        pass
    assert decoded(files.strip(".gif", run.made, words=True))[1] == [600, 80, 80, 80] * 2


def test_the_record_travels_with_the_words(run, tmp_path):
    path = tmp_path / "strip.gif"
    path.write_bytes(files.strip(".gif", run.made, words=True))
    assert read_record(path)["request"]["seeds"] == [3, 8, 12]
