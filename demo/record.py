"""``python -m demo.record``: make the recorded run that each checkpoint's page shows before it is loaded.

The same code as the live page makes it, so that nothing jumps when the live run takes over.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from demo.host import EngineHost
from demo.jobs import Finished
from demo.live import Live, Wish
from demo.pictures import film_picture

ROOT = Path(__file__).resolve().parent.parent
RECORDED = Path(__file__).resolve().parent / "recorded"
FRAMES = 7


def record(host: EngineHost, name: str) -> dict[str, Any]:
    """Panel values of a run at the page's first settings, each marked as recorded, their pictures inside."""
    live = Live(host)
    panels: dict[str, Any] = {}
    pictures: dict[str, str] = {}
    first, messages = live.want(Wish(None, 0, {"checkpoint": name}, start=True))
    for message in messages or ():
        if message is None:
            continue
        if message.get("status", [""])[0] == "error":
            raise SystemExit(message["status"][1])
        pictures |= message.get("pictures", {})
        if "panel" in message:
            panels[message["panel"]] = message["value"] | {"files": []}
    session = live.sessions.get(first["session"])
    assert session is not None
    for key in "ab":
        panels["duel"][key] = thinned(panels["duel"][key], session.last[key]) | {"state": "recorded"}
    for key in ("samples", "strip"):
        panels[key] |= {"tiles": pictures[panels[key]["tiles"]], "state": "recorded"}
    panels["duel"]["state"] = "recorded"
    return panels


def thinned(value: dict[str, Any], run: Finished) -> dict[str, Any]:
    """A player's value with FRAMES of its frames: noise does not compress, and the page should open fast."""
    assert run.film is not None
    x_t, x0_hat = run.film
    kept = np.unique(np.linspace(0, len(x_t) - 1, FRAMES).round().astype(int))
    times = {name: [value[name][i] for i in kept] for name in ("t", "at_s", "x0_at_s")}
    return value | times | {"film": film_picture(x_t[kept], x0_hat[kept]).uri}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints")
    args = parser.parse_args()
    host = EngineHost(args.checkpoints, device="cpu")
    RECORDED.mkdir(exist_ok=True)
    for name in host.names():
        text = json.dumps(record(host, name), separators=(",", ":"))
        (RECORDED / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"demo/recorded/{name}.json: {len(text) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
