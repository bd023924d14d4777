"""One run of the view in front: what is finished is shown at once, the rest as it comes.

Imported with torch, so only once a model is wanted.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from core import Engine, Request
from demo import runs, views
from demo.host import EngineHost
from demo.panels_of import grid_value, panels
from demo.pictures import tiles_uri
from demo.reproduce import code_panel
from demo.schedule_curve import curve_value
from demo.sessions import Ticket
from demo.settings import PageSettings
from demo.tradeoff import tradeoff_panel
from demo.update import ASK_ABOVE_S, Update

PREVIEW_STEPS = 20


@contextmanager
def one_thread_less() -> Iterator[None]:
    """At this moment the browser is busy, too, often on the same machine. Threads of a network wait for each other
    at every layer, so one that finds no free processor would hold up all."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads - 1))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class ViewRun:
    """The runs that one set of page settings needs, on one engine, until the ticket is over."""

    def __init__(self, host: EngineHost, engine: Engine, ticket: Ticket, page: PageSettings) -> None:
        self.host, self.engine, self.ticket, self.page = host, engine, ticket, page
        self.session = ticket.session
        self.finished = self.session.finished  # this very dict: "Run again" gives the run after this one another
        self.jobs = runs.jobs(page)
        self.by_name = {job.name: job for job in self.jobs}
        self.grid_s = self._estimate_s(self.jobs)  # said before it starts, and not changed while it runs
        self.shown: dict[str, dict[str, Any]] = {}

    def _recall(self) -> None:
        """B stays in sight while A runs, and so on; what a glance has shown is newer than what was finished before."""
        finished = self.finished.copy()  # after Stop not on the compute thread, which may add to it
        self.shown |= {name: value for name, (made, value, _) in finished.items() if self._fits(name, *made)}
        glanced = {job.name: self._glanced(job) for job in self.jobs}
        self.shown |= {name: seen for name, seen in glanced.items() if seen is not None}

    def glance(self) -> dict[str, dict[str, Any]]:
        """Panels with what the first job can show at so few steps that it is there at once; none where the job itself
        is as fast, finished or will be asked about, where it was shown already, or where other settings are wanted."""
        job = self.jobs[0] if self.jobs else None
        first = None if job is None or self._done(job) or self._glanced(job) else self._first(job)
        if job is None or first is None or self._estimate_s([job]) > ASK_ABOVE_S:
            return {}
        self._recall()
        with one_thread_less():  # and nothing in between: it is two or three steps
            found = None if self.ticket.over else list(runs.run_job(self.engine, first, self._over, self._ddpm))
        if not found or found[-1] is None:
            return {}
        value = found[-1].value
        self.session.glance = (self.page.checkpoint, job.name, job.request, value)
        return self._panels({job.name: value})

    def _done(self, job: runs.Job) -> bool:
        """Whether this tab has its result."""
        done = self.finished.get(job.name)
        return done is not None and done[0] == (self.page.checkpoint, job.request)

    def _glanced(self, job: runs.Job) -> dict[str, Any] | None:
        """What a glance has shown of this job."""
        glance = self.session.glance
        return glance[3] if glance and glance[:3] == (self.page.checkpoint, job.name, job.request) else None

    def _first(self, job: runs.Job) -> runs.Job | None:
        """A coarse run to go before a job, where that answers sooner."""
        return runs.coarse(job, self.host.expected_ms(self.page.checkpoint, job.request.count))

    def stopped(self) -> Update:
        """Stop came before the first step: what a glance has shown is refined no more."""
        self._recall()
        return self._stopped(self.jobs[0].name) if self.jobs else Update(("stopped", "Stopped."))

    def updates(self) -> Generator[Update | None, None, None]:
        self._recall()
        todo = [job for job in self.jobs if not self._done(job)]
        reused = {job.name: self._with_measured_ddpm(self.finished[job.name][1])
                  for job in self.jobs if job not in todo}  # fmt: skip
        still = self._panels(reused) | self._curve() | self._written()
        yield Update(("running", "Sampling…" if todo else self._idle()), still)
        # What answers fast always runs; the rest waits for a word when it would take long.
        quick = [job for job in todo if job.film and self._estimate_s([job]) <= ASK_ABOVE_S]
        rest = [job for job in todo if job not in quick]
        yield from self._all(quick)
        if self.ticket.over:
            return
        if self._must_ask(rest):
            samples = any(job.name == "samples" for job in rest)
            yield from self._one_picture() if samples else self._coarse_only(rest)
            if self._must_ask(rest):  # the word may have come meanwhile
                note = views.estimate_note(self._estimate_s(rest), shown_first=samples)
                yield from () if self.ticket.over else [Update(("estimate", note), ask=True)]
                return
        yield from self._all(rest)
        if not self.ticket.over:
            lanes = [job.name for job in self.jobs if job.name.startswith("lane")]  # DDPM may have come last
            again = {name: self._with_measured_ddpm(self.shown[name]) for name in lanes}
            yield Update(("done", self._idle()), self._panels(again))

    def _fits(self, name: str, checkpoint: str, request: Request) -> bool:
        """Whether a finished run may stand among this page's. Players, runners and cells are shown as runs from one
        x_T of one checkpoint; a cell of another spacing does not say so. Other S and η may stay until their run."""
        job = self.by_name.get(name)
        if self.page.view == "grid" and name.startswith("cell"):
            return job is not None and (checkpoint, request) == (self.page.checkpoint, job.request)
        if job is None or not job.film:
            return True
        return (checkpoint, request.seeds) == (self.page.checkpoint, job.request.seeds)

    def _drop_old(self) -> None:
        """No file is made of runs that have left the screen."""
        for name, (made, _, _) in self.finished.copy().items():
            if not self._fits(name, *made):
                self.finished.pop(name, None)

    def _must_ask(self, rest: list[runs.Job]) -> bool:
        return self._estimate_s(rest) > self.session.patience_s

    def _all(self, jobs: list[runs.Job]) -> Iterator[Update | None]:
        """Job after job, until the ticket is over. A stale run ends silently: the newer one repaints everything."""
        for job in jobs:
            if not self.ticket.over:
                yield from self._run(job)
            if self.ticket.stopped and not self.ticket.stale:
                yield self._stopped(job.name)
            if self.ticket.over:
                return

    def _run(self, job: runs.Job) -> Iterator[Update | None]:
        """A job, a coarse one before it where that answers sooner and no glance has."""
        first = None if self._glanced(job) else self._first(job)
        for now in (n for j in (first, job) if j for n in runs.run_job(self.engine, j, self._over, self._ddpm)):
            if now is None:
                yield None
                continue
            self.shown[job.name] = now.value
            if now.timing is not None and not now.job.coarse:
                self._finish(now)
            yield Update(("running", "Sampling…"), self._panels({job.name: self.shown[job.name]}))

    def _over(self) -> bool:
        return self.ticket.over

    def _estimate_s(self, todo: list[runs.Job]) -> float:
        ms = self.host.expected_ms
        return sum(ms(self.page.checkpoint, job.request.count) * job.evaluations for job in todo) / 1000

    def _stopped(self, name: str) -> Update:
        if name not in self.shown or self.shown[name]["state"] == "done":
            return Update(("stopped", "Stopped."))
        self.shown[name] = self.shown[name] | {"state": "stopped"}
        return Update(("stopped", "Stopped."), self._panels({name: self.shown[name]}))

    def _one_picture(self) -> Iterator[Update | None]:
        """One sample before the estimate: player A's, or one at fewer steps when even that would take long."""
        single = self.jobs[0]
        if self._done(single):
            done = self.finished[single.name]
            value = runs.first_sample(single, done[1], done[2][0])
            yield Update(("running", "One picture first…"), {"samples": value})
            return
        preview = runs.Job("samples", runs.with_steps(single.request, min(PREVIEW_STEPS, self.page.steps)))
        shown: dict[str, Any] = {}
        for now in runs.run_job(self.engine, preview, self._over, lambda _: None):
            if now is None:
                yield None
                continue
            shown = now.value | {"state": "preview" if now.timing else "running"}
            yield Update(("running", "One picture first…"), {"samples": shown})
        if self.ticket.stopped and not self.ticket.stale:
            yield Update(("stopped", "Stopped."), {"samples": shown | {"state": "stopped"}} if shown else {})

    def _coarse_only(self, rest: list[runs.Job]) -> Iterator[Update | None]:
        """Whatever the long jobs can show at few steps, before the estimate."""
        for job in rest:
            first = self._first(job)
            if first is None or self._estimate_s([first]) > ASK_ABOVE_S:
                continue
            for now in runs.run_job(self.engine, first, self._over, self._ddpm):
                if now is None:
                    yield None
                    continue
                self.shown[job.name] = now.value
                yield Update(("running", "A coarse picture first…"), self._panels({job.name: now.value}))
        if self.ticket.stopped and not self.ticket.stale:
            yield Update(("stopped", "Stopped."))

    def _finish(self, now: runs.Shown) -> None:
        job, timing = now.job, now.timing
        assert timing is not None
        self.host.measured(self.page.checkpoint, timing.batch, timing.ms_per_evaluation)
        settings, full = job.request.settings, job.evaluations == self.engine.T
        if settings.eta == 1.0 and full:
            self.session.ddpm_s[(self.page.checkpoint, timing.batch)] = timing.total_s
        if settings.eta == 0.0 and full and job.film:
            self.session.exact[(self.page.checkpoint, job.request.seeds[0])] = now.export[0][0][-1].copy()  # type: ignore[index]  # not a view, which would keep the whole film
        self.finished[job.name] = ((self.page.checkpoint, job.request), now.value, now.export)

    def _with_measured_ddpm(self, value: dict[str, Any]) -> dict[str, Any]:
        """A reused panel whose speed-up was estimated, now that DDPM was measured at its batch."""
        ddpm_s = self._ddpm(value["n"])
        if ddpm_s is None:
            return value
        rows = [list(row) for row in value["readout"]]
        rows[3][1:] = views.speed_up(value["total_s"], value["steps"], 0, ddpm_s)
        return value | {"readout": rows}

    def _ddpm(self, batch: int) -> float | None:
        return self.session.ddpm_s.get((self.page.checkpoint, batch))

    def _panels(self, changed: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        if changed or self.page.view == "grid":  # until then, all that is in sight is of one x_T
            self._drop_old()
        self.shown |= changed
        out = panels(changed, self.shown, len(self.page.lanes), self._apart())
        if self.page.view == "grid":
            page = self.page
            plan = views.grid_plan(len(self.jobs), sum(job.evaluations for job in self.jobs), self.grid_s)
            out["grid"] = grid_value(self.shown, page.grid_steps, page.grid_etas, plan)
        path = self.finished.get("path")
        if "path" in out and path and out["path"]["state"] == "done":
            page = self.page
            mixed = runs.cross_fade(path[2][0], len(page.keys), page.between, page.loop)
            out["path"] = out["path"] | {"fade": tiles_uri(mixed), "between": page.between}
        return out

    def _apart(self) -> dict[str, Any] | None:
        """How far the runners are apart, once all of these settings have finished."""
        if self.page.view != "compare":
            return None
        lanes = []
        for job in sorted(self.jobs, key=lambda job: job.name):
            done = self.finished.get(job.name)
            if done is None or done[0] != (self.page.checkpoint, job.request):
                return None
            lanes.append((job, done[2][0]))
        return runs.differences(lanes, self.engine.T, self.session.exact.get((self.page.checkpoint, self.page.seed)))

    def _curve(self) -> dict[str, dict[str, Any]]:
        return {"curve": curve_value(self.engine, self.page)}

    def _written(self) -> dict[str, Any]:
        """What a view shows that runs nothing."""
        if self.page.view == "tradeoff":
            return {"tradeoff": tradeoff_panel(self.host, self.engine, self.page)}
        return {"code": code_panel(self.host, self.engine, self.page)} if self.page.view == "reproduce" else {}

    def _idle(self) -> str:
        engine = self.engine
        threads = f", {views.cores(torch.get_num_threads())}" if engine.device.type == "cpu" else ""
        how = f"{engine.device}{threads}, {engine.precision}, {engine.backend}"
        return f"Live on {how}, weights {engine.checkpoint.sha256[:8]}."
