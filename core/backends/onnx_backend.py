"""The network computed by ONNX Runtime: fp32 on the CPU, about half of torch's time for one picture."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.backends.export_cache import cached_export
from core.backends.onnx_export import BATCH, EXPORT_VERSION, INPUT, OUTPUT, TIME, TIMES, export
from core.errors import BackendError, NetworkError
from core.unet import UNet

MAX_SESSIONS = 4
MAX_SESSION_BYTES = 1 << 30
"""Each session holds its own copy of the weights, in the order of values its kernels want."""


def load_runtime() -> Any:
    """The onnxruntime module. Raises BackendError where it is not installed."""
    # Since 1.29 its wheels report to Microsoft unless this is set before the import; ours is pinned below that.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendError(
            "ONNX Runtime is not installed: pip install -r requirements.txt, or use the torch backend."
        ) from error
    return onnxruntime


def require_fp32(precision: str) -> None:
    """Raises BackendError for a precision that this backend does not compute in."""
    if precision != "fp32":
        raise BackendError(f"ONNX Runtime computes in fp32 here, not {precision}: use the torch backend for it.")


def open_network(unet: UNet, sha256: str, threads: int) -> OnnxNetwork:
    """A U-Net of a checkpoint as an OnnxNetwork, from the cache where it is there.

    sha256: the checkpoint's. Raises BackendError; a cache that cannot be used costs only time.
    """
    load_runtime()
    make = partial(export, unet)
    try:
        return OnnxNetwork(cached_export(f"{sha256}-v{EXPORT_VERSION}", make), threads)
    except BackendError:
        return OnnxNetwork(make(), threads)


class OnnxNetwork:
    """(x (N, C, H, W), t) → prediction (N, C_out, H, W), all float32 on the CPU. Any thread may call it.

    A session is made for each batch size on first use (``prepare`` does it beforehand), because with fixed
    sizes ONNX Runtime computes faster; the MAX_SESSIONS used last are kept, fewer of a network so large
    that they would pass MAX_SESSION_BYTES.
    """

    def __init__(self, model: bytes | Path, threads: int) -> None:
        """model: what ``export`` made, or its file, which must stay. threads: at least 1, the caller's included."""
        self._runtime = load_runtime()
        self._model = model if isinstance(model, bytes) else str(model)
        self._threads = threads
        self._sessions: OrderedDict[tuple[int, int], Any] = OrderedDict()
        self._lock, self._making = threading.Lock(), threading.Lock()
        size = len(model) if isinstance(model, bytes) else _size(model)
        self._keep = max(1, min(MAX_SESSIONS, MAX_SESSION_BYTES // max(1, size)))

    def __call__(self, x: Tensor, t: Tensor | int) -> Tensor:
        """t: one for all pictures, or one for each, (N,). x may have any memory format.

        Raises NetworkError for another type, device or shape than the exported network's.
        """
        if x.dtype != torch.float32 or x.device.type != "cpu":
            raise NetworkError(f"ONNX Runtime takes float32 on the CPU, not {x.dtype} on {x.device}: use torch.")
        times = self._times(t, len(x))
        session = self._session(len(x), len(times))
        try:
            (out,) = session.run([OUTPUT], {INPUT: x.detach().contiguous().numpy(), TIME: times})
        except Exception as error:  # its own exceptions share no base class
            raise NetworkError(
                f"ONNX Runtime failed on x {tuple(x.shape)} ({_line(error)}): use the torch backend."
            ) from error
        return torch.from_numpy(out)

    def ready(self, batch: int) -> bool:
        """Whether a call with this many pictures starts at once."""
        with self._lock:
            return (batch, 1) in self._sessions

    def prepare(self, batch: int) -> None:
        """Make the session for a batch size. Raises BackendError."""
        self._session(batch, 1)

    @staticmethod
    def _times(t: Tensor | int, batch: int) -> NDArray[np.float32]:
        times: NDArray[np.float32] = torch.as_tensor(t).detach().to("cpu", torch.float32).reshape(-1).numpy()
        if len(times) not in (1, batch):
            raise NetworkError(f"There are {len(times)} times for {batch} pictures: give one, or one for each.")
        return times[:1] if bool((times == times[0]).all()) else times  # one time for all is less work

    def _session(self, batch: int, times: int) -> Any:
        if (session := self._kept(batch, times)) is not None:
            return session
        with self._making:  # one at a time; meanwhile calls with sessions that exist go on
            session = self._kept(batch, times)
            if session is None:
                session = self._make(batch, times)
                with self._lock:
                    self._sessions[batch, times] = session
                    while len(self._sessions) > self._keep:
                        self._sessions.popitem(last=False)
        return session

    def _kept(self, batch: int, times: int) -> Any:
        with self._lock:
            if (batch, times) in self._sessions:
                self._sessions.move_to_end((batch, times))
            return self._sessions.get((batch, times))

    def _make(self, batch: int, times: int) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3  # errors only: they come as exceptions too
        options.add_free_dimension_override_by_name(BATCH, batch)
        options.add_free_dimension_override_by_name(TIMES, times)
        try:
            return self._runtime.InferenceSession(self._model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own exceptions share no base class
            raise BackendError(
                f"ONNX Runtime cannot open the exported network ({_line(error)}): use the torch backend."
            ) from error


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise BackendError(f"{path} cannot be read ({error.strerror}): export the network again.") from error
