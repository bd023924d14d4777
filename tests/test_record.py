"""One schema for every export; it reads back to the request it was made from."""

import json

import numpy as np
import pytest
from PIL import Image

from core import DataError, Engine, Request, SamplerSettings
from core.export import save_pictures
from core.pixels import to_pixels
from core.record import read_record, request_of, to_text

REQUESTS = [
    Request((1, 2), SamplerSettings(3, 0.25, "quadratic", clip=True)),
    Request((3, 8), SamplerSettings(timesteps=(900, 400, 0), spacing="leading", clip=False), frames=4, loop=True),
    Request((2**53 - 1,), SamplerSettings(2, sigma_hat=True, spacing="trailing", clip=True)),
    Request(np.arange(2), SamplerSettings(np.int64(2), np.float32(0.25), "leading", clip=np.True_)),
]


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp"])
def test_a_run_exported_and_read_back_is_the_same_request(tiny_folder, tmp_path, request_, suffix):
    result = Engine.open(tiny_folder, "cpu").sample(request_)
    path = tmp_path / f"run{suffix}"
    save_pictures(path, to_pixels(result.images), result.record)
    record = read_record(path)
    assert record == json.loads(json.dumps(result.record))
    assert request_of(record) == request_


def test_the_text_is_ascii_for_exif_and_gif_comments():
    assert to_text({"schema": "η"}).isascii()


def picture(path, **options):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp", ".jpg"])
def test_a_foreign_picture_is_refused_by_name(tmp_path, suffix):
    with pytest.raises(DataError, match=f"foreign{suffix}.*not exported by this program"):
        read_record(picture(tmp_path / f"foreign{suffix}"))


@pytest.mark.parametrize("comment", [b"made with love", b"{}", b"[1]", b'{"schema":"other/1"}', b"\xff\xfe"])
def test_a_foreign_comment_is_refused(tmp_path, comment):
    with pytest.raises(DataError, match="carries no run settings"):
        read_record(picture(tmp_path / "x.gif", comment=comment))


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"just text"])
def test_what_is_no_picture_is_refused(tmp_path, data):
    (tmp_path / "x.gif").write_bytes(data)
    with pytest.raises(DataError, match=r"x\.gif is not a picture"):
        read_record(tmp_path / "x.gif")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"x\.png"):
        read_record(tmp_path / "x.png")


SETTINGS = {"steps": 5, "timesteps": None}


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"request": None},
        {"request": "abc"},
        {"request": {"seeds": [1]}},
        {"request": {"seeds": [1], "settings": "abc"}},
        {"request": {"seeds": 1, "settings": SETTINGS}},
        {"request": {"seeds": [1], "settings": {**SETTINGS, "temperature": 2}}},
        {"request": {"seeds": [1], "settings": SETTINGS, "prompt": "cat"}},
        {"request": {"seeds": [-1], "settings": SETTINGS}},
        {"request": {"seeds": [1], "settings": {**SETTINGS, "eta": 7}}},
    ],
)
def test_a_record_of_something_else_is_refused(record):
    with pytest.raises(DataError, match="does not describe a run"):
        request_of(record)
