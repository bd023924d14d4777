"""The one conversion between [−1, 1] and 8-bit pixels."""

import numpy as np
import torch

from core.pixels import from_pixels, from_rgb, sheet, to_pixels, to_uint8

EVERY_VALUE = np.arange(256, dtype=np.uint8)


def test_all_256_values_survive_the_round_trip():
    assert np.array_equal(to_uint8(from_pixels(EVERY_VALUE)).numpy(), EVERY_VALUE)


def test_every_pixel_value_is_reached_from_half_a_step_around_it():
    """Rounding, not flooring: ±0.49 of a step lands on the same value."""
    exact = from_pixels(EVERY_VALUE).double()
    for shift in (-0.49, 0.49):
        assert np.array_equal(to_uint8(exact + shift / 127.5).numpy(), EVERY_VALUE)


def test_the_ends_of_the_range_are_black_and_white():
    assert to_uint8(torch.tensor([-1.0, 1.0])).tolist() == [0, 255]
    assert from_pixels(np.array([0, 255], np.uint8)).tolist() == [-1.0, 1.0]


def test_what_lies_outside_the_range_is_clamped():
    assert to_uint8(torch.tensor([-7.0, 1.001, 1e9])).tolist() == [0, 255, 255]


def test_pictures_become_rows_columns_channels():
    x = from_pixels(np.arange(24, dtype=np.uint8).reshape(1, 3, 2, 4))
    pixels = to_pixels(x)
    assert pixels.shape == (1, 2, 4, 3)
    assert pixels[0, 1, 2].tolist() == [6, 14, 22]


def test_grey_is_repeated_over_three_channels():
    pixels = to_pixels(from_pixels(EVERY_VALUE.reshape(1, 1, 16, 16)))
    assert pixels.shape == (1, 16, 16, 3)
    assert (pixels == EVERY_VALUE.reshape(1, 16, 16, 1)).all()


def test_half_precision_rounds_like_full():
    x = torch.linspace(-1, 1, 33).bfloat16()
    assert torch.equal(to_uint8(x), to_uint8(x.float()))


def test_a_sheet_fills_row_by_row_on_white():
    pictures = np.stack([np.full((4, 5, 3), i, np.uint8) for i in range(5)])
    page = sheet(pictures, columns=3, gap=2)
    assert page.shape == (2 * 4 + 2, 3 * 5 + 2 * 2, 3)
    for i in range(5):
        y, x = i // 3 * 6, i % 3 * 7
        assert (page[y : y + 4, x : x + 5] == i).all()
    assert (page[4:6] == 255).all()
    assert (page[6:, 14:] == 255).all()  # the sixth place is empty


def test_a_sheet_is_about_square_unless_told():
    assert sheet(np.zeros((16, 4, 4, 3), np.uint8), gap=0).shape == (16, 16, 3)
    assert sheet(np.zeros((3, 4, 4, 3), np.uint8), columns=3, gap=0).shape == (4, 12, 3)


def test_a_grey_network_sees_the_luminance_of_a_colour_picture():
    """ITU-R BT.601, as Pillow's "L" and the camera's own grey: .299 R + .587 G + .114 B."""
    red, green, blue = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    found = from_rgb(np.array([[[red, green, blue, (255, 255, 255)]]], np.uint8), 1)
    assert found.shape == (1, 1, 1, 4)
    assert to_uint8(found).flatten().tolist() == [76, 150, 29, 255]
