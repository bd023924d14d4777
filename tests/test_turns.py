"""The queue between tabs: one at a time, in order, and one may leave while waiting."""

import threading

from demo.turns import Turns


def never():
    return False


def test_the_first_comes_at_once_and_the_next_when_it_has_gone():
    turns, order, inside = Turns(), [], threading.Event()
    release = threading.Event()

    def first():
        with turns.joined() as turn:
            assert list(turn.places(never)) == []
            order.append("first in")
            inside.set()
            release.wait(10)
            order.append("first out")

    seen = []

    def second():
        with turns.joined() as turn:
            seen.extend(turn.places(never))
            order.append("second in")

    a = threading.Thread(target=first)
    a.start()
    inside.wait(10)
    b = threading.Thread(target=second)
    b.start()
    while not seen:
        pass
    release.set()
    a.join(10)
    b.join(10)
    assert order == ["first in", "first out", "second in"]
    assert seen == [1]


def test_each_is_told_its_place_as_it_changes():
    turns = Turns()
    with turns.joined() as a:
        second = turns.joined()
        second.__enter__()
        with turns.joined() as c:
            places = c.places(never)
            assert next(places) == 2
            second.__exit__(None, None, None)
            assert next(places) == 1
            assert list(a.places(never)) == []


def test_whoever_gives_up_leaves_and_holds_up_nobody():
    turns, tired = Turns(), False
    with turns.joined() as _:
        with turns.joined() as waiting:
            places = waiting.places(lambda: tired)
            assert next(places) == 1
            tired = True
            assert list(places) == []
        with turns.joined() as after:
            assert next(after.places(never)) == 1


def test_an_error_inside_a_turn_frees_the_place():
    turns = Turns()
    try:
        with turns.joined():
            raise RuntimeError
    except RuntimeError:
        pass
    with turns.joined() as turn:
        assert list(turn.places(never)) == []
