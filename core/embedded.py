"""The text inside a PNG, GIF, WebP or MP4, found by walking its parts.

The file may come from anyone. An image library would join a GIF's comment block by block, or decode a PNG to its end in
search of EXIF, which takes a minute for a file made to that end; here no pixel is decoded and the work is bounded.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from core.errors import DataError

PNG_KEY = "ddim"
EXIF_DESCRIPTION = 0x010E  # ImageDescription, the EXIF tag that holds text
MAX_FILE = 64 << 20  # bytes
MAX_TEXT = 4 << 20  # bytes, more than the record of most runs takes
MAX_HEAD = MAX_TEXT + (64 << 10)  # of a PNG or GIF, in which our text stands before the first picture
MAX_CHUNKS = 1 << 16  # of a WebP, which has one for each frame and our text behind them


def embedded_text(path: str | Path) -> str | None:
    """What a PNG says under PNG_KEY, a GIF in its comment, a WebP in its EXIF description, an MP4 in its comment;
    None where there is none.

    Raises DataError for what is no picture, and for one too large to be an export of ours.
    """
    path = Path(path)
    too_long = DataError(f"{path.name} carries more text than settings take: choose a picture exported here.")
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE:
                raise DataError(f"{path.name} is larger than {MAX_FILE >> 20} MB: choose a picture exported here.")
            found = _find(file)
    except (OSError, ValueError, IndexError, struct.error, zlib.error) as error:
        if not isinstance(error, IndexError) or size <= MAX_HEAD:  # else what was read ended before a picture began
            raise DataError(f"{path.name} is not a picture this program can open.") from error
        raise too_long from error
    if found is not None and len(found) > MAX_TEXT:
        raise too_long
    return None if found is None else found.decode("utf-8", "replace")


def _find(file: BinaryIO) -> bytes | None:
    """The text of a picture. Raises ValueError, IndexError or struct.error for what is none or ends early."""
    magic = file.read(12)
    head = magic + file.read(MAX_HEAD - 12) if magic[:4] in (b"\x89PNG", b"GIF8") else magic
    if magic[:8] == b"\x89PNG\r\n\x1a\n":
        return _png_text(head)
    if magic[:6] in (b"GIF87a", b"GIF89a"):
        return _gif_comment(head)
    if magic[:4] == b"RIFF" and magic[8:] == b"WEBP":
        return _description(_webp_exif(file))
    if magic[4:8] == b"ftyp":
        return _mp4_comment(file)
    if magic[:3] == b"\xff\xd8\xff":
        return None  # a JPEG: a picture, but never one of ours
    raise ValueError


def _png_text(data: bytes) -> bytes | None:
    at, key = 8, PNG_KEY.encode() + b"\0"
    while True:
        if at + 8 > len(data):
            raise IndexError
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if kind in (b"IDAT", b"IEND"):
            return None
        if end > len(data):
            raise IndexError
        text = data[at + 8 + len(key) : end - 4]
        if kind in (b"tEXt", b"zTXt", b"iTXt") and data.startswith(key, at + 8):
            if zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
                raise ValueError
            return _png_unpacked(kind, text)
        at = end


def _png_unpacked(kind: bytes, text: bytes) -> bytes:
    """The text behind the key of a PNG's text chunk; ours is plain (tEXt), but tools that rewrite it may pack it."""
    packed = kind == b"zTXt"
    if kind == b"iTXt":  # whether packed, how, language, translated key
        packed, text = text[0] == 1, text[2:].split(b"\0", 2)[2]
    elif packed:
        text = text[1:]
    return zlib.decompressobj().decompress(text, MAX_TEXT + 1) if packed else text


def _gif_comment(data: bytes) -> bytes | None:
    """The comments before the first picture."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 128 else 0)  # behind the screen and its palette
    comments = []
    while data[at] == 0x21:  # an extension: its kind, then blocks that each begin with their length
        kind, at, blocks = data[at + 1], at + 2, []
        while size := data[at]:
            blocks.append(data[at + 1 : at + 1 + size])
            at += 1 + size
        at += 1
        if kind == 0xFE:
            comments.append(b"".join(blocks))
    return b"\n".join(comments) or None


def _webp_exif(file: BinaryIO) -> bytes:
    """The chunk of that name, empty where there is none. Raises struct.error for a file without chunks."""
    kind, length = struct.unpack("<4sI", file.read(8))
    for _ in range(MAX_CHUNKS):
        if kind == b"EXIF":
            return file.read(min(length, MAX_HEAD))
        file.seek(length + length % 2, os.SEEK_CUR)
        head = file.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
    return b""


def _mp4_comment(file: BinaryIO) -> bytes | None:
    """The comment among a film's iTunes tags: a box in a box in a box, each with its length and its name before it."""
    file.seek(0)
    for name in (b"moov", b"udta", b"meta", b"ilst", b"\xa9cmt", b"data"):
        for _ in range(MAX_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                return None
            length, kind = struct.unpack(">I4s", head)
            if kind == name:
                break
            if length < 8:  # 0 and 1 stand for "to the end" and "longer than 4 GB"
                return None
            file.seek(length - 8, os.SEEK_CUR)
        else:
            return None
        file.seek({b"meta": 4, b"data": 8}.get(name, 0), os.SEEK_CUR)  # version and flags; type and language
    return file.read(min(length - 16, MAX_TEXT + 1)) if length > 16 else None


def _description(exif: bytes) -> bytes | None:
    """The text of EXIF_DESCRIPTION in the first directory of an EXIF block, which is a TIFF without pictures."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return None
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, at)
        for entry in range(at + 2, at + 2 + 12 * entries, 12):
            tag, kind, count, where = struct.unpack_from(f"{order}HHII", exif, entry)
            if tag == EXIF_DESCRIPTION and kind == 2:  # bytes that end in a zero; up to four stand in the entry itself
                start = where if count > 4 else entry + 8
                return exif[start : start + count].rstrip(b"\0")
    except struct.error:  # the block ends before its directory does
        return None
    return None
