"""A run read from an exported picture: what it was, what differs here, how to repeat it. Pure."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.record import Record, Recorded, recorded
from core.reproduce import seeds_text
from demo.tiles import SAME_AT_ANY_BATCH
from demo.views.reproduce.code import code
from demo.views.reproduce.found_controls import VERSIONS, Here, controls_of
from demo.words import axes_name, setting_label, solver

SAME = "weights, precision, backend, threads, device and versions"  # what the last bit depends on


@dataclass(frozen=True)
class Found:
    """A run read from a file. rows: (setting, value). warnings: what differs here, a sentence each. controls:
    what the page would be set to, by name of the setting; None where it has no controls for such a run, and then
    why says so, and remedy how to repeat it. code: (title, text) that repeats it exactly."""

    rows: list[tuple[str, str]]
    warnings: list[str]
    controls: dict[str, Any] | None
    why: str
    remedy: str
    code: list[tuple[str, str]]


def read(record: Record, here: Here) -> Found:
    """What a record says, what differs here, and how to repeat it. Raises DataError for a record that is not ours."""
    found = recorded(record)
    try:
        controls, why = controls_of(found, here), ""
    except ValueError as error:
        controls, why = None, str(error)
    timing, runs = found.runs[0]["timing"], len(found.runs)
    same = timing["device_name"] == here.device_name  # the device's name elsewhere may not exist here
    device, precision = (timing["device"], timing["precision"]) if same else (here.device, here.precision)
    backend = backend_of(timing) if same else here.backend
    texts = code(found.requests[0], here.folder, device, precision, "pictures.png", timing["batch"], backend)
    if runs > 1:
        texts = [(f"{title}, the first of {runs} runs", text) for title, text in texts]
    given = any(run.get("latents_sha256") for run in found.runs)
    remedy = (
        "With that file, add --latents FILE.npy to the command below." if given else "The command below repeats it."
    )
    return Found(rows_of(found), warnings(found, here), controls, why, remedy, texts)


def backend_of(timing: Mapping[str, Any]) -> str:
    """What computed the network; records of the first version do not say, and then there was only torch."""
    return str(timing.get("backend", "torch"))


def rows_of(found: Recorded) -> list[tuple[str, str]]:
    record, request, parts = found.runs[0], found.requests[0], found.requests
    s, timing = request.settings, record["timing"]
    if found.kind == "race":
        what = "A race: " + "; ".join(setting_label(p.settings.steps, p.settings.eta) for p in parts)
    elif found.columns is not None and found.rows is not None:
        what = f"A grid of {len(parts)} cells: {axes_name(found.columns.name, found.rows.name)}"
    elif found.kind == "branches":
        what = f"{request.count} branches from x_t at t = {', '.join(map(str, found.at))}"
    elif request.branches is not None:
        what = f"{request.count} branches from x_t at t = {request.branches.at}"
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
        rows += [("Steps S", steps), ("η", eta), ("Solver", solver(s.solver))]
    where = f"{timing['device_name']}, {timing['precision']}, {timing['threads']} threads, {backend_of(timing)}"
    return [
        *rows,
        ("Seeds", seeds_text(tuple(dict.fromkeys(seed for part in parts for seed in part.seeds)))),
        ("Made on", where),
        ("Took", f"{timing['total_s']:.2f} s" if len(parts) == 1 else "each run its own time"),
    ]


def warnings(found: Recorded, here: Here) -> list[str]:
    """One sentence for each thing that keeps a repetition here from being bit-equal. Of several runs the first's."""
    record = found.runs[0]
    made, timing, out = record["checkpoint"], record["timing"], []
    if made["sha256"] != here.sha256:
        same = made["name"] == here.checkpoint
        who = f"{here.checkpoint} here has other weights or settings" if same else f"{made['name']} is not here"
        out.append(
            f"{who} ({made['sha256'][:8]} made it, {here.sha256[:8]} would repeat it), so the pictures will differ."
        )
    if record.get("latents_sha256"):
        out.append("It began from given latents, or those of a picture, and not from its seeds: only they repeat it.")
    if timing["precision"] != here.precision:
        out.append(f"It was made in {timing['precision']}, this page runs in {here.precision}: small differences.")
    if backend_of(timing) != here.backend:
        out.append(f"{backend_of(timing)} computed its network, here {here.backend} does: the last bits differ.")
    if timing["device_name"] != here.device_name:
        out.append(f"It was made on {timing['device_name']}, this is {here.device_name}: the last bits may differ.")
    elif timing["threads"] != here.threads:
        out.append(f"It was made with {timing['threads']} threads, here are {here.threads}: the last bits may differ.")
    batch = min(found.requests[0].count, here.fits)
    if len(found.runs) == 1 and here.backend not in SAME_AT_ANY_BATCH and timing["batch"] != batch:
        out.append(f"It was made {timing['batch']} pictures at a time, the page makes {batch}: last bits may differ.")
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
    notes = found.warnings or [f"Same {SAME}: repeated here it is bit-equal."]
    state = "warn" if found.warnings else "same"
    said = "".join(f'<li data-state="{state}">{html.escape(note)}</li>' for note in notes)
    why = f'<p class="why">{html.escape(found.why)} {html.escape(found.remedy)}</p>' if found.why else ""
    return f'<dl class="facts">{rows}</dl><ul class="notes" role="status">{said}</ul>{why}'
