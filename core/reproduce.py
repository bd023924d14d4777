"""A request as a command line and as Python: each gives the same pictures, bit for bit on the same machine
with the same precision, backend and number of threads."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.request import Request, SamplerSettings
from core.solvers.ddim import DDIM

BATCH = 64  # what the engine and the command line run at once when nothing else is said


def seeds_text(seeds: Sequence[int]) -> str:
    """(3, 4, 5) → "3-5"; (3, 8) → "3,8": what --seeds takes."""
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]}-{seeds[-1]}"
    return ",".join(map(str, seeds))


def short(value: float) -> str:
    """As few digits as give the same number again."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def latents_needed(request: Request) -> str | None:
    """What to call the file of latents without which a run that starts below x_T cannot be repeated."""
    return None if request.start is None else "x_t.npy"


def command_line(
    request: Request, checkpoint: str, device: str = "auto", precision: str = "auto", out: str = "pictures.png",
    batch: int | None = None, backend: str = "auto", latents: str | None = None,
) -> str:  # fmt: skip
    """``python -m core sample …``, ``interpolate …`` or ``branch …``. checkpoint: a folder. batch: pictures in one
    network call, all at once where it is not given: another batch rounds the last bit otherwise. latents: the .npy
    that was given to the run, if any."""
    batch = batch or request.count
    s = request.settings
    branches = request.branches
    verb = "branch" if branches is not None else "interpolate" if request.between else "sample"
    words = ["python", "-m", "core", verb, checkpoint]
    if s.timesteps is not None:
        words += ["--timesteps", ",".join(map(str, s.timesteps))]
    else:
        words += ["--steps", str(s.steps)]
    words += ["--sigma-hat"] if s.sigma_hat else ["--eta" if branches is None else "--trunk-eta", short(s.eta)]
    if s.spacing is not None and s.timesteps is None:
        words += ["--spacing", s.spacing]
    if s.clip is not None:
        words.append("--clip" if s.clip else "--no-clip")
    if s.solver != DDIM.name:
        words += ["--solver", s.solver]
    if s.label is not None:
        words += ["--label", str(s.label)]
    words += ["--seeds" if branches is None else "--seed", seeds_text(request.seeds)]
    latents = latents or latents_needed(request)
    if latents is not None:
        words += ["--latents", latents]
    if request.start is not None:
        words += ["--start", str(request.start)]
    if branches is not None:
        words += ["--at", str(branches.at), "--count", str(branches.count), "--eta", short(branches.eta)]
    if request.frames is not None:
        words += ["--frames", str(request.frames)]
    if request.loop:
        words.append("--loop")
    if request.sheet is not None:
        words += ["--sheet", str(request.sheet)]
    if request.place is not None:
        words += ["--place", ",".join(repr(w) for w in request.place)]
    if request.own_noise:
        words.append("--own-noise")
    if batch != min(BATCH, request.count):
        words += ["--batch", str(batch)]
    return shlex.join([*words, *where(device, precision, backend), "--out", out])


def where(device: str, precision: str, backend: str) -> list[str]:
    """The options that say what computes."""
    return ["--device", device, "--precision", precision] + (["--backend", backend] if backend != "auto" else [])


def settings_code(s: SamplerSettings) -> str:
    """``SamplerSettings(…)`` with what differs from its defaults, steps and eta always."""
    parts = [f"timesteps={s.timesteps!r}"] if s.timesteps is not None else [f"steps={s.steps}"]
    parts += ["sigma_hat=True"] if s.sigma_hat else [f"eta={s.eta!r}"]
    if s.spacing is not None and s.timesteps is None:
        parts.append(f"spacing={s.spacing!r}")
    if s.clip is not None:
        parts.append(f"clip={s.clip!r}")
    if s.solver != DDIM.name:
        parts.append(f"solver={s.solver!r}")
    if s.label is not None:
        parts.append(f"label={s.label}")
    return f"SamplerSettings({', '.join(parts)})"


def python_code(
    request: Request, checkpoint: str, device: str = "auto", precision: str = "auto", out: str = "pictures.png",
    batch: int | None = None, backend: str = "auto", latents: str | None = None,
) -> str:  # fmt: skip
    """A script of a few lines. checkpoint: a folder. batch, latents: as for command_line."""
    latents = latents or latents_needed(request)
    given = "" if latents is None else f", x_T=np.load({latents!r})"
    return (
        f"{'import numpy as np' + chr(10) + chr(10) if given else ''}"
        f"from core import {'Branches, ' if request.branches else ''}Engine, Request, SamplerSettings\n\n"
        f"{engine_code(checkpoint, device, precision, backend)}"
        f"{request_code(request)}"
        f"result = engine.sample(request{given}{at_once(request, batch)})\n"
        f"result.save({out!r})\n"
    )


def at_once(request: Request, batch: int | None) -> str:
    """The argument for ``batch`` pictures in one network call, all where it is None; "" where the engine does so."""
    size = batch or request.count
    return f", max_batch={size}" if size != min(BATCH, request.count) else ""


def engine_code(checkpoint: str, device: str, precision: str, backend: str) -> str:
    """The line that opens a checkpoint."""
    by = f", backend={backend!r}" if backend != "auto" else ""
    return f"engine = Engine.open({checkpoint!r}, device={device!r}, precision={precision!r}{by})\n"


def request_code(request: Request) -> str:
    """``request = Request(…)``, a line for each part."""
    seeds = request.seeds
    consecutive = len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    parts = [f"seeds=tuple(range({seeds[0]}, {seeds[-1] + 1}))" if consecutive else f"seeds={seeds!r}"]
    parts.append(f"settings={settings_code(request.settings)}")
    wanted = ("frames", "sheet", "place", "start", "branches")
    parts += [f"{name}={getattr(request, name)!r}" for name in wanted if getattr(request, name) is not None]
    parts += [f"{name}=True" for name in ("loop", "own_noise") if getattr(request, name)]
    return "request = Request(\n" + "".join(f"    {part},\n" for part in parts) + ")\n"
