"""Parts are files that are there whole or not at all; what is left of them gives the time that is left."""

import numpy as np
import pytest

from core import DataError
from core.evaluate.parts import Part, load
from core.evaluate.progress import Progress, missing, span
from core.evaluate.team import Team
from core.parallel import Share


def part(folder, name, values, evaluations=10):
    return Part(folder / name, evaluations, lambda tick: {"x": np.asarray(values), "one": np.float64(values[0])})


def test_arrays_of_parts_are_joined_in_order(tmp_path):
    parts = [part(tmp_path / "deep", "b.npz", [1.5, 2]), part(tmp_path / "deep", "a.npz", [3])]
    for each in parts:
        assert not each.done
        each.finish()
        assert each.done
    assert load(parts, "x").tolist() == [1.5, 2, 3]
    assert load(parts, "one").tolist() == [1.5, 3]
    assert (load(parts, "seconds") >= 0).all()


def test_a_part_that_fails_leaves_nothing(tmp_path):
    def fail(tick):
        raise RuntimeError

    broken = Part(tmp_path / "x.npz", 1, fail)
    with pytest.raises(RuntimeError):
        broken.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_spoilt_part_is_named_with_the_remedy(tmp_path):
    one = part(tmp_path, "x.npz", [1])
    one.path.write_bytes(b"PK\x03\x04 half")
    with pytest.raises(DataError, match=r"x\.npz cannot be read .*delete it"):
        load([one], "x")


def test_parts_are_dealt_out_and_none_is_left_or_taken_twice(tmp_path):
    parts = [part(tmp_path, f"{i}.npz", [i]) for i in range(7)]
    hands = [Team(Share(rank, 3, rank)).mine(parts) for rank in range(3)]
    assert sorted(p.path for hand in hands for p in hand) == [p.path for p in parts]
    assert max(map(len, hands)) - min(map(len, hands)) == 1


def test_missing_counts_each_part_once_and_no_finished_one(tmp_path):
    a, b = part(tmp_path, "a.npz", [1], 10), part(tmp_path, "b.npz", [2], 30)
    assert sum(missing([a, b, a]).values()) == 40
    a.finish()
    assert missing([a, b]) == {b.path: 30}


def test_the_time_left_follows_from_what_was_measured(tmp_path, capsys):
    now = [0.0]
    a, b = part(tmp_path, "a.npz", [1], 100), part(tmp_path, "b.npz", [2], 300)
    progress = Progress(missing([a, b]), 2, ms=50, clock=lambda: now[0])
    assert progress.expected(400) == pytest.approx(400 * 0.050 / 2)  # the guess, two processes
    progress.begin()
    for _ in range(10):
        now[0] += 1.0
        progress.tick(5)
    assert progress.ms == pytest.approx(200)  # 50 evaluations in 10 s
    now[0] += 10.0
    progress.end(a)
    assert progress.ms == pytest.approx(200)  # 100 in 20 s
    assert progress.expected(sum(progress.pending.values())) == pytest.approx(30)
    progress.label = "here"
    assert progress.line() == "here: 200 ms an evaluation, all cells about 30 s"
    now[0] += 100
    progress.begin()
    progress.tick(1)
    assert "here: " in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "text"), [(4.4, "4 s"), (89, "89 s"), (600, "10 min"), (7200, "2.0 h")])
def test_spans_are_readable(seconds, text):
    assert span(seconds) == text
