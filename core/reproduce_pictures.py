"""A run that begins with picture files, as command lines and as Python: up to their x_T, and down again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.reproduce import command_line, engine_code, request_code, where
from core.request import Request

LATENTS = "x_T.npy"  # what lies between the two commands


def picture_command_lines(
    pictures: Sequence[str], request: Request, refine: int, checkpoint: str, device: str = "auto",
    precision: str = "auto", out: str = "pictures.png", backend: str = "auto",
) -> str:  # fmt: skip
    """``python -m core encode …`` of these files, and what decodes the latents or goes from one to the other. request:
    of the way down, with as many seeds as pictures. refine: fixed-point iterations a step up."""
    s = request.settings
    words = ["python", "-m", "core", "encode", checkpoint, *pictures, "--steps", str(s.steps)]
    words += ["--spacing", s.spacing] if s.spacing is not None else []
    words += ["--refine", str(refine)] if refine else []
    words += ["--label", str(s.label)] if s.label is not None else []
    up = shlex.join([*words, *where(device, precision, backend), "--out", LATENTS])
    return f"{up}\n{command_line(request, checkpoint, device, precision, out, backend=backend, latents=LATENTS)}"


def picture_code(
    pictures: Sequence[str], request: Request, refine: int, checkpoint: str, device: str = "auto",
    precision: str = "auto", out: str = "pictures.png", backend: str = "auto",
) -> str:  # fmt: skip
    """The same as a script of a few lines."""
    files = f"({', '.join(map(repr, pictures))},)" if len(pictures) == 1 else repr(tuple(pictures))
    return (
        "from pathlib import Path\n\nimport numpy as np\n\n"
        "from core import Engine, Request, SamplerSettings\n"
        "from core.picture_files import read_picture\n"
        "from core.pixels import from_rgb\n\n"
        f"{engine_code(checkpoint, device, precision, backend)}"
        "channels, size, _ = engine.checkpoint.shape\n"
        f"pictures = np.stack([read_picture(Path(name), size) for name in {files}])\n"
        f"{request_code(request)}"
        f"found = engine.encode(from_rgb(pictures, channels), request.settings, refine={refine})\n"
        "result = engine.sample(request, x_T=found.x_T)\n"
        f"result.save({out!r})\n"
    )
