"""A race replayed: every runner shows at each moment what it had reached by then, and its clock stops at its total."""

import numpy as np
import pytest

from core import RequestError
from core.files.film import FRAME_MS, HEAD, PAD, Runner, clock_frames, font, speed_note


def runner(total_s, frames=5, level=0, label="S = 5 · η = 0"):
    """Frame k is flat with level + k."""
    film = np.stack([np.full((8, 8, 3), level + k, np.uint8) for k in range(frames)])
    return Runner(label, film, tuple(np.linspace(total_s / frames, total_s, frames)))


def shown(frame, i, side=168):
    """Level of runner i's picture in a frame of the film."""
    return int(frame[HEAD + 60, PAD + i * (side + PAD) + 80, 0])


def test_each_shows_what_it_had_reached_by_then():
    fast, slow = runner(1.0, level=10), runner(4.0, level=100)
    frames, speed = clock_frames([fast, slow])
    assert speed == 1.0
    assert len(frames) == 4000 / FRAME_MS + 1
    for index in (0, 7, 12, 13, 30, len(frames) - 1):
        clock = 4.0 * index / (len(frames) - 1)
        assert shown(frames[index], 0) == 10 + fast.frame_at(clock)
        assert shown(frames[index], 1) == 100 + slow.frame_at(clock)
    assert (shown(frames[-1], 0), shown(frames[-1], 1)) == (14, 104)
    assert shown(frames[13], 0) == 14  # finished after a quarter of the film
    assert shown(frames[13], 1) < 104


def test_a_long_race_is_sped_up_and_says_so():
    frames, speed = clock_frames([runner(1.0), runner(40.0)], longest_s=8.0)
    assert speed == pytest.approx(5.0)
    assert len(frames) == 101
    plain, _ = clock_frames([runner(1.0), runner(8.0)], longest_s=8.0)
    assert (frames[0][-19:] != plain[0][-19:]).any()  # the line at the foot names the speed


def test_a_race_too_short_to_be_seen_is_slowed_down_and_says_so():
    frames, speed = clock_frames([runner(0.1), runner(0.25)])
    assert speed == pytest.approx(0.25)
    assert len(frames) == 1000 // FRAME_MS + 1
    plain, _ = clock_frames([runner(1.0), runner(1.0)])
    assert (frames[0][-19:] != plain[0][-19:]).any()


@pytest.mark.parametrize(
    ("speed", "words"),
    [(1.0, ""), (0.96, ""), (1.04, ""), (5.0, ", shown at 5.0× speed"), (0.25, ", shown at 0.25× speed"),
     (0.0344, ", shown at 0.034× speed")],
)  # fmt: skip
def test_the_foot_names_every_speed_but_the_races_own(speed, words):
    assert speed_note(speed) == words


def test_a_frame_before_the_first_step_shows_the_noise():
    one = runner(5.0)
    assert [one.frame_at(t) for t in (0.0, 0.99, 1.0, 1.5, 4.99, 5.0, 99.0)] == [0, 0, 0, 0, 3, 4, 4]


def test_labels_have_greek_letters():
    assert bytes(font(13).getmask("η")) != bytes(font(13).getmask("\uffff"))  # not the box of an unknown letter


def test_odd_races_are_refused():
    film = np.zeros((2, 8, 8, 3), np.uint8)
    for at in ((0.1,), (), (0.2, 0.1)):
        with pytest.raises(RequestError):
            Runner("x", film, at)
    with pytest.raises(RequestError):
        clock_frames([runner(1.0)] * 5)
    with pytest.raises(RequestError):
        clock_frames([])
