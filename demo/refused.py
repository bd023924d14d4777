"""A request that is refused: its status, and a sentence."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import JSONResponse


class Refused(NamedTuple):
    """retry_s: seconds after which it may be tried again."""

    status: int
    sentence: str
    retry_s: int | None = None

    def response(self) -> JSONResponse:
        headers = {} if self.retry_s is None else {"Retry-After": str(self.retry_s)}
        return JSONResponse({"error": self.sentence}, self.status, {**headers, "Cache-Control": "no-store"})
