"""A line of JSON a run, for whoever runs app.py: what was computed and how it ended, and nothing of whom it was for.

No address, no session, no seeds, no file's name, and no text that a visitor wrote: names of checkpoints, views and
endpoints are the host's own, numbers were checked. ``configure`` sends the lines to stderr; without it logging does
what the program around the page wants.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from core.request import Request

LEVELS = ("debug", "info", "warning", "error")
RUNS = logging.getLogger("ddim.runs")
RUNS.addHandler(logging.NullHandler())  # else Python prints the worse of them bare
# a dragged slider begins and ends a dozen runs a second
OUTCOMES = {"superseded": logging.DEBUG, "failed": logging.ERROR}  # all else: info


class Asked(NamedTuple):
    """What an endpoint is about to run: its stream's first value, for the log alone."""

    requests: list[Request]


class RunEntry:
    """One run: made when it begins, and ended once, whatever comes after. kind: page or api. name: of the view or the
    endpoint. checkpoint: of the host's list, or empty."""

    def __init__(self, kind: str, name: str, checkpoint: str) -> None:
        self._said: dict[str, Any] = {"kind": kind, "name": name, "checkpoint": checkpoint}
        self._began, self._ended = time.perf_counter(), False

    def asked(self, requests: Iterable[Request]) -> None:
        """What is to be computed. evaluations: of the network, each of all pictures of its request."""
        requests = list(requests)
        self._said |= {
            "S": one_or_all({request.settings.steps for request in requests}),
            "eta": one_or_all({request.settings.eta for request in requests}),
            "pictures": sum(request.count for request in requests),
            "evaluations": sum(request.settings.steps for request in requests),
        }

    def end(self, outcome: str, error: BaseException | None = None) -> None:
        """outcome: done, stopped, superseded, asked (it waits for a word), refused or failed."""
        if self._ended:
            return
        self._ended = True
        level = OUTCOMES.get(outcome, logging.INFO)
        if not RUNS.isEnabledFor(level):
            return
        said = self._said | {"seconds": round(time.perf_counter() - self._began, 3), "outcome": outcome}
        if error is not None:
            said["error"] = type(error).__name__
        RUNS.log(level, "run", extra={"run": said})


def one_or_all(values: set[Any]) -> Any:
    """The only value, or a list of several, or None."""
    return sorted(values) if len(values) > 1 else next(iter(values), None)


class JsonLines(logging.Formatter):
    """{"time": …, "level": …, and what the record carries}."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said = getattr(record, "run", None) or {"message": record.getMessage()}
        return json.dumps({"time": at, "level": record.levelname.lower(), **said})


def configure(level: str) -> None:
    """Lines of at least this level on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    RUNS.handlers, RUNS.propagate = [handler], False
    RUNS.setLevel(level.upper())
