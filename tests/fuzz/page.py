"""Messages of the page with odd settings, and odd requests to each of its addresses."""

import io
import json
import random
import time

import httpx
from PIL import Image

from demo.live import Live
from demo.routes import routes
from demo.settings import FIELDS
from demo.views import VIEWS
from tests.fuzz.answers import ODD, RAW, STOP_S, Outcome, Site, sentence

QUERIES = [
    "?", "?seed=1&steps=3", "?seed=", "?steps=1e9&eta=-1", "?view=nowhere", "?" + "a=b&" * 900, "?seed=%ED%A0%80",
    "?%00=%00", "?lanes=3,0,leading", "?keys=1,1,1", "x", "", "?seed=1&seed=2", "?eta=nan", "?checkpoint=../x",
]  # fmt: skip
ENDS = ("done", "error", "stopped", "asked")


def run(site: Site, seed: int) -> Outcome:
    """One case. Everything in it follows from the seed."""
    rng = random.Random(seed)
    return rng.choice([_odd_settings] * 6 + [_odd_request] * 3 + [_odd_picture])(site, rng)


def _odd_settings(site: Site, rng: random.Random) -> Outcome:
    settings = {
        "view": rng.choice(VIEWS).name,
        "steps": 2,
        "steps_b": 3,
        "count": 4,
        "checkpoint": rng.choice(["tiny", "second"]),
    }
    for _ in range(rng.choice([0, 1, 2, 4, 8])):
        settings[rng.choice(list(FIELDS))] = rng.choice(ODD)
    if rng.random() < 0.1:
        settings[str(rng.choice(ODD))] = rng.choice(ODD)
    message = {"seq": rng.choice([0, 0, 0, 1, 2**53 - 1]), "settings": settings}
    for name, odd in (("session", ODD), ("query", QUERIES), ("have", ODD), ("anew", ODD), ("start", ODD)):
        if rng.random() < 0.15:
            message[name] = rng.choice(odd)
    body = json.dumps(message).encode()
    with site.judged(f"ddim/want {body!r}") as found:
        _wanted(site, body, found)
    return found


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


def _odd_picture(site: Site, rng: random.Random) -> Outcome:
    """Dropped by a tab that is there: a picture, its beginning, or with a few bytes changed."""
    side, data = rng.choice([1, 8, 30]), io.BytesIO()
    Image.new(rng.choice(["RGB", "L", "P", "RGBA", "1", "I;16"]), (side, 9)).save(data, "PNG")
    body = bytearray(data.getvalue())
    for _ in range(rng.choice([0, 0, 1, 5])):
        body[rng.randrange(len(body))] = rng.randrange(256)
    sent = rng.choice([bytes(body), bytes(body), bytes(body[: rng.randrange(len(body))]), rng.choice(RAW)])
    with site.judged(f"ddim/picture of {side}×9: {sent[:60]!r}") as found:
        tab = json.loads(
            site.browser.post("ddim/want", json={"seq": 0, "query": "?steps=1&count=4"}).text.split("\n")[0]
        )
        answer = site.browser.post(f"ddim/picture/{tab['session']}", content=sent)
        found.end, found.answer = f"picture HTTP {answer.status_code}", answer.text
        if answer.status_code != 200:
            _judge_refusal(found, answer.status_code)
    return found


def _odd_request(site: Site, rng: random.Random) -> Outcome:
    """To any of our addresses, with any method."""
    route = rng.choice(routes(Live(site.host)))
    word = rng.choice(["x", "%00", "..", "é" * 100, "%ff", "x" * 2000, " ", "%2e%2e%2f", "%3Cscript%3E"])
    path = route.path.format_map(dict.fromkeys(route.param_convertors, word)).lstrip("/")
    method = rng.choice([*route.methods, *route.methods, "GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
    body = rng.choice([*RAW, json.dumps({"session": rng.choice(ODD), "seq": rng.choice(ODD)}).encode()])
    with site.judged(f"{method} {path[:200]} {body!r}") as found:
        if path == "ddim/want" and method == "POST":
            _wanted(site, body, found)
        else:
            answer = site.browser.request(method, path, content=body)
            found.end, found.answer = f"{method} HTTP {answer.status_code}", answer.text
            if answer.status_code >= 500:
                found.refuse("an error of the server")
    return found
