"""The exceptions of the engine. Each message is one sentence that names the remedy."""

from __future__ import annotations


class DDIMError(Exception):
    """Root of everything this project raises on purpose; safe to show to a user."""


class RequestError(DDIMError, ValueError):
    """A setting is outside what the sampler or the checkpoint can do."""


class CheckpointError(DDIMError):
    """A checkpoint folder is missing, incomplete, or describes a network we do not build."""


class NetworkError(DDIMError):
    """The network produced something unusable (NaN or infinity, a wrong shape)."""


class DataError(DDIMError):
    """Training data is missing or not what it says it is."""


class BackendError(DDIMError):
    """A way to compute the network cannot be used here; another one can."""
