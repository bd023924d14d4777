"""What the network learns to say of x_t = √ᾱ x_0 + √(1−ᾱ) ε, and how much each noise level counts.

    ε ("epsilon", DDPM's own), x_0 ("x0"), or v = √ᾱ ε − √(1−ᾱ) x_0 ("v"; Salimans & Ho 2022, App. D)

Given x_t, each of the three follows from each other one, so their errors differ by a factor of t alone:
    ‖v − v̂‖² = ‖ε − ε̂‖² / ᾱ = (SNR + 1) ‖x_0 − x̂_0‖²,   ‖ε − ε̂‖² = SNR ‖x_0 − x̂_0‖²,   SNR = ᾱ / (1−ᾱ)
All are the paper's objective L_γ (its eq. 5), with γ ∝ 1 for ε, 1/ᾱ for v and 1/SNR for x_0. Its optimum does not
depend on γ where every t may have a function of its own (Sec. 3), and Theorem 1 makes L_γ the variational bound of
DDIM's processes, so a network trained on v is trained exactly as a DDPM and is only read differently.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.errors import RequestError

DRAWS = ("uniform", "weight", "half")
"""Of t: uniform, in proportion to the weight of --min-snr, or one half of each batch so and one uniform."""
PREDICTIONS = {"epsilon": "epsilon", "x0": "sample", "v": "v_prediction"}
"""The trainer's name → ``prediction_type`` in scheduler_config.json."""


def diffuse(x_0: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    """x_t (B,C,H,W) of images and noise of that shape; alpha_bar broadcasts against them."""
    return alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * eps


def target(prediction: str, x_0: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    """What the network should answer, (B,C,H,W)."""
    if prediction == "epsilon":
        return eps
    if prediction == "x0":
        return x_0
    if prediction == "v":
        return alpha_bar.sqrt() * eps - (1 - alpha_bar).sqrt() * x_0
    raise RequestError(f"--prediction must be one of {', '.join(PREDICTIONS)}, not {prediction!r}.")


def min_snr_weight(prediction: str, alpha_bar: Tensor, gamma: float) -> Tensor:
    """The factor on the squared error that makes it min(SNR, gamma) ‖x_0 − x̂_0‖² (Hang et al. 2023), same shape as
    alpha_bar. Levels with less noise than SNR = gamma count less than in the plain loss."""
    snr = alpha_bar / (1 - alpha_bar)
    plain = {"epsilon": snr, "x0": torch.ones_like(snr), "v": snr + 1}[prediction]
    return snr.clamp(max=gamma) / plain


def level_weights(
    prediction: str, alpha_bar: Tensor, gamma: float, draw: str
) -> tuple[Tensor | None, np.ndarray | None]:
    """(the factor on the squared error of each t (T,), in proportion to what t is drawn (T,)); None: all alike.

    With draw "weight" or "half" min-SNR's weight w goes into the draw, in proportion to w or to w / mean(w) + 1. Drawn
    by w alone a network forgets the levels where sampling begins, whose w is near nothing (docs/training.md, leg g5).
    """
    if not gamma:
        return None, None
    weight = min_snr_weight(prediction, alpha_bar, gamma)
    if draw == "uniform":
        return weight, None
    share = (weight / weight.mean()).double().numpy()
    return None, share + 1 if draw == "half" else share


def draw_by_weight(weight: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """n steps t (n,), 0..T−1, each drawn in proportion to weight (T,), in a random order.

    Importance sampling: the plain loss of such a t is the weighed loss of a uniform one, divided by the mean weight,
    without the many pictures that a small weight makes nearly worthless. One t comes from each n-th of the distribution
    (as Kingma et al. 2021 draw theirs, App. I.1), so that batches hold alike mixtures of noise levels.
    """
    share = np.cumsum(weight, dtype=np.float64)
    places = (rng.permutation(n) + rng.random(n)) / n
    return np.minimum(np.searchsorted(share / share[-1], places, side="right"), len(weight) - 1)
