"""A run that begins with picture files, as command lines and as Python: up to their x_T, and down again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.reproduce import at_once, command_line, engine_code, request_code, where
from core.request import Request

LATENTS = "x_T.npy"  # what lies between the two commands


def picture_command_lines(
    pictures: Sequence[str], request: Request, refine: int, checkpoint: str, device: str = "auto",
    precision: str = "auto", out: str = "pictures.png", batch: int | None = None, backend: str = "auto",
) -> str:  # fmt: skip
    """``python -m core encode …`` of these files, and what decodes the latents or goes from one to the other. request:
    of the way down, with as many seeds as pictures. refine: fixed-point iterations a step up. batch: pictures of the
    way down in one network call, all at once where it is not given."""
    s = request.settings
    files = [f"./{name}" if name.startswith("-") else name for name in pictures]  # or it would be an option
    words = ["python", "-m", "core", "encode", checkpoint, *files, "--steps", str(s.steps)]
    words += ["--spacing", s.spacing] if s.spacing is not None else []
    words += ["--refine", str(refine)] if refine else []
    words += ["--label", str(s.label)] if s.label is not None else []
    up = shlex.join([*words, *where(device, precision, backend), "--out", LATENTS])
    return f"{up}\n{command_line(request, checkpoint, device, precision, out, batch, backend, LATENTS)}"


def picture_code(
    pictures: Sequence[str], request: Request, refine: int, checkpoint: str, device: str = "auto",
    precision: str = "auto", out: str = "pictures.png", batch: int | None = None, backend: str = "auto",
) -> str:  # fmt: skip
    """The same as a script of a few lines."""
    return (
        "from pathlib import Path\n\nimport numpy as np\n\n"
        "from core import Engine, Request, SamplerSettings\n"
        "from core.picture_files import read_picture\n"
        "from core.pixels import from_rgb\n\n"
        f"{engine_code(checkpoint, device, precision, backend)}"
        "channels, size, _ = engine.checkpoint.shape\n"
        f"pictures = np.stack([read_picture(Path(name), size) for name in {tuple(pictures)!r}])\n"
        f"{request_code(request)}"
        f"found = engine.encode(from_rgb(pictures, channels), request.settings, refine={refine})\n"
        f"result = engine.sample(request, x_T=found.x_T{at_once(request, batch)})\n"
        f"result.save({out!r})\n"
    )
