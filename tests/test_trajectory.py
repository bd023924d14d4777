"""What is kept of a run: bounded, both ends, 8-bit."""

import numpy as np
import pytest
import torch

from core import NoiseSchedule, Trajectory, coefficients, step_list, walk
from core.pixels import to_pixels
from core.trajectory import MAX_FRAMES, kept_steps


def steps_of(S):
    x_T = torch.linspace(-1, 1, 2 * 3 * 4 * 4).view(2, 3, 4, 4)
    return list(
        walk(lambda x, t: 0.1 * x, x_T, coefficients(NoiseSchedule(), step_list("leading", S, 1000), 0.0), None)
    )


@pytest.mark.parametrize("S", [1, 2, 39, 40, 41, 50, 100, 999, 1000])
def test_kept_steps_are_bounded_and_hold_both_ends(S):
    kept = kept_steps(S)
    assert len(kept) == min(S, MAX_FRAMES)
    assert (kept[0], kept[-1]) == (0, S - 1)
    gaps = np.diff(kept)
    assert S == 1 or (gaps.min() >= 1 and gaps.max() - gaps.min() <= 1)  # evenly spread


def test_a_short_run_is_kept_whole_and_ends_with_the_picture():
    steps, trajectory = steps_of(5), Trajectory(5)
    for step in steps:
        trajectory.add(step)
    assert [f.index for f in trajectory.frames] == [0, 1, 2, 3, 4, 5]
    assert [f.t for f in trajectory.frames] == [800, 600, 400, 200, 0, -1]
    for step, frame in zip(steps, trajectory.frames, strict=False):
        assert np.array_equal(frame.x_t, to_pixels(step.x_t))
        assert np.array_equal(frame.x0_hat, to_pixels(step.x0_hat))
        assert frame.elapsed_s == step.elapsed_s  # when x̂0 was known
    for picture in (trajectory.frames[-1].x_t, trajectory.frames[-1].x0_hat):
        assert np.array_equal(picture, to_pixels(steps[-1].x_next))


@pytest.mark.parametrize("S", [1, 2, 5, 100])  # of 100 not every step is kept
def test_x_t_has_the_time_at_which_the_step_before_ended_and_the_first_one_0(S):
    steps, trajectory = steps_of(S), Trajectory(S)
    for step in steps:
        trajectory.add(step)
    ended_s = [0.0, *(step.elapsed_s for step in steps)]
    assert [frame.reached_s for frame in trajectory.frames] == [ended_s[frame.index] for frame in trajectory.frames]
    reached = [frame.reached_s for frame in trajectory.frames]
    assert reached == sorted(set(reached))  # the last x_t is not there with the picture yet
    assert trajectory.frames[-1].reached_s == trajectory.frames[-1].elapsed_s == steps[-1].elapsed_s


def test_a_run_of_a_thousand_steps_keeps_a_bounded_number_of_8_bit_frames():
    steps, trajectory = steps_of(1000), Trajectory(1000)
    returned = [trajectory.add(step) for step in steps]
    assert len(trajectory.frames) == MAX_FRAMES + 1
    assert (trajectory.frames[0].t, trajectory.frames[-2].t, trajectory.frames[-1].t) == (999, 0, -1)
    assert all(f.x_t.dtype == f.x0_hat.dtype == np.uint8 for f in trajectory.frames)
    assert sum(frame is not None for frame in returned) == MAX_FRAMES
    assert returned[-1] is trajectory.frames[-1]


def test_one_step_keeps_its_start_and_its_picture():
    trajectory = Trajectory(1)
    trajectory.add(steps_of(1)[0])
    assert [(f.index, f.t) for f in trajectory.frames] == [(0, 0), (1, -1)]
