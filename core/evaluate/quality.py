"""Quality (paper Table 1): how far samples are from the training data, beside how far held-out data is."""

from __future__ import annotations

import numpy as np

from core.data.datasets import UInt8Array
from core.evaluate.cells import SURE, Cell
from core.evaluate.distances import frechet
from core.evaluate.faces import check_faces, has_faces
from core.evaluate.parts import Part, load
from core.evaluate.setup import MAX_REFERENCE, Setup


def parts(setup: Setup, cell: Cell) -> list[Part]:
    return [] if cell.way == "floor" else setup.drawn(cell.n, cell.settings)


def face_shares(setup: Setup, images: UInt8Array) -> dict[str, float] | None:
    """Share of pictures N×3×64×64 that pass each check of core.evaluate.faces; None where it is not about faces."""
    pixels = images.transpose(0, 2, 3, 1)
    return check_faces(pixels).shares() if has_faces(setup.need_net().config.name, pixels) else None


def unsure_shares(setup: Setup, images: UInt8Array) -> dict[str, float]:
    """Of each class attribute, the share of pictures N×C×H×W for which the feature net gives no class a probability of
    SURE. Real pictures are unclear at times, too: the floor says how often."""
    certain = setup.need_net().certainty(images)
    return {name: float(np.mean(probability < SURE)) for name, probability in certain.items()}


def floor(setup: Setup, cell: Cell) -> dict[str, object]:
    """Held-out data in the samples' place, at the same n; and with all there is, which shows the bias of n."""
    images = setup.need_held_out(cell.n)
    found = setup.ruler.distances(setup.measure(images)) | {
        "n": cell.n, "checks": face_shares(setup, images), "unsure": unsure_shares(setup, images),
    }  # fmt: skip
    assert setup.held_out is not None  # or need_held_out had raised
    every = setup.held_out[:MAX_REFERENCE]
    return found | {"n_all": len(every), "frechet_all": frechet(setup.measure(every), setup.ruler.reference)}


def figures(setup: Setup, cell: Cell) -> dict[str, object]:
    """wall_clock_s and seconds_per_image are seconds in the sampler, added up over all parts (and processes)."""
    if cell.way == "floor":
        return floor(setup, cell)
    made = parts(setup, cell)
    images = load(made, "images")
    total_s, network_s = float(load(made, "total_s").sum()), float(load(made, "network_s").sum())
    return setup.ruler.distances(setup.measure(images)) | {
        "n": cell.n,
        "ms_per_evaluation": 1000 * network_s / int(load(made, "evaluations").sum()),
        "batch": min(setup.batch, setup.chunk, cell.n),
        "seconds_per_image": total_s / cell.n,
        "wall_clock_s": total_s,
        "checks": face_shares(setup, images),
        "unsure": unsure_shares(setup, images),
    }
