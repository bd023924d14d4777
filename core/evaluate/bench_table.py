"""The Markdown of a bench: every figure is read from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.evaluate.bench import BARE, DIFFUSERS, OURS, WITHOUT_DIFFUSERS
from core.evaluate.digits import number
from core.evaluate.machine import described
from core.evaluate.tables import table

Document = Mapping[str, Any]


def _ms(seconds: float) -> str:
    return number(1000 * seconds)


def _spread(row: Mapping[str, Any]) -> str:
    return f"{_ms(row['fastest_s'])} – {_ms(row['slowest_s'])}"


def _mib(value: int | None) -> str:
    return "–" if value is None else f"{value / 2**20:.0f}"


def time_table(document: Document) -> str:
    """One row for each precision, batch, contender and backend; over: its median by that of the bare calls of the same
    backend (diffusers: of torch)."""
    rows, body = document["rows"], []
    bare = {(row["precision"], row["batch"], row["backend"]): row["median_s"] for row in rows
            if row["contender"] == BARE}  # fmt: skip
    for row in rows:
        over = row["median_s"] / bare[row["precision"], row["batch"], row["backend"] or "torch"]
        body.append([
            row["precision"], str(row["batch"]), row["contender"], row["backend"] or "–", _ms(row["median_s"]),
            _spread(row), number(over), number(row["batch"] / row["median_s"]), _mib(row.get("peak_bytes")),
            _mib(row.get("device_bytes")),
        ])  # fmt: skip
    head = ["precision", "batch", "what", "backend", "ms (median)", "fastest – slowest", "÷ bare calls", "pictures/s",
            "peak RSS, MiB", "GPU, MiB"]  # fmt: skip
    return table(head, body)


def preview_table(document: Document) -> str:
    body = [[row["precision"], str(row["batch"]), row["backend"], _ms(row["median_s"]), _spread(row)]
            for row in document["previews"]]  # fmt: skip
    return table(["precision", "batch", "backend", "ms to the first preview (median)", "fastest – slowest"], body)


def gif_table(document: Document) -> str:
    body = [[row["encoder"], "×".join(map(str, row["frames"])), _ms(row["median_s"]), _spread(row),
             f"{row['bytes'] / 1024:.0f}"] for row in document["gif"]]  # fmt: skip
    return table(["encoder", "frames", "ms (median)", "fastest – slowest", "KiB"], body)


def comparison(document: Document) -> str:
    """This engine's time as a share of others' in the same run: of diffusers' pipeline, and of our own on torch."""
    rows = document["rows"]
    theirs = {(row["precision"], row["batch"]): row["median_s"] for row in rows if row["contender"] == DIFFUSERS}
    ours = [row for row in rows if row["contender"] == OURS]
    eager = {(row["precision"], row["batch"]): row["median_s"] for row in ours if row["backend"] == "torch"}
    said = []
    for what, others, some in (
        ("diffusers' pipeline", theirs, ours),
        ("this engine on torch", eager, [row for row in ours if row["backend"] != "torch"]),
    ):
        found = [
            f"{row['backend']}, {row['precision']}, batch {row['batch']}: {number(row['median_s'] / other)}"
            for row in some
            if (other := others.get((row["precision"], row["batch"]))) is not None
        ]
        said += [f"Time of this engine ÷ time of {what}: {'; '.join(found)}."] if found else []
    return "\n\n".join(said)


def error_text(document: Document) -> str:
    found = [
        f"{row['precision']} {number(row['median_db'])} dB (worst {number(row['worst_db'])} dB)"
        for row in document["precision_error"]
    ]
    n = document["precision_error"][0]["n"] if found else 0
    return f"PSNR against fp32, median of {n} pictures at the same S: {', '.join(found)}." if found else ""


def markdown(document: Document) -> str:
    rounds = document["rows"][0]["rounds"]
    shape = "×".join(map(str, document["checkpoint"]["shape"]))
    there = document["diffusers"] is not None
    blocks = [
        f"# Bench of {document['checkpoint']['name']}",
        f"Made by `python -m core bench`: pictures {shape}, S = {document['steps']}, η = 0, {rounds} rounds in turns "
        f"after one untimed call each. `auto` is {document['auto']}. Machine: {described(document['machine'])}; "
        f"torch {document['versions']['torch']}"
        + (f", diffusers {document['diffusers']}" if there else "")
        + f"; load {document['load_before']:.2f} before and {document['load_after']:.2f} after (1 is a busy core). "
        "Bare network calls: S calls of our network at this batch, no sampling. diffusers' weights are wholly in "
        "the precision named, ours keep the first and last layers in fp32.",
        "" if there else WITHOUT_DIFFUSERS,
        time_table(document),
        comparison(document),
        error_text(document),
        "## First preview",
        preview_table(document),
        "## GIF",
        gif_table(document),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"
