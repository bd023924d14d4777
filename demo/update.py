"""What a run tells the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ASK_ABOVE_S = 5.0


@dataclass
class Update:
    """What changes on the page: panel name → value ("samples", "strip", "duel"), or markup where the panel is made of
    that ("code"); status line; Go on shown."""

    status: tuple[str, str]  # (state, sentence)
    panels: Mapping[str, dict[str, Any] | str] = field(default_factory=dict)
    ask: bool = False
