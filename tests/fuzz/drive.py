"""Hypothesis looks for a case that ends as none may, and for the smallest such one. All of it follows from a seed."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky
from hypothesis.internal.conjecture import providers
from hypothesis.strategies import SearchStrategy

SHRINK_S = 60  # for making a case that was found smaller
ROUND = 200  # cases from one seed in the long form: a wrong one comes again within as many

# Hypothesis mixes in words and numbers of the sources that are loaded: cases would follow from those too, and bring
# the very words that tell of a leak.
assert callable(providers._get_local_constants)
providers._get_local_constants = lambda: providers._local_constants


class TimeUpError(BaseException):
    """Ends a round from within a case; hypothesis lets it through."""


@dataclass
class Round:
    """tried: cases until one was wrong. wrong: how the smallest wrong one ended. flaky: it then ended well."""

    tried: int = 0
    wrong: Any = None
    flaky: bool = False


def round_of(
    cases: SearchStrategy[Any], run: Callable[[Any], Any], number: int, count: int, until: float = float("inf")
) -> Round:
    """Up to ``count`` cases from seed ``number``. run: an outcome, whose ``wrong`` says why it is not allowed."""
    found = Round()

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    @given(cases)
    def judged(case: Any) -> None:
        nonlocal until
        if time.monotonic() > until:
            raise TimeUpError
        outcome = run(case)
        if found.wrong is None:
            found.tried += 1
        if outcome.wrong:
            if found.wrong is None:
                until = time.monotonic() + SHRINK_S
            found.wrong = outcome
            raise AssertionError(outcome.wrong)

    try:
        with contextlib.suppress(AssertionError, TimeUpError):
            judged()
    except Flaky:
        found.flaky = True
    return found
