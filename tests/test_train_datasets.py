"""Training images from idx and npz files, good and odd."""

import gzip
import os
import struct

import numpy as np
import pytest

from core import DataError
from core.data.datasets import load_images, read_idx_images, read_npz_images
from tests.fuzz.watch import watched

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 8), dtype=np.uint8)


def idx(images, magic=b"\x00\x00\x08\x03"):
    return magic + struct.pack(">III", *images.shape) + images.tobytes()


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"])
def test_an_idx_file_is_read_gzipped_or_not(tmp_path, name):
    data = idx(IMAGES)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    images = read_idx_images(tmp_path / name)
    assert images.dtype == np.uint8
    assert np.array_equal(images, IMAGES[:, None])


ODD_IDX = {
    "empty": (b"", "no idx3"),
    "labels": (b"\x00\x00\x08\x01" + bytes(20), "no idx3"),
    "floats": (idx(IMAGES, b"\x00\x00\x0d\x03"), "no idx3"),
    "short": (idx(IMAGES)[:-1], "says 5 images of 8×8 but holds 319 bytes"),
    "long": (idx(IMAGES) + b"x", "holds 321 bytes"),
    "header only": (idx(IMAGES)[:16], "holds 0 bytes"),
}


@pytest.mark.parametrize("name", ODD_IDX)
def test_an_odd_idx_file_is_refused_with_the_reason(tmp_path, name):
    data, why = ODD_IDX[name]
    (tmp_path / "x-idx3-ubyte").write_bytes(data)
    with pytest.raises(DataError, match=why):
        read_idx_images(tmp_path / "x-idx3-ubyte")


@pytest.mark.parametrize("spoil", [lambda z: z[: len(z) // 2], lambda z: b"plain" + z, lambda z: z[:20] + bytes(20)])
def test_a_broken_gzip_is_refused(tmp_path, spoil):
    (tmp_path / "x.gz").write_bytes(spoil(gzip.compress(idx(IMAGES))))
    with pytest.raises(DataError, match=r"x\.gz (cannot be read|says)"):
        read_idx_images(tmp_path / "x.gz")


def test_an_npz_is_read_with_or_without_channels(tmp_path):
    colour = np.random.default_rng(1).integers(0, 256, (4, 8, 6, 3), dtype=np.uint8)
    np.savez(tmp_path / "grey.npz", images=IMAGES)
    np.savez(tmp_path / "colour.npz", images=colour)
    assert np.array_equal(read_npz_images(tmp_path / "grey.npz"), IMAGES[:, None])
    assert np.array_equal(read_npz_images(tmp_path / "colour.npz"), colour.transpose(0, 3, 1, 2))


def save(path, **arrays):
    np.savez(path, **arrays)


ODD_NPZ = {
    "another name": lambda p: save(p, x=IMAGES),
    "floats": lambda p: save(p, images=IMAGES / 255),
    "two dimensions": lambda p: save(p, images=IMAGES[0]),
    "objects": lambda p: save(p, images=np.array([None])),
    "empty file": lambda p: p.write_bytes(b""),
    "text": lambda p: p.write_text("hello"),
    "a zip cut short": lambda p: (save(p, images=IMAGES), p.write_bytes(p.read_bytes()[:100])),
    "a bare array": lambda p: p.open("wb").write(b"\x93NUMPY"),
}


@pytest.mark.parametrize("name", ODD_NPZ)
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_an_odd_npz_is_refused_by_name(tmp_path, name):
    ODD_NPZ[name](tmp_path / "x.npz")
    with pytest.raises(DataError, match=r"x\.npz"):
        read_npz_images(tmp_path / "x.npz")


def test_an_npy_under_another_name_is_refused(tmp_path):
    with (tmp_path / "x.npz").open("wb") as file:
        np.save(file, IMAGES)
    with pytest.raises(DataError, match=r"x\.npz"):
        read_npz_images(tmp_path / "x.npz")


def test_images_of_the_right_size_are_loaded_from_either(tmp_path):
    np.savez(tmp_path / "x.npz", images=IMAGES)
    (tmp_path / "x-ubyte").write_bytes(idx(IMAGES))
    for name in ("x.npz", "x-ubyte"):
        assert np.array_equal(load_images(tmp_path / name, 8), IMAGES[:, None])


@pytest.mark.parametrize(
    ("shape", "why"),
    [((5, 8, 6), "8×6"), ((5, 4, 4), "wants 8×8"), ((0, 8, 8), "0 images"), ((2, 8, 8, 4), "4 channels")],
)
def test_images_the_network_cannot_use_are_refused(tmp_path, shape, why):
    np.savez(tmp_path / "x.npz", images=np.zeros(shape, np.uint8))
    with pytest.raises(DataError, match=why):
        load_images(tmp_path / "x.npz", 8)


def test_a_missing_file_is_refused_with_where_to_get_one(tmp_path):
    with pytest.raises(DataError, match="apt-get install dataset-fashion-mnist"):
        load_images(tmp_path / "nothing.gz", 28)


@pytest.mark.parametrize(("size", "reason"), [(1 << 42, "holds 4398046511088 bytes"), (7 << 30, "holds 7516192752")])
def test_of_a_file_that_is_not_what_it_says_no_more_than_the_head_is_read(tmp_path, size, reason):
    path = tmp_path / "x-idx3-ubyte"
    path.write_bytes(idx(IMAGES)[:16])
    os.truncate(path, size)  # a sparse file, which takes no room on the disk
    with watched() as cost, pytest.raises(DataError, match=reason):
        read_idx_images(path)
    assert cost.too_much() == ""
