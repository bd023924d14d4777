"""Markdown tables of an evaluation's cells. A cell that was not run says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.evaluate.cells import (
    CONSISTENCY_STEPS,
    QUALITY_STEPS,
    RECONSTRUCTION_STEPS,
    VARIANT_STEPS,
    VARIANTS,
    WAYS,
)
from core.evaluate.digits import measured, number, percent
from core.evaluate.rows import Document, cell, quality_rows

NOT_RUN = "not run"
DISTANCES = (("frechet", "spread"), ("kid", "kid_spread"), ("frechet_ends", "spread_ends"))
CONSISTENCY_MEASURES = {"pixels": "pixels", "features": "features", "same": "same attributes"}
ETA_ROWS = ("0", "0.2", "0.5", "1", "hat")
# Table 1 and 2 of the paper for CIFAR-10: real FIDs, of another network
PAPER_STEPS = (10, 20, 50, 100, 1000)
PAPER_FID = {
    "0": (13.36, 6.84, 4.67, 4.16, 4.04),
    "0.2": (14.04, 7.11, 4.77, 4.25, 4.09),
    "0.5": (16.66, 8.35, 5.25, 4.46, 4.29),
    "1": (41.07, 18.36, 8.01, 5.78, 4.73),
    "hat": (367.43, 133.37, 32.72, 9.99, 3.17),
}
PAPER_RECONSTRUCTION = {10: 0.014, 20: 0.0065, 50: 0.0023, 100: 0.0009, 200: 0.0004, 500: 0.0001, 1000: 0.0001}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def eta_name(eta: str) -> str:
    return {"0": "η = 0 (DDIM)", "1": "η = 1 (DDPM)", "hat": "σ̂"}.get(eta, f"η = {eta}")


def quality_table(document: Document, value: str = "frechet", spread: str = "spread") -> str:
    """One row for each η, one column for each S."""
    T = document["checkpoint"]["T"]
    rows = {(row.eta, row.S): row for row in quality_rows(document)}
    steps = [*(S for S in QUALITY_STEPS if S < T), T]

    def shown(eta: str, S: int) -> str:
        row = rows.get((eta, S))
        return NOT_RUN if row is None else measured(getattr(row, value), getattr(row, spread))

    body = [[eta_name(eta), *(shown(eta, S) for S in steps)] for eta in ETA_ROWS]
    return table(["", *(f"S = {S}" for S in steps)], body)


def variants_table(document: Document) -> str:
    """η = 0 with other step lists, and without clipping, beside the checkpoint's own."""
    about = document["checkpoint"]
    steps = [S for S in VARIANT_STEPS if about["T"] > S]
    names = {way: f"step list {way}" for way in VARIANTS if way != about["spacing"]} | {"unclipped": "x̂0 not clipped"}

    def shown(key: str) -> str:
        figures = cell(document, key)
        return NOT_RUN if figures is None else measured(figures["frechet"], figures["spread"])

    body = [[name, *(shown(f"quality/{way}/S={S}") for S in steps)] for way, name in names.items()]
    own = [f"its own: step list {about['spacing']}", *(shown(f"quality/eta=0/S={S}") for S in steps)]
    return table(["η = 0, Fréchet", *(f"S = {S}" for S in steps)], [own, *body])


def paper_table() -> str:
    body = [[eta_name(eta), *(f"{fid:.2f}" for fid in PAPER_FID[eta])] for eta in ETA_ROWS]
    return table(["paper, CIFAR-10, FID", *(f"S = {S}" for S in PAPER_STEPS)], body)


def denoising_table(document: Document) -> str:
    """One row for each noise level, from the least on. x̂0: off by how much, root mean square on [0, 1]."""
    figures = cell(document, "denoising/levels")
    if figures is None:
        return f"Denoising: {NOT_RUN}."
    body = [
        [
            str(row["t"]),
            number(row["snr"]),
            *(measured(row[which], row[f"{which}_spread"]) for which in ("held_out", "training")),
            number((row["held_out"] / (row["snr"] + 1)) ** 0.5 / 2),
        ]
        for row in figures["rows"]
    ]
    return table(["t", "SNR", "held-out", "training", "x̂0 of held-out off by"], body)


def reconstruction_table(document: Document) -> str:
    T, body = document["checkpoint"]["T"], []
    for S in [*(S for S in RECONSTRUCTION_STEPS if S < T), T]:
        plain, refined = (cell(document, f"reconstruction/{way}/S={S}") for way in ("plain", "refined"))
        shown = [NOT_RUN if x is None else measured(x["mse"], x["spread"]) for x in (plain, refined)]
        held = NOT_RUN if refined is None else percent(refined["held_back"])
        body.append([str(S), *shown, held, number(PAPER_RECONSTRUCTION.get(S))])
    return table(["S", "plain", "refined", "refinements ended early", "paper, CIFAR-10, plain"], body)


def consistency(figures: Mapping[str, Any], name: str) -> str:
    """A measure of a consistency cell, with its spread."""
    if name not in figures:
        return NOT_RUN
    written = percent if name == "same" else measured
    return written(figures[name], figures[f"{name}_spread"])


def consistency_table(document: Document) -> str:
    """One row for each S. A measure that an older evaluation lacks reads "not run"."""
    columns = [(name, eta) for name in CONSISTENCY_MEASURES for eta in ("0", "1")]
    steps = [S for S in CONSISTENCY_STEPS if document["checkpoint"]["T"] > S]
    figures = {(S, eta): cell(document, f"consistency/eta={eta}/S={S}") or {} for S in steps for eta in ("0", "1")}

    def unrelated(name: str, eta: str) -> str:
        values = [figures[S, eta][f"{name}_unrelated"] for S in steps if name in figures[S, eta]]
        written = percent if name == "same" else number
        return written(values[0]) if values else NOT_RUN

    body = [[str(S), *(consistency(figures[S, eta], name) for name, eta in columns)] for S in steps]
    head = ["S", *(f"{CONSISTENCY_MEASURES[name]}, η = {eta}" for name, eta in columns)]
    return table(head, [*body, ["unrelated samples", *(unrelated(*column) for column in columns)]])


def interpolation_table(document: Document) -> str:
    body = []
    names = {"slerp": "slerp in x_T", "lerp": "lerp in x_T", "crossfade": "pixel cross-fade"}
    for way in WAYS:
        figures = cell(document, f"interpolation/{way}")
        if figures is None:
            body.append([names[way], *[NOT_RUN] * 5])
            continue
        body.append([
            names[way],
            *(measured(figures[a], figures[b]) for a, b in DISTANCES),
            *(number(figures[name]) for name in ("detour", "jump")),
        ])  # fmt: skip
    return table(["", "Fréchet of midpoints", "KID of midpoints", "Fréchet of the ends", "detour", "jump"], body)


def attributes_table(document: Document) -> str | None:
    """How each attribute changes along the paths, for each way; None where no interpolation was run."""
    body: list[list[str]] = []
    for way in WAYS:
        figures: dict[str, Any] = cell(document, f"interpolation/{way}") or {"attributes": {}}
        for name, course in figures["attributes"].items():
            if "once" in course:
                body.append([way, name, str(course["differing"]), percent(course["once"]),
                             number(course["differing_switches"]), percent(course["steady"]), "", ""])  # fmt: skip
            else:
                body.append([way, name, "", "", "", "", number(course["travelled"]), number(course["distance"])])
    head = ["way", "attribute", "paths with different ends", "share switching once", "mean switches",
            "of the other paths, share without a switch", "way travelled", "distance of the ends"]  # fmt: skip
    return table(head, body) if body else None


def speed_table(document: Document) -> str:
    figures = cell(document, "speed/steps")
    if figures is None:
        return f"Speed: {NOT_RUN}."
    body = []
    for row in figures["rows"]:
        name, spread = eta_name(f"{row['eta']:g}"), f"{number(row['fastest'])} – {number(row['slowest'])}"
        faster = number(row["times_faster_than_ddpm"])
        body.append([f"{name}, S = {row['S']}", number(row["seconds"]), spread, str(row["runs"]), faster])
    T = document["checkpoint"]["T"]
    return table(["", "seconds (median)", "fastest – slowest", "runs", f"times faster than DDPM, S = {T}"], body)
