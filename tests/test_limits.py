"""What a call costs, and where that is too much."""

import pytest

from core import RequestError
from demo.limits import Limits, check_cost, check_pictures, megapixels


def test_a_cost_is_pictures_times_steps_times_pixels_rounded_up():
    assert megapixels([(64, 1000)], 64, 64) == 263  # 262.144
    assert megapixels([(1, 1)], 8, 8) == 1
    assert megapixels([(2, 500), (3, 1000)], 1000, 1000) == 4000
    assert megapixels([], 64, 64) == 0


def test_the_longest_call_of_the_shipped_checkpoints_is_within_the_usual_limit():
    limits = Limits()
    check_cost("This call", megapixels([(limits.pictures, 1000)], 64, 64), limits.megapixels, "--x")


def test_above_the_most_it_is_refused_in_a_sentence_with_the_way_out():
    check_cost("This call", 300, 300, "--api-megapixels")
    check_cost("This run", 10**9, None, "--api-megapixels")
    with pytest.raises(
        RequestError, match=r"^This call takes 1,301 million .* 300 are allowed.*--api-megapixels 1301\.$"
    ):
        check_cost("This call", 1301, 300, "--api-megapixels")


def test_pictures_above_the_most_are_refused():
    check_pictures(64, Limits())
    with pytest.raises(RequestError, match=r"At most 3 pictures are made a call, not 4"):
        check_pictures(4, Limits(pictures=3))
