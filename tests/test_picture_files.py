"""A picture file of any mode becomes the sRGB that it means; the numbers are worked out apart from Pillow."""

import colorsys
import contextlib
import struct

import numpy as np
import picture_samples as samples
import pytest
from PIL import Image

from core import DataError
from core.cli.encode import read_images
from core.data.datasets import load_images
from core.picture_files import read_picture
from core.picture_modes import to_srgb
from core.pixels import from_pixels

SIZE = 8


def read(path, image, **options):
    """The colour of a flat picture after a journey through a file."""
    image.save(path, **options)
    return colour(path)


def colour(path):
    found = read_picture(path, SIZE)
    assert found.shape == (SIZE, SIZE, 3)
    assert (found == found[0, 0]).all()
    return found[0, 0].tolist()


def flat(mode, value):
    return Image.new(mode, (SIZE, SIZE), value)


@pytest.mark.parametrize(("value", "grey"), [(0, 0), (128, 0), (129, 1), (25700, 100), (32768, 128), (65535, 255)])
@pytest.mark.parametrize(
    ("mode", "name"), [("I;16", "x.png"), ("I;16", "x.tif"), ("I;16B", "x.tif"), ("I;16", "x.pgm"), ("I;16", "x.jp2")]
)
def test_16_bit_grey_is_white_at_65535(tmp_path, mode, name, value, grey):
    assert read(tmp_path / name, flat(mode, value)) == [grey] * 3


@pytest.mark.parametrize(("value", "grey"), [(0.0, 0), (100 / 255, 100), (0.5, 128), (1.0, 255), (1.001, 255)])
@pytest.mark.parametrize("suffix", ["tif", "pfm"])
def test_floating_point_is_white_at_1(tmp_path, suffix, value, grey):
    assert read(tmp_path / f"x.{suffix}", flat("F", value)) == [grey] * 3


@pytest.mark.parametrize(
    ("mode", "value", "words"),
    [
        ("F", 200.0, "holds numbers from 200 to 200, where 0 must be black and 1 white"),
        ("F", -0.5, "holds numbers from -0.5"),
        ("F", float("nan"), "holds numbers from nan"),
        ("I", 70000, "is of signed or 32-bit whole numbers, whose white no file tells: save it with 16 or 8 bits"),
    ],
)
def test_numbers_whose_white_is_not_known_are_refused_by_name(tmp_path, mode, value, words):
    flat(mode, value).save(tmp_path / "x.tif")
    with pytest.raises(DataError, match=words):
        read_picture(tmp_path / "x.tif", SIZE)


@pytest.mark.parametrize(("order", "dtype"), [("<", "<u2"), (">", ">u2")])
def test_a_tiff_of_16_bits_is_read_in_either_byte_order(tmp_path, order, dtype):
    data = np.full(SIZE * SIZE, 51400, dtype).tobytes()
    (tmp_path / "x.tif").write_bytes(samples.tiff(SIZE, SIZE, 16, data, order=order))
    assert colour(tmp_path / "x.tif") == [200] * 3


def test_a_tiff_whose_white_is_0_is_turned_round(tmp_path):
    data = np.full(SIZE * SIZE, 51400, "<u2").tobytes()
    (tmp_path / "x.tif").write_bytes(samples.tiff(SIZE, SIZE, 16, data, white_is_zero=True))
    assert colour(tmp_path / "x.tif") == [55] * 3
    (tmp_path / "y.tif").write_bytes(samples.tiff(SIZE, SIZE, 8, bytes([200]) * SIZE**2, white_is_zero=True))
    assert colour(tmp_path / "y.tif") == [55] * 3


def test_a_tiff_of_12_bits_is_white_at_4095(tmp_path):
    two = 0xFFF << 12 | 0xFFF
    for pair, grey in ((two, 255), (0x809_809, 128)):  # 2057/4095 of 255 is 128.09
        (tmp_path / "x.tif").write_bytes(samples.tiff(SIZE, SIZE, 12, pair.to_bytes(3, "big") * (SIZE * SIZE // 2)))
        assert colour(tmp_path / "x.tif") == [grey] * 3


def test_one_bit(tmp_path):
    assert read(tmp_path / "x.png", flat("1", 1)) == [255] * 3
    assert read(tmp_path / "x.tif", flat("1", 0)) == [0] * 3


HALF_CLEAR = 128 / 255


def on_white(value, alpha):
    return value * alpha + 255 * (1 - alpha)


def test_half_transparent_parts_are_laid_on_white(tmp_path):
    for image in (flat("LA", (40, 128)), flat("RGBA", (40, 40, 40, 128))):
        assert read(tmp_path / "x.png", image) == pytest.approx([on_white(40, HALF_CLEAR)] * 3, abs=1)
    palette = flat("P", 1)
    palette.putpalette([0, 0, 0, 40, 80, 120])
    want = [on_white(v, HALF_CLEAR) for v in (40, 80, 120)]
    assert read(tmp_path / "x.png", palette, transparency=bytes([255, 128])) == pytest.approx(want, abs=1)
    assert read(tmp_path / "x.gif", palette, transparency=1) == [255] * 3
    assert read(tmp_path / "y.png", palette, transparency=0) == [40, 80, 120]


@pytest.mark.parametrize(
    ("mode", "value", "other"), [("1", 0, 1), ("L", 7, 8), ("I;16", 1799, 1800), ("RGB", (7, 8, 9), (7, 8, 10))]
)
def test_one_transparent_value_is_white_and_no_other(tmp_path, mode, value, other):
    own = flat(mode, value)
    seen = read(tmp_path / "x.png", own, transparency=other)
    assert seen == read(tmp_path / "y.png", own)
    assert seen != [255] * 3
    assert read(tmp_path / "z.png", own, transparency=value) == [255] * 3


@pytest.mark.parametrize(
    ("bits", "kind", "row", "clear", "seen"),
    [
        (4, 0, bytes([0x77]) * 4, [7], 255),
        (4, 0, bytes([0x77]) * 4, [119], 119),  # 7 of 15 is 119 of 255, yet the file means 119 of 15
        (2, 0, bytes([0b01010101]) * 2, [1], 255),
        (2, 0, bytes([0b01010101]) * 2, [2], 85),
        (16, 2, struct.pack(">HHH", 25700, 25700, 25700) * SIZE, [25700] * 3, 255),
        (16, 2, struct.pack(">HHH", 25700, 25700, 25700) * SIZE, [25700, 25700, 0], 100),
    ],
)
def test_the_transparent_value_of_a_png_counts_in_its_own_bits(tmp_path, bits, kind, row, clear, seen):
    (tmp_path / "x.png").write_bytes(samples.png(SIZE, SIZE, bits, kind, [row] * SIZE, clear))
    assert colour(tmp_path / "x.png") == [seen] * 3


def test_premultiplied_and_unusual_modes():
    """No file that Pillow writes holds these."""
    assert to_srgb(flat("La", (20, 128))).getpixel((0, 0)) == pytest.approx((40, 40, 40, 128), abs=1)
    assert to_srgb(flat("RGBa", (20, 40, 60, 128))).getpixel((0, 0)) == pytest.approx((40, 80, 120, 128), abs=1)
    assert to_srgb(flat("RGBX", (1, 2, 3, 0))).getpixel((0, 0)) == (1, 2, 3, 255)
    palette = Image.new("PA", (1, 1), (1, 128))
    palette.putpalette([0, 0, 0, 40, 80, 120])
    assert to_srgb(palette).getpixel((0, 0)) == (40, 80, 120, 128)
    wanted = [255 * v for v in colorsys.hsv_to_rgb(40 / 255, 0.8, 200 / 255)]
    assert to_srgb(flat("HSV", (40, 204, 200))).getpixel((0, 0))[:3] == pytest.approx(wanted, abs=1)


def test_ycbcr():
    Y, Cb, Cr = 120, 100, 160  # ITU-R BT.601, full range, as in JFIF
    want = [Y + 1.402 * (Cr - 128), Y - 0.344136 * (Cb - 128) - 0.714136 * (Cr - 128), Y + 1.772 * (Cb - 128)]
    assert to_srgb(flat("YCbCr", (Y, Cb, Cr))).getpixel((0, 0))[:3] == pytest.approx(want, abs=1)


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_cmyk_without_a_profile_is_plain_arithmetic(tmp_path, suffix):
    image, K = flat("CMYK", (51, 102, 153, 64)), 1 - 64 / 255
    want = [255 * (1 - ink / 255) * K for ink in (51, 102, 153)]
    assert read(tmp_path / f"x.{suffix}", image) == pytest.approx(want, abs=2)


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_cmyk_goes_through_its_profile(tmp_path, suffix):
    image, L = flat("CMYK", (200, 0, 0, 127)), 100 * (1 - 127 / 255)
    seen = read(tmp_path / f"x.{suffix}", image, icc_profile=samples.black_ink_profile())
    assert seen == pytest.approx(samples.lab_as_srgb(L, 0, 0), abs=2)


@pytest.mark.parametrize("Lab", [(50, 0, 0), (60, 30, -20), (30, -10, 15), (100, 0, 0)])
def test_lab_is_that_of_d50(tmp_path, Lab):
    L, a, b = Lab
    image = flat("LAB", (round(L * 2.55), a + 128, b + 128))
    assert read(tmp_path / "x.tif", image) == pytest.approx(samples.lab_as_srgb(L, a, b), abs=1)


def test_a_wide_gamut_profile_is_honoured(tmp_path):
    """A phone's Display P3."""
    want = samples.p3_as_srgb((200, 60, 50))
    assert want == pytest.approx([217, 42, 39], abs=0.5)
    icc = samples.p3_profile()
    for name in ("x.png", "x.tif", "x.jpg", "x.webp"):
        options = {"quality": 100} if name == "x.jpg" else {"lossless": True} if name == "x.webp" else {}
        seen = read(tmp_path / name, flat("RGB", (200, 60, 50)), icc_profile=icc, **options)
        assert seen == pytest.approx(want, abs=2 if name == "x.jpg" else 1)
    palette = flat("P", 0)
    palette.putpalette([200, 60, 50])
    assert read(tmp_path / "p.png", palette, icc_profile=icc) == pytest.approx(want, abs=1)
    half = read(tmp_path / "a.png", flat("RGBA", (200, 60, 50, 128)), icc_profile=icc)
    assert half == pytest.approx([on_white(v, HALF_CLEAR) for v in want], abs=1)


def test_an_srgb_profile_changes_nothing(tmp_path):
    from PIL import ImageCms

    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(pixels).save(tmp_path / "x.png", icc_profile=icc)
    assert np.array_equal(read_picture(tmp_path / "x.png", SIZE), pixels)


def test_a_grey_profile_is_honoured_at_8_and_16_bits(tmp_path):
    icc = samples.linear_grey_profile()
    want = samples.encoded(np.full(3, 100 / 255))
    assert want[0] == pytest.approx(168, abs=0.5)
    assert read(tmp_path / "x.png", flat("L", 100), icc_profile=icc) == pytest.approx(want, abs=1)
    assert read(tmp_path / "y.png", flat("I;16", 25700), icc_profile=icc) == pytest.approx(want, abs=1)
    assert read(tmp_path / "z.png", flat("LA", (100, 255)), icc_profile=icc) == pytest.approx(want, abs=1)


@pytest.mark.parametrize(
    "icc", [b"not a profile", samples.p3_profile()[:200], samples.linear_grey_profile(), samples.black_ink_profile()]
)
def test_a_profile_that_is_damaged_or_of_another_mode_counts_as_none(tmp_path, icc):
    assert read(tmp_path / "x.png", flat("RGB", (200, 60, 50)), icc_profile=icc) == [200, 60, 50]


def test_a_phone_s_jpeg_of_two_pictures_is_its_first(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    first = Image.new("RGB", (SIZE * 2, SIZE * 2), (200, 0, 0))
    first.paste((0, 0, 200), (0, 0, SIZE * 2, SIZE))
    first.save(tmp_path / "x.jpg", "MPO", save_all=True, append_images=[flat("RGB", (0, 200, 0))], exif=exif,
               quality=100)  # fmt: skip
    with Image.open(tmp_path / "x.jpg") as file:
        assert (file.format, file.n_frames) == ("MPO", 2)
    found = read_picture(tmp_path / "x.jpg", SIZE)
    assert found[0, 0].tolist() == pytest.approx([200, 0, 0], abs=8)
    assert found[-1, 0].tolist() == pytest.approx([0, 0, 200], abs=8)


@pytest.mark.parametrize("mode", ["RGB", "L", "I;16", "F", "RGBA", "LAB", "CMYK"])
def test_every_mode_is_turned_as_its_exif_says(tmp_path, mode):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    dark, light = {"F": (0.1, 0.9), "I;16": (1000, 60000)}.get(mode, (0, 200))
    bands = len(Image.new(mode, (1, 1)).getbands())
    image = flat(mode, dark if bands == 1 else (dark,) * (bands - 1) + (255 if mode == "RGBA" else dark,))
    image.paste(light if bands == 1 else (light,) * (bands - 1) + (255 if mode == "RGBA" else light,), (0, 0, 8, 1))
    image.save(tmp_path / "turned.tif", exif=exif)
    image.transpose(Image.Transpose.ROTATE_270).save(tmp_path / "upright.tif")
    turned, upright = (read_picture(tmp_path / name, SIZE) for name in ("turned.tif", "upright.tif"))
    assert np.array_equal(turned, upright)
    assert not np.array_equal(turned[:, 0], turned[:, -1])


@pytest.mark.parametrize(
    ("name", "words"), [("x.gif", "is an animation"), ("x.png", "is an animation"), ("x.webp", "is an animation"),
                        ("x.tif", "holds 2 pictures, not one")],
)  # fmt: skip
def test_more_than_one_picture_is_refused_by_what_it_is(tmp_path, name, words):
    flat("RGB", (9, 9, 9)).save(tmp_path / name, save_all=True, append_images=[flat("RGB", (200, 0, 0))])
    with pytest.raises(DataError, match=words):
        read_picture(tmp_path / name, SIZE)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow's own remarks on torn EXIF
@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.gif", "x.tif", "x.webp", "x.avif"])
def test_a_damaged_file_is_a_sentence_or_a_picture(tmp_path, name):
    pixels = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if name == "x.gif" else {"exif": exif, "icc_profile": samples.p3_profile()}
    Image.fromarray(pixels).save(tmp_path / name, **options)
    whole, rng = (tmp_path / name).read_bytes(), np.random.default_rng(2)
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 3):
            data[at] = int(rng.integers(0, 256))
        (tmp_path / name).write_bytes(data)
        with contextlib.suppress(DataError):  # anything else that is raised fails the test
            assert read_picture(tmp_path / name, SIZE).dtype == np.uint8


def test_training_and_encoding_read_alike(tmp_path, capsys):
    flat("I;16", 25700).save(tmp_path / "deep.tif")
    flat("RGB", (200, 60, 50)).save(tmp_path / "p3.png", icc_profile=samples.p3_profile())
    flat("I", 70000).save(tmp_path / "x.tif")
    images = load_images(tmp_path, SIZE)
    assert images[0].tolist() == np.full((3, SIZE, SIZE), 100).tolist()
    assert images[1, :, 0, 0] == pytest.approx(samples.p3_as_srgb((200, 60, 50)), abs=1)
    assert "x.tif is of signed or 32-bit whole numbers" in capsys.readouterr().err
    encoded = read_images([tmp_path / "deep.tif", tmp_path / "p3.png"], (3, SIZE, SIZE))
    assert np.array_equal(encoded.numpy(), from_pixels(images).numpy())
    with pytest.raises(DataError, match=r"x\.tif is of signed or 32-bit whole numbers"):
        read_images([tmp_path / "x.tif"], (3, SIZE, SIZE))
