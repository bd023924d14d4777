"""How often a login may be tried: after a few wrong words each further one has its time, from an address and in all.

A try that comes too early is not looked at and not counted, so the wait ends when it was said to end, whoever else
goes on trying. An address may be a proxy with everybody behind it, or made up where a proxy passes on what it was
told: so its wait stays short, what holds against many addresses is the wait of all, and a browser that has logged in
before is counted by itself, so that nobody's guesses keep it out.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

FORGOTTEN_S = 3600.0  # after the last wrong word
MOST = 1024  # of who is counted
KNOWN_S = 30 * 24 * 3600  # for which a browser is known, unless the server starts anew


class Bound(NamedTuple):
    """free: wrong words without a wait. After one more there are first_s, and twice as long each time, up to most_s."""

    free: int
    first_s: float
    most_s: float


ONE = Bound(2, 5.0, 60.0)  # an address, or a browser that is known
ALL = Bound(30, 1.0, 10.0)  # 8,640 a day at most
EVERYBODY = "everybody"


class Count(NamedTuple):
    wrong: int
    last: float
    next: float  # when the next may come


class Guesses:
    """On the event loop alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._counts: OrderedDict[str, Count] = OrderedDict()  # the longest without a wrong word first
        self._secret = secrets.token_bytes(32)

    def of(self, address: str, mark: str | None) -> tuple[str, ...]:
        """Who is counted for a try. mark: what this browser was given when it logged in before."""
        name, _, seal = (mark or "").partition(".")
        if name and hmac.compare_digest(seal.encode(), self._seal(name).encode()):
            return (f"known {name}",)
        return f"from {network(address)}", EVERYBODY

    def mark(self) -> str:
        """For a browser that has logged in, to be known by."""
        name = secrets.token_urlsafe(9)
        return f"{name}.{self._seal(name)}"

    def wait_s(self, who: tuple[str, ...]) -> int:
        """Whole seconds until the next try, 0 where it may come."""
        now = self.clock()
        waits = [self._counts[one].next - now for one in who if one in self._counts]
        return max(0, *map(math.ceil, waits)) if waits else 0

    def tried(self, who: tuple[str, ...]) -> None:
        """A try, which counts as wrong until it is known to be right, so that many at once are many."""
        now = self.clock()
        for one in who:
            before = self._counts.pop(one, None)
            wrong = 1 if before is None or now - before.last > FORGOTTEN_S else before.wrong + 1
            self._counts[one] = Count(wrong, now, now + waiting(wrong, ALL if one == EVERYBODY else ONE))
        self._forget(now)

    def right(self, who: tuple[str, ...]) -> None:
        """The try was right: its address begins anew, and for all it was none."""
        for one in who:
            count = self._counts.pop(one, None)
            if one == EVERYBODY and count is not None and count.wrong > 1:
                self._counts[one] = count._replace(wrong=count.wrong - 1, next=0.0)

    def _forget(self, now: float) -> None:
        while self._counts:
            one, count = next(iter(self._counts.items()))
            if now - count.last <= FORGOTTEN_S and len(self._counts) <= MOST:
                return
            del self._counts[one]

    def _seal(self, name: str) -> str:
        return hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()


def waiting(wrong: int, bound: Bound) -> float:
    """Seconds after so many wrong words."""
    beyond = wrong - bound.free
    return 0.0 if beyond <= 0 else min(bound.most_s, bound.first_s * 2.0 ** min(beyond - 1, 30))


def network(address: str) -> str:
    """Who an address is: a house has one of IPv4, and 2⁶⁴ of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def checking(user: str, password: str) -> Callable[[str, str], bool]:
    """What Gradio asks whether a login is right; it takes the same time for whatever is given."""
    right = [hashlib.sha256(text.encode()).digest() for text in (user, password)]

    def known(given_user: str, given_password: str) -> bool:
        given = [hashlib.sha256(text.encode(errors="replace")).digest() for text in (given_user, given_password)]
        same = [hmac.compare_digest(one, other) for one, other in zip(given, right, strict=True)]
        return all(same)

    return known
