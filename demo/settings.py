"""What the controls of the page say, as one frozen value. No torch: the page is built before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass

COUNTS = (1, 4, 8, 16, 32)
FRAMES = 11
MAX_PAGE_SEED = 999_999


@dataclass(frozen=True)
class PageSettings:
    """steps, eta: of the samples, the strip and player A. steps_b, eta_b: of player B.
    seed: the first sample's; the others follow it. seed_to: the far end of the strip."""

    checkpoint: str
    steps: int = 20
    eta: float = 0.0
    seed: int = 3
    count: int = 16
    seed_to: int = 8
    spacing: str = "leading"
    steps_b: int = 20
    eta_b: float = 1.0


def log_stops(T: int) -> list[int]:
    """Slider stops from 1 to T, evenly spread in the logarithm: every S to 10, then round numbers."""
    ladder = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8]
    stops = {*range(1, 11), T}
    decade = 10
    while decade <= T:
        stops.update(int(decade * r) for r in ladder)
        decade *= 10
    return sorted(s for s in stops if s <= T)


def whole(value: object, name: str, low: int, high: int) -> int:
    """A whole number from a control, or ValueError with a sentence for the page."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise ValueError(f"{name} must be a whole number from {low} to {high}.")
    if not low <= value <= high:
        raise ValueError(f"{name} must lie between {low} and {high}, not {int(value)}.")
    return int(value)


def page_settings(
    T: int,
    checkpoint: str,
    steps: object,
    eta: object,
    seed: object,
    count: object,
    seed_to: object,
    spacing: str,
    steps_b: object,
    eta_b: object,
) -> PageSettings:
    """Check what the controls sent. Raises ValueError with one sentence that names the remedy."""
    for name, value in (("η", eta), ("η of B", eta_b)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ValueError(f"{name} must lie between 0 (DDIM) and 1 (DDPM).")
    return PageSettings(
        checkpoint=checkpoint,
        steps=whole(steps, "Steps", 1, T),
        eta=float(eta),  # type: ignore[arg-type]
        seed=whole(seed, "The seed", 0, MAX_PAGE_SEED),
        count=whole(count, "The number of pictures", 1, max(COUNTS)),
        seed_to=whole(seed_to, "The second seed", 0, MAX_PAGE_SEED),
        spacing=spacing,
        steps_b=whole(steps_b, "Steps of B", 1, T),
        eta_b=float(eta_b),  # type: ignore[arg-type]
    )
