"""Files that lie, wait for ever or grow without end: one line, at once, from every verb that reads them."""

import contextlib
import gzip
import io
import json
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
from numpy.lib import format as npy

from core import RequestError
from core.__main__ import main
from core.cli.room import require_room


def header(text):
    """A .npy of version 1 with this header and no values."""
    text = text.encode("latin1") + b"\n"
    return npy.magic(1, 0) + struct.pack("<H", len(text)) + text


def said(shape, descr="'<f4'"):
    return header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")


def packed(name, data, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)


def fits(path, shape):
    """A .npz whose images are zeros of a shape that training takes, packed a thousand times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("images.npy", "w") as file:
        file.write(said(shape, "'|u1'"))
        for _ in range(300):
            file.write(bytes(1 << 20))


LATENTS = {
    "terabytes": lambda p: p.write_bytes(said("(1000000, 3, 500, 500)")),
    "negative": lambda p: p.write_bytes(said("(-1, 3, 8, 8)")),
    "overflowing": lambda p: p.write_bytes(said(f"({2**62}, 4, 8, 8)")),
    "nested": lambda p: p.write_bytes(said("(" * 3000 + ")" * 3000)),
    "no python": lambda p: p.write_bytes(header("{'descr': '<f4', ")),
    "a zip's beginning": lambda p: p.write_bytes(b"PK\x03\x04" + bytes(99)),
    "objects": lambda p: np.save(p, np.array([None]), allow_pickle=True),
    "a pipe": lambda p: os.mkfifo(p),
    "a folder": lambda p: p.mkdir(),
}


def refused(capsys):
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    assert len(err) <= 300
    return err


@pytest.mark.parametrize("name", LATENTS)
def test_latents_that_lie(name, tiny_folder, tmp_path, capsys):
    LATENTS[name](tmp_path / "x_T.npy")
    argv = ["sample", str(tiny_folder), "--latents", str(tmp_path / "x_T.npy"), "--out", str(tmp_path / "x.npy")]
    assert main([*argv, "--device", "cpu"]) == 2
    assert "no .npy array of latents" in refused(capsys)


@pytest.mark.parametrize("text", ["[" * 3000, '{"schema": 1e999}', '{"schema": NaN}', "\ud800", "9" * 5000])
def test_notes_that_exhaust_a_parser(text, tiny_folder, tmp_path, capsys):
    np.save(tmp_path / "x_T.npy", np.zeros((1, 3, 8, 8), np.float32))
    (tmp_path / "x_T.json").write_text(text, errors="surrogatepass")
    argv = ["sample", str(tiny_folder), "--latents", str(tmp_path / "x_T.npy"), "--out", str(tmp_path / "x.npy")]
    assert main([*argv, "--device", "cpu"]) == 2
    assert "does not tell how latents were found" in refused(capsys)


IDX = struct.pack(">BBBBIII", 0, 0, 8, 3, 2**31, 28, 28)
DATA = {
    "lying.npz": lambda p: packed("images.npy", said("(100000, 1000, 1000)", "'|u1'"), p),
    "bomb.npz": lambda p: fits(p, "(4915200, 8, 8)"),
    "short.npz": lambda p: packed("images.npy", said("(10, 8, 8)", "'|u1'"), p),
    "lzma.npz": lambda p: zipfile.ZipFile(p, "w", zipfile.ZIP_LZMA).writestr("images.npy", b"x"),
    "pipe.npz": lambda p: os.mkfifo(p),
    "lying.gz": lambda p: p.write_bytes(gzip.compress(IDX)),
    "lying-ubyte": lambda p: p.write_bytes(IDX),
    "bomb.gz": lambda p: p.write_bytes(gzip.compress(IDX[:4] + bytes(300 << 20), compresslevel=1)),
}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_training_data_that_lie(name, tmp_path, capsys):
    DATA[name](tmp_path / name)
    argv = ["train", str(tmp_path / name), "--out", str(tmp_path / "net"), "--state", str(tmp_path / "state")]
    assert main([*argv, "--size", "8"]) == 2
    assert name in refused(capsys)


def png_of(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


def gif_of_words(size):
    data = io.BytesIO(b"GIF89a\x01\0\x01\0\0\0\0!\xfe")
    data.seek(0, io.SEEK_END)
    data.write((b"\xff" + b"x" * 255) * (size // 255) + b"\0;")
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("many.png", png_of(13_377, 13_377), "more than 50 million pixels"),
        ("most.png", png_of(2**31 - 1, 2**31 - 1), "million pixels"),
        ("words.gif", gif_of_words(20 << 20), "no readable picture"),
        ("program.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "no readable picture"),
    ],
)
def test_pictures_that_are_not_worth_decoding(name, data, why, tiny_folder, tmp_path, capsys):
    (tmp_path / name).write_bytes(data)
    argv = ["encode", str(tiny_folder), str(tmp_path / name), "--device", "cpu", "--out", str(tmp_path / "x.npy")]
    assert main(argv) == 2
    err = refused(capsys)
    assert why in err or (name == "most.png" and "no readable picture" in err)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("sample", ["--columns", "99999999999", "--out", "x.png"]),
        ("sample", ["--seeds", "0-99999,0-99999,0-99999", "--out", "x.npy"]),
        ("interpolate", ["--frames", "1000000000", "--out", "x.npy"]),
        ("interpolate", ["--seeds", "0-3", "--sheet", "1000", "--out", "x.png"]),
        ("interpolate", ["--seeds", "0-3", "--sheet", "10000", "--out", "x.png"]),
        ("sample", ["--steps", "9" * 10**6, "--out", "x.npy"]),
        ("sample", ["--steps", "1_0", "--out", "x.npy"]),
        ("sample", ["--batch", "1000000", "--out", "x.npy"]),
    ],
)
def test_more_than_a_machine_can_do(verb, words, tiny_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([verb, str(tiny_folder), "--device", "cpu", *words]) == 2
    refused(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [["--lr", "inf"], ["--lr", "nan"], ["--lr", "1e9"], ["--ema", "1"], ["--batch", "10000000"], ["--size", "9" * 5000],
     ["--channels", "99999999"], ["--channels", ",".join(["4096"] * 9), "--groups", "32", "--size", "256"]],
)  # fmt: skip
def test_training_beyond_any_sense(words, tmp_path, capsys):
    np.savez(
        tmp_path / "data.npz",
        images=np.zeros((4, 256 if "256" in words else 8, 256 if "256" in words else 8), np.uint8),
    )
    argv = ["train", str(tmp_path / "data.npz"), "--out", str(tmp_path / "net"), "--state", str(tmp_path / "state")]
    assert main([*argv, "--size", "8", *words]) == 2
    refused(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["data.npz"]


def test_features_take_no_learning_rate_that_is_none(tmp_path, capsys):
    argv = ["features", "a", "b", "--out", str(tmp_path / "x"), "--name", "x", "--lr", "inf"]
    assert main(argv) == 2
    assert "--lr" in refused(capsys)


def test_an_evaluation_of_another_form_is_one_line(tmp_path, capsys):
    (tmp_path / "e.json").write_text(json.dumps({"schema": "ddim-evaluation/1", "cells": []}))
    assert main(["evaluate", "x", "--out", str(tmp_path / "e.json"), "--render", str(tmp_path / "x.md")]) == 2
    refused(capsys)


@pytest.mark.parametrize(
    ("suffix", "count", "columns", "back", "fine"),
    [
        (".npy", 21_845, None, False, True),
        (".npy", 21_846, None, False, False),
        (".png", 7000, None, False, True),
        (".png", 8192, None, False, False),
        (".png", 16, 16, False, True),
        (".png", 16, 65_535, False, False),
        (".gif", 8192, None, False, True),
        (".webp", 4097, None, True, False),
    ],
)
def test_the_room_of_one_file(suffix, count, columns, back, fine):
    with contextlib.nullcontext() if fine else pytest.raises(RequestError, match="ask for"):
        require_room(suffix, count, (3, 64, 64), columns, back)
