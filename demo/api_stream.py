"""The stream of an API call: load, run with progress, and at last the files of the result."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from core import Engine, Request, RequestError, Run
from demo.host import EngineHost
from demo.limits import check_cost, megapixels
from demo.run_log import Asked

PROGRESS_EVERY_S, LOADING_EVERY_S = 0.1, 0.2

Progress = dict[str, Any]
Writer = Callable[[str, list[Run]], bytes]  # the bytes of a suffix


def perform(
    host: EngineHost, checkpoint: object, requests: list[Request], write: Writer, names: tuple[str, ...],
    films: bool = False,
) -> Generator[Progress | Asked, None, None]:  # fmt: skip
    """Load the checkpoint, run each request alone, and write the files. Raises DDIMError.

    Yields what is asked, for the log; {"state": "loading" or "running", "done": evaluations, "of": all of them}, and
    at last "done" with "files" and "records". names: of the files, each with its suffix. films: keep the trajectories
    too.
    """
    yield Asked(requests)
    of = sum(request.settings.steps for request in requests)

    def progress(state: str, done: int = 0, **more: Any) -> Progress:
        return {"state": state, "done": done, "of": of, **more}

    # in a thread of its own, since a generator that is busy cannot be closed
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
    runs = yield from host.compute.steps(computed(engine, requests, progress, films))
    # gradio has copied the files by the time it asks for more, so they may go
    with tempfile.TemporaryDirectory(prefix="ddim-") as folder:
        paths = [Path(folder) / name for name in names]
        for path in paths:
            path.write_bytes(host.compute.call(partial(write, path.suffix, runs)))  # beside no timed step
        yield progress(
            "done",
            of,
            files={path.suffix[1:]: {"path": str(path), "meta": {"_type": "gradio.FileData"}} for path in paths},
            records=[run.made.record for run in runs],
        )


def check_length(host: EngineHost, checkpoint: str, requests: list[Request]) -> None:
    """Raise RequestError for a call that would keep everybody waiting for longer than the host allows."""
    ms = sum(host.expected_ms(checkpoint, request.count) * request.settings.steps for request in requests)
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
    runs, done, said_at = [], 0, 0.0
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
