"""What happens when a control moves: check, reuse what is finished, run the rest, show it as it comes."""

from __future__ import annotations

import hashlib
import math
import shutil
import tempfile
import traceback
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo import views
from demo.compute import ClosingError
from demo.host import EngineHost
from demo.sessions import Sessions, Ticket
from demo.settings import PageSettings, page_settings
from demo.turns import Turns
from demo.update import ASK_ABOVE_S, Update


class Handlers:
    """Independent of gradio, so that tests can drive it: the page only wires these to controls."""

    def __init__(self, host: EngineHost) -> None:
        self.host, self.sessions, self.turns = host, Sessions(), Turns()
        self._files = Path(tempfile.mkdtemp(prefix="ddim-"))
        weakref.finalize(self, shutil.rmtree, self._files, ignore_errors=True)  # at exit at the latest

    def settings(self, values: tuple[Any, ...]) -> PageSettings:
        """Values of the controls, in the order of page_settings after T. Raises ValueError."""
        name = str(values[0])
        if name not in self.host.names():
            raise ValueError(f"There is no checkpoint {name!r}: choose one from the list.")
        return page_settings(self.host.training_steps(name), *values)

    def want(self, key: str, values: tuple[Any, ...]) -> None:
        """A control moved: whatever else this tab is running ends within a step."""
        try:
            self.sessions.want(key, self.settings(values))
        except ValueError:
            self.sessions.stop(key, halt=False)  # the run that follows says why

    def glance(self, key: str, values: tuple[Any, ...]) -> Mapping[str, dict[str, Any]]:
        """The panels that a coarse picture changes, made before any turn or queue, or nothing. It comes between
        the steps of whatever runs (demo/compute.py), so no step's time holds it."""
        try:
            page = self.settings(values)
        except ValueError:
            return {}
        session = self.sessions.get(key)
        going = session.running is not None and session.running.settings == page and not session.running.over
        if going or session.halted == page or not self.host.loaded(page.checkpoint):
            return {}  # the run itself is showing more by now, or nothing may run
        from demo.view_run import ViewRun

        engine, ticket = self.host.engine(page.checkpoint), self.sessions.ticket(key, page)
        try:
            seen = self.host.compute.call(lambda: ViewRun(self.host, engine, ticket, page).glance())
        except Exception:
            return {}  # the run that follows says why
        return {} if ticket.over else seen

    def run(self, key: str, values: tuple[Any, ...], ask_above_s: float = ASK_ABOVE_S) -> Iterator[Update]:
        """Bring every panel of the view in front to the settings. What is estimated above ask_above_s seconds
        waits for a word. Errors become a sentence in the status line."""
        try:
            page = self.settings(values)
        except ValueError as error:
            yield Update(("error", str(error)))
            return
        session = self.sessions.get(key)
        if session.halted == page:  # Gradio holds back a second change until the first has run: too late after Stop
            yield Update(("stopped", "Stopped."))
            return
        if session.running is not None and session.running.settings == page and not session.running.over:
            session.patience_s = max(session.patience_s, ask_above_s)
            return  # setting several controls at once, or opening the page, asks for the same more than once
        ticket = self.sessions.ticket(key, page)  # taken before loading and waiting, so that Stop counts from now on
        session.running, session.patience_s = ticket, ask_above_s
        question: Update | None = None
        try:
            if not self.host.loaded(page.checkpoint):
                yield Update(("loading", "Loading the model; what you see was recorded earlier."))
            for update in self._in_turn(ticket, page):
                if update.ask:
                    question = update
                    break
                yield update
        finally:
            if session.running is ticket:
                session.running = None
        if question is not None:  # asked without a turn and with no run going, so that "Go on" finds the way free
            yield question

    def _in_turn(self, ticket: Ticket, page: PageSettings) -> Iterator[Update]:
        """Load, wait for the turn, run. Errors become a sentence."""
        from core import DDIMError  # torch is loaded by now, or is loaded here

        try:
            engine = self.host.engine(page.checkpoint)
            with self.turns.joined() as turn:
                for place in turn.places(lambda: ticket.over):
                    yield Update(("waiting", views.waiting_note(place)))
                if ticket.stale:
                    return
                from demo.view_run import ViewRun

                run = ViewRun(self.host, engine, ticket, page)
                if ticket.stopped:
                    yield run.stopped()
                else:
                    yield from self.host.compute.steps(run.updates())
        except (DDIMError, ClosingError) as error:
            yield Update(("error", str(error)))
        except Exception as error:  # the last resort: the page must not go on saying "Sampling…"
            traceback.print_exc()
            yield Update(("error", views.failure_note(type(error).__name__)))

    def run_anew(self, key: str, values: tuple[Any, ...]) -> Iterator[Update]:
        """Run every panel again, to see its timing once more; finished results are not reused. A run that is going
        ends: of the same settings, it would be taken for this one."""
        session = self.sessions.get(key)
        self.sessions.stop(key, halt=False)
        session.finished = {}  # a new one, so that what the ended run still finishes goes into the old
        yield from self.go_on(key, values, ASK_ABOVE_S)

    def go_on(self, key: str, values: tuple[Any, ...], ask_above_s: float = math.inf) -> Iterator[Update]:
        """Run what is asked for by a button, even when these settings were stopped before."""
        self.sessions.get(key).halted = None
        yield from self.run(key, values, ask_above_s)

    def fit_steps(self, values: tuple[Any, ...], budget_s: object) -> int:
        """The largest S whose samples fit the budget, from what an evaluation takes here. Raises ValueError."""
        page = self.settings(values)
        if isinstance(budget_s, bool) or not isinstance(budget_s, (int, float)) or not 0 < budget_s < 1e6:
            raise ValueError("Give the time that you have in seconds, such as 2.")
        T, ms = self.host.training_steps(page.checkpoint), self.host.expected_ms(page.checkpoint, page.count)
        if not ms:
            raise ValueError("The model is still loading; ask again in a moment.")
        return max(1, min(T, int(1000 * budget_s / ms)))

    def export(self, key: str, kind: str) -> str:
        """A path to download. Raises ValueError when the panel has not finished, or not all of it from one x_T."""
        from demo import exports

        session = self.sessions.peek(key)
        # a copy, since a run on the compute thread may drop what is read here
        finished, page = (session.finished.copy(), session.wanted) if session else ({}, None)
        return str(exports.write(kind, finished, self._folder(key), page))

    def scratch(self) -> tempfile.TemporaryDirectory[str]:
        """A folder for files that are needed for the length of a with-block."""
        return tempfile.TemporaryDirectory(dir=self._files)

    def _folder(self, key: str) -> Path:
        """Where a tab's files go. The browser chooses the key, so it must never be a path itself."""
        return self._files / hashlib.sha256(key.encode()).hexdigest()[:32]

    def forget(self, key: str) -> None:
        """The tab is gone: its run ends, its results and files go."""
        self.sessions.forget(key)
        shutil.rmtree(self._folder(key), ignore_errors=True)
