"""docs/results.md: every figure is read from the JSON, none is typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.atomic import write_atomically
from core.evaluate import tables
from core.evaluate.cells import FRAMES, INTERPOLATION_STEPS, REFINE, SPEED_BATCH, SURE
from core.evaluate.claims import claims_text
from core.evaluate.digits import measured, number
from core.evaluate.headline import headline_table, headline_text
from core.evaluate.machine import described
from core.evaluate.plots import plot_all
from core.evaluate.progress import span
from core.evaluate.rows import Document, cell
from core.evaluate.shares import shares_table
from core.evaluate.solver_tables import solver_consistency_table, solvers_table

INTRODUCTION = """# Results

Made by `python -m core evaluate --render` from the `evaluation.json` of each checkpoint; no figure is typed by hand.
Distances are measured in the features of a small net trained on the same data (at most 64 dimensions): they compare
samplers of one network with each other and are **no FID**. A real FID (torch-fidelity, Inception features) was not
run here. "±" is a bootstrap spread (distances) or a standard error (means) over the pictures drawn; it does not cover
another training run. Seeds fix all noise, so a cell that is run again gives the same figure within float error.
"""

TRY = """To run one cell again, into files of its own:

    python -m core evaluate {path} --data TRAIN{n} \\
        --cells {key} --out /tmp/again.json --state /tmp/again
"""


def bias_text(document: Document) -> str:
    floor = cell(document, "quality/floor")
    if floor is None:
        return f"The floor (held-out data): {tables.NOT_RUN}."
    return (
        f"Floor: held-out data is {measured(floor['frechet'], floor['spread'])} (Fréchet) and "
        f"{measured(floor['kid'], floor['kid_spread'])} (KID) from the training data at the same "
        f"n = {floor['n']}. A Fréchet distance of few pictures comes out too large, because their covariance is not "
        f"known exactly: with n = {floor['n_all']} held-out pictures it is {number(floor['frechet_all'])}. The "
        "cells of a table have one n, so they compare with each other and the floor, not with figures of another n. "
        "KID has no such bias. Near the floor ± is about twice too wide: a resample repeats pictures, which looks "
        "like a distance (`tests/test_evaluate_spread.py`)."
    )


def conditions_text(document: Document) -> str:
    """Machines, seeds, durations: one line for each kind."""
    lines = []
    for kind in dict.fromkeys(found["kind"] for found in document["cells"].values()):
        cells = [found for found in document["cells"].values() if found["kind"] == kind]
        machines = sorted({described(found["machine"]) for found in cells})
        torches = sorted({found["versions"]["torch"] for found in cells})
        asked = sorted({str(found["conditions"]["precision"]) for found in cells})
        seeds = sorted({found["conditions"]["seeds_from"] for found in cells if "seeds_from" in found["conditions"]})
        seconds = sum(found["duration_s"] for found in cells)
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        lines.append(
            f"- {kind}: {count}, {span(seconds)} of work (what cells share counts in each), {', '.join(asked)}"
            + f", torch {', '.join(torches)}"
            + (f", seeds from {', '.join(map(str, seeds))}" if seeds else "")
            + f"; {'; '.join(machines)}"
        )
    return "\n".join(lines)


def section(document: Document, images: Mapping[str, str]) -> str:
    """All of one checkpoint. images: markdown of its plots, by kind of cell."""
    about = document["checkpoint"]
    shape, T = "×".join(map(str, about["shape"])), about["T"]
    ns = sorted({found["conditions"]["n"] for found in document["cells"].values() if found["kind"] == "quality"})
    references = sorted({found["conditions"]["n_reference"] for found in document["cells"].values()
                         if "n_reference" in found["conditions"]})  # fmt: skip
    blocks = [
        f"## {about['name']}",
        headline_text(document),
        headline_table(document) or "",
        f"Weights `{about['sha256'][:16]}`, pictures {shape}, step list `{about['spacing']}`.",
        "### Quality",
        f"Fréchet distance to the first {', '.join(map(str, references)) or '–'} training pictures, "
        f"n = {', '.join(map(str, ns)) or '–'} samples a cell.",
        tables.quality_table(document),
        bias_text(document),
        "Kernel distance (KID, unbiased):",
        tables.quality_table(document, "kid", "kid_spread"),
        images.get("quality", ""),
        "Is the step list or the clipping to blame where η = 0 stays behind? The same seeds with others:",
        tables.variants_table(document),
        "Beyond the paper: a second-order solver of the same ODE (Lu et al. 2022) on the same step lists.",
        solvers_table(document),
        "For the shape only, the paper's own figures (another network, data set and ruler):",
        tables.paper_table(),
    ]
    checks = shares_table(document)
    if checks is not None:
        blocks += [
            "Share of pictures that pass three checks no attribute covers (faces, `core/evaluate/faces.py`), or for "
            f"which the feature net gives no class a probability of {SURE} (garments):",
            checks,
        ]
    blocks += [
        "### Denoising",
        "The network asked once, before any sampler: mean square error of v = √ᾱ ε − √(1−ᾱ) x0 a pixel, which is "
        "(SNR + 1) times that of x̂0, at noise levels from the least on (whatever the network predicts). Held-out "
        "pictures with far more of it than training pictures would mean that the network remembers those (± is about "
        "which pictures they are).",
        tables.denoising_table(document),
        images.get("denoising", ""),
        "### Reconstruction",
        f"Held-out pictures encoded and decoded with the same S: mean square error a pixel on [0, 1]. "
        f"Refined: up to {REFINE} fixed-point iterations a step.",
        tables.reconstruction_table(document),
        images.get("reconstruction", ""),
        "### Consistency",
        f"Distance of the sample with S steps to the one with {T} from the same x_T (mean of pairs; pixels: root mean "
        "square on [0, 1]), and the share of what the feature net takes for the same in both (the class of a garment; "
        "all parts of a face). With η = 1 the two runs share x_T and no other noise.",
        tables.consistency_table(document),
        f"Is it x_T or the solver that is to blame where few steps give another picture? η = 0 by DDIM and by a "
        f"second-order solver of the same ODE, both against DDIM's {T} steps:",
        solver_consistency_table(document),
        images.get("consistency", ""),
        "### Interpolation",
        f"Between the pictures of neighbouring seeds, S = {min(INTERPOLATION_STEPS, T)}, η = 0. Detour: length of the "
        f"way in features by the distance of its ends (1 is straight). Jump: longest of its {FRAMES - 1} steps by "
        "their mean (1 is even). Each seed is an end of two pairs, which the bootstrap does not know: ± of midpoints "
        "is about 1.4 times too narrow (`tests/test_evaluate_spread.py`).",
        tables.interpolation_table(document),
    ]
    attributes = tables.attributes_table(document)
    if attributes is not None:
        blocks += ["What the feature net takes the pictures on the way for:", attributes]
    blocks += [
        "### Speed",
        f"{SPEED_BATCH} pictures in one batch, all rows in one run.",
        tables.speed_table(document),
        load_text(document),
        "### How it was measured",
        conditions_text(document),
        TRY.format(path=f"checkpoints/{about['name']}", key="quality/eta=0/S=20", n=f" --n {ns[0]}" if ns else ""),
    ]
    return "\n\n".join(block for block in blocks if block)


def load_text(document: Document) -> str:
    figures = cell(document, "speed/steps")
    if figures is None:
        return ""
    return (
        f"Load of the machine (1 is one busy core): {figures['load_before']:.2f} before, {figures['load_after']:.2f} "
        "after. Other work on the machine slows the rows; fastest and slowest show how evenly."
    )


def write_page(path: Path, documents: Sequence[Document]) -> None:
    """The page, and its plots as images/results-NAME-….png beside it. Where ``claims.md`` lies beside it too, what
    that says comes first (core/evaluate/claims.py)."""
    folder = path.parent / "images"
    folder.mkdir(exist_ok=True)
    sections = []
    for document in documents:
        name = document["checkpoint"]["name"]
        plots = plot_all(document, folder / f"results-{name}")
        kinds = {plot.stem.rpartition("-")[2]: plot.name for plot in plots}
        images = {kind: f"![{name}: {kind}](images/{file})" for kind, file in kinds.items()}
        sections.append(section(document, images))
    claims = path.with_name("claims.md")
    said = [claims_text(claims, documents) + "\n"] if claims.is_file() else []
    write_atomically(path, "\n".join([INTRODUCTION, *said, *(f"{text}\n" for text in sections)]).encode())
