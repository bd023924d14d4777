"""Words around the pictures of a film that is shared: what was run above, what it took below, in the race's style."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from core.files.film import INK, PAPER, SOFT, font
from core.files.layout import Pictures, enlarge
from core.record import Record
from core.reproduce import seeds_text, short

NAME = "DDIM explorer"
SIDE = 384  # pixels, at least, of a picture's height
PAD, HEAD, FOOT = 12, 34, 28


def caption(record: Record) -> tuple[str, str]:
    """(what was run, what made it and took how long) of a record of one run."""
    run: Mapping[str, Any] = record
    request, s, timing = run["request"], run["request"]["settings"], run["timing"]
    seeds = request["seeds"]
    path = request.get("frames") is not None
    which = " → ".join(map(str, seeds if len(seeds) < 5 else [*seeds[:4], "…"])) if path else seeds_text(seeds)
    eta = "σ̂" if s.get("sigma_hat") else f"η = {short(s['eta'])}"
    solver = "" if s.get("solver", "ddim") == "ddim" else f" · {s['solver']}"
    if run["latents_sha256"] is not None:  # of seeds it has none
        start = "between given latents" if path else "from given latents"
    else:
        start = f"seed{'s' if len(seeds) > 1 else ''} {which}"
    head = f"S = {s['steps']} · {eta}{solver} · {start}"
    return head, f"{run['checkpoint']['name']} · {timing['total_s']:.2f} s"


def captioned(frames: Pictures, head: str, foot: str, side: int = SIDE) -> Pictures:
    """N×H×W×3 → the same, each picture enlarged by a whole number to at least ``side`` pixels in height, between a line
    above and one below."""
    k = max(1, -(-side // frames.shape[1]))
    height, width = frames.shape[1] * k, frames.shape[2] * k
    page = Image.new("RGB", (width + 2 * PAD, HEAD + height + FOOT), PAPER)
    pen = ImageDraw.Draw(page)
    room = page.width - 2 * PAD
    pen.text((PAD, 9), _fitted(head, room), INK, font(15))
    name = font(12).getlength(NAME)
    pen.text((PAD, HEAD + height + 7), _fitted(foot, room - name - PAD, 12), SOFT, font(12))
    pen.text((page.width - PAD, HEAD + height + 7), NAME, SOFT, font(12), anchor="ra")
    out = np.repeat(np.asarray(page)[None], len(frames), axis=0)
    out[:, HEAD : HEAD + height, PAD : PAD + width] = enlarge(frames, height)
    return out


def _fitted(text: str, width: float, size: int = 15) -> str:
    """As much of a line as there is room for."""
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
