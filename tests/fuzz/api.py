"""Calls of the API and uploads with odd bodies. Each is refused with 4xx, or ends with a result or a sentence."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import hypothesis.strategies as st

from tests.fuzz.answers import STOP_S, Outcome, Site, sentence
from tests.fuzz.values import BODIES, JSON, NAMES, weighted

GOOD = {
    "sample": ["tiny", [1, 2], 2, 0.0, None, "ddim", None],
    "interpolate": ["tiny", [3, 8], 2, 0.0, None, 3, False, "ddim", None],
    "compare": ["tiny", 3, [{"steps": 2}, {"steps": 3, "eta": 0.5}], None],
    "grid": ["tiny", {"steps": [1, 2]}, {"eta": [0, 1]}, 3, 2, 0.0, None, "ddim", None],
}
ADDRESSES = [
    "gradio_api/call/{}", "gradio_api/call/sample/{}", "gradio_api/file={}", "gradio_api/queue/data?session_hash={}",
    "gradio_api/call/{}/x", "gradio_api/run/{}", "config?{}", "gradio_api/info?{}",
]  # fmt: skip


@dataclass(frozen=True)
class Call:
    """kind: "call", its values in order, or "call/v2", by name."""

    name: str
    body: bytes
    kind: str = "call"

    def run(self, site: Site) -> Outcome:
        return _called(site, self.name, self.body, self.kind)


@dataclass(frozen=True)
class Address:
    method: str
    path: str

    def run(self, site: Site) -> Outcome:
        return _asked(site, self.method, self.path)


@dataclass(frozen=True)
class Upload:
    """A file in a form's field or, with a content type, a body that says it is a form."""

    name: str
    data: bytes
    field: str = "files"
    content_type: str = ""

    def run(self, site: Site) -> Outcome:
        return _uploaded(site, self)


def run(site: Site, case: Any) -> Outcome:
    """How one of CASES ends."""
    return case.run(site)


@st.composite
def _odd_values(draw: st.DrawFn) -> Call:
    """A good call with some of its values odd, one too few or one too many."""
    name = draw(st.sampled_from(list(GOOD)))
    data = json.loads(json.dumps(GOOD[name]))
    for _ in range(draw(st.integers(0, 3))):
        how = draw(st.sampled_from(["set"] * 8 + ["less", "more"]))
        if how == "set" and data:
            data[draw(st.integers(0, len(data) - 1))] = draw(JSON)
        elif how == "less" and data:
            data.pop()
        else:
            data.append(draw(JSON))
    return Call(name, json.dumps({"data": data}).encode())


def _word(text: str) -> str:
    """As a part of an address; some of it as it is, for the server to make sense of."""
    return quote(text.encode("utf-8", "replace")[:300], safe="/%?=&:.,+<>'\"()[]{}@!$*;|^`~ ")


CALLED = st.sampled_from(list(GOOD))
PARAMETERS = st.sampled_from(["checkpoint", "seeds", "steps", "eta", "label", "x", ""])
BY_NAME = st.builds(
    lambda name, values: Call(name, json.dumps({"steps": 2, **values}).encode(), "call/v2"),
    CALLED, st.dictionaries(PARAMETERS, JSON, max_size=3),
)  # fmt: skip
CUT_SHORT = st.builds(
    lambda name, at: Call(name, json.dumps({"data": GOOD[name]}).encode()[:at]), CALLED, st.integers(0, 60)
)
ADDRESS = st.builds(
    lambda method, form, text: Address(method, form.format(_word(text))),
    st.sampled_from(["GET", "POST"]), st.sampled_from(ADDRESSES), NAMES | JSON.map(str),
)  # fmt: skip
DATA = st.sampled_from([b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF", b"x" * 70_000]) | st.binary(max_size=300)
TYPES = ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "application/json"]
UPLOAD = st.builds(Upload, NAMES, DATA, st.sampled_from(["files", "file", ""])) | st.builds(
    Upload, st.just("x.png"), DATA, st.just("files"), st.sampled_from(TYPES)
)
CASES = weighted(
    (6, _odd_values()), (2, BY_NAME), (2, st.builds(Call, CALLED, BODIES) | CUT_SHORT), (2, ADDRESS), (2, UPLOAD)
)


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


def _asked(site: Site, method: str, path: str) -> Outcome:
    body = {} if method == "POST" else None
    asked = site.judged(f"{method} {path}")
    # what waits for events goes on for as long as one listens
    with asked as found, site.browser.stream(method, path, timeout=STOP_S, json=body) as answer:
        found.end = f"HTTP {answer.status_code}"
        try:
            found.answer = answer.read().decode("utf-8", "replace")
        except Exception:
            found.end += ", listened to"
        if answer.status_code >= 500:
            found.refuse("an error of the server")
    return found


def _uploaded(site: Site, sent: Upload) -> Outcome:
    with site.judged(repr(sent)) as found:
        if sent.content_type:
            headers = {"Content-Type": sent.content_type}
            answer = site.browser.post("gradio_api/upload", content=sent.data, headers=headers)
        else:
            answer = site.browser.post("gradio_api/upload", files={sent.field: (sent.name, sent.data)})
        _refused(found, answer)
        found.end = f"upload {found.end}"
    return found
