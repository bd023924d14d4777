"""What an evaluation has at hand: engine, ruler, pictures, seeds, and the folder of finished parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.data.datasets import UInt8Array
from core.engine import Engine
from core.errors import RequestError
from core.evaluate.cells import PATHS, SEEN_BY_NET, TO_DATA, Cell
from core.evaluate.distances import FloatArray
from core.evaluate.feature_net import FeatureNet
from core.evaluate.machine import machine
from core.evaluate.parts import Arrays, Part, Tick
from core.evaluate.ruler import Ruler
from core.pixels import to_uint8
from core.request import Request, SamplerSettings

MAX_REFERENCE = 10_000


def digest(images: UInt8Array) -> str:
    """sha256 of the pictures' bytes and shape: which data, whatever the file."""
    return hashlib.sha256(str(images.shape).encode() + np.ascontiguousarray(images).tobytes()).hexdigest()


def _first(n: int, images: UInt8Array | None, which: str, option: str) -> UInt8Array:
    if images is None or len(images) < n:
        have = 0 if images is None else len(images)
        few = n <= MAX_REFERENCE
        remedy = f"name more with {option}" if few else f"no more than {MAX_REFERENCE} are taken, ask for less"
        raise RequestError(f"These cells need {n} {which} pictures, not {have}: {remedy}.")
    return images[:n]


@dataclass(frozen=True)
class Setup:
    """net: the feature net, features_sha256 of its file. training: up to MAX_REFERENCE pictures N×C×H×W uint8 of the
    data, held_out: others of it; each may be None where no cell needs it. n_rest: see cells.cells. seeds_from: the
    first seed. batch: pictures in one network call. chunk: pictures in one part. state: the folder of parts.
    """

    engine: Engine
    state: Path
    net: FeatureNet | None = None
    features_sha256: str | None = None
    training: UInt8Array | None = None
    held_out: UInt8Array | None = None
    n_rest: int = 200
    seeds_from: int = 100_000
    batch: int = 50
    chunk: int = 100

    def seeds(self, rows: range) -> tuple[int, ...]:
        return tuple(self.seeds_from + row for row in rows)

    def paths(self, n: int) -> int:
        """How many of n pairs an interpolation follows frame by frame."""
        return min(PATHS, self.n_rest, n)

    def need_net(self) -> FeatureNet:
        if self.net is None:
            raise RequestError("These cells need a feature net: name it with --features.")
        return self.net

    def need_held_out(self, n: int) -> UInt8Array:
        """The first n held-out pictures."""
        return _first(n, self.held_out, "held-out", "--held-out")

    def need_training(self, n: int) -> UInt8Array:
        """The first n training pictures."""
        return _first(n, self.training, "training", "--data")

    def measure(self, images: UInt8Array) -> FloatArray:
        """8-bit pictures N×C×H×W → features (N,D)."""
        return self.need_net().measure_pixels(images).numpy()

    @cached_property
    def ruler(self) -> Ruler:
        """Distances to the training pictures."""
        if self.training is None:
            raise RequestError("These cells need the training pictures: name them with --data.")
        return Ruler(self.measure(self.training))

    @cached_property
    def digests(self) -> tuple[str | None, str | None]:
        """Of the training and of the held-out pictures."""
        return tuple(None if x is None else digest(x) for x in (self.training, self.held_out))  # type: ignore[return-value]

    def conditions(self, cell: Cell) -> dict[str, object]:
        """All that the figures of a cell depend on, beside the checkpoint and the code."""
        found: dict[str, object] = {"n": cell.n, "precision": self.engine.precision}
        drawn = cell.kind in SEEN_BY_NET and cell.way != "floor"
        if drawn:
            found["seeds_from"] = self.seeds_from
        if cell.kind in SEEN_BY_NET:
            found["features_sha256"] = self.features_sha256
        if cell.kind in TO_DATA:
            found["data_sha256"] = self.digests[0]
            found["n_reference"] = 0 if self.training is None else len(self.training)
        if cell.kind == "interpolation":
            found["paths"] = self.paths(cell.n)
        if cell.kind == "speed":
            where = machine(self.engine.device)
            found |= {name: where[name] for name in ("device_name", "processor", "threads")}
        if cell.kind == "denoising":
            found |= {"seeds_from": self.seeds_from, "data_sha256": self.digests[0]}
        if cell.held_out:
            found["held_out_sha256"] = self.digests[1]
        return found

    def folder(self, name: str) -> Path:
        """Where the parts called ``name`` are kept: those of another precision or device are others."""
        return self.state / f"{self.engine.precision}-{self.engine.device.type}" / name

    def parts(
        self,
        name: str,
        count: int,
        settings: SamplerSettings,
        latents: Callable[[range], Tensor] | None = None,
        noise_from: int | None = None,
        frames: int = 1,
    ) -> list[Part]:
        """Parts of ``images`` uint8 (rows·frames,C,H,W) in the order of rows 0..count−1, kept under ``name``.

        Row i has seed seeds_from + i. latents(rows): its x_T (rows·frames,C,H,W) instead of the seeds' own.
        noise_from: draw the steps' noise from these seeds instead. Beside the pictures each part keeps total_s and
        network_s (seconds in the sampler, in the network) and evaluations.
        """
        folder = self.folder(name)
        size = max(1, self.chunk // frames)
        found = []
        for start in range(0, count, size):
            rows = range(start, min(count, start + size))
            pictures = len(rows) * frames

            def make(tick: Tick, rows: range = rows, pictures: int = pictures) -> Arrays:
                first = (self.seeds_from if noise_from is None else noise_from) + rows.start
                request = Request(tuple(range(first, first + pictures)), settings)
                x_T = None if latents is None else latents(rows)
                result = self.engine.sample(request, x_T, self.batch, lambda _, __: tick(1))
                timing = result.timing
                return {
                    "images": to_uint8(result.images).numpy(),
                    "total_s": np.float64(timing.total_s),  # type: ignore[dict-item]  # a number is an array of no axes
                    "network_s": np.float64(timing.network_s),  # type: ignore[dict-item]
                    "evaluations": np.int64(timing.evaluations),  # type: ignore[dict-item]
                }

            path = folder / f"{self.seeds_from + rows.start}-{self.seeds_from + rows.stop - 1}.npz"
            found.append(Part(path, -(-pictures // self.batch) * settings.steps, make))
        return found

    def drawn(self, count: int, settings: SamplerSettings) -> list[Part]:
        """The pictures of the first ``count`` seeds. Every kind of cell shares these parts."""
        eta = "hat" if settings.sigma_hat else f"{settings.eta:g}"
        clip = {None: None, True: "clipped", False: "unclipped"}[settings.clip]
        solver = None if settings.solver == "ddim" else settings.solver
        other = "".join(f"-{text}" for text in (settings.spacing, clip, solver) if text)
        return self.parts(f"eta={eta}-S={settings.steps}{other}", count, settings)

    def ms_per_evaluation(self) -> float:
        """A first estimate: three network calls at this batch size, the first not counted."""
        x = torch.zeros(self.batch, *self.engine.checkpoint.shape)
        settings = SamplerSettings(min(3, self.engine.T))
        result = self.engine.sample(Request(tuple(range(self.batch)), settings), x, self.batch)
        return result.timing.ms_per_evaluation
