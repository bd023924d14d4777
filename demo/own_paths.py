"""Sentences without the paths of this machine, for a page in front of strangers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

# /a/b and C:\a\b, not "images/s", "and/or" or an address: a path begins where no word or host goes before it
ABSOLUTE = re.compile(
    r"(?<![\w.)/:\\~])(?:~?/|[A-Za-z]:\\|\\\\)(?:[^\s'\"`,;:()<>/\\]+[/\\])+(?=[^\s'\"`,;:()<>/\\]|\b|$)"
)


def without_paths(text: str, own: Mapping[str, str]) -> str:
    """The text with the folders it names said in the host's words, and of any other path its last part. own: by path;
    a longer one goes first, since one may lie in another."""
    for path in sorted(own, key=len, reverse=True):
        text = text.replace(path, own[path])
    return ABSOLUTE.sub("", text)
