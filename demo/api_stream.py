"""The stream of an API call: load, run with progress, and at last the files of the result."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import Engine, Request, RequestError, Run
from demo.host import EngineHost
from demo.limits import check_cost, megapixels
from demo.run_log import Asked

if TYPE_CHECKING:
    from demo.shared import Part

PROGRESS_EVERY_S, LOADING_EVERY_S = 0.1, 0.2

Progress = dict[str, Any]
Writer = Callable[[str, list[Any]], bytes]  # the bytes of a suffix, from Runs, or from the Part of one that is shared


def perform(
    host: EngineHost, checkpoint: object, requests: list[Request], write: Writer, names: tuple[str, ...],
    films: bool = False, share: bool = False,
) -> Generator[Progress | Asked, None, None]:  # fmt: skip
    """Load the checkpoint, run each request alone, and write the files. Raises DDIMError.

    Yields what is asked, for the log; {"state": "loading" or "running", "done": evaluations, "of": all of them}, and
    at last "done" with "files" and "records". names: of the files, each with its suffix. films: keep the trajectories
    too. share: the one request may be computed in a batch with other callers'.
    """
    yield Asked(requests)
    of = sum(request.settings.steps for request in requests)

    def progress(state: str, done: int = 0, **more: Any) -> Progress:
        return {"state": state, "done": done, "of": of, **more}

    if host.loaded(str(checkpoint)):
        engine = host.engine(str(checkpoint))
    else:  # in a thread of its own, since a generator that is busy cannot be closed
        loader = ThreadPoolExecutor(1, "load-model")
        loading = loader.submit(host.engine, str(checkpoint))
        loader.shutdown(wait=False)
        while wait([loading], LOADING_EVERY_S).not_done:
            yield progress("loading")
        engine = loading.result()
    for request in requests:
        engine.plan(request)  # an S above T is said now, not after waiting
    _, height, width = engine.checkpoint.shape
    cost = megapixels(((request.count, request.settings.steps) for request in requests), height, width)
    check_cost("This call", cost, host.limits.megapixels, "--api-megapixels")
    check_length(host, str(checkpoint), requests)
    if share and host.shares.takes(engine, requests[0]):
        running: Generator[Progress | None, None, list[Any]] = shared(host, engine, requests[0], progress)
    else:
        running = computed(engine, requests, progress, films)
    made, records = yield from host.compute.steps(with_files(running, write, names))
    paths = host.api_files.keep(made)
    yield progress(
        "done",
        of,
        files={
            Path(name).suffix[1:]: {"path": path, "meta": {"_type": "gradio.FileData"}} for name, path in paths.items()
        },
        records=records,
    )


def with_files(
    running: Generator[Progress | None, None, list[Any]], write: Writer, names: tuple[str, ...]
) -> Generator[Progress | None, None, tuple[dict[str, bytes], list[dict[str, object]]]]:
    """The same, and then (the bytes of each file by its name, the records), a file at a time: beside no timed step."""
    runs = yield from running
    made = {}
    for name in names:
        made[name] = write(Path(name).suffix, runs)
        yield None
    return made, [run.made.record for run in runs]


def check_length(host: EngineHost, checkpoint: str, requests: list[Request]) -> None:
    """Raise RequestError for a call that would take longer than the host allows."""
    ms = sum(host.pace.expected_ms(checkpoint, request.count) * request.settings.steps for request in requests)
    minutes = math.ceil(ms / 60_000)
    if ms > 60_000 * host.api_minutes:
        raise RequestError(
            f"This call would take about {minutes} min on this machine, and a call may take {host.api_minutes}: "
            f"ask for less, or start app.py with --api-minutes {minutes}."
        )


def computed(
    engine: Engine, requests: list[Request], progress: Callable[[str, int], Progress], films: bool
) -> Generator[Progress | None, None, list[Run]]:
    """Run each request alone, and say how far it is now and then. films: keep the trajectories too."""
    runs, done, said_at = [], 0, time.perf_counter()  # what is done sooner needs no word in between
    for request in requests:
        with closing(engine.run(request, film=films)) as run:
            for _ in run:
                if time.perf_counter() - said_at < PROGRESS_EVERY_S:
                    yield None  # a step of somebody else's run may come in between
                    continue
                yield progress("running", done + run.done)
                said_at = time.perf_counter()
        done += run.evaluations
        runs.append(run)
    return runs


def shared(
    host: EngineHost, engine: Engine, request: Request, progress: Callable[[str, int], Progress]
) -> Generator[Progress | None, None, list[Part]]:
    """The same for one request, together with others of equal settings that wait at this moment."""
    said_at, said = time.perf_counter(), 0
    going = host.shares.run(engine, request)
    with closing(going):
        while True:
            try:
                done = next(going)
            except StopIteration as end:
                return [end.value]
            if done == said or time.perf_counter() - said_at < PROGRESS_EVERY_S:
                yield None
                continue
            yield progress("running", done)
            said_at, said = time.perf_counter(), done
