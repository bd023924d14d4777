"""Reconstruction (paper Table 2): held-out pictures encoded to x_T and decoded at the same steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.evaluate.cells import Cell
from core.evaluate.parts import Arrays, Part, Tick, load
from core.evaluate.setup import Setup
from core.pixels import from_pixels
from core.request import Request


def parts(setup: Setup, cell: Cell) -> list[Part]:
    """Parts of ``mse`` (rows,): mean square error a pixel on [0,1], decoded unrounded but cut to the range."""
    images = setup.need_held_out(cell.n)
    settings = replace(cell.settings, clip=False)  # clipping cannot be undone
    name = f"reconstruction-{(setup.digests[1] or '')[:8]}-refine={cell.refine}-S={cell.S}"
    folder, found = setup.folder(name), []
    for start in range(0, cell.n, setup.chunk):
        rows = range(start, min(cell.n, start + setup.chunk))

        def make(tick: Tick, rows: range = rows) -> Arrays:
            wanted = from_pixels(images[rows.start : rows.stop])
            encoded = setup.engine.encode(
                wanted, settings, cell.refine, setup.batch, lambda _, __: tick(1 + cell.refine)
            )
            request = Request(tuple(range(len(rows))), settings)
            back = setup.engine.sample(request, encoded.x_T, setup.batch, lambda _, __: tick(1))
            error = ((back.images.clamp(-1, 1) - wanted) / 2).double().square().mean(dim=(1, 2, 3))
            held_back = np.full(len(rows), encoded.held_back)
            evaluations = np.int64(encoded.evaluations + back.timing.evaluations)
            return {"mse": error.numpy(), "held_back": held_back, "evaluations": evaluations}  # type: ignore[dict-item]

        calls = -(-len(rows) // setup.batch) * cell.S * (2 + cell.refine)
        found.append(Part(folder / f"{rows.start}-{rows.stop - 1}.npz", calls, make))
    return found


def figures(setup: Setup, cell: Cell) -> dict[str, object]:
    """mse: mean over pictures. spread: its standard error. held_back: share of refinements that ended early."""
    made = parts(setup, cell)
    mse = load(made, "mse")
    return {
        "mse": float(mse.mean()),
        "spread": float(mse.std(ddof=1) / np.sqrt(len(mse))),
        "median": float(np.median(mse)),
        "worst": float(mse.max()),
        "refine": cell.refine,
        "held_back": float(load(made, "held_back").mean()) if cell.refine else None,
        "evaluations": int(load(made, "evaluations").sum()),
        "n": cell.n,
    }
