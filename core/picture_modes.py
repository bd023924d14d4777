"""A picture of any mode that Pillow reads as 8-bit sRGB with alpha, in the colours that its file means."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION

from core.errors import DataError

GREY = ("1", "L", "LA", "La")
"""Modes of 8 bits and one colour; deeper ones become L first."""

PROFILED = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}
"""Colour space of an ICC profile → the mode of the picture it speaks of."""


def to_srgb(file: Image.Image) -> Image.Image:
    """A picture just opened → RGBA of 8 bits a channel, in sRGB; its ``info`` stays.

    Grey of 16 bits is white at 65535 (at 2^bits − 1 in a TIFF of fewer bits), floating point at 1. An ICC profile
    is honoured where it is whole and fits the mode; else colours are taken as sRGB, CMYK as (1 − C)(1 − K), LAB as
    that of D50. PNG's gAMA and cHRM are not read. Raises DataError (the reason) for whole numbers of 32 bits, whose
    white no file tells, and for floating point outside 0..1.
    """
    _scale_transparency(file)
    picture = _eight_bits(file) if file.mode in ("I", "F") or file.mode.startswith("I;") else file
    if picture.mode == "La":  # Pillow converts it to LA alone
        picture = picture.convert("LA")
    if picture.mode in ("CMYK", "LAB"):
        colours, alpha = picture, None
    else:
        rgba = picture.convert("RGBA")
        alpha = rgba.getchannel("A")
        # R of grey is the grey; convert("L") would carry a transparency along that no longer fits
        colours = rgba.getchannel("R") if picture.mode in GREY else rgba.convert("RGB")
    out = _through_profile(colours, file.info.get("icc_profile")).convert("RGBA")
    if alpha is not None:
        out.putalpha(alpha)
    out.info = {key: value for key, value in file.info.items() if key not in ("icc_profile", "transparency")}
    return out


def _scale_transparency(file: Image.Image) -> None:
    """Pillow spreads the pixels of a PNG of 2, 4 or 16 bits over 0..255, but not the value that is transparent."""
    value, tiles = file.info.get("transparency"), getattr(file, "tile", None)
    raw = tiles[0].args if file.format == "PNG" and tiles else None
    if isinstance(value, int) and raw in ("L;2", "L;4"):
        file.info["transparency"] = value * (85 if raw == "L;2" else 17)
    elif isinstance(value, tuple) and raw == "RGB;16B":
        file.info["transparency"] = tuple(v >> 8 for v in value)


def _eight_bits(file: Image.Image) -> Image.Image:
    """Deep grey → L, or LA where one value is transparent, rounded to the nearest of 256."""
    black, white = _ends(file)
    values = np.asarray(file)
    scaled = np.rint((values.astype(np.float64) - black) / (white - black) * 255)
    if not bool(((scaled >= 0) & (scaled <= 255)).all()):  # NaN is neither
        low, high = float(values.min()), float(values.max())
        raise DataError(f"holds numbers from {low:g} to {high:g}, where 0 must be black and {max(black, white)} white")
    grey = Image.fromarray(scaled.astype(np.uint8))
    clear = file.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return grey


def _ends(file: Image.Image) -> tuple[int, int]:
    """The values of black and white in a deep grey picture. Raises DataError where no file tells them."""
    tags = getattr(file, "tag_v2", {})
    if file.mode == "F":
        white = 1
    elif file.mode.startswith("I;"):
        white = 2 ** int(tags[BITSPERSAMPLE][0]) - 1 if BITSPERSAMPLE in tags else 65535
    elif file.format == "PPM":  # Pillow has scaled its own maximum to that of 16 bits
        white = 65535
    else:
        raise DataError("is of signed or 32-bit whole numbers, whose white no file tells: save it with 16 or 8 bits")
    # Pillow turns light and dark round for 8 bits alone where a TIFF says that white is 0
    return (white, 0) if tags.get(PHOTOMETRIC_INTERPRETATION) == 0 else (0, white)


def _through_profile(colours: Image.Image, icc: bytes | None) -> Image.Image:
    """L, RGB, CMYK or LAB → RGB in sRGB."""
    if icc:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            mode = PROFILED.get(profile.profile.xcolor_space.strip())
            source = colours.convert("RGB") if (colours.mode, mode) == ("L", "RGB") else colours
            if source.mode == mode:
                return _transformed(source, profile)
        except (ImageCms.PyCMSError, OSError):
            pass  # a damaged profile is as good as none, as every viewer has it
    if colours.mode == "LAB":
        return _transformed(colours, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    return colours.convert("RGB")


def _transformed(colours: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    out = ImageCms.profileToProfile(colours, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert out is not None  # None only where a picture is changed in place
    return out
