"""The noise schedule as a curve, with the chosen steps and their σ on it. Imported with torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from core import Engine, Request
from demo.jobs import settings_of, with_label
from demo.settings import PageSettings

CURVE_POINTS, MAX_DOTS = 80, 200


def curve_value(engine: Engine, page: PageSettings) -> dict[str, Any]:
    """t and √ᾱ of the whole schedule (thinned), and for each chosen step its t, √ᾱ and σ, from the sampler's own
    coefficients."""
    plan = engine.plan(with_label(Request((0,), settings_of(page)), page.label, engine))
    signal = np.sqrt(engine.checkpoint.schedule.alpha_bar)
    at = np.unique(np.linspace(1, engine.T, CURVE_POINTS).round().astype(int))
    kept = (
        plan
        if len(plan) <= 200
        else [plan[i] for i in np.unique(np.linspace(0, len(plan) - 1, 200).round().astype(int))]
    )
    return {
        "T": engine.T,
        "curve": [[int(n) - 1, round(float(signal[n]), 4)] for n in at],
        "steps": [[c.t, round(c.signal, 4), round(c.noise, 4)] for c in kept],
        "S": len(plan),
        "eta": page.eta,
        "spacing": page.spacing,
    }
