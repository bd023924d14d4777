"""What defines a training run. Everything random in it follows from ``seed`` and the step number."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.errors import RequestError
from core.train.muon import OPTIMIZERS
from core.train.objective import DRAWS, PREDICTIONS


@dataclass(frozen=True)
class TrainSettings:
    """steps: optimiser steps in all. batch: images a step. lr: peak learning rate.
    warmup: steps of linear rise. decay: the last share of the steps, over which lr falls to zero by a
    cosine; before it lr is constant, so a run may be lengthened without having been decayed too early.
    ema: decay of the weight average (warmed up). bf16: autocast for the inner layers.
    balance, coarse: how far noise levels are weighed alike, and the weight of coarse scales (core/train/weighting.py).
    prediction: what the network answers, "epsilon", "v" or "x0"; min_snr: γ of that weighting, or 0 for the plain
    loss; draw: t "uniform", or in proportion to that "weight", or "half" of a batch so and half uniform, either of
    which then weighs nothing (core/train/objective.py).
    optimizer: "adam", or "muon", which takes Muon for matrices (core/train/muon.py).
    """

    steps: int
    batch: int = 64
    lr: float = 1e-3
    warmup: int = 500
    decay: float = 0.4
    ema: float = 0.999
    grad_clip: float = 1.0
    seed: int = 0
    bf16: bool = False
    balance: float = 0.0
    coarse: float = 0.0
    prediction: str = "epsilon"
    min_snr: float = 0.0
    optimizer: str = "adam"
    draw: str = "uniform"

    def __post_init__(self) -> None:
        for name, good in (
            ("steps", self.steps >= 1),
            ("batch", self.batch >= 1),
            ("lr", 0 < self.lr < math.inf),
            ("warmup", self.warmup >= 0),
            ("decay", 0 <= self.decay <= 1),
            ("ema", 0 <= self.ema < 1),
            ("grad_clip", self.grad_clip > 0),
            ("seed", self.seed >= 0),
            ("balance", 0 <= self.balance <= 1),
            ("coarse", 0 <= self.coarse < math.inf),
            ("prediction", self.prediction in PREDICTIONS),
            ("min_snr", 0 <= self.min_snr < math.inf),
            ("optimizer", self.optimizer in OPTIMIZERS),
            ("draw", self.draw in DRAWS),
        ):
            if not good:
                raise RequestError(f"--{name.replace('_', '-')} {getattr(self, name)} is out of range.")
        if self.min_snr and (self.balance or self.coarse):
            raise RequestError("--min-snr weighs noise levels in another way than --balance and --coarse: give one.")
        if self.draw != "uniform" and not self.min_snr:
            raise RequestError(f"--draw {self.draw} draws t by the weight of --min-snr: give that, too.")

    def lr_at(self, step: int) -> float:
        """Learning rate of step 0..steps−1."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        start = self.steps * (1 - self.decay)
        fall = 0.0 if step < start else (step - start) / max(1.0, self.steps - start)
        return self.lr * rise * 0.5 * (1 + math.cos(math.pi * fall))

    def ema_at(self, step: int) -> float:
        """Decay at a step: warmed up, because a long average of early weights lags for thousands of steps."""
        return min(self.ema, (1 + step) / (10 + step))
