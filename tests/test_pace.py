"""How long an evaluation takes here: right in the end, though the machine was busy when it was first timed."""

from itertools import accumulate
from types import SimpleNamespace

import pytest

from demo import words
from demo.pace import APART_S, LOOKS, Pace
from tests.wishes import Tab, host_of


class Waiting:
    """A clock that only sleeping moves on."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def sleep(self, s):
        self.now += s
        self.slept.append(s)


def engine_taking(*ms):
    """Whose evaluations take so long one after the other, in whatever runs."""
    left, asked = list(ms), []

    def run(request):
        asked.append((request.count, request.settings.steps))
        taken = [left.pop(0) for _ in range(request.settings.steps)]
        return (SimpleNamespace(elapsed_s=s / 1000) for s in accumulate(taken))

    config = SimpleNamespace(num_class_embeds=None)
    return SimpleNamespace(T=1000, run=run, checkpoint=SimpleNamespace(config=config), asked=asked)


@pytest.fixture
def waiting():
    return Waiting()


@pytest.fixture
def pace(waiting):
    return Pace(lambda: waiting.now, waiting.sleep)


def test_the_first_look_is_short_and_the_least_counts(pace):
    engine = engine_taking(30, 9, 11, 90, 80)
    list(pace.calibrated("net", engine))
    assert engine.asked == [(1, 3), (8, 2)]
    assert [pace.expected_ms("net", n) for n in (1, 8, 16)] == pytest.approx([9, 80, 160])


def test_a_slow_network_is_timed_once_and_not_by_eight(pace):
    engine = engine_taking(1200, 1300, 1250)
    list(pace.calibrated("net", engine))
    assert engine.asked == [(1, 3)]
    assert pace.expected_ms("net", 1) == pytest.approx(1200)
    list(pace.looked_at_again("net", engine, 1))
    assert engine.asked == [(1, 3)]


def test_later_looks_find_the_machine_at_rest_and_are_not_repeated(pace, waiting):
    busy, at_rest = [91.0, 87.0], [49.0, 43.0, 52.0, 42.5] * LOOKS
    engine = engine_taking(20, 19, 18, *busy, 94.0, 90.0, *at_rest)
    list(pace.calibrated("net", engine))
    assert pace.expected_ms("net", 16) == pytest.approx(2 * 87)
    list(pace.looked_at_again("net", engine, 16))
    assert pace.expected_ms("net", 16) == pytest.approx(2 * 42.5)
    assert engine.asked[-1] == (8, 2 * LOOKS)
    assert LOOKS * APART_S <= waiting.now < LOOKS * (APART_S + 0.02)
    assert max(waiting.slept) <= 0.02  # the compute thread is soon there for others
    asked = len(engine.asked)
    assert list(pace.looked_at_again("net", engine, 16)) == []
    assert len(engine.asked) == asked


def test_what_a_run_took_needs_no_further_look(pace):
    engine = engine_taking()
    pace.measured("net", 8, 50.0)
    assert list(pace.looked_at_again("net", engine, 16)) == []
    pace.measured("net", 8, 60.0)  # the machine may have become slower: the last run counts
    assert pace.expected_ms("net", 8) == 60.0


def test_who_is_interrupted_looks_again_the_next_time(pace):
    engine = engine_taking(*[50.0] * 4 * LOOKS)
    next(pace.looked_at_again("net", engine, 8))
    list(pace.looked_at_again("net", engine, 8))
    assert engine.asked == [(8, 2 * LOOKS)] * 2


def test_the_time_axis_of_trade_off_is_of_what_was_found_in_the_end(tiny_folder, tmp_path, monkeypatch):
    host = host_of(tmp_path, tiny_folder)
    monkeypatch.setattr("demo.pace.APART_S", 0.01)
    host.engine("tiny")
    host.pace._ms |= {("tiny", 1): 300.0, ("tiny", 8): 5000.0}  # something kept the machine busy
    tab = Tab(host, view="tradeoff", count=16)
    seen = tab.want()
    said = [message["status"] for message in seen.messages if "status" in message]
    assert ["running", words.TIMING] in said
    assert said[-1][0] == "done"
    found = [message["ms"] for message in seen.messages if "ms" in message]
    assert found[0] == 10_000.0
    assert found[-1] < 5000
    assert found[-1] == 2 * host.pace.expected_ms("tiny", 8)
    again = tab.want(steps=3)
    assert ["running", words.TIMING] not in [message.get("status") for message in again.messages]
