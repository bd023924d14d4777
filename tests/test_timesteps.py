"""Step lists: exactly S indices, strictly falling, for every S and spacing; diffusers and the authors as oracles."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from core import SPACINGS, RequestError, step_list
from core.timesteps import check_step_list

T = 1000


def diffusers_list(spacing, S):
    scheduler = DDIMScheduler(num_train_timesteps=T, timestep_spacing=spacing, steps_offset=0)
    scheduler.set_timesteps(S)
    return tuple(scheduler.timesteps.tolist())


def is_a_tie(numerator, denominator):
    """numerator/denominator ends in exactly .5, where rounding rules differ."""
    return 2 * numerator % (2 * denominator) == denominator


def exact_quadratic(S):
    return [int(Fraction(8 * T * i * i, 10 * (S - 1) ** 2)) for i in range(S)]


def authors_quadratic(S):
    return [int(s) for s in np.linspace(0, np.sqrt(T * 0.8), S) ** 2]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_every_S_gives_exactly_S_strictly_falling_indices_in_range(spacing):
    for total in (1, 2, 3, 7, 10, 100, T):
        for S in range(1, total + 1):
            steps = step_list(spacing, S, total)
            assert len(steps) == S
            assert all(isinstance(t, int) for t in steps)
            assert all(a > b for a, b in pairwise(steps)), (total, S)
            assert 0 <= steps[-1] <= steps[0] < total, (total, S)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_S_equal_to_T_visits_every_step(spacing):
    assert step_list(spacing, T, T) == tuple(range(T - 1, -1, -1))


def test_leading_equals_diffusers_wherever_S_divides_T():
    divisors = [S for S in range(1, T + 1) if T % S == 0]
    assert len(divisors) == 16
    for S in divisors:
        assert step_list("leading", S, T) == diffusers_list("leading", S)


def test_trailing_equals_diffusers_wherever_its_list_has_S_entries_and_no_tie():
    compared = 0
    for S in range(1, T + 1):
        theirs = diffusers_list("trailing", S)
        if len(theirs) == S and not any(is_a_tie(i * T, S) for i in range(1, S + 1)):
            assert step_list("trailing", S, T) == theirs, S
            compared += 1
    assert compared > 700


def test_trailing_has_61_steps_where_diffusers_makes_62():
    assert len(diffusers_list("trailing", 61)) == 62
    steps = step_list("trailing", 61, T)
    assert (len(steps), steps[0]) == (61, T - 1)


def test_linspace_equals_diffusers_from_two_steps_up_where_there_is_no_tie():
    compared = 0
    for S in range(2, T + 1):
        if not any(is_a_tie(i * (T - 1), S - 1) for i in range(S)):
            assert step_list("linspace", S, T) == diffusers_list("linspace", S), S
            compared += 1
    assert compared >= 500


def test_ends_of_each_spacing():
    for S in range(2, T + 1):
        assert step_list("leading", S, T)[-1] == 0
        assert step_list("trailing", S, T)[0] == T - 1
        assert step_list("linspace", S, T)[0] == T - 1
        assert step_list("linspace", S, T)[-1] == 0
        assert step_list("quadratic", S, T)[-1] == 0


def test_quadratic_is_the_floor_of_the_exact_square_where_that_does_not_repeat():
    for S in range(2, 30):  # from 30 on the second value floors to 0, like the first
        exact = exact_quadratic(S)
        assert len(set(exact)) == S
        assert step_list("quadratic", S, T) == tuple(reversed(exact)), S


def test_quadratic_equals_the_authors_list_but_where_their_float_falls_just_below_a_whole_number():
    for S in range(2, 30):
        theirs, ours = authors_quadratic(S), step_list("quadratic", S, T)[::-1]
        assert len(set(theirs)) == S
        for i, (a, b) in enumerate(zip(theirs, ours, strict=True)):
            whole = (8 * T * i * i) % (10 * (S - 1) ** 2) == 0
            assert a == b or (whole and a == b - 1), (S, i)


@pytest.mark.parametrize("S", [30, 50, 100, 400, 900])
def test_quadratic_moves_repeated_values_up_as_little_as_it_can(S):
    exact, ours = exact_quadratic(S), step_list("quadratic", S, T)[::-1]
    assert len(set(exact)) < S
    for i in range(S):
        below = ours[i - 1] if i else -1
        assert ours[i] == min(max(exact[i], below + 1), T - S + i)


@pytest.mark.parametrize(
    ("spacing", "only"), [("leading", 0), ("trailing", T - 1), ("linspace", T - 1), ("quadratic", 800)]
)
def test_one_step_means_what_is_documented(spacing, only):
    assert step_list(spacing, 1, T) == (only,)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("S", [0, -1, T + 1, 2.0, "10", True, None])
def test_S_outside_1_to_T_is_refused(spacing, S):
    with pytest.raises(RequestError, match="from 1 to 1000"):
        step_list(spacing, S, T)


def test_an_unknown_spacing_is_refused_with_the_known_ones():
    with pytest.raises(RequestError, match="leading, trailing, linspace, quadratic"):
        step_list("uniform", 10, T)


@pytest.mark.parametrize("steps", [(999,), (0,), (999, 0), (900, 500, 100)])
def test_a_falling_custom_list_is_kept_as_it_is(steps):
    assert check_step_list(list(steps), T) == steps


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((), "at least one"),
        ((100, 500), "fall strictly"),
        ((500, 500), "fall strictly"),
        ((1000, 0), "0 to 999"),
        ((5, -1), "0 to 999"),
        ((5.0, 1), "whole number"),
        ((True,), "whole number"),
    ],
)
def test_a_bad_custom_list_is_refused_with_the_reason(steps, why):
    with pytest.raises(RequestError, match=why):
        check_step_list(steps, T)


@pytest.mark.parametrize("S", [np.int64(10), np.uint8(10), np.array(10), torch.tensor(10)])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_S_and_T_of_any_library_give_the_same_list_of_python_s_own_numbers(spacing, S):
    steps = step_list(spacing, S, np.int64(T))
    assert steps == step_list(spacing, 10, T)
    assert {type(t) for t in steps} == {int}


@pytest.mark.parametrize("given", [np.array([900, 500, 0]), torch.tensor([900, 500, 0]), range(900, -1, -450)])
def test_a_custom_list_may_be_an_array(given):
    steps = check_step_list(given, T)
    assert steps == tuple(int(t) for t in given)
    assert {type(t) for t in steps} == {int}


def test_a_refusal_repeats_no_more_than_an_excerpt():
    for bad in ("9" * 9999, 10**9999, list(range(9999))):
        with pytest.raises(RequestError) as refused:
            step_list("leading", bad, T)
        assert len(str(refused.value)) < 120
    with pytest.raises(RequestError, match=r"from 0 to 999, not 5\.0\.$"):
        check_step_list(np.array([5.0, 1.0]), T)
