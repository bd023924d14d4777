"""One thread computes (demo/compute.py): where work runs, in what order, and what a caller gets of it."""

import threading
from contextlib import contextmanager

import pytest

from demo.compute import ClosingError, Compute
from tests.wishes import Tab, host_of


def here():
    return threading.get_ident()


@contextmanager
def served():
    compute, over = Compute(turn_s=0), threading.Event()
    thread = threading.Thread(target=compute.serve, args=(over.is_set,))
    compute.later(lambda: None)
    thread.start()
    while compute.call(here) != thread.ident:  # until it serves
        pass
    yield compute, thread
    over.set()
    thread.join(10)
    assert not thread.is_alive()


def test_work_runs_where_it_is_asked_for_while_nobody_serves():
    compute = Compute()
    assert compute.call(here) == here()
    assert list(compute.steps(here() for _ in range(2))) == [here()] * 2


def test_work_and_every_stretch_of_a_generator_run_on_the_serving_thread():
    def made():
        try:
            yield here()
            yield here()
            return "result"
        finally:
            closed.append(here())

    def taken():
        results.append((yield from compute.steps(made())))

    closed, results = [], []
    with served() as (compute, thread):
        assert compute.call(here) == thread.ident
        assert compute.call(lambda: compute.call(here)) == thread.ident  # asked for from there: no waiting for itself
        assert list(taken()) == [thread.ident] * 2
        some = compute.steps(made())
        assert next(some) == thread.ident
        some.close()
    assert results == ["result"]
    assert closed == [thread.ident] * 2


def test_what_was_asked_for_before_is_done_as_soon_as_somebody_serves():
    compute, seen = Compute(), []
    compute.later(lambda: seen.append(here()))
    assert seen == []
    compute.serve(over=lambda: bool(seen))
    assert seen == [here()]


def test_other_work_comes_between_the_steps_of_a_generator():
    with served() as (compute, _):
        seen = []
        for step in compute.steps(iter_of(seen)):
            compute.call(lambda step=step: seen.append(f"other work after {step}"))
    assert seen == ["step 0", "other work after 0", "step 1", "other work after 1"]


def iter_of(seen):
    for step in range(2):
        seen.append(f"step {step}")
        yield step


def test_where_a_generator_pauses_other_work_comes_in_and_nothing_is_passed_on():
    def made():
        seen.append("first")
        compute.later(lambda: seen.append("other"))
        yield None
        seen.append("second")
        yield "shown"
        yield None
        return "end"

    def taken():
        results.append((yield from compute.steps(made())))

    seen, results = [], []
    with served() as (compute, _):
        assert list(taken()) == ["shown"]
    assert seen == ["first", "other", "second"]
    compute, seen = Compute(), []
    assert list(taken()) == ["shown"]  # and where nobody serves, nothing hangs
    assert results == ["end"] * 2


def test_closing_does_not_wait_for_the_serving_thread():
    """Gradio closes generators on its event loop, which must not stand still while a model loads."""
    started, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def made():
        try:
            yield 1
            yield 2
        finally:
            closed.set()

    with served() as (compute, _):
        some = compute.steps(made())
        assert next(some) == 1
        compute.later(lambda: (started.set(), go_on.wait(10)))
        started.wait(10)
        some.close()  # while the serving thread is busy
        assert not closed.is_set()
        go_on.set()
        assert closed.wait(10)


def test_work_waits_for_the_thread_that_has_claimed_it():
    compute, seen = Compute(), []
    compute.claim()
    thread = threading.Thread(target=lambda: seen.append(compute.call(here)))
    thread.start()
    compute.serve(over=lambda: compute._work.empty() and not thread.is_alive())
    assert seen == [here()]


def test_an_error_reaches_whoever_asked_and_the_next_one_is_served():
    def fails():
        raise ValueError("no")

    with served() as (compute, _):
        with pytest.raises(ValueError, match="no"):
            compute.call(fails)
        assert compute.call(lambda: 3) == 3


def test_ctrl_c_ends_the_serving_and_nobody_waits_for_ever():
    def interrupted():
        raise KeyboardInterrupt

    compute, said = Compute(), []

    def ask(work):
        try:
            compute.call(work)
        except RuntimeError as error:
            said.append(str(error))

    def both():
        """Asked for while it serves, so that the second is still waiting when the first interrupts."""
        for work in (interrupted, here):
            threads.append(threading.Thread(target=ask, args=(work,)))
            threads[-1].start()
        while compute._work.qsize() < 2:
            pass

    threads = []
    compute.later(both)
    with pytest.raises(KeyboardInterrupt):
        compute.serve()
    for thread in threads:
        thread.join(10)
    assert said == ["The app is closing."] * 2


def test_generators_that_are_played_take_turns_piece_by_piece_and_nobody_waits_for_them():
    def made(name):
        for i in range(3):
            seen.append(f"{name}{i}")
            yield None if i == 1 else f"{name}{i}"

    seen, said, ended = [], [], threading.Semaphore(0)
    compute = Compute(turn_s=0)
    for name in "ab":
        compute.play(made(name), said.append, lambda error: (said.append(error), ended.release()))
    assert (seen, compute.playing) == ([], 2)
    compute.serve(over=lambda: compute.playing == 0)
    assert seen == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert said == ["a0", "b0", "a2", "b2", None, None]


def test_what_ends_a_played_generator_is_told():
    def fails():
        yield 1
        raise ValueError("no")

    compute, ended = Compute(), []
    compute.play(fails(), lambda _: None, ended.append)
    compute.serve(over=lambda: bool(ended))
    assert [str(error) for error in ended] == ["no"]
    compute.play(fails(), lambda _: None, ended.append)
    compute.serve(over=lambda: True)  # the app ends before it began
    assert isinstance(ended[1], ClosingError)
    assert compute.playing == 0


def test_where_nobody_serves_a_thread_of_its_own_does_and_only_one():
    compute = Compute()
    compute.serve_beside()
    first = compute.call(here)
    assert first != here()
    compute.serve_beside()
    assert compute.call(here) == first


def test_a_wish_and_its_loading_compute_on_the_serving_thread(tiny_folder, tmp_path, monkeypatch):
    host, seen = host_of(tmp_path, tiny_folder), set()
    opened = host.pace.calibrated
    monkeypatch.setattr(host.pace, "calibrated", lambda *a: (seen.add(here()), opened(*a))[1])
    with served() as (compute, thread):
        host.compute = compute
        engine = host.engine("tiny")
        run = engine.run
        monkeypatch.setattr(engine, "run", lambda *a, **k: (seen.add(here()), run(*a, **k))[1])
        tab = Tab(host)
        _, messages = tab.begin()
        ended = threading.Event()
        compute.play(messages, lambda _: None, lambda _: ended.set())
        assert ended.wait(60)
    assert seen == {thread.ident}
    assert set(tab.session.last) == {"a", "b", "samples", "strip"}
