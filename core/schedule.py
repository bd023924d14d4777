"""The forward process: q(x_n | x_0) = N(√ᾱ_n x_0, (1 − ᾱ_n) I), as a table of ᾱ.

The paper writes α for what is here ``alpha_bar`` (the cumulative product of 1 − β).
Time n runs 0..T with ᾱ_0 = 1 (clean data), so no "before the first step" sentinel is
needed. The index t = n − 1 in 0..T−1 is what the network and people see.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.errors import CheckpointError, RequestError
from core.json_files import Fields
from core.layouts.layout import MAX_T

Float64Array = NDArray[np.float64]

SMALLEST = 1e-30  # of ᾱ: x̂0 from ε is divided by its root
BETA_SCHEDULES = ("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid")


@dataclass(frozen=True)
class NoiseSchedule:
    """β of a DDPM, under the names diffusers uses in ``scheduler_config.json``.

    beta_schedule: "linear", "scaled_linear", "squaredcos_cap_v2" (cosine) or "sigmoid".
    num_train_timesteps: T. beta_start, beta_end: the ends of all but the cosine.
    trained_betas: an explicit table of T values, which wins over the rest.
    """

    beta_schedule: str = "linear"
    num_train_timesteps: int = 1000
    beta_start: float = 1e-4
    beta_end: float = 0.02
    trained_betas: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.num_train_timesteps < 1:
            raise RequestError("A schedule needs at least one step: set num_train_timesteps to 1 or more.")
        beta = self.beta
        if not (np.isfinite(beta).all() and (beta > 0).all() and (beta < 1).all()):
            raise RequestError("Every β must lie strictly between 0 and 1: check beta_start and beta_end.")
        if not (self.alpha_bar[-1] > SMALLEST and (np.diff(self.alpha_bar) < 0).all()):
            raise RequestError("ᾱ must fall at every step and stay above 1e-30: check the β and num_train_timesteps.")

    @classmethod
    def from_config(cls, config: Mapping[str, object], defaults: Mapping[str, object] | None = None) -> NoiseSchedule:
        """Read the schedule out of a diffusers scheduler config. defaults: of its class, where they are not DDPM's.
        Raises CheckpointError for what is no schedule, or would change ᾱ unseen."""
        if config.get("rescale_betas_zero_snr"):
            raise CheckpointError(
                "scheduler_config.json asks for rescale_betas_zero_snr, which this engine does not implement: "
                "use a checkpoint trained without it."
            )
        own: dict[str, object] = {field.name: field.default for field in fields(cls)} | dict(defaults or {})
        found = Fields("scheduler_config.json", config, own)
        T = found.whole("num_train_timesteps", 1, MAX_T)
        table = None if found.value("trained_betas") is None else found.numbers("trained_betas", MAX_T, 0, 1)
        if table is not None and len(table) != T and "num_train_timesteps" in config:
            raise CheckpointError(
                f"scheduler_config.json lists {len(table)} trained_betas for num_train_timesteps {T}: make them equal."
            )
        try:
            return cls(
                beta_schedule=found.choice("beta_schedule", BETA_SCHEDULES),
                num_train_timesteps=T if table is None else len(table),
                beta_start=found.number("beta_start", 0, 1),
                beta_end=found.number("beta_end", 0, 1),
                trained_betas=table,
            )
        except RequestError as error:
            raise CheckpointError(f"scheduler_config.json does not describe a usable schedule: {error}") from error

    @property
    def T(self) -> int:
        """The number of training steps."""
        return self.num_train_timesteps

    @property
    def beta(self) -> Float64Array:
        """β_t for t = 0..T−1, float64."""
        T = self.num_train_timesteps
        if self.trained_betas is not None:
            return np.asarray(self.trained_betas, dtype=np.float64)
        if self.beta_schedule == "linear":
            return np.linspace(self.beta_start, self.beta_end, T, dtype=np.float64)
        if self.beta_schedule == "scaled_linear":
            return np.linspace(self.beta_start**0.5, self.beta_end**0.5, T, dtype=np.float64) ** 2
        if self.beta_schedule == "squaredcos_cap_v2":

            def f(u: float) -> float:  # Nichol & Dhariwal 2021, eq. 17
                return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

            return np.array([min(1 - f((i + 1) / T) / f(i / T), 0.999) for i in range(T)], dtype=np.float64)
        if self.beta_schedule == "sigmoid":
            return self.beta_start + (self.beta_end - self.beta_start) / (1 + np.exp(-np.linspace(-6, 6, T)))
        raise RequestError(f"beta_schedule must be one of {', '.join(BETA_SCHEDULES)}, not {self.beta_schedule!r}.")

    @cached_property
    def alpha_bar(self) -> Float64Array:
        """ᾱ_n for n = 0..T (T + 1 values, ᾱ_0 = 1), float64, strictly decreasing."""
        table = np.concatenate([[1.0], np.cumprod(1.0 - self.beta)])
        table.setflags(write=False)
        return table
