"""Files for the download buttons, encoded when asked for: which finished runs make which of core's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import files
from core.atomic import write_atomically
from core.files import Made
from core.files.film import Runner
from core.request import Request
from demo.panels_of import cell_name
from demo.settings import PageSettings
from demo.views import grid_words

SIDE = 84  # pixels, at least, of a picture in a PNG
Finished = tuple[tuple[str, Request], dict[str, Any], tuple[Any, dict[str, Any]]]  # as in demo/sessions.py
Runs = list[Finished]
Maker = Callable[[str, Runs, PageSettings | None], bytes]


def made(run: Finished) -> Made:
    """Of a trajectory, its end."""
    pictures, record = run[2]
    return Made(record, pixels=pictures[0][-1:] if isinstance(pictures, tuple) else pictures)


def one(of_run: Callable[..., bytes]) -> Maker:
    """The maker of a file of one run, from core's function for it."""
    return lambda suffix, runs, page: of_run(suffix, made(runs[0]), side=SIDE)


def trajectory(suffix: str, runs: Runs, page: PageSettings | None) -> bytes:
    (x_t, x0_hat), record = runs[0][2]
    return files.trajectory(suffix, record, x_t, x0_hat)


def race(suffix: str, runs: Runs, page: PageSettings | None) -> bytes:
    runners = [Runner(value["label"], film[0], tuple(value["at_s"])) for _, value, (film, _) in runs]
    return files.race(suffix, runners, [made(run) for run in runs])


def grid(suffix: str, runs: Runs, page: PageSettings | None) -> bytes:
    assert page is not None  # without it a grid has no cells, and nothing is written
    cells, steps, etas = [made(run) for run in runs], page.grid_steps, page.grid_etas
    words = grid_words(runs[0][0][0], [run[2][1] for run in runs], len(steps))
    return files.grid(suffix, cells, steps, etas, *words)


@dataclass(frozen=True)
class Kind:
    """A file that the page offers. runs: the job it shows, or "lane" or "cell" for all of these. make: from the suffix
    of filename and those finished runs to its bytes."""

    runs: str
    filename: str
    make: Maker

    @property
    def together(self) -> bool:
        """Whether it is of several runs, which must belong together."""
        return self.runs in ("lane", "cell")


KINDS = {
    "strip-gif": Kind("strip", "interpolation.gif", one(files.strip)),
    "strip-webp": Kind("strip", "interpolation.webp", one(files.strip)),
    "strip-png": Kind("strip", "interpolation.png", one(files.strip)),
    "samples-png": Kind("samples", "samples.png", one(files.samples)),
    "path-gif": Kind("path", "path.gif", one(files.strip)),
    "path-webp": Kind("path", "path.webp", one(files.strip)),
    "sheet-png": Kind("sheet", "sheet.png", one(files.sheet)),
    "race-gif": Kind("lane", "race.gif", race),
    "grid-png": Kind("cell", "grid.png", grid),
    "a-gif": Kind("a", "trajectory-a.gif", trajectory),
    "b-gif": Kind("b", "trajectory-b.gif", trajectory),
}


def parts(kind: str, page: PageSettings | None) -> list[str]:
    """The names of the runs that an export is made of."""
    name = KINDS[kind].runs
    if name == "lane":
        return [f"lane{i}" for i in range(len(page.lanes))] if page else []
    if name == "cell":
        return [cell_name(S, eta) for eta in page.grid_etas for S in page.grid_steps] if page else []
    return [name]


def check_together(kind: str, made: list[tuple[str, Request]], page: PageSettings) -> None:
    """Raises ValueError unless the runs of a race or a grid start from one x_T, and differ only in what the file says
    of each. made: (checkpoint, request) of each, in the order of ``parts``."""
    race = KINDS[kind].runs == "lane"
    alike = {(checkpoint, request.seeds, None if race else request.settings.spacing) for checkpoint, request in made}
    if len(alike) > 1:
        what = "seed or checkpoint" if race else "seed, spacing or checkpoint"
        raise ValueError(f"These pictures differ in {what}: wait until all have finished, or press Run again.")
    for i, (lane, (_, request)) in enumerate(zip(page.lanes, made, strict=True) if race else ()):
        s = request.settings
        if (s.steps, s.eta, s.spacing) != (lane.steps, lane.eta, lane.spacing):
            who = f"Runner {'ABCD'[i]}"
            raise ValueError(f"{who} shows earlier settings: wait until it has finished, or press Run again.")


def write(kind: str, finished: Mapping[str, Finished], folder: Path, page: PageSettings | None = None) -> Path:
    """Write the newest finished run of a panel into a folder. Raises ValueError if there is none, or if the runs of
    one file do not belong together. page: the newest settings; they say which runs make up a race or a grid."""
    what, names = KINDS[kind], parts(kind, page)
    if not names or not all(name in finished for name in names):
        raise ValueError("There is nothing to download yet: wait until this panel has finished.")
    runs = [finished[name] for name in names]
    if what.together and page is not None:
        check_together(kind, [run[0] for run in runs], page)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / what.filename
    write_atomically(path, what.make(path.suffix, runs, page))
    return path
