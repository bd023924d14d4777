"""How good a network is while it trains: a line of figures now and then, so that a run that goes wrong is seen soon."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from core.atomic import write_atomically
from core.data.datasets import UInt8Array
from core.engine import Engine
from core.errors import RequestError
from core.evaluate.distances import frechet
from core.evaluate.faces import check_faces, has_faces
from core.evaluate.feature_net import FeatureNet, open_feature_net
from core.files import Made, samples
from core.pixels import to_pixels, to_uint8
from core.request import Request, SamplerSettings

REFERENCE = 10_000  # training pictures, as an evaluation takes them
SHEET = 64  # pictures, seeds 0 to 63, none left out
FIRST_SEED = 0


@dataclass(frozen=True)
class Watch:
    """features: file of the net that measures. n: unselected pictures, of seeds 0 to n − 1. steps: S, at η = 0.
    every_s: seconds of training between two looks."""

    features: Path
    images: UInt8Array
    n: int
    steps: int
    every_s: float

    @cached_property
    def net(self) -> FeatureNet:
        return open_feature_net(self.features)[0]

    def require(self, T: int) -> None:
        """Raises CheckpointError or RequestError, before hours of training, where a look would."""
        self.net.require(self.images.shape[1:])
        least = min(self.n, len(self.images[:REFERENCE]))
        if least <= self.net.config.features:
            raise RequestError(
                f"--watch measures {self.net.config.features} features, which {least} pictures cannot fill: "
                "--watch-n and the data must have more than that."
            )
        if self.steps > T:
            raise RequestError(f"--watch-steps {self.steps} is more than the {T} steps of the schedule.")

    def look(self, checkpoint: Path, state: Path, step: int) -> dict[str, object]:
        """Sample the saved checkpoint, measure, append a line to checks.jsonl and draw a sheet beside it."""
        started = time.perf_counter()
        engine = Engine.open(checkpoint, backend="torch")
        result = engine.sample(Request(tuple(range(FIRST_SEED, FIRST_SEED + self.n)), SamplerSettings(self.steps)))
        found: dict[str, object] = {"step": step, "n": self.n, "S": self.steps}
        features = self.net.measure_pixels(to_uint8(result.images).numpy()).numpy()
        found["frechet"] = round(frechet(features, self._reference(state)), 3)
        pixels = to_pixels(result.images)
        if has_faces(self.net.config.name, pixels):
            found |= {name: round(share, 4) for name, share in check_faces(pixels).shares().items()}
        found["seconds"] = round(time.perf_counter() - started, 1)
        sheet = samples(".png", Made(result.record, pixels[:SHEET]), columns=16)
        write_atomically(state / f"samples-{step:06d}.png", sheet)
        with (state / "checks.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
        return found

    def _reference(self, state: Path) -> np.ndarray:
        """Features of the training pictures, measured once for each net and kept in the state folder."""
        kept = state / f"reference-{self.features.stem}.npy"
        if not kept.is_file():
            reference = self.net.measure_pixels(self.images[:REFERENCE]).numpy()
            write_atomically(kept, lambda file: np.save(file, reference))
        return np.load(kept, allow_pickle=False)
