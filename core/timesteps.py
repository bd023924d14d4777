"""Which S of the T training steps a run visits (the paper's sub-sequence τ, Sec. 4.2 and App. D.2).

A step list is a tuple of network indices in 0..T−1, strictly decreasing. The step after the last
entry lands on clean data. Every spacing gives exactly S entries for every S in 1..T.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from core.errors import RequestError
from core.plain_numbers import excerpt, listed, whole

SPACINGS = ("leading", "trailing", "linspace", "quadratic")


def step_list(spacing: str, steps: int, T: int, offset: int = 0, drops_zero: bool = False) -> tuple[int, ...]:
    """S = ``steps`` network indices, strictly decreasing.

    leading   t = ⌊i·T/S⌋: starts below T − 1, always ends at 0 (the authors' "uniform"; diffusers' list
              where S divides T). S = 1 is (0,): one look at pure noise as if it were nearly clean.
    trailing  n = round(i·T/S): always starts at T − 1. S = 1 is (T − 1,): the honest single step.
    linspace  both ends, 0 and T − 1. S = 1 keeps the noisy end, (T − 1,).
    quadratic ⌊linspace(0, √(0.8 T), S)²⌋, denser near clean data; the authors' list, whose repeated
              values are moved up to the next free index. S = 1 keeps the noisy end, (⌊0.8 T⌋,).

    Two ways of some checkpoints' own schedulers (core/scheduler_config.py):
    offset      added to every index of ``leading``; what would pass T − 1 stays as near below as the list allows.
    drops_zero  ``leading`` and ``linspace`` are the list of S + 1 without its 0, as far as there are T indices.

    Raises RequestError for S outside 1..T or an unknown spacing.
    """
    T = whole(T, "T must be a whole number of at least 1", 1)
    S = whole(steps, f"steps must be a whole number from 1 to {T}", 1, T)
    if drops_zero and spacing in ("leading", "linspace") and S < T:
        rising = [*reversed(step_list(spacing, S + 1, T))][1:]
    elif spacing == "leading":
        rising = [i * T // S for i in range(S)]
    elif spacing == "trailing":  # integers throughout: floats round half to even and repeat values
        rising = [(2 * i * T + S) // (2 * S) - 1 for i in range(1, S + 1)]
    elif spacing == "linspace":
        rising = [T - 1] if S == 1 else [(2 * i * (T - 1) + S - 1) // (2 * (S - 1)) for i in range(S)]
    elif spacing == "quadratic":
        rising = _quadratic(S, T)
    else:
        raise RequestError(f"spacing must be one of {', '.join(SPACINGS)}, not {excerpt(spacing)}.")
    if offset and spacing == "leading":
        rising = [min(t + offset, T - S + i) for i, t in enumerate(rising)]
    return tuple(reversed(rising))


def _quadratic(S: int, T: int) -> list[int]:
    if S == 1:
        return [min(T - 1, int(0.8 * T))]
    # (i/(S−1))²·0.8T rather than a square of a square root, which can land below the whole number it means
    raw = [math.floor(0.8 * T * i * i / ((S - 1) * (S - 1))) for i in range(S)]
    rising: list[int] = []
    for value in raw:
        rising.append(max(value, rising[-1] + 1 if rising else 0))
    return [min(value, T - S + i) for i, value in enumerate(rising)]


def check_step_list(timesteps: Sequence[int], T: int) -> tuple[int, ...]:
    """A custom list, validated: whole numbers in 0..T−1, strictly decreasing, at least one."""
    wanted = f"Every index of a custom step list must be a whole number from 0 to {T - 1}"
    steps = tuple(whole(t, wanted, 0, T - 1) for t in listed(timesteps, wanted))
    if not steps:
        raise RequestError("A custom step list needs at least one index.")
    if any(a <= b for a, b in pairwise(steps)):
        raise RequestError("A custom step list must fall strictly, from noise to data, such as 900,500,100.")
    return steps


def position(timesteps: Sequence[int], t: int) -> int:
    """Where t stands in a step list. Raises RequestError, naming its neighbours there, where it does not."""
    if t in timesteps:
        return list(timesteps).index(t)
    above, below = [s for s in timesteps if s > t][-1:], [s for s in timesteps if s < t][:1]
    near = " or ".join(map(str, above + below))
    raise RequestError(f"The run does not pass t = {t}: take {near}, or steps that it is one of.")
