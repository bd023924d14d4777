"""Calls of equal settings that wait at the same time are computed in one batch, where that changes no bit of a picture.

Of one small picture after another, two cores compute half as many a second as of eight at a time (docs/reliability.md).
Whoever of a group comes to the next step does it for all, so any of them may leave.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Generator, Hashable
from dataclasses import dataclass, field, replace

from core import Engine, Request
from core.files import Made
from core.record import run_record
from core.run import Run
from demo.tiles import SAME_AT_ANY_BATCH

WAIT_S = 0.5  # at most, for a group that began without a call; a longer one is not waited for


@dataclass(frozen=True)
class Part:
    """What one call has of a run, as its files need it. Its record has the timing and the size of the whole batch."""

    made: Made


@dataclass(eq=False)
class Call:
    """One that waits, or is in a group. request: with nothing left open. done: steps taken for it."""

    request: Request
    group: Group | None = None
    done: int = 0
    part: Part | None = None
    error: Exception | None = None


@dataclass(eq=False)
class Group:
    """Calls in one batch. step_s: of the last step."""

    run: Run
    calls: list[Call]
    here: set[Call] = field(default_factory=set)
    step_s: float = 0.0

    @property
    def soon(self) -> bool:
        """Whether it ends within WAIT_S."""
        return (self.run.evaluations - self.run.done) * self.step_s < WAIT_S


class Shares:
    """All that wait and run, by engine and settings."""

    def __init__(self) -> None:
        self._waiting: defaultdict[Hashable, list[Call]] = defaultdict(list)
        self._running: dict[Hashable, Group] = {}
        self._lock = threading.Lock()  # for where nobody serves and each caller computes in its own thread

    def takes(self, engine: Engine, request: Request) -> bool:
        """Whether a batch has room for others beside this, and they change nothing in it."""
        alone = request.between or request.branches is not None or request.start is not None
        return not alone and request.count < engine.fits and engine.backend in SAME_AT_ANY_BATCH

    def run(self, engine: Engine, request: Request) -> Generator[int, None, Part]:
        """How many steps are done, after each piece of work; and the result."""
        call = Call(replace(request, settings=engine.resolve(request.settings)))
        key = id(engine), call.request.settings
        with self._lock:
            self._waiting[key].append(call)
        try:
            while call.part is None:
                with self._lock:
                    if call.error is None and call.part is None:
                        self._go_on(engine, key, call)
                if call.error is not None:
                    raise call.error
                yield call.done
            return call.part
        finally:
            with self._lock:
                self._leave(key, call)

    def _go_on(self, engine: Engine, key: Hashable, call: Call) -> None:
        """One step of the call's group; where it has none, a new one begins, unless one that runs is over soon."""
        if call.group is None:
            other = self._running.get(key)
            if other is not None and other.soon:
                return  # its own calls take its steps meanwhile
            self._begin(engine, key)
        if call.group is None:
            return  # those before it filled the batch
        group = call.group
        try:
            step = next(group.run)
            group.step_s = step.elapsed_s / group.run.done
            if group.run.finished:
                self._share_out(group)
        except Exception as error:
            for one in group.calls:
                one.error = error
        for one in group.calls:
            one.done = group.run.done
        if call.error is not None or call.part is not None:
            self._end(key, group)

    def _begin(self, engine: Engine, key: Hashable) -> None:
        """A group of those that have waited for longest."""
        waiting, calls, count = self._waiting[key], list[Call](), 0
        while waiting and count + waiting[0].request.count <= engine.fits:
            calls.append(waiting.pop(0))
            count += calls[-1].request.count
        seeds = tuple(seed for one in calls for seed in one.request.seeds)
        group = Group(engine.run(Request(seeds, calls[0].request.settings)), calls, set(calls))
        self._running[key] = group
        for one in calls:
            one.group = group

    def _share_out(self, group: Group) -> None:
        images, start = group.run.images, 0
        for call in group.calls:
            end = start + call.request.count
            record = run_record(group.run.plan.checkpoint, call.request, group.run.timing, None)
            call.part = Part(Made(record, images=images[start:end].clone()))
            start = end

    def _leave(self, key: Hashable, call: Call) -> None:
        if call in self._waiting[key]:
            self._waiting[key].remove(call)
        if not self._waiting[key]:
            del self._waiting[key]
        if call.group is not None:
            call.group.here.discard(call)
            if not call.group.here:  # nobody is left to take its steps
                call.group.run.close()
                self._end(key, call.group)

    def _end(self, key: Hashable, group: Group) -> None:
        if self._running.get(key) is group:
            del self._running[key]
