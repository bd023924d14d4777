"""What happens when a control moves: check, reuse what is finished, run the rest, show it as it comes."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import traceback
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo import views
from demo.host import EngineHost
from demo.sessions import Session, Sessions, Ticket
from demo.settings import PageSettings, page_settings

ASK_ABOVE_S = 5.0
PREVIEW_STEPS = 20


@dataclass
class Update:
    """What changes on the page: panel name → value ("samples", "strip", "duel"), status line, Go on shown."""

    status: tuple[str, str]  # (state, sentence)
    panels: dict[str, dict[str, Any]] = field(default_factory=dict)
    ask: bool = False


class Handlers:
    """Independent of gradio, so that tests can drive it: the page only wires these to controls."""

    def __init__(self, host: EngineHost) -> None:
        self.host, self.sessions = host, Sessions()
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
            self.sessions.stop(key)  # the run that follows says why

    def run(self, key: str, values: tuple[Any, ...], go_on: bool = False) -> Iterator[Update]:
        """Bring every panel to the settings. Errors become a sentence in the status line."""
        try:
            page = self.settings(values)
        except ValueError as error:
            yield Update(("error", str(error)))
            return
        if not self.host.loaded(page.checkpoint):
            yield Update(("loading", "Loading the model; what you see was recorded earlier."))
        from core import DDIMError  # torch is loaded by now, or is loaded here

        ticket = self.sessions.ticket(key, page)  # taken before loading, so that Stop counts from now on
        try:
            yield from self._run(ticket, page, go_on)
        except DDIMError as error:
            yield Update(("error", str(error)))
        except Exception as error:  # the last resort: the page must not go on saying "Sampling…"
            traceback.print_exc()
            kind = type(error).__name__
            remedy = "choose fewer pictures" if "OutOfMemory" in kind else "the terminal that runs app.py shows more"
            yield Update(("error", f"The run failed ({kind}): {remedy}."))

    def run_anew(self, key: str, values: tuple[Any, ...]) -> Iterator[Update]:
        """Run every panel again, to see its timing once more; finished results are not reused."""
        self.sessions.get(key).finished.clear()
        yield from self.run(key, values)

    def _run(self, ticket: Ticket, page: PageSettings, go_on: bool) -> Iterator[Update]:
        from demo import runs

        engine = self.host.engine(page.checkpoint)
        session = ticket.session
        if ticket.stopped:
            yield Update(("stopped", "Stopped."))
            return
        todo, shown = [], dict[str, dict[str, Any]]()
        for job in runs.jobs(page):
            done = session.finished.get(job.name)
            if done is not None and done[0] == (page.checkpoint, job.request):
                shown[job.name] = self._with_measured_ddpm(done[1], session, page)
            else:
                todo.append(job)
        duel = {k: (shown.get(k) or (session.finished.get(k) or (None, None))[1]) for k in "ab"}
        yield Update(("running", "Sampling…" if todo else self._idle(engine)), self._panels(shown, duel))
        # Single pictures answer fast and always run; the rest waits for a word when it would take long.
        singles = [job for job in todo if job.name in "ab" and self._estimate_s(page, [job]) <= ASK_ABOVE_S]
        rest = [job for job in todo if job not in singles]
        estimate_s = self._estimate_s(page, rest)
        ask = estimate_s > ASK_ABOVE_S and not go_on
        for job in singles if ask else todo:
            for now in runs.run_job(engine, job, lambda: ticket.over, self._ddpm(session, page)):
                shown[job.name] = now.value
                if job.name in "ab":
                    duel[job.name] = now.value
                if now.timing is not None:
                    self._finish(session, page, now)
                yield Update(("running", "Sampling…"), self._panels({job.name: now.value}, duel))
            if ticket.stale:
                return  # the newer run is waiting and will repaint everything
            if ticket.stopped:
                yield self._stopped(job.name, shown.get(job.name), duel)
                return
        if ask and not any(job.name == "samples" for job in rest):
            yield Update(("estimate", views.estimate_note(estimate_s, shown_first=False)), ask=True)
        elif ask:
            yield from self._ask(engine, page, session, estimate_s, ticket)
        else:
            yield Update(("done", self._idle(engine)))

    def _estimate_s(self, page: PageSettings, todo: list[Any]) -> float:
        return sum(self.host.expected_ms(page.checkpoint, j.request.count) * j.evaluations for j in todo) / 1000

    def _stopped(self, name: str, value: dict[str, Any] | None, duel: dict[str, Any]) -> Update:
        panels = {name: value | {"state": "stopped"}} if value else {}
        if name in "ab" and value:
            duel[name] = panels[name]
        return Update(("stopped", "Stopped."), self._panels(panels, duel))

    def _ask(
        self, engine: Any, page: PageSettings, session: Session, estimate_s: float, ticket: Ticket
    ) -> Iterator[Update]:
        """The estimate and one picture: player A's, or one at fewer steps when even that would take long."""
        from demo import runs

        single = runs.jobs(page)[0]
        done = session.finished.get(single.name)
        if done is not None and done[0] == (page.checkpoint, single.request):
            value = runs.first_sample(single, done[1], done[2][0])
            yield Update(("estimate", views.estimate_note(estimate_s)), {"samples": value}, ask=True)
            return
        preview = runs.Job("samples", runs.with_steps(single.request, min(PREVIEW_STEPS, page.steps)))
        shown: dict[str, Any] = {}
        for now in runs.run_job(engine, preview, lambda: ticket.over, lambda _: None):
            state = "preview" if now.timing else "running"
            shown = now.value | {"state": state}
            yield Update(("running", "One picture first…"), {"samples": shown})
        if ticket.stopped and not ticket.stale:
            yield Update(("stopped", "Stopped."), {"samples": shown | {"state": "stopped"}} if shown else {})
        if not ticket.over:
            yield Update(("estimate", views.estimate_note(estimate_s)), ask=True)

    def _finish(self, session: Session, page: PageSettings, now: Any) -> None:
        job, timing = now.job, now.timing
        self.host.measured(page.checkpoint, timing.batch, timing.ms_per_evaluation)
        settings = job.request.settings
        if settings.eta == 1.0 and settings.steps == self.host.training_steps(page.checkpoint):
            session.ddpm_s[(page.checkpoint, timing.batch)] = timing.total_s
        session.finished[job.name] = ((page.checkpoint, job.request), now.value, now.export)

    def _with_measured_ddpm(self, value: dict[str, Any], session: Session, page: PageSettings) -> dict[str, Any]:
        """A reused panel whose speed-up was estimated, now that DDPM was measured at its batch."""
        ddpm_s = session.ddpm_s.get((page.checkpoint, value["n"]))
        if ddpm_s is None:
            return value
        rows = [list(row) for row in value["readout"]]
        rows[3][1:] = views.speed_up(value["total_s"], value["steps"], 0, ddpm_s)
        return value | {"readout": rows}

    def _ddpm(self, session: Session, page: PageSettings) -> Any:
        return lambda batch: session.ddpm_s.get((page.checkpoint, batch))

    @staticmethod
    def _panels(shown: dict[str, Any], duel: dict[str, Any]) -> dict[str, dict[str, Any]]:
        panels = {name: value for name, value in shown.items() if name not in "ab"}
        if any(name in "ab" for name in shown):
            panels["duel"] = dict(duel)
        return panels

    @staticmethod
    def _idle(engine: Any) -> str:
        import torch

        threads = f", {views.cores(torch.get_num_threads())}" if engine.device.type == "cpu" else ""
        return f"Live on {engine.device}{threads}, {engine.precision}, weights {engine.checkpoint.sha256[:8]}."

    def export(self, key: str, kind: str) -> str:
        """A path to download. Raises ValueError when the panel has not finished."""
        from demo import exports

        session = self.sessions.peek(key)
        return str(exports.write(kind, session.finished if session else {}, self._folder(key)))

    def _folder(self, key: str) -> Path:
        """Where a tab's files go. The browser chooses the key, so it must never be a path itself."""
        return self._files / hashlib.sha256(key.encode()).hexdigest()[:32]

    def forget(self, key: str) -> None:
        """The tab is gone: its run ends, its results and files go."""
        self.sessions.forget(key)
        shutil.rmtree(self._folder(key), ignore_errors=True)
