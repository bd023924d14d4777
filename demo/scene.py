"""What is on screen while a view runs: the newest of each job, and the files that go with it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from demo.jobs import Finished, Job
from demo.settings import PageSettings
from demo.words import setting_label

if TYPE_CHECKING:
    from core import Engine
    from demo.given import Find
    from demo.host import EngineHost

Value = dict[str, Any]
FILMS = (".gif", ".webp", ".mp4")
TITLES = {".gif": "GIF", ".webp": "WebP", ".mp4": "MP4", ".png": "PNG"}


@dataclass(frozen=True)
class File:
    """A file that a panel offers. label: on its link. name: as it is saved; its suffix says what it is. runs: what it
    is made of. make: its bytes, on the compute thread."""

    label: str
    name: str
    runs: tuple[Finished, ...]
    make: Callable[[], bytes]


@dataclass
class Scene:
    """One view at one set of settings. now: what jobs show that have not finished. finished: the results that belong to
    these settings; kept: those of them that were there before. last: what each job showed last in this tab, whatever
    its settings. value: of a result. offer: the address of a file. known: the result of any job,
    where it is kept. estimate_s: of all runs, before they began. find: the pictures that people give."""

    page: PageSettings
    host: EngineHost
    engine: Engine
    jobs: Sequence[Job]
    last: dict[str, Finished]
    value: Callable[[Finished, bool], Value]
    offer: Callable[[File], str]
    estimate_s: float = 0.0
    find: Find = lambda name: None
    now: dict[str, Value] = field(default_factory=dict)
    finished: dict[str, Finished] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    known: Callable[[Job], Finished | None] = lambda job: None
    _once: dict[object, Any] = field(default_factory=dict)

    def once(self, key: object, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, made once for a key."""
        if key not in self._once:
            self._once[key] = make()
        return self._once[key]

    def result(self, name: str) -> Finished | None:
        """What of a job is finished and on screen, be it of earlier settings."""
        return self.finished.get(name) or self.last.get(name)

    def of(self, name: str) -> Value | None:
        """What a job shows: its result, what has come of it, or, marked as such, what it showed last."""
        if name in self.finished:
            return self.value(self.finished[name], name in self.kept)
        if name in self.now:
            return self.now[name]
        old = self.last.get(name)
        return None if old is None else self.value(old, True) | {"state": "stale"}

    def together(self, names: Sequence[str]) -> list[Value | None]:
        """Jobs that are shown as runs from one x_T: once one of a new start is there, those of another leave."""
        values = [self.of(name) for name in names]
        starts = {_start(value) for value in values if value is not None and value["state"] != "stale"}
        return [v if v is None or v["state"] != "stale" or not starts or _start(v) in starts else None for v in values]

    def with_files(self, value: Value, *files: File | None) -> Value:
        """A panel's value with the links of the files that it has so far."""
        there = [file for file in files if file is not None]
        links = [{"label": file.label, "name": file.name, "href": self.offer(file)} for file in there]
        return value | {"files": links}

    def file(
        self, label: str, job: str, what: str, suffix: str, make: Callable[[str, Finished, bool], bytes]
    ) -> File | None:
        """The file of one job's result, if there is one. make: its bytes, with words around a film or not."""
        result = self.result(job)
        if result is None:
            return None
        words = self.page.captions and suffix in FILMS
        plain = "_plain" if suffix in FILMS and not words else ""
        return File(label, file_name(result, what) + plain + suffix, (result,), lambda: make(suffix, result, words))


def _start(value: Value) -> object:
    return value["weights"], tuple(value["seeds"])


def of_one_start(results: Sequence[Finished | None]) -> list[Finished] | None:
    """Results of one x_T and checkpoint, if all are there."""
    there = [result for result in results if result is not None]
    starts = {(result.weights, result.job.request.seeds) for result in there}
    return there if len(there) == len(results) and len(starts) == 1 else None


def film_suffixes() -> list[str]:
    """What this machine can make of a film."""
    from core.files.mp4 import mp4_there

    return [suffix for suffix in FILMS if suffix != ".mp4" or mp4_there()]


def race_files(scene: Scene, names: Sequence[str], of: str, what: str) -> list[File]:
    """Films of one x_T side by side, against their clocks, where all of them are there. of: the end of their label."""
    runs = of_one_start([scene.result(name) for name in names])
    if runs is None:
        return []

    def file(suffix: str) -> File:
        name = file_name(runs[0], what, settings=False) + suffix
        return File(f"{TITLES[suffix]}{of}", name, tuple(runs), lambda: race(suffix, runs))

    return [file(suffix) for suffix in film_suffixes() if suffix != ".webp"]  # as large as its GIF; headers are short


def race(suffix: str, runs: Sequence[Finished]) -> bytes:
    """The bytes of that file."""
    from core import files
    from core.files.film import Runner

    runners = []
    for run in runs:
        s, film = run.job.request.settings, run.film
        assert film is not None
        runners.append(Runner(setting_label(s.steps, s.eta), film[0], tuple(at for _, at, _ in run.times)))
    return files.race(suffix, runners, [run.made for run in runs])


def file_name(result: Finished, what: str, settings: bool = True, seeds: Sequence[int] = ()) -> str:
    """ "toon-faces_seed3-8_S20_eta0_strip": what was run, as a file's name without its suffix. seeds: of all that is in
    the file, where that is more than this run."""
    s, seeds = result.job.request.settings, seeds or result.job.request.seeds
    run = list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))) and len(seeds) > 2
    said = f"{seeds[0]}to{seeds[-1]}" if run else "-".join(map(str, seeds[:4])) + ("…" if len(seeds) > 4 else "")
    parts = [result.checkpoint, f"seed{said}"] + ([f"S{s.steps}", f"eta{s.eta:g}"] if settings else []) + [what]
    return "_".join(parts)


def whole_state(values: Sequence[Value | None]) -> str:
    """The state of a panel that shows several jobs."""
    states = [value["state"] if value else "waiting" for value in values]
    for state in ("running", "coarse", "asked", "stopped", "stale", "waiting"):
        if state in states:
            return state
    return "done"
