"""What the network's answer says of x_t: the clean picture x̂0 and the noise ε, whichever of them it predicts."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from core.errors import RequestError


class NoiseLevel(Protocol):
    """The level that x_t is at: √ᾱ_n and √(1 − ᾱ_n)."""

    @property
    def signal(self) -> float: ...
    @property
    def spread(self) -> float: ...


def predict(x_t: Tensor, out: Tensor, at: NoiseLevel, prediction_type: str) -> tuple[Tensor, Tensor]:
    """(x̂0, ε) from a prediction of ε ("epsilon"), x0 ("sample") or v = √ᾱ ε − √(1−ᾱ) x0 ("v_prediction")."""
    if prediction_type == "epsilon":
        return (x_t - at.spread * out) / at.signal, out
    if prediction_type == "sample":
        return out, (x_t - at.signal * out) / at.spread
    if prediction_type == "v_prediction":
        return at.signal * x_t - at.spread * out, at.signal * out + at.spread * x_t
    raise RequestError(f"prediction_type must be epsilon, sample or v_prediction, not {prediction_type!r}.")


def estimate(
    x_t: Tensor, out: Tensor, at: NoiseLevel, prediction_type: str, clip_range: float | None
) -> tuple[Tensor, Tensor]:
    """(x̂0, ε), x̂0 clipped to [−clip_range, clip_range] where that is given.

    Clipping re-derives ε from x̂0: only then is η = 1, S = T the DDPM sampler (docs/decisions/0002-clipping.md).
    """
    x0_hat, eps = predict(x_t, out, at, prediction_type)
    if clip_range is not None:
        x0_hat = x0_hat.clamp(-clip_range, clip_range)
        eps = (x_t - at.signal * x0_hat) / at.spread
    return x0_hat, eps
