"""What one change sets going: the messages that bring the view in front to its settings, as they come.

Imported with torch. A generator for demo/compute.py: nothing here waits, and everything ends within a step of ``over``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Protocol

import torch

from core import Engine
from core.fitting import AT_ONCE
from core.request import Request
from demo import computing, encode, tiles, values, words
from demo.computing import Update
from demo.curve import curve_value
from demo.given import finder
from demo.host import EngineHost
from demo.jobs import Finished, Job, labelled
from demo.limits import check_cost, megapixels
from demo.outbox import Message, Outbox
from demo.patience import Patience
from demo.scene import File, Scene, Value
from demo.settings import PageSettings
from demo.view import View


class Tab(Protocol):
    """What a run needs of its tab (demo/sessions.py). key: under which its pictures are kept. last: what each job
    showed last. ddpm_s: seconds of DDPM by (weights, batch)."""

    key: str
    last: dict[str, Finished]
    ddpm_s: dict[tuple[str, int], float]

    def offer(self, file: File) -> str: ...


class LiveRun:
    """One view at one set of settings. over: whether something newer is wanted; stopped: whether Stop was pressed.
    anew: compute everything again. start: do not ask. have: the ids of pictures that the browser has. begun: is told
    what is going to be computed."""

    def __init__(
        self, host: EngineHost, tab: Tab, view: View, page: PageSettings, over: Callable[[], bool],
        stopped: Callable[[], bool], *, anew: bool = False, start: bool = False, have: set[str] | None = None,
        begun: Callable[[Iterable[Request]], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.host, self.tab, self.view, self.page = host, tab, view, page
        self.superseded, self.stopped, self.anew, self.start = over, stopped, anew, start
        self.begun, self._outbox = begun, Outbox(have or set())
        self._patience = Patience(host.pace, page.checkpoint)

    def over(self) -> bool:
        return self.superseded() or self.stopped()

    def messages(self) -> Generator[Message | None, None, None]:
        """Raises DDIMError where the checkpoint cannot be opened or the settings are refused."""
        for name, value in self.view.early(self.page).items():
            yield self._outbox.panel(name, value)
        if not self.host.loaded(self.page.checkpoint):
            yield status("loading", "Loading the model.")
        engine = yield from self._opened()
        if engine is None:
            if self.stopped():
                yield status("stopped", "Stopped.")
            return
        yield {"classes": engine.checkpoint.config.num_class_embeds or 0}
        scene = self._scene(engine)
        yield from self._changed(scene)
        yield self._outbox.panel("curve", curve_value(engine, self.page))
        yield self._ms()
        todo = [job for job in scene.jobs if job.name not in scene.finished]
        self._check_cost(engine, todo)
        self.begun(job.request for job in todo)
        if todo:
            yield status("running", self._sampling(todo))
            yield from self._compute(scene, todo)
        if self.view.timed:
            yield from self._timed(scene)
        if self.superseded():
            return
        if self.stopped():
            yield from self._ended(scene, "stopped")
            yield status("stopped", "Stopped.")
        elif all(job.name in scene.finished for job in scene.jobs):
            yield from self._changed(scene)  # DDPM may have come last
            yield status("done", idle(engine))

    def _timed(self, scene: Scene) -> Iterator[Message | None]:
        """The time of this machine, for a view that shows it and runs nothing that would tell."""
        said = False
        for _ in self.host.pace.looked_at_again(self.page.checkpoint, scene.engine, self.page.count):
            if self.over():
                return
            yield None if said else status("running", words.TIMING)
            said = True
        if said:
            yield from self._changed(scene)
            yield self._ms()

    def _ms(self) -> Message:
        return {"ms": self._patience.ms(self.page.count)}

    def _check_cost(self, engine: Engine, todo: list[Job]) -> None:
        """Raise RequestError for more than the host lets one change take, whatever is measured."""
        _, height, width = engine.checkpoint.shape
        cost = megapixels(((1, job.cost) for job in todo), height, width)
        check_cost("This run", cost, self.host.limits.page, "--api-megapixels")

    def _opened(self) -> Generator[None, None, Engine | None]:
        """The engine, or None where something newer is wanted meanwhile."""
        opening = self.host.opened(self.page.checkpoint)
        while not self.over():
            try:
                next(opening)
            except StopIteration as end:
                return end.value
            yield
        opening.close()
        return None

    def _scene(self, engine: Engine) -> Scene:
        asked = labelled(self.view.jobs(self.page), self.page.label, engine)
        find = finder(self.host, engine, self.tab.key)
        jobs = self.view.fitted(asked, engine, find)
        for job in jobs:
            engine.plan(job.request)  # what is refused is refused before anything runs
        estimate_s = sum(self._patience.ms(1) * job.cost for job in jobs) / 1000
        scene = Scene(self.page, self.host, engine, jobs, dict(self.tab.last), self._value(engine), self.tab.offer,
                      estimate_s, find)  # fmt: skip
        scene.known = lambda job: self.host.cache.get(values.made_by(engine, job))
        for job in jobs if not self.anew else []:
            known = scene.known(job)
            if known is not None:
                self._keep(scene, job, known, fresh=False)
        return scene

    def _value(self, engine: Engine) -> Callable[[Finished, bool], Value]:
        """What a result shows; of earlier settings, perhaps another checkpoint's."""

        def value(run: Finished, kept: bool) -> Value:
            return values.value_of(run, self.tab.ddpm_s.get((run.weights, run.timing.batch)), kept)

        return value

    def _compute(self, scene: Scene, todo: list[Job]) -> Iterator[Message | None]:
        """Job after job, in the order of the view. What would take above a minute in all waits for a word."""
        now, wait = (todo, []) if self.start else self._patience.divide(todo)
        for jobs in batches(scene.engine, now):
            yield from self._answered(scene, jobs[0])
            yield from self._one(scene, jobs)
            if self.over():
                return
        if wait and self._patience.enough_for(wait):  # by what was measured meanwhile
            yield from self._compute(scene, wait)
            return
        for job in wait:
            yield from self._answered(scene, job)
        if wait and not self.over():
            about = words.about(self._patience.seconds(wait))
            yield from self._ended(scene, "asked", {"ask": about})
            yield status("asked", f"This takes {about} here: press Start, or Cancel.")

    def _answered(self, scene: Scene, job: Job) -> Iterator[Message | None]:
        """A job at few steps, where that is there sooner."""
        few = computing.few_steps(job, self._patience.ms(min(job.request.count, AT_ONCE)))
        if few is not None and not self.over():
            for update in computing.answer(scene.engine, job, few, self.over):
                yield from self._shown(scene, update)

    def _one(self, scene: Scene, jobs: list[Job]) -> Iterator[Message | None]:
        """A film, branches, pictures that are encoded, or jobs that share a batch."""
        if jobs[0].encoding is not None:
            updates = encode.run_encoding(scene.engine, jobs[0], self.over)
        elif jobs[0].film:
            updates = computing.run_film(scene.engine, jobs[0], self.over)
        elif jobs[0].request.branches is not None:
            updates = computing.run_branches(scene.engine, jobs[0], self.over)
        else:
            updates = computing.run_parts(scene.engine, jobs, self.over, self.host.cache)
        for update in updates:
            yield from self._shown(scene, update)

    def _shown(self, scene: Scene, update: Update | None) -> Iterator[Message | None]:
        if update is None:
            yield None
            return
        if update.finished is not None:
            self._keep(scene, update.job, update.finished, fresh=True)
        else:
            scene.now[update.job.name] = update.value
        yield from self._changed(scene)

    def _keep(self, scene: Scene, job: Job, run: Finished, fresh: bool) -> None:
        """A result is on screen: it is what files are made of, whatever comes after."""
        scene.finished[job.name] = self.tab.last[job.name] = run
        scene.now.pop(job.name, None)
        if not fresh:
            scene.kept.add(job.name)
            return
        engine, s = scene.engine, job.request.settings
        self.host.cache.put(run.made_by, run, run.size)
        if job.encoding is None:  # else batches of several sizes are mixed
            self.host.pace.measured(self.page.checkpoint, run.timing.batch, run.timing.ms_per_evaluation)
        if job.film:
            tiles.keep_picture(engine, run, self.host.cache)
        if s.eta == 1.0 and job.evaluations == engine.T:
            self.tab.ddpm_s[(run.weights, run.timing.batch)] = run.timing.total_s

    def _ended(self, scene: Scene, state: str, more: Value | None = None) -> Iterator[Message]:
        """Whatever has not finished is not going on."""
        for job in scene.jobs:
            if job.name in scene.finished:
                continue
            if state == "stopped" and job.name not in scene.now and job.name in scene.last:
                continue  # it goes on saying from what it is
            scene.now[job.name] = {
                **(scene.of(job.name) or values.base(scene.engine, job, state)),
                **(more or {}),
                "state": state,
            }
        yield from self._changed(scene)

    def _sampling(self, todo: list[Job]) -> str:
        return words.sampling(self.host.compute.playing - 1, self._patience.seconds(todo))

    def _changed(self, scene: Scene) -> Iterator[Message]:
        """The panels of which the browser has another value."""
        for name, value in self.view.panels(scene).items():
            message = self._outbox.panel(name, value)
            if message is not None:
                yield message


def batches(engine: Engine, jobs: list[Job]) -> list[list[Job]]:
    """Jobs in their order, those of equal S and η = 0 that may share a batch together."""
    out: list[list[Job]] = []
    for job in jobs:
        s, last = job.request.settings, out[-1][0] if out else None
        shares = not (job.film or job.alone) and s.eta == 0 and engine.backend in tiles.SAME_AT_ANY_BATCH
        if shares and last is not None and not (last.film or last.alone) and last.request.settings == s:
            out[-1].append(job)
        else:
            out.append([job])
    return out


def status(state: str, sentence: str) -> Message:
    """A line for people, and what it stands for."""
    return {"status": [state, sentence]}


def idle(engine: Engine) -> str:
    threads = f", {words.cores(torch.get_num_threads())}" if engine.device.type == "cpu" else ""
    how = f"{engine.device}{threads}, {engine.precision}, {engine.backend}"
    return f"Live on {how}, weights {engine.checkpoint.sha256[:8]}."
