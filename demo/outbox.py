"""What a browser is told of the panels: only what it does not have. Pure."""

from __future__ import annotations

import json
from typing import Any

from demo.pictures import named

Message = dict[str, Any]


class Outbox:
    """The messages of one run to one browser. have: ids of the pictures that it has already."""

    def __init__(self, have: set[str]) -> None:
        self.have = have
        self._sent: dict[str, str] = {}

    def panel(self, name: str, value: dict[str, Any]) -> Message | None:
        """The message that shows this value, with the pictures that are new; None where the panel shows it already."""
        pictures: dict[str, str] = {}
        plain = named(value, pictures)
        text = json.dumps(plain)
        if self._sent.get(name) == text:
            return None
        self._sent[name] = text
        new = {key: uri for key, uri in pictures.items() if key not in self.have}
        self.have |= new.keys()
        return {"panel": name, "value": plain, "pictures": new}
