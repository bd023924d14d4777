"""What begins at once and what waits for a word, by what was timed on this machine."""

import pytest

from core.request import Request, SamplerSettings
from demo.jobs import Job
from demo.pace import Pace
from demo.patience import PATIENCE_S, QUICK_S, Patience


@pytest.fixture
def patience():
    """An evaluation takes 10 ms, whatever the batch."""
    pace = Pace()
    for batch in (1, 8):
        pace.measured("net", batch, 10.0)
    return Patience(pace, "net")


def job(name, steps, count=1):
    return Job(name, Request(seeds=tuple(range(count)), settings=SamplerSettings(steps)))


def test_a_job_takes_its_evaluations_in_the_batches_they_are_computed_in(patience):
    assert patience.seconds([job("a", 100)]) == pytest.approx(1.0)
    assert patience.seconds([job("a", 100), job("b", 50)]) == pytest.approx(1.5)
    assert patience.seconds([job("a", 100, count=16)]) == pytest.approx(2.0)  # eight at once


@pytest.mark.parametrize(("steps", "begin"), [
    ([1000, 1000], [1000, 1000]),  # 20 s: nobody is asked
    ([500, 1000, 800, 7000], [500, 1000, 800]),  # the last would take a minute by itself
    ([7000], []),
    ([900] * 8, []),  # quick ones, but too many of them
])  # fmt: skip
def test_what_is_quick_begins_and_the_rest_is_asked_about(patience, steps, begin):
    todo = [job(str(i), S) for i, S in enumerate(steps)]
    now, wait = patience.divide(todo)
    assert [one.request.settings.steps for one in now] == begin
    assert [*now, *wait] == todo
    assert patience.enough_for(now)
    assert not wait or patience.seconds(todo) > PATIENCE_S > QUICK_S
