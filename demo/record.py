"""``python -m demo.record``: make the recorded run that each checkpoint's page shows before it is loaded.

The same code as the live page makes it, so that nothing jumps when the live run takes over.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from demo.handlers import Handlers
from demo.host import EngineHost
from demo.settings import PageSettings

ROOT = Path(__file__).resolve().parent.parent
RECORDED = Path(__file__).resolve().parent / "recorded"


def record(host: EngineHost, name: str) -> dict[str, Any]:
    """Panel values of a run at the page's first settings, each marked as recorded."""
    page = PageSettings(checkpoint=name)
    values = (name, page.steps, page.eta, page.seed, page.count, page.seed_to, page.spacing, page.steps_b, page.eta_b)
    panels: dict[str, Any] = {}
    for update in Handlers(host).run("record", values, go_on=True):
        if update.status[0] == "error":
            raise SystemExit(update.status[1])
        panels |= update.panels
    for value in (panels["samples"], panels["strip"], panels["duel"]["a"], panels["duel"]["b"]):
        value["state"] = "recorded"
    return panels


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
