"""The public endpoints: sample, interpolate, compare and grid, for scripts that talk to a running page.

Everything is checked by core.Request and core.SamplerSettings, so an error is the same sentence here and in Python.
docs/api.md shows how to call them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context
from gradio.events import api
from gradio.utils import get_upload_folder

from demo.api_files import ApiFiles
from demo.failures import failure
from demo.host import EngineHost
from demo.run_log import Asked, RunEntry

MAX_AT_ONCE = 32  # calls that are computed side by side, a step of each in turn; each holds a thread


def with_sentences(
    host: EngineHost, endpoint: str, checkpoint: object, stream: Generator[dict[str, Any] | Asked, None, None]
) -> Iterator[dict[str, Any]]:
    """The same values; an error becomes gr.Error, the one kind whose sentence gradio passes on to the client. The end
    of the run is logged."""
    names = host.names()
    entry = RunEntry("api", endpoint, checkpoint if isinstance(checkpoint, str) and checkpoint in names else "")
    try:
        with closing(stream):
            for value in stream:
                if isinstance(value, Asked):
                    entry.asked(value.requests)
                    continue
                if value["state"] == "done":
                    entry.end("done")  # now: gradio does not ask for more where its client is gone
                yield value
    except Exception as error:
        said = failure(error)
        entry.end(said.outcome, error)
        raise gr.Error(host.told(said.sentence), print_exception=False) from error
    finally:
        entry.end("stopped")


def add_endpoints(host: EngineHost) -> None:
    """Register the four endpoints on the page that is being built. They share its queue.

    The docstrings are what /gradio_api/info and client.view_api() show, in one paragraph each.
    """
    first = host.names()[0]  # the page opens on it, too
    page = Context.root_block
    assert page is not None

    def forget(path: str) -> None:
        """Gradio, too, keeps a list of the files that it has served."""
        for known in page.temp_file_sets:
            known.discard(path)

    host.api_files = ApiFiles(Path(get_upload_folder()) / "api", forget)

    # ruff B006: gradio reads the defaults from the signature, and nobody changes these lists
    def sample(
        checkpoint: str = first,
        seeds: list[int] = [0, 1, 2, 3],  # noqa: B006
        steps: int = 20,
        eta: float = 0.0,
        spacing: str | None = None,
        solver: str = "ddim",
        label: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Sample one picture for each seed.

        checkpoint: a name from the page's list. seeds: 1 to 64 whole numbers from 0 to 2^53-1. steps: S, from 1 to
        the checkpoint's T. eta: from 0 (DDIM, deterministic) to 1 (DDPM at S = T). spacing: leading, trailing,
        linspace or quadratic; null for the checkpoint's own. solver: ddim, or dpm-solver++, which
        takes eta 0. label: the class of the pictures, for a checkpoint that has classes; null for any other. Progress
        {state, done, of} comes while it runs. The last
        value is the result: state "done", files (png: a sheet, row by row; npy: float32 N,C,H,W, about -1 to 1) and
        records (settings, timing, versions).
        """
        from demo import api_runs

        yield from with_sentences(
            host, "sample", checkpoint, api_runs.sample(host, checkpoint, seeds, steps, eta, spacing, solver, label)
        )

    def interpolate(
        checkpoint: str = first,
        seeds: list[int] = [3, 8],  # noqa: B006
        steps: int = 20,
        eta: float = 0.0,
        spacing: str | None = None,
        frames: int = 11,
        loop: bool = False,
        solver: str = "ddim",
        label: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Sample the pictures on a path through the latents of two or more seeds (slerp).

        checkpoint, steps, eta, spacing, solver, label: as in /sample. seeds: at least two. frames: pictures on the
        whole path, from the number of seeds to 64. loop: return to the first seed. At eta above 0 all
        pictures add the first seed's
        noise. Progress {state, done, of} comes while it runs. The last value is the result: state "done", files (gif:
        there and back, or round if it loops; png: the strip; npy: float32 N,C,H,W) and records.
        """
        from demo import api_runs

        yield from with_sentences(
            host,
            "interpolate",
            checkpoint,
            api_runs.interpolate(host, checkpoint, seeds, steps, eta, spacing, frames, loop, solver, label),
        )

    def compare(
        checkpoint: str = first,
        seed: int = 3,
        lanes: list[dict[str, Any]] = [{"steps": 10, "eta": 0.0}, {"steps": 50, "eta": 0.0}],  # noqa: B006
        label: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Race 1 to 4 settings from one x_T, each timed alone.

        checkpoint: a name from the page's list. seed: of x_T. lanes: a list of {steps, eta, spacing}; what is left out
        is 20, 0 and the checkpoint's own spacing. label: of all lanes, as in /sample. Progress {state, done, of}
        comes while it runs. The last value is the result: state "done", files (gif: the race against the
        clock; png: the finished pictures side by side;
        npy: float32 lanes,C,H,W) and records, one for each lane.
        """
        from demo import api_runs

        yield from with_sentences(host, "compare", checkpoint, api_runs.compare(host, checkpoint, seed, lanes, label))

    def grid(
        checkpoint: str = first,
        columns: dict[str, list[Any]] = {"steps": [5, 10, 20]},  # noqa: B006
        rows: dict[str, list[Any]] = {"eta": [0.0, 0.5, 1.0]},  # noqa: B006
        seed: int = 3,
        steps: int = 20,
        eta: float = 0.0,
        spacing: str | None = None,
        solver: str = "ddim",
        label: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Sample a grid: one setting varies from column to column, another from row to row, and all else is the same.

        checkpoint: a name from the page's list. columns, rows: {setting: values}, where the setting is steps, eta,
        seed, spacing or solver; at most 48 cells. seed: of x_T. seed, steps, eta, spacing, solver: of all cells,
        unless a setting varies; as in /sample. label: of all cells. Progress {state, done, of} comes while it
        runs. The last value is the
        result: state "done", files (png: the matrix with its legend; npy: float32 cells,C,H,W, row by row) and
        records, one for each cell.
        """
        from demo import api_runs

        yield from with_sentences(
            host,
            "grid",
            checkpoint,
            api_runs.grid(host, checkpoint, columns, rows, seed, steps, eta, spacing, solver, label),
        )

    for endpoint in (sample, interpolate, compare, grid):
        api(
            endpoint,
            api_name=endpoint.__name__,
            queue=True,
            concurrency_id="model",
            concurrency_limit=MAX_AT_ONCE,
        )
