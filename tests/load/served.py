"""``python -m tests.load.served``: app.py as it is, which writes on SIGUSR1 what it holds, for the one that measures.

The counts are of objects inside this process; nothing of the app is changed, but that LOAD_APART=1 computes each call
alone, and LOAD_RESULTS_MB is how much of what was computed is kept, so that a short run fills it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import app
import demo.live
import demo.page

held: dict[str, Any] = {}


class Heap(ctypes.Structure):
    """glibc's mallinfo2."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks")),
        *((name, ctypes.c_size_t) for name in ("uordblks", "fordblks", "keepcost")),
    ]


def heap() -> dict[str, int]:
    """Megabytes of glibc's heap in use, large blocks included, and those that are free but not given back; {} where
    the C library is another."""
    try:
        told = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return {}
    told.restype = Heap
    found = told()
    return {"heap_used_mb": (found.uordblks + found.hblkhd) >> 20, "heap_free_mb": found.fordblks >> 20}


def census() -> dict[str, int]:
    """What is kept for clients, ours and Gradio's."""
    live, page = held["live"], held["page"]
    queue, server = page._queue, page._queue.server_app
    return heap() | {
        "results_mb": live.host.cache.size >> 20,
        "given_mb": live.host.pictures._kept.size >> 20,
        "sessions": len(live.sessions),
        "playing": live.host.compute.playing,
        "work": live.host.compute._work.qsize(),
        "engines": len(live.host._engines),
        "gradio_sessions": len(page.state_holder.session_data),
        "gradio_waiting": len(queue),
        "gradio_running": sum(job is not None for job in queue.active_jobs),
        "gradio_events": len(queue.event_ids_to_events),
        "gradio_iterators": 0 if server is None else sum(one is not None for one in server.iterators.values()),
        "gradio_kept_iterators": 0 if server is None else len(server.iterators) + len(server.iterators_to_reset),
        "gradio_pending": len(queue.pending_event_ids_session) + len(queue.pending_messages_per_session),
        "gradio_files": sum(map(len, page.temp_file_sets)),
    }


def tell(*_: object) -> None:
    path = Path(os.environ["LOAD_CENSUS"])
    part = path.with_suffix(".part")
    part.write_text(json.dumps(census()))
    part.replace(path)


def main() -> int:
    made, begun = demo.page.build_page, demo.live.Live.__init__

    def build_page(*args: Any, **kwargs: Any) -> Any:
        held["page"] = made(*args, **kwargs)
        return held["page"]

    def begin(self: demo.live.Live, *args: Any, **kwargs: Any) -> None:
        begun(self, *args, **kwargs)
        held["live"] = self
        if most := os.environ.get("LOAD_RESULTS_MB"):
            self.host.cache.max_bytes = int(most) << 20

    demo.page.build_page, demo.live.Live.__init__ = build_page, begin  # type: ignore[method-assign]
    if os.environ.get("LOAD_APART"):
        from demo.shared import Shares  # with torch

        Shares.takes = lambda *_: False  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, tell)
    return app.main()


if __name__ == "__main__":
    sys.exit(main())
