"""The timing record of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Protocol


class Where(Protocol):
    """What a timing says of where it was taken (core.backends.placed.Place)."""

    @property
    def device(self) -> str: ...
    @property
    def device_name(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def backend(self) -> str: ...
    @property
    def threads(self) -> int: ...


@dataclass(frozen=True)
class Timing:
    """Measured inside the sampler: loading, warm-up, previews and encoding are not in it.

    total_s: the whole run; network_s: of it, inside the network. evaluations: network calls, each of
    up to ``batch`` pictures. images_per_s: finished pictures by total_s. threads: of the CPU. backend: what computed
    the network.
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
    backend: str

    @classmethod
    def of(cls, where: Where, total_s: float, network_s: float, evaluations: int, images: int, batch: int) -> Timing:
        return cls(
            total_s=total_s,
            network_s=network_s,
            ms_per_evaluation=1000 * network_s / evaluations,
            images_per_s=images / total_s,
            evaluations=evaluations,
            device=where.device,
            device_name=where.device_name,
            precision=where.precision,
            threads=where.threads,
            batch=batch,
            backend=where.backend,
        )

    def as_dict(self) -> dict[str, object]:
        return asdict(self)
