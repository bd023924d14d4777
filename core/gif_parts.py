"""The text of a GIF, measured without decoding a picture."""

from __future__ import annotations

MAX_TEXT = 1 << 20  # bytes of all comments and other extensions


def require_little_text(data: bytes) -> None:
    """Raises ValueError for a GIF with more text than MAX_TEXT: Pillow joins it block by block, in minutes for 20 MB.

    A damaged one passes: what is wrong with it is for Pillow to say.
    """
    try:
        at, text = 13 + _palette(data[10]), 0
        while data[at] in (0x21, 0x2C):
            start, extension = at, data[at] == 0x21
            at += 2 if extension else 11 + _palette(data[at + 9])
            while size := data[at]:
                at += 1 + size
            at += 1
            text += (at - start) * extension
            if text > MAX_TEXT:
                raise ValueError(f"it carries more than {MAX_TEXT >> 20} MB of text")
    except IndexError:
        return


def _palette(flags: int) -> int:
    """Bytes of the colours that a picture brings."""
    return 3 << (flags & 7) + 1 if flags & 128 else 0
