"""The files of Your picture: films, strips, latents, and the part of a picture that was taken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from demo.jobs import Finished
from demo.scene import TITLES, File, Scene, film_suffixes

SIDE = 84  # pixels, at least, of a picture in a PNG


def journey_files(scene: Scene, run: Finished) -> list[File]:
    """The film of both ways, and x_T itself with the notes that decode it."""
    from core import files
    from core.files.encoders import npy_bytes
    from core.latent_files import notes_text

    found, engine = run.found, scene.engine
    assert found is not None
    assert run.job.encoding is not None
    settings, refine = engine.resolve(run.job.request.settings), run.job.encoding.refine

    def film(suffix: str) -> bytes:
        return files.journey(suffix, run.record, found.film, scene.page.captions)

    def notes() -> bytes:
        return notes_text(found.x_T, engine.checkpoint, settings, refine).encode()

    films = [file(TITLES[suffix], run, "there-and-back", suffix, partial(film, suffix)) for suffix in film_suffixes()]
    latents = [
        file("x_T as .npy", run, "x_T", ".npy", lambda: npy_bytes(found.x_T)),
        file("its notes", run, "x_T", ".json", notes),
    ]
    return [*films, *latents, seen_file(run, 0)]


def bridge_files(scene: Scene, run: Finished) -> list[File]:
    """The path as the other strips are saved, and its second picture; the first is the journey's."""
    from core import files

    def strip(suffix: str) -> bytes:
        return files.strip(suffix, run.made, side=SIDE, words=scene.page.captions and suffix != ".png")

    suffixes = [*film_suffixes(), ".png"]
    strips = [file(TITLES[suffix], run, "between-pictures", suffix, partial(strip, suffix)) for suffix in suffixes]
    return [*strips, seen_file(run, 1)]


def seen_name(checkpoint: str, pixels: NDArray[np.uint8]) -> str:
    """What the file of the part H×W×3 of a picture is called, here and in the commands of Reproduce: another part is
    another name, or a command would take up the part that was saved before."""
    return f"{checkpoint}_picture_{hashlib.sha256(pixels.tobytes()).hexdigest()[:8]}.png"


def seen_file(run: Finished, k: int) -> File:
    """The part of picture k that was taken, at the network's own size: what ``core encode`` reads as the page did."""
    from core.files.encoders import png_bytes

    assert run.job.encoding is not None
    assert run.job.encoding.pixels is not None
    pixels = run.job.encoding.pixels[k]
    return File("the part taken", seen_name(run.checkpoint, pixels), (run,), lambda: png_bytes(pixels, None))


def file(label: str, run: Finished, what: str, suffix: str, make: Callable[[], bytes]) -> File:
    """Named after its settings and not after seeds, of which it has none."""
    name = f"{run.checkpoint}_picture_S{run.job.request.settings.steps}_{what}{suffix}"
    return File(label, name, (run,), make)
