"""Denoising diffusion implicit models: the sampling engine. This list is the whole public surface."""

import os

# How many turns torch's threads wait for each other before they sleep (docs/decisions/0014-compute-thread.md). OpenMP
# reads it when torch is loaded, so it stands before every import that does that; app.py relies on it, too.
os.environ.setdefault("GOMP_SPINCOUNT", "8000")

from core.checkpoint import Checkpoint, SamplingDefaults, find_checkpoints, open_checkpoint, save_checkpoint
from core.engine import Engine
from core.errors import CheckpointError, DataError, DDIMError, NetworkError, RequestError
from core.request import Request, SamplerSettings
from core.result import Result
from core.sampler import Step, coefficients, ddim_step, walk
from core.schedule import NoiseSchedule
from core.timesteps import SPACINGS, step_list
from core.timing import Timing
from core.trajectory import Frame, Trajectory
from core.unet import UNet
from core.unet_config import UNetConfig

__all__ = [
    "SPACINGS",
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
