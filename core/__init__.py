"""Denoising diffusion implicit models: the sampling engine. This list is the whole public surface."""

from core.checkpoint import Checkpoint, SamplingDefaults, find_checkpoints, open_checkpoint, save_checkpoint
from core.engine import Engine
from core.errors import CheckpointError, DataError, DDIMError, NetworkError, RequestError
from core.request import Request, SamplerSettings
from core.result import Result
from core.run import Run
from core.schedule import NoiseSchedule
from core.solvers.ddim import coefficients
from core.timesteps import SPACINGS, step_list
from core.timing import Timing
from core.trajectory import Frame, Trajectory
from core.unet import UNet
from core.unet_config import UNetConfig
from core.walk import Step, ddim_step, walk

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
