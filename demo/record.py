"""``python -m demo.record``: make the recorded run that each checkpoint's page shows before it is loaded.

The same code as the live page makes it, so that nothing jumps when the live run takes over.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from core import Engine, Request, SamplerSettings
from core.pixels import to_pixels
from demo.host import EngineHost
from demo.jobs import Finished
from demo.live import Live, Wish
from demo.pictures import film_picture, tiles_picture
from demo.settings import first_settings

ROOT = Path(__file__).resolve().parent.parent
RECORDED = Path(__file__).resolve().parent / "recorded"
FRAMES, QUALITY = 7, 72  # of a film: noise does not compress, and the page should open fast; of its WebP
SWEEP = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)  # S, seen at once when the slider is dragged
Panels = dict[str, Any]


def record(host: EngineHost, name: str) -> Panels:
    """Panel values of a run at the page's first settings, each marked as recorded, pictures inside: Explore's, the race
    that stands above it, and the opening seed's picture at many S."""
    live = Live(host)
    panels, pictures, last = run(live, {"checkpoint": name})
    race, _, runners = run(live, {"checkpoint": name, "view": "compare"})
    for key in "ab":
        panels["duel"][key] = thinned(panels["duel"][key], last[key])
    panels["duel"]["state"] = "recorded"
    for key in ("samples", "strip"):
        panels[key] |= {"tiles": pictures[panels[key]["tiles"]], "state": "recorded"}
    lanes = [thinned(lane, runners[f"lane{i}"]) for i, lane in enumerate(race["race"]["lanes"])]
    return panels | {"hero": {"state": "recorded", "lanes": lanes}, "sweep": sweep(host.engine(name))}


def run(live: Live, settings: dict[str, object]) -> tuple[Panels, dict[str, str], dict[str, Finished]]:
    """(panel values, pictures by id, results by job) of a tab of its own with these settings."""
    panels: Panels = {}
    pictures: dict[str, str] = {}
    first, messages = live.want(Wish(None, 0, settings, start=True))
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
    return panels, pictures, session.last


def thinned(value: dict[str, Any], run: Finished) -> dict[str, Any]:
    """A player's value with FRAMES of its frames, not lossless."""
    assert run.film is not None
    x_t, x0_hat = run.film
    kept = np.unique(np.linspace(0, len(x_t) - 1, FRAMES).round().astype(int))
    times = {name: [value[name][i] for i in kept] for name in ("t", "at_s", "x0_at_s")}
    film = film_picture(x_t[kept], x0_hat[kept], QUALITY)
    return value | times | {"film": film.uri, "state": "recorded", "cached": False}


def sweep(engine: Engine) -> dict[str, Any]:
    """The opening seed's picture at each S of SWEEP, η = 0."""
    page = first_settings(engine.checkpoint.name, engine.T)
    steps = [S for S in SWEEP if engine.T >= S]
    made = [engine.sample(Request((page.seed,), SamplerSettings(S, 0.0, page.spacing))).images for S in steps]
    tiles = np.concatenate([to_pixels(images) for images in made])
    return {
        "checkpoint": page.checkpoint, "weights": engine.checkpoint.sha256[:8], "seed": page.seed,
        "spacing": page.spacing, "steps": steps,
        "tiles": tiles_picture(tiles, quality=90).uri,
    }  # fmt: skip


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
