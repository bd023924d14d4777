"""Engines for the page, loaded after the page is up, because importing torch takes seconds."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CheckpointError
from core.hub import Located
from core.layouts import find_checkpoints, training_steps
from demo.api_files import ApiFiles
from demo.cache import Cache
from demo.compute import Compute
from demo.given import GivenPictures
from demo.limits import Limits
from demo.opening import Allowed
from demo.own_paths import without_paths
from demo.pace import Pace

if TYPE_CHECKING:
    from core import Engine
    from core.checkpoint import Checkpoint
    from demo.shared import Shares


FLAGSHIP = "toon-faces"  # the page opens on it where it is there
API_MINUTES = 10
MOST_OPENED = 32  # by visitors: each of them is in everybody's list
IDLE_S = 1800.0  # after which an engine leaves memory, unless it is the last that was used
DDPM_STEPS = 1000  # T of every published DDPM, and what diffusers assumes


class EngineHost:
    """Checkpoints under a folder, and further ones, opened on first use and kept while they are used. Thread-safe.

    threads: CPU threads that torch may use, at least 1; None leaves that to torch. api_minutes: what a call of the
    API may take, by estimate; it takes turns with everybody else. limits: of what needs no estimate. public: strangers
    come, so no answer names a path of this machine. allow_checkpoints: the folder below which
    visitors may open checkpoints by name; None where they may not. opened_here: the names of what they opened.
    """

    def __init__(
        self, root: Path, device: str = "auto", precision: str = "auto", threads: int | None = None,
        api_minutes: int = API_MINUTES, backend: str = "auto", further: Iterable[Located] = (), *,
        limits: Limits = Limits(), public: bool = False, allow_checkpoints: Path | None = None,  # noqa: B008  # frozen
    ) -> None:  # fmt: skip
        self.root, self.device, self.precision, self.threads = root, device, precision, threads
        self.api_minutes, self.backend = api_minutes, backend
        self.further = {one.name: one for one in further}
        self.limits, self.public = limits, public
        self.allowed = None if allow_checkpoints is None else Allowed(allow_checkpoints)
        self.opened_here: list[str] = []
        self.compute, self.cache, self.pictures, self.pace = Compute(), Cache(), GivenPictures(), Pace()
        self.api_files = ApiFiles(Path(tempfile.gettempdir()) / "ddim-api")  # demo/api.py moves it to Gradio's own
        self.clock: Callable[[], float] = time.monotonic
        self._engines: dict[str, Engine] = {}
        self._used: dict[str, float] = {}
        self._opening: dict[str, Checkpoint] = {}  # read, and not yet an engine

    @cached_property
    def shares(self) -> Shares:
        """Calls that may share a batch."""
        from demo.shared import Shares  # with torch

        return Shares()

    def names(self) -> list[str]:
        """Names of the checkpoint folders in either of diffusers' layouts, the flagship first, without torch."""
        names = {folder.name for folder in find_checkpoints(self.root)} | self.further.keys()
        return sorted(names, key=lambda name: (name != FLAGSHIP, name))

    def folder(self, name: str) -> Path:
        """Where the files of a checkpoint are."""
        return self.further[name].path if name in self.further else self.root / name

    def folder_text(self, name: str) -> str:
        """How a command line names a checkpoint: from the working folder where it lies in there, or as the hub does;
        for strangers as if it lay in a clone of this repository."""
        path = self.folder(name)
        if name in self.further and not (self.public and self.further[name].text == str(path)):
            return self.further[name].text
        if self.public:
            return f"checkpoints/{name}"
        return os.path.relpath(path) if path.absolute().is_relative_to(Path.cwd()) else str(path)

    def open_named(self, text: str) -> tuple[str, tuple[str, ...]]:
        """(name, what is to be said) of a checkpoint that a visitor names, from now on in everybody's list; a download
        may take minutes. Raises CheckpointError."""
        if self.allowed is None:
            raise CheckpointError(
                "This page opens no further checkpoints: its host starts it with --allow-checkpoints."
            )
        found = self.allowed.locate(text)
        there = next((name for name in self.names() if self.folder(name).resolve() == found.path), None)
        if there is not None:
            return there, found.notes
        if found.name in self.names():
            raise CheckpointError(f"Another checkpoint is called {found.name}: rename the folder.")
        if len(self.opened_here) >= MOST_OPENED:
            raise CheckpointError(f"Visitors opened {MOST_OPENED} checkpoints already: ask the host to add more.")
        from core.checkpoint import open_checkpoint
        from core.fitting import needs

        try:
            config = open_checkpoint(found.path).config
        except CheckpointError as error:
            raise CheckpointError(str(error).replace(str(found.path), found.name)) from error
        self.further[found.name] = found
        self.opened_here.append(found.name)
        return found.name, (*found.notes, needs(config))

    def told(self, sentence: str) -> str:
        """A sentence as a visitor may read it."""
        if not self.public:
            return sentence
        folders = {self.root: "checkpoints", Path.cwd(): ".", **{self.folder(name): name for name in self.names()}}
        own = {str(path): said for folder, said in folders.items() for path in (folder, folder.resolve())}
        return without_paths(sentence, {path: said for path, said in own.items() if Path(path).is_absolute()})

    def training_steps(self, name: str) -> int:
        """T of a checkpoint, from its scheduler config."""
        return training_steps(self.folder(name)) or DDPM_STEPS  # opening it will say what is wrong with the file

    def loaded(self, name: str) -> bool:
        return name in self._engines

    def engine(self, name: str) -> Engine:
        """The engine of a checkpoint; the first call loads it. Raises DDIMError."""
        engine = self._engines.get(name)
        if engine is None:
            for _ in self.compute.steps(self.opened(name)):
                pass
            engine = self._engines[name]
        else:
            self._used[name] = self.clock()
        return engine

    def opened(self, name: str) -> Generator[None, None, Engine]:
        """Load a checkpoint a piece at a time, on the compute thread; whoever comes to a piece first does it, so
        several may wait for one model, and any of them may leave. Raises DDIMError."""
        from core import Engine
        from core.backends import instead_of
        from core.checkpoint import open_checkpoint
        from core.plain_numbers import excerpt

        if name in self._engines:
            self._used[name] = self.clock()
            return self._engines[name]
        self._forget(self._idle())
        if name not in self.names():
            raise CheckpointError(f"There is no checkpoint {excerpt(name)} here: choose one from the list.")
        if name not in self._opening:
            self._limit_threads()
            self._opening[name] = open_checkpoint(self.further[name].text if name in self.further else self.root / name)
        yield
        if name not in self._engines:
            engine = Engine(self._opening[name], self.device, self.precision, self.backend)
            reason = instead_of(engine.device, engine.precision) if self.backend == "auto" else None
            if reason is not None:
                print(f"{name} is computed by torch: {reason}", flush=True)
            for note in engine.checkpoint.notes:
                print(f"{name}: {note}", flush=True)
            self._engines[name], self._used[name] = engine, self.clock()
            self._opening.pop(name)
            yield
            yield from self.pace.calibrated(name, engine)
        return self._engines[name]

    def let_go(self) -> None:
        """Forget engines that nobody has asked for in a while, but for the last: whoever comes next is likely to want
        it. On the compute thread. A run that still has an engine keeps it to its end."""
        last = max(self._engines, key=lambda name: self._used[name], default=None)
        self._forget([name for name in self._idle() if name != last])

    def _idle(self) -> list[str]:
        oldest = self.clock() - IDLE_S
        return [name for name in self._engines if self._used[name] < oldest]

    def _forget(self, names: list[str]) -> None:
        for name in names:
            self._engines.pop(name, None)

    def _limit_threads(self) -> None:
        """Before any network runs: a thread that has computed already keeps the number it found."""
        if self.threads is not None:
            import torch

            torch.set_num_threads(self.threads)

    def preload(self) -> None:
        """Load the first checkpoint as soon as ``compute`` is served. A failure is raised again by the run that
        needs it."""

        def failed(error: BaseException | None) -> None:
            from core import DDIMError

            if isinstance(error, DDIMError):
                print(f"{self.names()[0]}: {error}", flush=True)

        def loading() -> Generator[None, None, None]:
            yield from self.opened(self.names()[0])

        if self.names():
            self.compute.play(loading(), lambda _: None, failed, counts=False)
