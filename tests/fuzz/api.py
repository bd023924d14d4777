"""Calls of the API and uploads with odd bodies. Each is refused with 4xx, or ends with a result or a sentence."""

import json
import random

from tests.fuzz.answers import ODD, RAW, STOP_S, Outcome, Site, sentence

GOOD = {
    "sample": ["tiny", [1, 2], 2, 0.0, None, "ddim", None],
    "interpolate": ["tiny", [3, 8], 2, 0.0, None, 3, False, "ddim", None],
    "compare": ["tiny", 3, [{"steps": 2}, {"steps": 3, "eta": 0.5}], None],
    "grid": ["tiny", {"steps": [1, 2]}, {"eta": [0, 1]}, 3, 2, 0.0, None, "ddim", None],
}
NAMES = [
    "x.gif", "", "../../x.png", "/etc/x.png", "a\0b.png", "é" * 200 + ".webp", "x.exe", ".png", "x" * 400,
    "C:\\x.gif",
]  # fmt: skip

ADDRESSES = [
    "gradio_api/call/{}", "gradio_api/call/sample/{}", "gradio_api/file={}", "gradio_api/queue/data?session_hash={}",
    "gradio_api/call/{}/x", "gradio_api/run/{}", "config?{}", "gradio_api/info?{}",
]  # fmt: skip


def run(site: Site, seed: int) -> Outcome:
    """One case. Everything in it follows from the seed."""
    rng = random.Random(seed)
    return rng.choice([_odd_values, _odd_values, _odd_values, _odd_names, _odd_body, _odd_address, _odd_upload])(
        site, rng
    )


def _odd_values(site: Site, rng: random.Random) -> Outcome:
    name = rng.choice(list(GOOD))
    data = json.loads(json.dumps(GOOD[name]))
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        how = rng.random()
        if how < 0.8 and data:
            data[rng.randrange(len(data))] = rng.choice(ODD)
        elif how < 0.9 and data:
            data.pop()
        else:
            data.append(rng.choice(ODD))
    return _called(site, name, json.dumps({"data": data}).encode())


def _odd_body(site: Site, rng: random.Random) -> Outcome:
    return _called(site, rng.choice(list(GOOD)), rng.choice(RAW))


def _odd_names(site: Site, rng: random.Random) -> Outcome:
    """As in a call of Python, by name."""
    body = {rng.choice(["checkpoint", "seeds", "steps", "eta", "label", "x", ""]): rng.choice(ODD) for _ in range(3)}
    return _called(site, rng.choice(list(GOOD)), json.dumps({"steps": 2, **body}).encode(), "call/v2")


def _called(site: Site, name: str, body: bytes, kind: str = "call") -> Outcome:
    with site.judged(f"{kind}/{name} {body!r}") as found:
        began = site.browser.post(
            f"gradio_api/{kind}/{name}", content=body, headers={"Content-Type": "application/json"}
        )
        if _refused(found, began):
            return found
        event = began.json()["event_id"]
        with site.browser.stream("GET", f"gradio_api/call/{name}/{event}") as answer:
            found.answer = ""
            if answer.status_code != 200:
                found.refuse("no answer to a call that was taken")
            for line in answer.iter_lines():
                found.answer += line + "\n"
        end, data = [line for line in found.answer.split("\n") if line][-2:]
        found.end = f"{name} {end.removeprefix('event: ')}"
        said = json.loads(data.removeprefix("data: "))
        if end == "event: error" and not sentence(said if isinstance(said, str) else (said or {}).get("error")):
            found.refuse("an error without a sentence")
        elif end not in ("event: error", "event: complete"):
            found.refuse("no end")
    return found


def _refused(found: Outcome, answer: object) -> bool:
    found.end, found.answer = f"HTTP {answer.status_code}", answer.text
    if answer.status_code >= 500:
        found.refuse("an error of the server")
    return answer.status_code != 200


def _odd_address(site: Site, rng: random.Random) -> Outcome:
    word = rng.choice([str(rng.choice(ODD)), *NAMES]).replace("\0", "%00").encode("utf-8", "replace").decode()[:300]
    form = rng.choice(ADDRESSES)
    path = form.format(word.replace("#", "").replace("\\", "%5c"))
    with site.judged(path) as found:
        method = rng.choice(["GET", "POST"])
        # what waits for events goes on for as long as one listens
        with site.browser.stream(method, path, timeout=STOP_S, json={} if method == "POST" else None) as answer:
            found.end = f"HTTP {answer.status_code}"
            try:
                found.answer = answer.read().decode("utf-8", "replace")
            except Exception:
                found.end += ", listened to"
            if answer.status_code >= 500:
                found.refuse("an error of the server")
    return found


def _odd_upload(site: Site, rng: random.Random) -> Outcome:
    name, data = (
        rng.choice(NAMES),
        rng.choice([b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", bytes(rng.randbytes(500)), b"RIFF", b"x" * 70_000]),
    )
    with site.judged(f"upload {name!r} {data[:20]!r}") as found:
        if rng.random() < 0.3:
            kind = rng.choice(
                ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "application/json"]
            )
            answer = site.browser.post("gradio_api/upload", content=data, headers={"Content-Type": kind})
        else:
            field = rng.choice(["files", "files", "file", ""])
            answer = site.browser.post("gradio_api/upload", files={field: (name, data)})
        _refused(found, answer)
        found.end = f"upload {found.end}"
    return found
