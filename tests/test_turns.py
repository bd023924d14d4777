"""Whose piece is next (demo/turns.py)."""

import queue
from concurrent.futures import Future

import pytest

from demo.turns import LONG_SHARE, QUICK_S, Account, Piece, Turns


def piece(name, spent_s=0.0):
    return Piece(lambda: name, Future(), Account(spent_s))


def names(turns):
    found = []
    while not turns.empty():
        found.append(turns.get(0).work())
    return found


def test_who_has_had_little_goes_before_who_has_had_much_each_in_order():
    turns = Turns()
    for name, spent_s in (("long 1", 2 * QUICK_S), ("quick 1", 0), ("long 2", QUICK_S), ("quick 2", QUICK_S / 2)):
        turns.put(piece(name, spent_s))
    assert names(turns) == ["quick 1", "quick 2", "long 1", "long 2"]


def test_a_run_of_which_much_was_done_is_quick_no_more():
    turns, mine = Turns(), piece("mine")
    turns.spent(mine, QUICK_S)
    turns.put(mine)
    turns.put(piece("new"))
    assert names(turns) == ["new", "mine"]


@pytest.mark.parametrize("long_s", [0.02, 0.2])
def test_however_many_short_ones_come_the_long_have_their_share_of_the_time(long_s):
    turns, long, spent, quick_s = Turns(), piece("long", 1.0), {"long": 0.0, "quick": 0.0}, 0.02
    turns.put(long)
    turns.put(piece("quick"))
    for _ in range(4000):
        turns.put(piece("quick"))  # always one more than is taken
        taken = turns.get(0)
        name, took_s = taken.work(), quick_s if taken is not long else long_s
        turns.spent(taken, took_s)
        spent[name] += took_s
        if taken is long:
            turns.put(long)
    assert spent["long"] / sum(spent.values()) == pytest.approx(LONG_SHARE, abs=0.01)


def test_nobody_saves_up_while_there_is_no_other():
    turns, long = Turns(), piece("long", 1.0)
    for _ in range(50):  # alone, for long
        turns.put(long)
        turns.spent(turns.get(0), 1.0)
    for name in ("quick 1", "quick 2"):
        turns.put(piece(name))
    turns.put(long)
    assert turns.get(0).work() == "quick 1"
    turns.spent(piece("quick 1"), 0.02)
    assert turns.get(0).work() == "long"


def test_where_nothing_waits_nothing_comes():
    turns = Turns()
    with pytest.raises(queue.Empty):
        turns.get(0.01)
    with pytest.raises(queue.Empty):
        turns.get_nowait()
