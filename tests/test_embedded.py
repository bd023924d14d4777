"""The text of a picture is found without decoding it and in bounded time, and what is no picture is a sentence."""

import random
import struct
import time
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core import DataError
from core.embedded import EXIF_DESCRIPTION, MAX_FILE, MAX_TEXT, embedded_text

SCREEN = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0, 0, 0)
TEXT = '{"η": 1}' * 100


def png(path, **text):
    info = PngInfo()
    for add, options in text.items():
        getattr(info, add)("ddim", TEXT, **options)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path, pnginfo=info)
    return path


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))


@pytest.mark.parametrize("packed", [False, True])
def test_a_png_s_text_is_found_in_every_way_of_writing_it(tmp_path, packed):
    assert embedded_text(png(tmp_path / "x.png", add_itxt={"zip": packed})) == TEXT
    path = tmp_path / "y.png"
    info = PngInfo()
    info.add_text("other", "x")
    info.add_text("ddim", "plain", zip=packed)
    Image.new("L", (4, 4)).save(path, pnginfo=info)
    assert embedded_text(path) == "plain"


@pytest.mark.parametrize("text", ["abc", "abcd", "a longer one"])
@pytest.mark.parametrize("frames", [1, 3])
def test_a_webp_s_text_is_found_behind_its_frames(tmp_path, text, frames):
    exif = Image.Exif()
    exif[EXIF_DESCRIPTION] = text
    pictures = [Image.new("RGB", (5, 5), (40 * i, 0, 0)) for i in range(frames)]
    pictures[0].save(tmp_path / "x.webp", save_all=True, append_images=pictures[1:], exif=exif.tobytes())
    assert embedded_text(tmp_path / "x.webp") == text
    motorola = b"MM\0*" + struct.pack(">IHHHII", 8, 1, EXIF_DESCRIPTION, 2, 9, 26) + bytes(4) + b"big first\0"
    pictures[0].save(tmp_path / "y.webp", exif=motorola)
    assert embedded_text(tmp_path / "y.webp") == "big first"


def test_a_gif_s_comments_are_found_behind_its_palette_and_other_extensions(tmp_path):
    palette = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0b10000001, 0, 0) + bytes(12)
    other, comment = b"!\xff\x02ab\x01c\0", b"!\xfe\x03abc\x02de\0"
    (tmp_path / "x.gif").write_bytes(palette + other + comment + comment + b",")
    assert embedded_text(tmp_path / "x.gif") == "abcde\nabcde"


def test_no_pixel_is_decoded(tmp_path):
    (tmp_path / "x.png").write_bytes(PNG + chunk(b"tEXt", b"ddim\0hello") + chunk(b"IDAT", b"no pixels"))
    assert embedded_text(tmp_path / "x.png") == "hello"
    (tmp_path / "y.png").write_bytes(PNG + chunk(b"IDAT", b"no pixels"))
    assert embedded_text(tmp_path / "y.png") is None
    (tmp_path / "x.gif").write_bytes(SCREEN + b"!\xfe\x05hello\0,no pixels")
    assert embedded_text(tmp_path / "x.gif") == "hello"


SLOW = {
    "a long comment": lambda: SCREEN + b"!\xfe" + (b"\xff" + b"a" * 255) * (MAX_FILE // 256 - 1) + b"\0;",
    "many comments": lambda: SCREEN + b"!\xfe\0" * (8 << 20) + b";",
    "many chunks": lambda: PNG + chunk(b"teSt", b"") * (4 << 20) + chunk(b"IDAT", b""),
    "a long text": lambda: PNG + chunk(b"tEXt", b"ddim\0" + b"a" * (MAX_TEXT + 1)) + chunk(b"IDAT", b""),
    "a packed text": lambda: PNG + chunk(b"zTXt", b"ddim\0\0" + zlib.compress(bytes(64 << 20))) + chunk(b"IDAT", b""),
}


@pytest.mark.parametrize("name", SLOW)
def test_more_text_than_a_record_has_is_refused_soon(tmp_path, name):
    (tmp_path / "x.gif").write_bytes(SLOW[name]())
    started = time.process_time()
    with pytest.raises(DataError, match=r"^x\.gif carries more text than settings take: .*\.$"):
        embedded_text(tmp_path / "x.gif")
    assert time.process_time() - started < 5


@pytest.mark.parametrize("exif", [b"Exif\0\0" * (1 << 20), b"II*\0" + bytes(1 << 20), b"II*\0\x08\0\0\0\xff\xff"])
def test_exif_without_a_description_has_no_text(tmp_path, exif):
    Image.new("RGB", (4, 4)).save(tmp_path / "x.webp", exif=exif)
    started = time.process_time()
    assert embedded_text(tmp_path / "x.webp") is None
    assert time.process_time() - started < 1


def test_a_webp_of_very_many_chunks_is_left_soon(tmp_path):
    data = b"RIFF\0\0\0\0WEBP" + b"junk\0\0\0\0" * (4 << 20)
    (tmp_path / "x.webp").write_bytes(data)
    started = time.process_time()
    assert embedded_text(tmp_path / "x.webp") is None
    assert time.process_time() - started < 2


def test_a_file_too_large_to_be_ours_is_not_read(tmp_path):
    with (tmp_path / "x.png").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(DataError, match=r"^x\.png is larger than 64 MB: choose .*\.$"):
        embedded_text(tmp_path / "x.png")


@pytest.mark.parametrize(
    "data",
    [b"", b"G", b"GIF89a", SCREEN, SCREEN + b"!\xfe\xffabc", PNG[:8], PNG, PNG + b"\0\0\0\x09tEXtddim", b"RIFF",
     PNG + chunk(b"tEXt", b"ddim\0x")[:-1] + b"\0", b"RIFF\0\0\0\0WEBP", b"RIFF\0\0\0\0WAVEdata", b"BM" + bytes(60)],
)  # fmt: skip
def test_what_is_no_whole_picture_is_refused(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(DataError, match=r"^x is not a picture this program can open\.$"):
        embedded_text(tmp_path / "x")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="not a picture"):
        embedded_text(tmp_path)


def test_damaged_files_are_refused_or_give_a_text(tmp_path):
    exif = Image.Exif()
    exif[EXIF_DESCRIPTION] = "some words"
    Image.new("RGB", (4, 4)).save(tmp_path / "x.webp", exif=exif.tobytes())
    (tmp_path / "x.gif").write_bytes(SCREEN + b"!\xfe\x05hello\0!\xf9\x04abcd\0,")
    draw, path = random.Random(0), tmp_path / "damaged"
    for whole in (png(tmp_path / "x.png", add_itxt={}), tmp_path / "x.webp", tmp_path / "x.gif"):
        for _ in range(400):
            data = bytearray(whole.read_bytes())
            for _ in range(draw.randrange(4)):
                data[draw.randrange(len(data))] = draw.randrange(256)
            path.write_bytes(data[: draw.randrange(len(data) + 1)])
            with suppress(DataError):
                found = embedded_text(path)
                assert found is None or isinstance(found, str)
