"""Whose piece is next (demo/turns.py)."""

import queue
from concurrent.futures import Future

import pytest

from demo.turns import BEHIND_PAGES, LONG_SHARE, QUICK_S, Account, Piece, Turns


def piece(name, spent_s=0.0, page=False):
    return Piece(lambda: name, Future(), Account(spent_s, page))


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


def test_the_first_picture_of_a_page_goes_before_short_calls_and_its_rest_behind_them():
    turns = Turns()
    turns.put(piece("the page's rest", QUICK_S, page=True))
    turns.put(piece("call"))
    turns.put(piece("the page's first", page=True))
    assert names(turns) == ["the page's first", "call", "the page's rest"]


def shares(turns, seconds, **there):
    """Which share of the time each has that always waits: name → piece, for turns of so many seconds."""
    spent = dict.fromkeys(there, 0.0)
    for one in there.values():
        turns.put(one)
    for _ in range(6000):
        taken = turns.get(0)
        name, had = taken.work(), taken.account.spent_s
        turns.spent(taken, seconds[name])
        taken.account.spent_s = had  # stands for new ones of the same kind
        spent[name] += seconds[name]
        turns.put(taken)
    return {name: s / sum(spent.values()) for name, s in spent.items()}


@pytest.mark.parametrize("long_s", [0.02, 0.2])
def test_however_many_short_ones_come_the_long_have_their_share_of_the_time(long_s):
    seconds = {"call": 0.02, "long": long_s, "first": 0.05}
    two = shares(Turns(), seconds, call=piece("call"), long=piece("long", 1.0))
    assert two["long"] == pytest.approx(LONG_SHARE, abs=0.01)
    three = shares(Turns(), seconds, call=piece("call"), long=piece("long", 1.0), first=piece("first", page=True))
    assert three["first"] == pytest.approx(1 - BEHIND_PAGES, abs=0.01)
    assert three["long"] == pytest.approx(BEHIND_PAGES * LONG_SHARE, abs=0.01)


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
