"""The drive of all fuzzing: a case follows from its seed, and of what is wrong the smallest is shown."""

from types import SimpleNamespace

import hypothesis.strategies as st
import pytest

from tests.fuzz import api, commands, page
from tests.fuzz.drive import round_of
from tests.fuzz.watch import watched


def drawn(cases, number, count=30):
    """The cases of a round."""
    seen = []

    def run(case):
        seen.append(repr(case))
        return SimpleNamespace(wrong="")

    round_of(cases, run, number, count)
    return seen


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("module", [api, commands, page])
def test_a_case_follows_from_its_seed(module):
    assert drawn(module.CASES, 3) == drawn(module.CASES, 3) != drawn(module.CASES, 4)


def test_the_smallest_wrong_case_is_shown():
    def run(number):
        return SimpleNamespace(number=number, wrong="large" if number > 1000 else "")

    found = round_of(st.integers(), run, 0, 200)
    assert found.wrong.number == 1001
    assert not found.flaky


def test_a_wrong_case_that_does_not_come_again_is_kept_and_said():
    ends = iter(["wrong"])
    found = round_of(st.integers(), lambda number: SimpleNamespace(wrong=next(ends, "")), 0, 50)
    assert found.wrong.wrong == "wrong"
    assert found.flaky


def test_time_and_memory_are_seen():
    with watched() as idle:
        pass
    with watched() as busy:
        bytearray(600 << 20)[:: 1 << 12] = b"x" * (600 << 8)  # its peak, though all of it is free again
    assert idle.too_much() == ""
    assert "MB of memory" in busy.too_much()
