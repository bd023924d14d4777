"""The timing record of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch

from core.device import device_name

if TYPE_CHECKING:
    from core.engine import Engine


@dataclass(frozen=True)
class Timing:
    """Measured inside the sampler: loading, warm-up, previews and encoding are not in it.

    total_s: the whole run; network_s: of it, inside the network. evaluations: network calls, each of
    up to ``batch`` pictures. images_per_s: finished pictures by total_s. threads: torch's CPU threads.
    """

    total_s: float
    network_s: float
    ms_per_evaluation: float
    images_per_s: float
    evaluations: int
    device: str
    device_name: str
    precision: str
    threads: int
    batch: int

    @classmethod
    def of(cls, engine: Engine, total_s: float, network_s: float, evaluations: int, images: int, batch: int) -> Timing:
        return cls(
            total_s=total_s,
            network_s=network_s,
            ms_per_evaluation=1000 * network_s / evaluations,
            images_per_s=images / total_s,
            evaluations=evaluations,
            device=str(engine.device),
            device_name=device_name(engine.device),
            precision=engine.precision,
            threads=torch.get_num_threads(),
            batch=batch,
        )

    def as_dict(self) -> dict[str, object]:
        return asdict(self)
