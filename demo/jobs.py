"""The runs that a view needs, and their results. No torch here: views are imported before it is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.request import Request, SamplerSettings
from core.timing import Timing
from demo.pictures import Picture
from demo.settings import PageSettings

if TYPE_CHECKING:
    from core import Engine
    from core.files import Made


@dataclass(frozen=True)
class Encoding:
    """Pictures whose x_T a job begins with. sources: the name and the part (across, down, zoom) of each. refine: of
    each step up. pixels: N×side×side×3 as the network sees them, once a checkpoint is there; digest: of them."""

    sources: tuple[tuple[str, tuple[float, float, float]], ...]
    refine: int = 0
    pixels: NDArray[np.uint8] | None = field(default=None, compare=False)
    digest: str = ""


@dataclass(frozen=True)
class Job:
    """One run of a view. name: in this view.

    film: its trajectory is kept and shown; it runs by itself, as a batch of one. alone: it runs by itself so that its
    time is its own; jobs that are neither share a batch with others of the same settings. answers: a change is answered
    at once by the same picture at few steps. few: at so many steps it is shown before it runs. encoding: of pictures,
    instead of the seeds' noise.
    """

    name: str
    request: Request
    film: bool = False
    alone: bool = False
    answers: bool = False
    few: int | None = None
    encoding: Encoding | None = None

    @property
    def cost(self) -> int:
        """Network evaluations of all its pictures, each counted by itself."""
        up = len(self.encoding.sources) * (1 + self.encoding.refine) if self.encoding is not None else 0
        return self.evaluations * (self.request.count + up)

    @property
    def evaluations(self) -> int:
        """Network calls a picture."""
        return self.request.settings.steps

    def at(self, steps: int) -> Job:
        """The same at another S."""
        return replace(self, request=replace(self.request, settings=replace(self.request.settings, steps=steps)))


def with_label(request: Request, label: int, engine: Engine) -> Request:
    """The same of a class, where the checkpoint has classes."""
    if engine.checkpoint.config.num_class_embeds is None:
        return request
    return replace(request, settings=replace(request.settings, label=label))


def labelled(jobs: Sequence[Job], label: int, engine: Engine) -> list[Job]:
    """Jobs of a class, where the checkpoint has classes."""
    return [replace(job, request=with_label(job.request, label, engine)) for job in jobs]


def settings_of(page: PageSettings) -> SamplerSettings:
    """What the sliders say."""
    return SamplerSettings(page.steps, page.eta, page.spacing, solver=page.solver)


@dataclass(frozen=True)
class Tree:
    """What a run with branches has beside its ends. at: the t where they part. fork: x_t there. film: (t, x̂0 of each
    branch, K×H×W×3), from noise to the pictures. apart: how much they differ (core.branches.spread)."""

    at: int
    fork: Picture
    film: tuple[tuple[int, NDArray[np.uint8]], ...]
    apart: float


@dataclass(frozen=True)
class Found:
    """What a job that began with pictures has beside its ends. x_T: of each picture, (N, C, H, W) float32 on the CPU.
    errors: mean squares of what came back of each, pixels 0..1, where it was decoded by itself. film: of the first, up
    to x_T and down again, F×H×W×3; t: of each frame, None at the picture and at what came back. evaluations: network
    calls. held_back: share of the refinements that ended early."""

    x_T: Any  # noqa: N815  # the field's name
    errors: tuple[float, ...]
    film: NDArray[np.uint8]
    t: tuple[int | None, ...]
    evaluations: int
    held_back: float


@dataclass(frozen=True)
class Finished:
    """The result of a job.

    T: the checkpoint's. made_by: what it depends on (weights, backend, request …), a key of the cache. shown: its
    picture for the browser. pixels: N×H×W×3, the end of a film. film: (x_t, x̂0) frames, F×H×W×3 each; times: of each
    frame. drawing_s: spent on previews. shared: how many pictures of others were made in the same run."""

    checkpoint: str
    weights: str
    T: int
    job: Job
    made_by: Any
    timing: Timing
    record: dict[str, Any]
    shown: Picture
    pixels: NDArray[np.uint8]
    film: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
    times: tuple[tuple[int, float, float], ...] = ()  # (t, x_t there at s, x̂0 there at s) of each frame
    drawing_s: float = 0.0
    shared: int = 0
    tree: Tree | None = None
    found: Found | None = None

    @property
    def size(self) -> int:
        """Bytes, about."""
        films = sum(part.nbytes for part in self.film or ())
        films += sum(frame.nbytes for _, frame in self.tree.film) if self.tree is not None else 0
        films += self.found.film.nbytes + 4 * self.found.x_T.numel() if self.found is not None else 0
        return self.pixels.nbytes + films + len(self.shown.uri) + 4000

    @property
    def made(self) -> Made:
        """As its files need it."""
        from core.files import Made

        return Made(self.record, pixels=self.pixels)
