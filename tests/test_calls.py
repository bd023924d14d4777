"""Calls of the API as scripts send them over plain HTTP: what is odd is refused with a sentence."""

import json

import pytest
from wishes import asking, host_of, served

from demo.bodies import MAX_BODY
from demo.calls import file_paths

DATA = ["tiny", [1], 2, 0.0, None, "ddim", None]
FILE = {"path": "http://127.0.0.1:9/x", "meta": {"_type": "gradio.FileData"}}


@pytest.fixture(scope="module")
def browser(tiny_folder, tmp_path_factory):
    with served(host_of(tmp_path_factory.mktemp("served"), tiny_folder)) as address:
        browser = asking(f"{address}gradio_api/", 60)
        yield browser
        browser.close()


def ended(browser, path, event):
    """The last (event, data) of an answer."""
    *_, end, data = [line for line in browser.get(f"{path}/{event}").text.split("\n") if line]
    return end.removeprefix("event: "), json.loads(data.removeprefix("data: "))


@pytest.mark.parametrize(
    ("path", "body"),
    [("call/sample", {"data": DATA}), ("call/v2/sample", {"seeds": [1], "steps": 2}), ("call/v2/sample", {})],
)
def test_what_is_right_is_done(browser, path, body):
    event = browser.post(path, json=body).json()["event_id"]
    end, (result,) = ended(browser, path.replace("/v2", ""), event)
    assert (end, result["state"]) == ("complete", "done")


@pytest.mark.parametrize("path", ["call/sample", "run/sample", "api/sample", "call/v2/sample", "queue/join"])
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 400), (b"[" * 5000, 400), (b"\xff\xfe", 400), (b"x" * (MAX_BODY + 1), 413),
     (json.dumps({"data": DATA[:-1], "fn_index": 0}).encode(), 400), (b'{"data": 3, "fn_index": 0}', 400),
     (json.dumps({"data": [*DATA, 1], "fn_index": 0}).encode(), 400),
     (json.dumps({"data": [FILE, *DATA[1:]], "fn_index": 0}).encode(), 400)],
    ids=["empty", "cut short", "a list", "nested", "not UTF-8", "too long", "too few", "no list", "too many", "a file"],
)  # fmt: skip
def test_what_is_odd_is_refused_in_a_sentence(browser, capsys, path, body, status):
    answer = browser.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert 0 < len(answer.json()["error"]) < 200
    assert answer.json()["error"].endswith(".")
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("path", ["call/sample", "call/v2/sample"])
def test_an_answer_to_no_call_is_refused(browser, path):
    answer = browser.get(f"{path}/{'0' * 32}")
    assert answer.status_code == 404
    assert answer.json()["error"].endswith("make the call anew.")


@pytest.mark.parametrize("path", ["call/none", "run/none", "call/v2/none"])
def test_an_endpoint_that_is_not_there_is_said_to_be_none(browser, path):
    answer = browser.post(path, json={"data": []})
    assert answer.status_code == 404
    assert "no such endpoint" in answer.json()["error"]


def test_nothing_is_fetched_from_an_address_nor_read_from_a_path(browser):
    """Of a value in the form of a file Gradio would fetch the address, even for an endpoint that takes no file."""
    for index in range(5):  # one is Reproduce's own, which takes a file that was uploaded
        for data in ([FILE, "tiny"], [[{"a": FILE}], "tiny"]):
            answer = browser.post("queue/join", json={"fn_index": index, "data": data, "session_hash": "x"})
            assert answer.status_code == 400
            assert answer.json()["error"].startswith("A file is uploaded first")
    for path in ("http://127.0.0.1:9/x", "/etc/passwd"):
        answer = browser.post("call/sample", json={"data": [{**FILE, "path": path}, *DATA[1:]]})
        assert answer.status_code == 400


def test_files_are_found_however_deep():
    assert file_paths({"a": [[{"b": FILE}], {"path": 3}], "path": "x"}) in (["x", FILE["path"]], [FILE["path"], "x"])
    assert file_paths([1, None, "path"]) == []


def test_a_form_without_files_is_refused_and_one_with_files_is_kept(browser):
    for form in ({"data": {"files": "text"}}, {"files": {"files": ("", b"x")}}):
        answer = browser.post("upload", **form)
        assert answer.status_code in (400, 422), form
        assert "Traceback" not in answer.text
    assert browser.post("upload", files={"files": ("x.gif", b"GIF89a")}).status_code == 200
