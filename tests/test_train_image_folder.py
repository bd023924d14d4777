"""A folder of pictures: every usable one is used, every odd one is named, none is silently wrong."""

import numpy as np
import pytest
from PIL import Image

from core import DataError
from core.data.datasets import load_images

RNG = np.random.default_rng(0)


def picture(width, height, mode="RGB"):
    channels = {"RGB": 3, "RGBA": 4, "LA": 2}.get(mode)
    shape = (height, width, channels) if channels else (height, width)
    return Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8), mode if mode != "L" else None)


def test_pictures_are_taken_in_the_order_of_their_names_from_subfolders_too(tmp_path):
    (tmp_path / "b").mkdir()
    made = {name: picture(16, 16) for name in ("a.png", "b/1.png", "c.PNG")}
    for name, image in made.items():
        image.save(tmp_path / name)
    images = load_images(tmp_path, 16)
    assert images.shape == (3, 3, 16, 16)
    assert images.dtype == np.uint8
    for found, image in zip(images, made.values(), strict=True):
        assert np.array_equal(found.transpose(1, 2, 0), np.asarray(image))


def test_the_middle_square_is_taken_and_scaled(tmp_path):
    wide = np.zeros((32, 96, 3), dtype=np.uint8)
    wide[:, 32:64] = (200, 100, 50)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    images = load_images(tmp_path, 16)
    assert (images[0, :, 4:12, 4:12] == np.array([200, 100, 50])[:, None, None]).all()
    assert images[0, 0].min() > 150  # no black from the sides


def test_a_picture_is_turned_as_its_exif_says(tmp_path):
    upright = picture(16, 16)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying: turn it a quarter to the right
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(load_images(tmp_path, 16)[0].transpose(1, 2, 0), np.asarray(upright))


def test_transparent_parts_are_white(tmp_path):
    Image.new("RGBA", (16, 16), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert (load_images(tmp_path, 16) == 255).all()


def test_a_folder_of_grey_pictures_has_one_channel(tmp_path):
    grey = picture(16, 16, "L")
    grey.save(tmp_path / "a.png")
    images = load_images(tmp_path, 16)
    assert images.shape == (1, 1, 16, 16)
    assert np.array_equal(images[0, 0], np.asarray(grey))
    picture(16, 16).save(tmp_path / "b.png")
    assert load_images(tmp_path, 16).shape == (2, 3, 16, 16)


def test_odd_files_are_named_with_the_reason_and_left_out(tmp_path, capsys):
    picture(16, 16).save(tmp_path / "good.png")
    picture(15, 40).save(tmp_path / "small.png")
    picture(16, 16).save(tmp_path / "moving.gif", save_all=True, append_images=[picture(16, 16)])
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / ".hidden").write_text("not spoken of")
    assert load_images(tmp_path, 16).shape[0] == 1
    err = capsys.readouterr().err
    assert "left out 4 of 5 files" in err
    for words in ("small.png is 15×40, smaller than 16×16", "moving.gif is an animation",
                  "torn.jpg is no readable picture", "notes.txt is no picture by its name"):  # fmt: skip
        assert words in err
    assert "hidden" not in err


def test_a_long_list_of_odd_files_is_cut(tmp_path, capsys):
    picture(16, 16).save(tmp_path / "good.png")
    for i in range(14):
        (tmp_path / f"{i}.txt").write_text("")
    load_images(tmp_path, 16)
    err = capsys.readouterr().err
    assert "and 4 more" in err
    assert err.count(".txt") == 10


def test_a_truncated_picture_is_odd_not_half_black(tmp_path, capsys):
    picture(64, 64).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="No picture of at least 16×16"):
        load_images(tmp_path, 16)
    assert "a.png is no readable picture" in capsys.readouterr().err


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(DataError, match="No picture"):
        load_images(tmp_path, 16)
