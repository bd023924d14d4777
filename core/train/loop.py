"""The DDPM objective (paper eq. 5): E ‖y − f_θ(√ᾱ_t x_0 + √(1−ᾱ_t) ε, t)‖²; core/train/objective.py has y and the t.

Every random choice of step k (which images, t, ε) comes from a generator seeded by (seed, k), so a
killed and resumed run equals an uninterrupted one without any random state being stored.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from core.checkpoint import Checkpoint
from core.data.datasets import UInt8Array
from core.errors import DataError, NetworkError
from core.parallel import Share
from core.pixels import from_pixels
from core.schedule import NoiseSchedule
from core.train.grow import grow
from core.train.muon import Muon, is_matrix
from core.train.objective import diffuse, draw_by_weight, level_weights, target
from core.train.settings import TrainSettings
from core.train.weighting import Balance
from core.unet import UNet
from core.unet_config import UNetConfig


@dataclass(frozen=True)
class Progress:
    """After a step: step counts from 1, loss is that step's, elapsed_s is this process's time since run(),
    saves and sample sheets between the steps included."""

    step: int
    loss: float
    lr: float
    elapsed_s: float


class Trainer:
    """A network, its weight average and its optimiser, advanced one step at a time."""

    def __init__(
        self,
        config: UNetConfig,
        schedule: NoiseSchedule,
        images: UInt8Array,
        settings: TrainSettings,
        device: str = "cpu",
        share: Share | None = None,
    ) -> None:
        if images.shape[1] != config.in_channels or config.in_channels != config.out_channels:
            raise DataError(
                f"The images have {images.shape[1]} channels and the network {config.in_channels}: make them equal."
            )
        torch.manual_seed(settings.seed)
        self.config, self.schedule, self.images, self.settings = config, schedule, images, settings
        self.device, self.share = torch.device(device), share or Share()
        self.network = UNet(config).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.inner_dtype = torch.bfloat16 if settings.bf16 else None
        # the same weights, with gradients averaged over the processes; alone, the network itself
        self.trained = DistributedDataParallel(self.network) if self.share.world > 1 else self.network
        self.ema = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        weights = list(self.network.parameters())
        matrices = [w for w in weights if is_matrix(w)] if settings.optimizer == "muon" else []
        self.muon = Muon(matrices, settings.lr, share=self.share) if matrices else None
        taken = set(map(id, matrices))
        self.optimizer = torch.optim.Adam([w for w in weights if id(w) not in taken], lr=settings.lr)
        weighed = settings.balance > 0 or settings.coarse > 0
        self.balance = (
            Balance(schedule.T, images.shape[-1], self.device, settings.balance, settings.coarse) if weighed else None
        )
        self.alpha_bar = torch.from_numpy(schedule.alpha_bar[1:].copy()).float()
        self.loss_weight, self.draw_weight = level_weights(
            settings.prediction, self.alpha_bar, settings.min_snr, settings.draw
        )
        self.step = 0

    @property
    def optimizers(self) -> list[torch.optim.Optimizer]:
        return [self.optimizer] if self.muon is None else [self.optimizer, self.muon]

    @cached_property
    def data_sha256(self) -> str:
        """Identity of the training images, so that a run is not resumed on others."""
        return hashlib.sha256(np.ascontiguousarray(self.images).data).hexdigest()

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """(x_0 (B,C,H,W) in [−1,1], t (B,) in 0..T−1, ε (B,C,H,W)) of a step: a function of the seed and step.

        Images run through a fresh permutation each epoch, so each is seen once before any is seen again.
        """
        n, b, seed = len(self.images), self.settings.batch, self.settings.seed
        positions = np.arange(step * b, (step + 1) * b)
        epochs = positions // n
        orders = {int(e): np.random.default_rng([seed, 1, int(e)]).permutation(n) for e in np.unique(epochs)}
        chosen = [int(orders[int(e)][p % n]) for e, p in zip(epochs, positions, strict=True)]
        x_0 = from_pixels(self.images[chosen])
        rng = np.random.default_rng([seed, 2, step])
        if self.draw_weight is None:
            t = torch.from_numpy(rng.integers(0, self.schedule.T, size=b))
        else:
            t = torch.from_numpy(draw_by_weight(self.draw_weight, b, rng))
        eps = torch.from_numpy(rng.standard_normal(x_0.shape, dtype=np.float32))
        return x_0, t, eps

    def loss(self, x_0: Tensor, t: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
        """(what is minimised, the plain mean squared error of the network's answer for the log).

        They are one and the same unless noise levels and scales are weighed (core/train/weighting.py, objective.py).
        """
        a, settings = self.alpha_bar[t][:, None, None, None], self.settings
        x_t = diffuse(x_0, eps, a).to(self.device).contiguous(memory_format=torch.channels_last)
        error = self.trained(x_t, t.to(self.device)) - target(settings.prediction, x_0, eps, a).to(self.device)
        plain = error.square().mean()
        if self.balance is not None:
            return self.balance(error, t.to(self.device)), plain.detach()
        if self.loss_weight is not None:
            weight = self.loss_weight[t][:, None, None, None].to(self.device)
            return (weight * error.square()).mean(), plain.detach()
        return plain, plain.detach()

    def run(self) -> Iterator[Progress]:
        """Advance to ``settings.steps``. Raises NetworkError at a loss that is not finite, before any update."""
        start = time.perf_counter()
        self.network.train()
        while self.step < self.settings.steps:
            for optimizer in self.optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = self.settings.lr_at(self.step)
            # dropout, where there is any: another draw each step and process
            torch.manual_seed((self.settings.seed * 1_000_003 + self.step) * self.share.world + self.share.rank)
            rows = self.share.of(self.settings.batch)
            x_0, t, eps = (part[rows] for part in self.batch(self.step))
            loss, plain = self.loss(x_0, t, eps)
            value = self.share.mean(plain)
            wrong = next((x for x in (value, self.share.mean(loss.detach())) if not math.isfinite(x)), None)
            if wrong is not None:
                raise NetworkError(
                    f"The loss became {wrong} at step {self.step}; the last saved state is kept: "
                    "resume from it with a lower --lr."
                )
            self.network.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.grad_clip)
            for optimizer in self.optimizers:
                optimizer.step()
            self._average()
            self.step += 1
            yield Progress(self.step, value, self.settings.lr_at(self.step - 1), time.perf_counter() - start)

    @torch.no_grad()
    def _average(self) -> None:
        current = self.network.state_dict()
        weight = 1 - self.settings.ema_at(self.step)
        torch._foreach_lerp_([self.ema[k] for k in current], list(current.values()), weight)

    def start_from(self, checkpoint: Checkpoint) -> None:
        """Begin with the weights of a finished checkpoint and a new optimiser; the warm-up fills its averages. Where
        this network has more layers or attention, these answer nothing at first (core/train/grow.py).
        Raises DataError unless all else of the network, and the schedule, are the same."""
        if checkpoint.schedule != self.schedule:
            raise DataError(f"{checkpoint.path} is of another noise schedule: give the options it was made with.")
        weights = grow(checkpoint.load_network(), self.config).state_dict()
        self.network.load_state_dict(weights)
        self.ema = {k: v.detach().clone().to(self.device) for k, v in weights.items()}
