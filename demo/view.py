"""What a view is: a folder of demo/views with this in its ``__init__.py``, and a panel.js and a style.css beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.jobs import Job
from demo.scene import Scene
from demo.settings import PageSettings

if TYPE_CHECKING:
    from core import Engine
    from demo.given import Find
    from demo.host import EngineHost


def as_they_are(jobs: list[Job], engine: Engine, find: Find) -> list[Job]:
    """Of a view whose jobs any checkpoint can run."""
    return jobs


def no_jobs(page: PageSettings) -> list[Job]:
    """Of a view that samples nothing."""
    return []


@dataclass(frozen=True)
class View:
    """name: a key of demo.settings.VIEWS. layout: puts panels and controls on the page, in the view's column. jobs: the
    runs that it needs, in the order in which they are run. fitted: the same as this checkpoint can run them,
    of pictures that can be found. panels:
    panel name → its value, from what the jobs show; it is asked after every change. early: of panels that need no
    model. timed: it shows what a run takes here, and runs nothing that would tell."""

    name: str
    layout: Callable[[EngineHost], None]
    jobs: Callable[[PageSettings], list[Job]] = no_jobs
    panels: Callable[[Scene], dict[str, Any]] = lambda scene: {}
    early: Callable[[PageSettings], dict[str, Any]] = lambda page: {}
    fitted: Callable[[list[Job], Engine, Find], list[Job]] = as_they_are
    timed: bool = False

    @property
    def folder(self) -> Path:
        return Path(__file__).parent / "views" / self.name

    def script(self) -> str:
        """Its drawing."""
        path = self.folder / "panel.js"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def style(self) -> str:
        """Its looks."""
        path = self.folder / "style.css"
        return path.read_text(encoding="utf-8") if path.is_file() else ""
