"""A run read from an exported picture: what it was, what differs here, how to repeat it. Pure."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import DataError
from core.record import request_of
from core.reproduce import seeds_text
from core.request import Request
from demo.found_controls import VERSIONS, Here, controls_of, several
from demo.reproduce import code
from demo.views import setting_label


@dataclass(frozen=True)
class Found:
    """A run read from a file. rows: (setting, value). warnings: what differs here, a sentence each. controls:
    what the page would be set to, by name of the setting; None where it has no controls for such a run, and then
    why says so. code: (title, text) that repeats it exactly."""

    rows: list[tuple[str, str]]
    warnings: list[str]
    controls: dict[str, Any] | None
    why: str
    code: list[tuple[str, str]]


def read(record: Mapping[str, Any], here: Here) -> Found:
    """What a record says, what differs here, and how to repeat it. Raises DataError for a record that is not ours."""
    request = request_of(dict(record))
    for part in ("checkpoint", "timing", "versions"):
        if not isinstance(record.get(part), dict):
            raise DataError(f"This record is incomplete: it says nothing of its {part}.")
    try:
        return _read(record, request, here)
    except (
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        ArithmeticError,
    ) as error:  # written by hand, or by a later version
        raise DataError("This record does not describe a run of this program.") from error


def _read(record: Mapping[str, Any], request: Request, here: Here) -> Found:
    try:
        controls, why = controls_of(record, here), ""
    except ValueError as error:
        controls, why = None, str(error)
    timing, parts = record["timing"], several(record)
    same = timing["device_name"] == here.device_name  # the device's name elsewhere may not exist here
    device, precision = (timing["device"], timing["precision"]) if same else (here.device, here.precision)
    texts = code(request, here.folder, str(device), str(precision), "pictures.png", int(timing["batch"]))
    if len(parts) > 1:
        texts = [(f"{title}, the first of {len(parts)} runs", text) for title, text in texts]
    return Found(rows_of(record, request), warnings(record, here), controls, why, texts)


def rows_of(record: Mapping[str, Any], request: Request) -> list[tuple[str, str]]:
    s, timing, parts = request.settings, record["timing"], [request_of(dict(p)) for p in several(record)]
    if "race" in record:
        what = "A race: " + "; ".join(setting_label(p.settings.steps, p.settings.eta) for p in parts)
    elif "grid" in record:
        what = f"A grid of {len(parts)} cells"
    elif request.frames is not None:
        what = f"A path of {request.frames} pictures" + (", closed to a loop" if request.loop else "")
    elif request.sheet is not None:
        what = f"A sheet of {request.sheet} × {request.sheet} pictures"
    elif request.place is not None:
        what = f"One place on a sheet, at {request.place[0]:g}, {request.place[1]:g}"
    else:
        what = "One picture" if request.count == 1 else f"{request.count} pictures"
    rows = [("What", what), ("Checkpoint", f"{record['checkpoint']['name']}, {record['checkpoint']['sha256'][:8]}")]
    if len(parts) == 1:
        eta = "σ̂ (the larger variance)" if s.sigma_hat else f"{s.eta:g}"
        steps = f"{s.steps}, {s.spacing}" if s.timesteps is None else f"{s.steps} of a list of its own"
        rows += [("Steps S", steps), ("η", eta)]
    return [
        *rows,
        ("Seeds", seeds_text(request.seeds)),
        ("Made on", f"{timing['device_name']}, {timing['precision']}, {timing['threads']} threads"),
        ("Took", f"{timing['total_s']:.2f} s" if len(parts) == 1 else "each run its own time"),
    ]


def warnings(record: Mapping[str, Any], here: Here) -> list[str]:
    """One sentence for each thing that keeps a repetition here from being bit-equal."""
    made, timing, out = record["checkpoint"], record["timing"], []
    if made["sha256"] != here.sha256:
        same = made["name"] == here.checkpoint
        who = f"{here.checkpoint} here has other weights or settings" if same else f"{made['name']} is not here"
        out.append(
            f"{who} ({made['sha256'][:8]} made it, {here.sha256[:8]} would repeat it), so the pictures will differ."
        )
    if record.get("latents_sha256"):
        out.append("It began from latents given in a file, not from its seeds: only that file repeats it.")
    if timing["precision"] != here.precision:
        out.append(f"It was made in {timing['precision']}, this page runs in {here.precision}: small differences.")
    if timing["device_name"] != here.device_name:
        out.append(f"It was made on {timing['device_name']}, this is {here.device_name}: the last bits may differ.")
    elif timing["threads"] != here.threads:
        out.append(f"It was made with {timing['threads']} threads, here are {here.threads}: the last bits may differ.")
    if len(several(record)) == 1 and timing["batch"] != request_of(dict(record)).count:
        out.append(
            f"It was made {timing['batch']} pictures at a time, the page makes all at once: last bits may differ."
        )
    old = {name: record["versions"].get(name) for name in VERSIONS}
    other = [
        f"{name} {old[name]} (here {here.versions[name]})" for name in VERSIONS if old[name] != here.versions[name]
    ]
    if other:
        out.append(f"It was made with {' and '.join(other)}: the last bits may differ.")
    return out


def found_html(found: Found) -> str:
    rows = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in found.rows
    )
    notes = found.warnings or ["Same weights, precision, threads, device and versions: repeated here it is bit-equal."]
    state = "warn" if found.warnings else "same"
    said = "".join(f'<li data-state="{state}">{html.escape(note)}</li>' for note in notes)
    why = f'<p class="why">{html.escape(found.why)} The command below repeats it.</p>' if found.why else ""
    return f'<dl class="facts">{rows}</dl><ul class="notes" role="status">{said}</ul>{why}'
