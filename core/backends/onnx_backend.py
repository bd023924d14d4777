"""The network computed by ONNX Runtime: fp32 on the CPU, about half of torch's time for one picture."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.backends.export_cache import cached_export
from core.backends.onnx_export import BATCH, EXPORT_VERSION, INPUT, LABEL, OUTPUT, TIME, TIMES, export
from core.backends.placed import PlacedNetwork
from core.checkpoint import Checkpoint
from core.errors import BackendError, NetworkError
from core.memory import ran_out

MAX_SESSIONS = 4
MAX_SESSION_BYTES = 1 << 30
"""Each session holds its own copy of the weights, in the order of values its kernels want."""
PIECE = 2
"""Pictures that one thread computes in one go: their values stay in its core's cache."""

SPIN_US = "50"
"""How long a thread without work keeps its processor: bridges the gaps in a network, and spares a busy machine."""


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


class OnnxBackend:
    """ONNX Runtime on the CPU, in fp32."""

    name = "onnxruntime"

    def why_not(self, device: torch.device, precision: str) -> str | None:
        if device.type != "cpu":
            return f"ONNX Runtime computes on the CPU here, not on {device}: use the torch backend for it."
        if precision != "fp32":
            return f"ONNX Runtime computes in fp32 here, not {precision}: use the torch backend for it."
        try:
            load_runtime()
        except BackendError as error:
            return str(error)
        return None

    def open(self, checkpoint: Checkpoint, device: torch.device, precision: str) -> PlacedNetwork:
        """The export is made where the cache has none (a tenth of a second for the shipped nets); a cache that cannot
        be used costs only that. Raises BackendError for a network that cannot be exported."""
        load_runtime()
        threads = torch.get_num_threads()
        again = partial(_model, checkpoint)
        network = OnnxNetwork(again(), threads, again)
        return PlacedNetwork(
            network, self.name, device, precision, torch.contiguous_format, threads, checkpoint.config.num_class_embeds
        )


def _model(checkpoint: Checkpoint) -> bytes | Path:
    """The export's file, or its bytes where there is no place for files."""

    def make() -> bytes:
        return export(checkpoint.load_network())

    try:
        return cached_export(f"{checkpoint.sha256}-v{EXPORT_VERSION}", make)
    except BackendError:
        return make()


class OnnxNetwork:
    """(x (N, C, H, W), t) → prediction (N, C_out, H, W), all float32 on the CPU. Any thread may call it.

    One picture is computed by all threads together. Of several, each thread computes its own, one or two
    at a time: threads that need not wait for each other within a network are faster, most of all on a
    busy machine. So few sessions serve every N, with fixed sizes, which ONNX Runtime computes faster.
    They are made on first use or by ``prepare``; MAX_SESSIONS are kept, fewer of a very large network.
    """

    def __init__(self, model: bytes | Path, threads: int, again: Callable[[], bytes | Path] | None = None) -> None:
        """model: what ``export`` made, or its file. threads: at least 1. again: gives it anew where the file has gone
        meanwhile, as the cache keeps the newest few, whoever has others open."""
        self._runtime = load_runtime()
        self._model, self._again = model, again
        self._threads = threads
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="onnx")
        self._sessions: OrderedDict[tuple[int, ...], Any] = OrderedDict()
        self._lock, self._making = threading.Lock(), threading.Lock()
        size = len(model) if isinstance(model, bytes) else _size(model)
        self._keep = max(1, min(MAX_SESSIONS, MAX_SESSION_BYTES // max(1, size)))
        self._piece = PIECE if self._keep == MAX_SESSIONS else 1  # else two sizes of piece would evict each other

    def __call__(self, x: Tensor, t: Tensor | int, label: int | None = None) -> Tensor:
        """t: one for all pictures, or one for each, (N,). x may have any memory format. label: the class of all
        pictures, for a network with classes only.

        Raises NetworkError for another type, device or shape than the exported network's.
        """
        if x.dtype != torch.float32 or x.device.type != "cpu":
            raise NetworkError(f"ONNX Runtime takes float32 on the CPU, not {x.dtype} on {x.device}: use torch.")
        pictures, times = x.detach().contiguous().numpy(), self._times(t, len(x))

        def compute(threads: int, piece: slice) -> NDArray[np.float32]:
            feed: dict[str, NDArray[Any]] = {INPUT: pictures[piece], TIME: times if len(times) == 1 else times[piece]}
            if label is not None:
                feed[LABEL] = np.array([label], np.int64)
            session = self._session(len(feed[INPUT]), len(feed[TIME]), threads)
            try:
                out: NDArray[np.float32] = session.run([OUTPUT], feed)[0]
            except Exception as error:  # its own exceptions share no base class
                if ran_out(error):
                    raise MemoryError(_line(error)) from error
                raise NetworkError(
                    f"ONNX Runtime failed on x {tuple(x.shape)} ({_line(error)}): use the torch backend."
                ) from error
            return out

        done: list[NDArray[np.float32]] = []
        for threads, pieces in self._plan(len(x)):
            if len(pieces) == 1:
                done.append(compute(threads, pieces[0]))
            else:
                done += self._workers.map(partial(compute, threads), pieces)
        return torch.from_numpy(done[0] if len(done) == 1 else np.concatenate(done))

    def ready(self, batch: int) -> bool:
        """Whether a call with this many pictures starts at once."""
        with self._lock:
            return self._keys(batch) <= self._sessions.keys()

    def prepare(self, batch: int) -> None:
        """Make the sessions for a number of pictures. Raises BackendError."""
        for key in sorted(self._keys(batch)):
            self._session(*key)

    def _keys(self, batch: int) -> set[tuple[int, ...]]:
        return {(piece.stop - piece.start, 1, threads) for threads, pieces in self._plan(batch) for piece in pieces}

    def _plan(self, batch: int) -> list[tuple[int, list[slice]]]:
        """Rounds of (threads a piece, the pieces): as many pictures for each thread, then the rest by more threads."""
        rounds, start = [], 0
        while start < batch:
            left = batch - start
            workers = min(self._threads, left)
            end = batch - left % workers if self._keep == MAX_SESSIONS else batch
            large = (end - start) // (self._piece * workers) * self._piece * workers
            pieces = [slice(i, i + self._piece) for i in range(start, start + large, self._piece)]
            rounds.append((self._threads // workers, pieces + [slice(i, i + 1) for i in range(start + large, end)]))
            start = end
        return rounds

    @staticmethod
    def _times(t: Tensor | int, batch: int) -> NDArray[np.float32]:
        times: NDArray[np.float32] = torch.as_tensor(t).detach().to("cpu", torch.float32).reshape(-1).numpy()
        if len(times) not in (1, batch):
            raise NetworkError(f"There are {len(times)} times for {batch} pictures: give one, or one for each.")
        return times[:1] if bool((times == times[0]).all()) else times  # one time for all is less work

    def _session(self, *key: int) -> Any:
        """The session for (pictures, times, threads)."""
        if (session := self._kept(key)) is not None:
            return session
        with self._making:  # one at a time; meanwhile calls with sessions that exist go on
            session = self._kept(key)
            if session is None:
                session = self._make(*key)
                with self._lock:
                    self._sessions[key] = session
                    while len(self._sessions) > self._keep:
                        self._sessions.popitem(last=False)
        return session

    def _kept(self, key: tuple[int, ...]) -> Any:
        with self._lock:
            if key in self._sessions:
                self._sessions.move_to_end(key)
            return self._sessions.get(key)

    def _make(self, pictures: int, times: int, threads: int) -> Any:
        if self._again is not None and isinstance(self._model, Path) and not self._model.is_file():
            self._model = self._again()
        model = self._model if isinstance(self._model, bytes) else str(self._model)
        try:
            return self._runtime.InferenceSession(
                model, self._options(pictures, times, threads), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its own exceptions share no base class
            if ran_out(error):
                raise MemoryError(_line(error)) from error
            raise BackendError(
                f"ONNX Runtime cannot open the exported network ({_line(error)}): use the torch backend."
            ) from error

    def _options(self, pictures: int, times: int, threads: int) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.spin_duration_us", SPIN_US)
        options.log_severity_level = 3  # errors only: they come as exceptions too
        options.add_free_dimension_override_by_name(BATCH, pictures)
        options.add_free_dimension_override_by_name(TIMES, times)
        return options


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise BackendError(f"{path} cannot be read ({error.strerror}): export the network again.") from error
