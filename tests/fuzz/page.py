"""Messages of the page with odd settings, and odd requests to each of its addresses."""

import io
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import hypothesis.strategies as st
from PIL import Image

from demo.live import Live
from demo.routes import routes
from demo.settings import FIELDS
from demo.views import VIEWS
from tests.fuzz.answers import STOP_S, Outcome, Site, sentence
from tests.fuzz.spoil import EDITS
from tests.fuzz.values import ANY_TEXT, BODIES, JSON, RAW, picked, weighted

QUERIES = [
    "?", "?seed=1&steps=3", "?seed=", "?steps=1e9&eta=-1", "?view=nowhere", "?" + "a=b&" * 900, "?seed=%ED%A0%80",
    "?%00=%00", "?lanes=3,0,leading", "?keys=1,1,1", "x", "", "?seed=1&seed=2", "?eta=nan", "?checkpoint=../x",
]  # fmt: skip
ENDS = ("done", "error", "stopped", "asked")


@dataclass(frozen=True)
class Want:
    """A message of a tab that wants pictures."""

    body: bytes

    def run(self, site: Site) -> Outcome:
        with site.judged(f"ddim/want {self.body!r}") as found:
            _wanted(site, self.body, found)
        return found


@dataclass(frozen=True)
class Request:
    """To one of our addresses, with any method."""

    method: str
    path: str
    body: bytes

    def run(self, site: Site) -> Outcome:
        return _asked(site, self)


@dataclass(frozen=True)
class Picture:
    """Dropped by a tab that is there."""

    data: bytes

    def run(self, site: Site) -> Outcome:
        return _dropped(site, self.data)


def run(site: Site, case: Any) -> Outcome:
    """How one of CASES ends."""
    return case.run(site)


GOOD = {"view": "explore", "steps": 2, "steps_b": 3, "count": 4, "checkpoint": "tiny"}
BASES = st.builds(
    lambda view, checkpoint: {**GOOD, "view": view.name, "checkpoint": checkpoint},
    st.sampled_from(VIEWS), st.sampled_from(["tiny", "second"]),
)  # fmt: skip
LINKS = st.dictionaries(st.sampled_from(list(FIELDS)) | ANY_TEXT, ANY_TEXT | JSON.map(str), max_size=4).map(
    lambda values: "?" + urlencode(values, errors="replace")
)
MORE = {
    "session": JSON, "query": picked(QUERIES) | LINKS, "have": JSON, "anew": JSON, "start": JSON,
}  # fmt: skip


@st.composite
def _wants(draw: st.DrawFn) -> Want:
    settings = draw(BASES) | draw(st.dictionaries(st.sampled_from(list(FIELDS)), JSON, max_size=8))
    if draw(st.integers(0, 9)) == 9:
        settings[draw(ANY_TEXT)] = draw(JSON)
    message = {"seq": draw(st.sampled_from([0, 0, 0, 1, 2**53 - 1])), "settings": settings}
    for name, odd in MORE.items():
        if draw(st.integers(0, 6)) == 6:
            message[name] = draw(odd)
    return Want(json.dumps(message).encode())


def _png(mode: str, side: int) -> bytes:
    data = io.BytesIO()
    Image.new(mode, (side, 9)).save(data, "PNG")
    return data.getvalue()


PNGS = [_png(mode, side) for mode in ("RGB", "L", "P", "RGBA", "1", "I;16") for side in (1, 8, 30)]
WORDS = ["x", "%00", "..", "é" * 100, "%ff", "x" * 2000, " ", "%2e%2e%2f", "%3Cscript%3E"]
METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]


def _spoilt(data: bytes, edits: list[Any]) -> bytes:
    for edit in edits:
        data = edit.of(data)
    return data


@st.composite
def _requests(draw: st.DrawFn) -> Request:
    route = draw(st.sampled_from(routes(Live(None))))
    path = route.path.format_map(dict.fromkeys(route.param_convertors, draw(st.sampled_from(WORDS)))).lstrip("/")
    method = draw(st.sampled_from(sorted(route.methods)) | st.sampled_from(METHODS))
    wish = st.fixed_dictionaries({"session": JSON, "seq": JSON}).map(lambda wish: json.dumps(wish).encode())
    return Request(method, path, draw(BODIES | wish))


PICTURES = st.builds(Picture, st.builds(_spoilt, picked(PNGS), st.lists(EDITS, max_size=3)))
CASES = weighted((6, _wants()), (3, _requests()), (1, PICTURES | st.builds(Picture, picked(RAW))))


def _wanted(site: Site, body: bytes, found: Outcome) -> None:
    """Read the answer; what goes on for long is stopped, and then ends."""
    first, last, began, stopped = None, None, time.monotonic(), False
    with site.browser.stream("POST", "ddim/want", content=body) as answer:
        if answer.status_code != 200:
            found.end, found.answer = f"want HTTP {answer.status_code}", answer.read().decode()
            _judge_refusal(found, answer.status_code)
            return
        for line in answer.iter_lines():
            if not line:
                continue
            message = json.loads(line)
            first, found.answer = first or message, found.answer + line
            last = message.get("status", last)
            if not stopped and time.monotonic() - began > STOP_S:
                stopped = True
                httpx.post(f"{site.address}ddim/stop", json={"session": first["session"], "seq": first["seq"]})
    found.end = f"want {last and last[0]}"
    if not (last or (first and first.get("late"))):
        found.refuse("no end")
    elif last and (last[0] not in ENDS or not sentence(last[1])):
        found.refuse("no sentence at its end")


def _judge_refusal(found: Outcome, status: int) -> None:
    if not 400 <= status < 500:
        found.refuse("an error of the server")
    elif found.answer.startswith("{") and not sentence(next(iter(json.loads(found.answer).values()))):
        found.refuse("refused without a sentence")


def _dropped(site: Site, data: bytes) -> Outcome:
    with site.judged(f"ddim/picture {data[:300]!r}") as found:
        tab = json.loads(
            site.browser.post("ddim/want", json={"seq": 0, "query": "?steps=1&count=4"}).text.split("\n")[0]
        )
        answer = site.browser.post(f"ddim/picture/{tab['session']}", content=data)
        found.end, found.answer = f"picture HTTP {answer.status_code}", answer.text
        if answer.status_code != 200:
            _judge_refusal(found, answer.status_code)
    return found


def _asked(site: Site, sent: Request) -> Outcome:
    with site.judged(f"{sent.method} {sent.path[:200]} {sent.body!r}") as found:
        if sent.path == "ddim/want" and sent.method == "POST":
            _wanted(site, sent.body, found)
        else:
            answer = site.browser.request(sent.method, sent.path, content=sent.body)
            found.end, found.answer = f"{sent.method} HTTP {answer.status_code}", answer.text
            if answer.status_code >= 500:
                found.refuse("an error of the server")
    return found
