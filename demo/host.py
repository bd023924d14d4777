"""Engines for the page, loaded after the page is up, because importing torch takes seconds."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from core.layouts import find_checkpoints, training_steps
from demo.compute import Compute

if TYPE_CHECKING:
    from core import Engine


FLAGSHIP = "toon-faces"  # the page opens on it where it is there
API_MINUTES = 10
DDPM_STEPS = 1000  # T of every published DDPM, and what diffusers assumes


class EngineHost:
    """Checkpoints under a folder, opened on first use and kept. Thread-safe.

    threads: CPU threads that torch may use, at least 1; None leaves that to torch. api_minutes: what a call of the
    API may take, by estimate; while it runs, everybody else waits.
    """

    def __init__(
        self, root: Path, device: str = "auto", precision: str = "auto", threads: int | None = None,
        api_minutes: int = API_MINUTES, backend: str = "auto",
    ) -> None:  # fmt: skip
        self.root, self.device, self.precision, self.threads = root, device, precision, threads
        self.api_minutes, self.backend = api_minutes, backend
        self.compute = Compute()
        self._lock = threading.Lock()
        self._engines: dict[str, Engine] = {}
        self._ms: dict[tuple[str, int], float] = {}

    def names(self) -> list[str]:
        """Names of the checkpoint folders in either of diffusers' layouts, the flagship first, without torch."""
        names = [folder.name for folder in find_checkpoints(self.root)]
        return sorted(names, key=lambda name: (name != FLAGSHIP, name))

    def folder_text(self, name: str) -> str:
        """How a command line names a checkpoint: from the working folder where it lies in there."""
        path = self.root / name
        return os.path.relpath(path) if path.absolute().is_relative_to(Path.cwd()) else str(path)

    def training_steps(self, name: str) -> int:
        """T of a checkpoint, from its scheduler config."""
        return training_steps(self.root / name) or DDPM_STEPS  # opening it will say what is wrong with the file

    def loaded(self, name: str) -> bool:
        return name in self._engines

    def engine(self, name: str) -> Engine:
        """The engine of a checkpoint; the first call loads it. Raises DDIMError."""
        engine = self._engines.get(name)
        return engine or self.compute.call(lambda: self._opened(name))

    def _opened(self, name: str) -> Engine:
        from core import CheckpointError, Engine
        from core.backends import instead_of

        if name not in self.names():
            raise CheckpointError(f"There is no checkpoint {name!r} under {self.root}: choose one from the list.")
        with self._lock:
            if name not in self._engines:
                self._limit_threads()
                engine = Engine.open(self.root / name, self.device, self.precision, self.backend)
                reason = instead_of(engine.device, engine.precision) if self.backend == "auto" else None
                if reason is not None:
                    print(f"{name} is computed by torch: {reason}", flush=True)
                for note in engine.checkpoint.notes:
                    print(f"{name}: {note}", flush=True)
                self._calibrate(name, engine)
                self._engines[name] = engine
            return self._engines[name]

    def _limit_threads(self) -> None:
        """Before any network runs: a thread that has computed already keeps the number it found."""
        if self.threads is not None:
            import torch

            torch.set_num_threads(self.threads)

    def _calibrate(self, name: str, engine: Engine) -> None:
        from core import Request, SamplerSettings

        for batch in (1, 8):
            request, before, times = Request(tuple(range(batch)), SamplerSettings(steps=min(4, engine.T))), 0.0, []
            for step in engine.run(request):
                times.append(1000 * (step.elapsed_s - before))
                before = step.elapsed_s
            self.measured(name, batch, min(times))  # the machine is still busy starting up

    def preload(self) -> None:
        """Load the first checkpoint as soon as ``compute`` is served. A failure is raised again by the run that
        needs it."""

        def load() -> None:
            from core import DDIMError

            for name in self.names()[:1]:
                try:
                    self.engine(name)
                except DDIMError as error:
                    print(f"{name}: {error}", flush=True)

        self.compute.later(load)

    def measured(self, name: str, batch: int, ms: float) -> None:
        """Remember what a network evaluation of this batch took."""
        self._ms[(name, batch)] = ms

    def expected_ms(self, name: str, batch: int) -> float:
        """Milliseconds of one evaluation at this batch: measured, or from the nearest measured batch."""
        known = {b: ms for (n, b), ms in self._ms.copy().items() if n == name}
        if not known:
            return 0.0
        if batch in known:
            return known[batch]
        nearest = min(known, key=lambda b: abs(b - batch))
        return known[nearest] * (batch / nearest if batch > nearest else 1.0)
