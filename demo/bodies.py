"""Bodies of requests, read whole before anything is done with them."""

from __future__ import annotations

from starlette.types import Message, Receive

MAX_BODY = 65_536  # bytes


async def small_body(receive: Receive, most: int = MAX_BODY) -> bytes | None:
    """The whole body, or None for one that is longer or breaks off; what is too much is not kept."""
    data, more = bytearray(), True
    while more:
        message = await receive()
        data += message.get("body", b"")
        more = message.get("more_body", False)
        if len(data) > most or message["type"] == "http.disconnect":
            return None
    return bytes(data)


def replayed(body: bytes, receive: Receive) -> Receive:
    """What receives the same body again, and then what else comes."""
    parts: list[Message] = [{"type": "http.request", "body": body}]

    async def again() -> Message:
        return parts.pop() if parts else await receive()

    return again
