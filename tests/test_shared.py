"""Calls of equal settings share a batch (demo/shared.py), and nobody's picture changes by it."""

import pytest
import torch

from core import Engine, Request, SamplerSettings
from core.fitting import AT_ONCE
from core.record import request_of
from demo.shared import Shares


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, device="cpu", backend="onnxruntime")


@pytest.fixture
def batches(engine, monkeypatch):
    """The seeds of every run that the engine began."""
    begun, run = [], engine.run

    def counted(request, *args, **kwargs):
        begun.append(request.seeds)
        return run(request, *args, **kwargs)

    monkeypatch.setattr(engine, "run", counted)
    return begun


def in_turn(*calls):
    """The results of generators that are advanced one after the other, as the compute thread does."""
    ends, left = {}, dict(enumerate(calls))
    while left:
        for i, call in list(left.items()):
            try:
                next(call)
            except StopIteration as end:
                ends[i] = end.value
                del left[i]
    return [ends[i] for i in range(len(calls))]


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_calls_that_wait_together_are_one_batch_of_the_same_pictures_to_the_last_bit(engine, batches, eta):
    shares, settings = Shares(), SamplerSettings(4, eta)
    requests = [Request((5,), settings), Request((9, 2), settings), Request((7,), settings)]
    calls = [shares.run(engine, request) for request in requests]
    first = calls[0]
    next(first)  # alone: nobody waited
    parts = in_turn(*calls)
    assert batches == [(5,), (9, 2, 7)]
    for request, part in zip(requests, parts, strict=True):
        alone = engine.sample(request)
        assert torch.equal(part.made.images, alone.images)
        assert request_of(part.made.record) == request_of(alone.record)
    assert [part.made.record["timing"]["batch"] for part in parts] == [1, 3, 3]


def test_a_batch_has_bounds_and_those_who_waited_longest_go_first(engine, batches):
    shares, settings = Shares(), SamplerSettings(2)
    in_turn(*(shares.run(engine, Request((seed,), settings)) for seed in range(AT_ONCE + 4)))
    assert batches == [(0,), tuple(range(1, AT_ONCE + 1)), (9, 10, 11)]


def test_calls_of_other_settings_are_apart(engine, batches):
    shares = Shares()
    in_turn(*(shares.run(engine, Request((1,), SamplerSettings(S))) for S in (2, 3)))
    assert sorted(batches) == [(1,), (1,)]


def test_whoever_leaves_a_batch_does_not_end_it_and_the_last_one_does(engine, batches):
    shares, settings = Shares(), SamplerSettings(50)
    calls = [shares.run(engine, Request((seed,), settings)) for seed in (1, 2, 3)]
    for call in calls:
        next(call)
    for call in calls[:2]:
        call.close()
    (part,) = in_turn(calls[2])
    assert torch.equal(part.made.images, engine.sample(Request((3,), settings)).images)
    left = shares.run(engine, Request((4,), settings))
    next(left)
    left.close()
    assert not shares._running
    assert not shares._waiting


def test_an_error_reaches_everyone_in_the_batch_and_the_next_call_is_served(engine, monkeypatch):
    shares, settings = Shares(), SamplerSettings(3)
    calls = [shares.run(engine, Request((seed,), settings)) for seed in (1, 2, 3)]
    with monkeypatch.context() as patch:
        patch.setattr(engine, "run", lambda request: fails())
        for call in calls:
            with pytest.raises(MemoryError, match="no room"):
                next(call)
    assert len(in_turn(shares.run(engine, Request((1,), settings)))) == 1
    assert not shares._running
    assert not shares._waiting


def fails():
    raise MemoryError("no room")


def test_what_may_not_share_is_told(engine, tiny_folder):
    shares, torch_engine = Shares(), Engine.open(tiny_folder, device="cpu", backend="torch")
    assert shares.takes(engine, Request((1, 2)))
    assert not shares.takes(torch_engine, Request((1, 2)))  # its bits depend on the batch
    assert not shares.takes(engine, Request(tuple(range(AT_ONCE))))
    assert not shares.takes(engine, Request((1, 2), frames=3))
