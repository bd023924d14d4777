"""A request that is refused: its status, and a sentence."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import JSONResponse, PlainTextResponse


class Refused(NamedTuple):
    """retry_s: seconds after which it may be tried again."""

    status: int
    sentence: str
    retry_s: int | None = None

    def response(self) -> JSONResponse:
        """For scripts and the page."""
        return JSONResponse({"error": self.sentence}, self.status, self._headers())

    def text(self) -> PlainTextResponse:
        """For an address that people open."""
        return PlainTextResponse(self.sentence, self.status, self._headers())

    def _headers(self) -> dict[str, str]:
        again = {} if self.retry_s is None else {"Retry-After": str(self.retry_s)}
        return {"Cache-Control": "no-store", **again}
