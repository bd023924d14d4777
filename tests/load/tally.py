"""What happened to each request, and the table and JSON that say so."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from statistics import quantiles
from typing import Any

KINDS = {
    "finished": "came to its own end",
    "replaced": "a newer wish of the same tab took its place, as it should",
    "refused": "told in a sentence that there is no room now",
    "left": "the caller went away on purpose",
    "lost": "ended without a result, or with another's",
    "5xx": "the server failed",
}


class Tally:
    """Of one kind of client. Times are seconds from sending."""

    def __init__(self) -> None:
        self.ends: Counter[str] = Counter()
        self.first_s: list[float] = []
        self.end_s: list[float] = []
        self.notes: Counter[str] = Counter()  # what was wrong, in words
        self.began = self.last = time.monotonic()

    def first(self, since: float) -> None:
        """The first picture of the settings asked for is there."""
        self.first_s.append(time.monotonic() - since)

    def ended(self, how: str, since: float, note: str = "") -> None:
        """how: a key of KINDS."""
        assert how in KINDS
        self.ends[how] += 1
        if how == "finished":
            self.last = time.monotonic()
            self.end_s.append(time.monotonic() - since)
        if note:
            self.notes[note[:160]] += 1

    def as_json(self) -> dict[str, Any]:
        seconds = max(self.last - self.began, 1e-9)  # until the last one of this kind had its end
        return {
            **{kind: self.ends[kind] for kind in KINDS},
            "per_second": round(self.ends["finished"] / seconds, 2),
            "first_s": spread(self.first_s),
            "end_s": spread(self.end_s),
            "notes": dict(self.notes.most_common(5)),
        }


def spread(times: list[float]) -> dict[str, float] | None:
    """Median, 95 % and the longest, or None where there is nothing."""
    if not times:
        return None
    parts = quantiles(times, n=20, method="inclusive") if len(times) > 1 else times * 19
    return {"n": len(times), "p50": round(parts[9], 3), "p95": round(parts[18], 3), "max": round(max(times), 3)}


def cell(found: dict[str, float] | None) -> str:
    return "–" if found is None else f"{found['p50']:.2f} / {found['p95']:.2f}"


def table(kinds: dict[str, dict[str, Any]]) -> str:
    """Markdown, a row for each kind of client."""
    head = ["client", "a second", "first picture, p50 / p95 (s)", "end, p50 / p95 (s)", *KINDS]
    rows = [
        [name, f"{k['per_second']:.1f}", cell(k["first_s"]), cell(k["end_s"]), *(str(k[kind]) for kind in KINDS)]
        for name, k in kinds.items()
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


Tallies = defaultdict[str, Tally]
