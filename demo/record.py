"""``python -m demo.record``: make the recorded run that each checkpoint's page shows before it is loaded.

The same code as the live page makes it, so that nothing jumps when the live run takes over.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from demo.handlers import Handlers
from demo.host import EngineHost
from demo.settings import PageSettings

ROOT = Path(__file__).resolve().parent.parent
RECORDED = Path(__file__).resolve().parent / "recorded"
FRAMES = 7


def record(host: EngineHost, name: str) -> dict[str, Any]:
    """Panel values of a run at the page's first settings, each marked as recorded."""
    page = PageSettings(checkpoint=name)
    values = (name, page.steps, page.eta, page.seed, page.count, page.seed_to, page.spacing, page.steps_b, page.eta_b)
    panels: dict[str, Any] = {}
    handlers = Handlers(host)
    for update in handlers.run("record", values, ask_above_s=math.inf):
        if update.status[0] == "error":
            raise SystemExit(update.status[1])
        panels |= update.panels
    finished = handlers.sessions.get("record").finished
    for key in "ab":
        panels["duel"][key] = thinned(panels["duel"][key], finished[key][2][0])
    for value in (panels["samples"], panels["strip"], panels["duel"]["a"], panels["duel"]["b"]):
        value["state"] = "recorded"
    return panels


def thinned(value: dict[str, Any], film: Any) -> dict[str, Any]:
    """A player's value with FRAMES of its frames: noise does not compress, and the page should open fast."""
    from demo.pictures import film_uri

    x_t, x0_hat = film
    kept = np.unique(np.linspace(0, len(x_t) - 1, FRAMES).round().astype(int))
    times = {name: [value[name][i] for i in kept] for name in ("t", "at_s", "x0_at_s")}
    return value | times | {"film": film_uri(x_t[kept], x0_hat[kept])}


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
