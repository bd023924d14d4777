"""How long a case took and how much memory it needed at its peak; what goes on for ever is ended."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SLOW_S = 2  # of the processor's time: the machine may be busy with other things
ENDLESS_S = 30  # by the clock
MOST_MB = 500  # beyond what was there before the case


class EndlessError(BaseException):
    """A case was still going on after ENDLESS_S."""


@dataclass
class Cost:
    """seconds: by the clock. processor_s: of all threads. peak_mb: above the memory before."""

    seconds: float = 0.0
    processor_s: float = 0.0
    peak_mb: float = 0.0

    def too_much(self, allowed_s: float = SLOW_S) -> str:
        """Why it is, or empty. allowed_s: of the processor."""
        if self.processor_s > allowed_s or self.seconds > ENDLESS_S:
            return f"slow: {self.processor_s:.1f} s of the processor in {self.seconds:.1f} s"
        return f"{self.peak_mb:.0f} MB of memory" if self.peak_mb > MOST_MB else ""


def _memory_mb(line: str) -> float:
    """VmRSS or VmHWM of this process; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/status").read_text().partition(f"{line}:")[2].split()[0]) / 1024
    return 0.0


@contextlib.contextmanager
def watched() -> Iterator[Cost]:
    """Filled in at its end."""
    cost = Cost()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, started, cpu = _memory_mb("VmRSS"), time.monotonic(), time.process_time()
    try:
        yield cost
    finally:
        cost.seconds, cost.processor_s = time.monotonic() - started, time.process_time() - cpu
        cost.peak_mb = max(0.0, _memory_mb("VmHWM") - before)


@contextlib.contextmanager
def ended() -> Iterator[None]:
    """Raises EndlessError in what takes longer than ENDLESS_S. In the main thread; elsewhere nothing is ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise EndlessError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, ENDLESS_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
