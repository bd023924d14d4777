"""What the options of ``sample`` and ``interpolate`` ask for. An option that is not given is None.

Whatever is given counts or is refused: nothing that somebody typed is passed over in silence.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from core.arguments import real_from
from core.errors import RequestError
from core.latent_files import Latents
from core.plain_numbers import MAX_LISTED, excerpt, plain_whole
from core.reproduce import short
from core.request import Request, SamplerSettings

FRAMES = 11
MAX_PICTURES = 100_000  # of one run, whatever their size


def parse_seeds(text: str) -> tuple[int, ...]:
    """ "0-15", "3,8" or "1,4-6" → seeds in that order."""
    seeds: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.strip().partition("-")
            start, stop = plain_whole(first), plain_whole(last or first) + 1
            if not 0 < stop - start <= MAX_PICTURES - len(seeds):
                raise ValueError
            seeds.extend(range(start, stop))
    except ValueError as error:
        raise RequestError(
            f"--seeds {excerpt(text)} is not understood, or names more than {MAX_PICTURES:,}: write 0-15, or 3,8, or "
            "1,4-6."
        ) from error
    return tuple(seeds)


def given_settings(args: argparse.Namespace) -> dict[str, object]:
    """The fields of SamplerSettings that were asked for. Raises RequestError for two that exclude each other."""
    names = ("steps", "eta", "spacing", "clip", "solver", "label")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.timesteps is not None:
        for name in ("steps", "spacing"):
            if name in given:
                raise RequestError(f"--timesteps is the whole list of steps: leave out --{name}, or --timesteps.")
        try:
            given["timesteps"] = tuple(plain_whole(t) for t in args.timesteps.split(",", MAX_LISTED))
        except ValueError as error:
            raise RequestError("--timesteps must be whole numbers, such as 900,500,100,0.") from error
    if args.sigma_hat:
        if given.get("eta", 1) != 1:
            raise RequestError("--sigma-hat implies --eta 1: leave out --eta, or --sigma-hat.")
        given["sigma_hat"] = True
    return given


def taken_settings(given: Mapping[str, object], noted: SamplerSettings) -> dict[str, object]:
    """The fields of the notes beside the latents that nothing given speaks of."""
    taken: dict[str, object] = {}
    if noted.timesteps is not None:
        if not {"steps", "spacing", "timesteps"} & given.keys():
            taken["timesteps"] = noted.timesteps
    elif "timesteps" not in given:
        taken |= {"steps": noted.steps, "spacing": noted.spacing}
    if not {"eta", "sigma_hat"} & given.keys():
        taken |= {"sigma_hat": True} if noted.sigma_hat else {"eta": noted.eta}
    taken |= {"clip": noted.clip, "label": noted.label}
    return {name: value for name, value in taken.items() if name not in given and value is not None}


def settings_of(given: dict[str, object], latents: Latents | None) -> tuple[SamplerSettings, dict[str, object]]:
    """The settings that were given, and where nothing was, those beside the latents; and which are from there."""
    noted = latents.notes.settings if latents is not None and latents.notes is not None and latents.as_noted else None
    taken = taken_settings(given, noted) if noted is not None else {}
    return SamplerSettings(**{**taken, **given}), taken  # type: ignore[arg-type]


def flags(settings: Mapping[str, object]) -> list[str]:
    """Fields of SamplerSettings as words of a command line."""
    words: list[str] = []
    for name, value in settings.items():
        if name == "clip":
            words.append("--clip" if value else "--no-clip")
        elif name == "sigma_hat":
            words.append("--sigma-hat")
        elif isinstance(value, tuple):
            words += [f"--{name}", ",".join(map(str, value))]
        else:
            words += [f"--{name}", short(value) if isinstance(value, float) else str(value)]
    return words


def request_of(args: argparse.Namespace, latents: Latents | None) -> tuple[Request, dict[str, object]]:
    """The request that the options make, and the settings in it that come from the notes beside the latents.

    Raises RequestError.
    """
    if args.start is not None and latents is None:
        raise RequestError(f"--start {args.start} needs the latents there: give --latents.")
    given = given_settings(args)
    settings, taken = settings_of(given, latents)
    count = None if latents is None else len(latents.x_T)
    if args.seeds is None and count is not None:
        if args.command == "interpolate" and count == 1:
            raise RequestError("--latents holds one latent: a path needs two or more to go through.")
        seeds = tuple(range(count))
    else:
        seeds = parse_seeds(args.default_seeds if args.seeds is None else args.seeds)
    if args.command != "interpolate":
        if count is not None and len(seeds) != count:
            raise RequestError(
                f"--latents holds {count} and --seeds names {len(seeds)}: give one seed for each latent."
            )
        return Request(seeds, settings, start=args.start), taken
    elsewhere = args.sheet is not None or args.place is not None
    if args.loop and elsewhere:
        raise RequestError("--loop closes a path: leave it out beside --sheet and --place.")
    frames = args.frames
    if frames is None and not elsewhere:  # more keys than that, or latents that are one for each picture, say how many
        keys = count is None or count == len(seeds)
        frames = max(FRAMES, len(seeds) + args.loop) if keys else count
    request = Request(seeds, settings, frames, args.loop, args.sheet, place_of(args.place), args.own_noise, args.start)
    if count not in (None, len(seeds), request.count):
        raise RequestError(
            f"--latents holds {count} and --seeds names {len(seeds)}: give one seed for each latent to go through."
        )
    return request, taken


def place_of(text: str | None) -> tuple[float, float] | None:
    """ "0.5,0.25" → (across, down). Raises RequestError for anything else."""
    if text is None:
        return None
    try:
        across, down = (real_from(0, 1)(w) for w in text.split(","))
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise RequestError("--place must be two numbers from 0 to 1, such as 0.5,0.25.") from error
    return across, down
