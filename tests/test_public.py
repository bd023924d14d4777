"""A page in front of strangers: no answer names a path of this machine, and nobody takes more than the host allows."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from wishes import Tab, served

from core.hub import Located
from core.record import read_record
from demo.host import EngineHost
from demo.limits import Limits
from demo.pace import Pace
from demo.views import VIEWS
from demo.views.reproduce import read_file
from demo.views.tradeoff.plot import stored

LIMITS = Limits(pictures=5, megapixels=1, page=1)  # of 8×8 pixels: 15,625 steps of one picture


@pytest.fixture(scope="module")
def private(tiny_folder, tmp_path_factory):
    """A host's folders, whose names are nobody's business: a checkpoint, one that cannot be opened, and one more."""
    root = tmp_path_factory.mktemp("private-place")
    shutil.copytree(tiny_folder, root / "nets" / "tiny")
    broken = root / "nets" / "tiny-broken"
    broken.mkdir()
    for file in ("config.json", "scheduler_config.json"):
        shutil.copy(tiny_folder / file, broken)
    shutil.copytree(tiny_folder, root / "elsewhere" / "third")
    return root


def host_at(private, **options):
    third = private / "elsewhere" / "third"
    return EngineHost(private / "nets", "cpu", further=[Located(third, "third", str(third))], **options)


@pytest.fixture
def host(private):
    return host_at(private, public=True, limits=LIMITS)


def secrets(private):
    return (private.name, str(private), str(Path.home()) + "/", str(Path.cwd()))


def test_a_usual_host_does_name_them_so_the_tests_below_can_fail(private):
    tab = Tab(host_at(private))
    assert private.name in json.dumps(tab.want(view="reproduce", what="samples").panels["code"])
    assert private.name in stored(tab.host, tab.host.engine("tiny"))[1]
    assert private.name in tab.host.folder_text("third")


def test_no_panel_of_any_view_names_a_folder(host, private):
    tab = Tab(host)
    for checkpoint in ("tiny", "third"):
        for view in [view.name for view in VIEWS]:
            answer = tab.want(view=view, checkpoint=checkpoint, steps=2, grid_x="steps", lanes=[{"steps": 2}])
            text = json.dumps([answer.first, answer.messages], ensure_ascii=False)
            assert answer.status[0] == "done", answer.status
            for secret in secrets(private):
                assert secret not in text, (view, checkpoint)
    code = json.dumps(tab.want(view="reproduce", what="samples", checkpoint="third").panels["code"])
    assert "checkpoints/third" in re.sub("<[^>]+>", "", code)


def test_a_checkpoint_that_cannot_be_opened_is_said_by_its_name(host, private):
    state, said = Tab(host).want(checkpoint="tiny-broken").status
    assert state == "error"
    assert "safetensors is missing" in said
    assert private.name not in said
    usual = Tab(host_at(private)).want(checkpoint="tiny-broken").status[1]
    assert said == usual or private.name in usual


def test_no_file_carries_a_folder(host, private, tmp_path):
    tab = Tab(host)
    answer = tab.want(steps=2)
    for name, data in tab.files(answer, "samples").items():
        assert private.name.encode() not in data, name
        (tmp_path / name).write_bytes(data)
        assert read_record(tmp_path / name)["checkpoint"]["name"] == "third"
        assert private.name not in read_file(host, str(tmp_path / name), "tiny")


def test_what_reproduce_says_of_an_odd_file_names_no_path(host, tmp_path):
    odd = tmp_path / "odd.png"
    odd.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 99)
    assert "alert" in read_file(host, str(odd), "tiny")
    assert str(tmp_path) not in read_file(host, str(odd), "tiny")


@pytest.fixture(scope="module")
def address(private):
    with served(host_at(private, public=True, limits=LIMITS)) as address:
        yield address


@pytest.fixture(scope="module")
def client(address):
    client = Client(address, verbose=False, download_files=False)
    yield client
    client.close()


@pytest.mark.parametrize(
    "path", ["", "config", "gradio_api/info", "none", "gradio_api/file=/etc/passwd", "ddim/file/a/b/c"]
)
def test_nothing_that_is_served_names_a_folder(address, private, path):
    text = httpx.get(f"{address}{path}", timeout=30).text
    for secret in secrets(private):
        assert secret not in text


def test_an_error_of_the_api_names_no_folder(client, private):
    for checkpoint in ("tiny-broken", str(private / "nets" / "tiny")):
        with pytest.raises(AppError) as caught:
            client.predict(checkpoint=checkpoint, seeds=[1], api_name="/sample")
        assert str(private / "nets") not in str(caught.value).replace(repr(checkpoint), "")


@pytest.mark.parametrize(
    ("endpoint", "asked"),
    [("/sample", {"seeds": [*range(6)]}),
     ("/interpolate", {"frames": 6}),
     ("/grid", {"columns": {"steps": [1, 2, 3]}, "rows": {"seed": [1, 2]}})],
)  # fmt: skip
def test_no_call_makes_more_pictures_than_the_host_allows(client, endpoint, asked):
    with pytest.raises(AppError, match="At most 5 pictures are made a call, not 6"):
        client.predict(**asked, api_name=endpoint)


def test_the_first_call_of_a_cold_checkpoint_is_bounded_too(private, monkeypatch):
    """Where nothing was measured the estimate is 0, and passed whatever was asked."""
    monkeypatch.setattr(Pace, "expected_ms", lambda self, name, batch: 0.0)
    host = host_at(private, limits=replace(LIMITS, pictures=64))
    with served(host) as address:
        client = Client(address, verbose=False, download_files=False)
        asked = {"seeds": [*range(16)], "eta": 1.0, "api_name": "/sample"}
        with pytest.raises(AppError, match=r"takes 2 million pixels .* 1 are allowed here: .*--api-megapixels 2\.$"):
            client.predict(steps=1000, **asked)
        assert client.predict(steps=2, **asked)["state"] == "done"
        client.close()


def test_one_change_on_a_public_page_is_bounded_and_what_fits_runs(private):
    tab = Tab(host_at(private, public=True, limits=LIMITS))
    state, said = tab.want(count=16, steps=1000, eta=1).status
    assert state == "error"
    assert said.startswith("This run takes")
    assert "fewer pictures or steps" in said
    assert tab.want(count=4, steps=5, eta=0).status[0] == "done"
    assert Tab(host_at(private)).want(count=4, steps=300, eta=0).status[0] == "done"


def test_an_upload_is_answered_without_a_folder_of_the_host(address, private):
    answer = httpx.post(f"{address}gradio_api/upload", files={"files": ("../../odd.gif", b"GIF89a" + b"x" * 50)})
    assert answer.status_code == 200
    (kept,) = answer.json()  # where Gradio keeps it, which its own client needs
    assert ".." not in kept
    assert private.name not in kept
