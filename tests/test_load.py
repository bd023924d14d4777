"""A few seconds of load: nobody's result is lost, nothing answers 5xx, and nothing stays (tests/load)."""

import sys

import pytest

from tests.load.run import AT_REST, FEW, Load, loaded
from tests.load.server import Server
from tests.load.tally import spread, table
from tests.loops import run_apart

SMALL = Load(api=3, live=2, leavers=1, seconds=4, count=1, checkpoints=("fashion-mnist",))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_under_load_nothing_is_lost_and_nothing_stays():
    with Server() as server:
        found = run_apart(loaded(server.url, SMALL, server))
        assert server.files()[0] > 0  # the calls' own, and kept for those who called
        assert server.end() == 0
        assert server.files() == (0, 0)
        said = server.said
    assert "Traceback" not in said
    assert found["clients"].keys() == {"api", "live", "leaver"}
    for name, ends in found["clients"].items():
        assert (ends["lost"], ends["5xx"], ends["refused"]) == (0, 0, 0), (name, ends["notes"])
    assert found["clients"]["api"]["finished"] >= 3
    assert found["clients"]["live"]["finished"] >= 2
    assert found["clients"]["leaver"]["left"] >= 1
    before, after = found["before"], found["after"]
    assert {name: after[name] for name in AT_REST} == dict.fromkeys(AT_REST, 0)
    assert after["gradio_kept_iterators"] == 0
    assert after["open_files"] <= before["open_files"] + FEW
    calls = found["clients"]["api"]["finished"] + found["clients"]["leaver"]["left"] + 2
    assert after["gradio_sessions"] <= calls


def test_times_are_spread_as_numpy_says():
    assert spread([]) is None
    assert spread([2.0]) == {"n": 1, "p50": 2.0, "p95": 2.0, "max": 2.0}
    found = spread([float(i) for i in range(101)])
    assert found == {"n": 101, "p50": 50.0, "p95": 95.0, "max": 100.0}


def test_a_table_has_a_row_for_each_kind_of_client():
    one = {"per_second": 2.04, "first_s": None, "end_s": spread([1.0])}
    ends = dict.fromkeys(("finished", "replaced", "refused", "left", "lost", "5xx"), 0)
    rows = table({"api": one | ends, "live": one | ends | {"lost": 3}}).splitlines()
    assert rows[2] == "| api | 2.0 | – | 1.00 / 1.00 | 0 | 0 | 0 | 0 | 0 | 0 |"
    assert rows[3] == "| live | 2.0 | – | 1.00 / 1.00 | 0 | 0 | 0 | 0 | 3 | 0 |"
