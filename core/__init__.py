"""Denoising diffusion implicit models: the sampling engine. This list names what is public.

Names are imported when they are first asked for: what needs no torch, such as the list of checkpoints, does not wait
seconds for it.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# How many turns torch's threads wait for each other before they sleep (docs/decisions/0014-compute-thread.md). OpenMP
# reads it when torch is loaded, so it is set before anything here can do that; app.py relies on it, too.
os.environ.setdefault("GOMP_SPINCOUNT", "8000")

if TYPE_CHECKING:
    from core.branches import Branches
    from core.checkpoint import Checkpoint, SamplingDefaults, open_checkpoint, save_checkpoint
    from core.engine import Engine
    from core.errors import CheckpointError, DataError, DDIMError, NetworkError, RequestError
    from core.layouts import find_checkpoints
    from core.request import Request, SamplerSettings
    from core.result import Result
    from core.run import Run
    from core.sampler import Step, ddim_step, walk
    from core.schedule import NoiseSchedule
    from core.solvers import SOLVERS
    from core.solvers.ddim import coefficients
    from core.timesteps import SPACINGS, step_list
    from core.timing import Timing
    from core.trajectory import Frame, Trajectory
    from core.unet import UNet
    from core.unet_config import UNetConfig

_HOME = {
    "core.branches": ("Branches",),
    "core.checkpoint": ("Checkpoint", "SamplingDefaults", "open_checkpoint", "save_checkpoint"),
    "core.engine": ("Engine",),
    "core.errors": ("CheckpointError", "DDIMError", "DataError", "NetworkError", "RequestError"),
    "core.layouts": ("find_checkpoints",),
    "core.request": ("Request", "SamplerSettings"),
    "core.result": ("Result",),
    "core.run": ("Run",),
    "core.schedule": ("NoiseSchedule",),
    "core.solvers": ("SOLVERS",),
    "core.solvers.ddim": ("coefficients",),
    "core.timesteps": ("SPACINGS", "step_list"),
    "core.timing": ("Timing",),
    "core.trajectory": ("Frame", "Trajectory"),
    "core.unet": ("UNet",),
    "core.unet_config": ("UNetConfig",),
    "core.sampler": ("Step", "ddim_step", "walk"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "SOLVERS",
    "SPACINGS",
    "Branches",
    "Checkpoint",
    "CheckpointError",
    "DDIMError",
    "DataError",
    "Engine",
    "Frame",
    "NetworkError",
    "NoiseSchedule",
    "Request",
    "RequestError",
    "Result",
    "Run",
    "SamplerSettings",
    "SamplingDefaults",
    "Step",
    "Timing",
    "Trajectory",
    "UNet",
    "UNetConfig",
    "coefficients",
    "ddim_step",
    "find_checkpoints",
    "open_checkpoint",
    "save_checkpoint",
    "step_list",
    "walk",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
