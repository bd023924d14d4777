"""Checkpoints that visitors name: inside the allowed folder, and nothing outside it, however it is spelled."""

import json
import shutil

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from wishes import Tab, host_of

from core import CheckpointError
from core.fitting import needs
from demo.host import EngineHost
from demo.live import Live
from demo.opening import MOST_FILES, Allowed
from demo.routes import routes


@pytest.fixture
def root(tiny_folder, tmp_path):
    """allowed/mine is a checkpoint, secret/other one beside the allowed folder."""
    for place in ("allowed/mine", "allowed/deep/in/here", "secret/other"):
        shutil.copytree(tiny_folder, tmp_path / place)
    return tmp_path / "allowed"


@pytest.fixture
def host(tiny_folder, root, tmp_path):
    (tmp_path / "shipped").mkdir()
    host = host_of(tmp_path / "shipped", tiny_folder)
    host.allowed = Allowed(root)
    return host


@pytest.mark.parametrize(("text", "name"), [("mine", "mine"), (" deep/in/here ", "here"), ("deep/../mine", "mine")])
def test_a_folder_inside_is_found(root, text, name):
    found = Allowed(root).locate(text)
    assert (found.name, found.path) == (name, root / text.strip().replace("deep/../", ""))


@pytest.mark.parametrize(
    "text",
    ["../secret/other", "/etc", "{secret}/other", "mine/../../secret/other", ".", "", "nothing", "~", "~root", "a\0b",
     "mine\nmine", "\ud800", "x" * 5000, "link", "linked", "deep", "../allowed", "C:\\Windows", "file:///etc/passwd"],
)  # fmt: skip
def test_of_anything_else_not_even_its_being_there_is_told(root, text):
    (root / "link").symlink_to(root.parent / "secret" / "other", target_is_directory=True)
    shutil.copytree(root / "mine", root / "linked")
    (root / "linked" / "evaluation.json").symlink_to(root.parent / "secret" / "other" / "config.json")
    text = text.format(secret=root.parent / "secret") if "{" in text else text
    with pytest.raises(CheckpointError) as error:
        Allowed(root).locate(text)
    said = str(error.value)
    assert len(said) < 300
    assert str(root.parent) not in said.replace(text, "")
    assert "that may be opened here" in said or "is no checkpoint" in said


def test_weights_that_are_links_out_of_the_folder_are_not_read(root):
    weights = root / "mine" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    weights.symlink_to(root.parent / "secret" / "other" / weights.name)
    with pytest.raises(CheckpointError, match="may be opened here"):
        Allowed(root).locate("mine")


def test_a_folder_of_too_many_files_is_not_looked_through(root, monkeypatch):
    monkeypatch.setattr("demo.opening.MOST_FILES", 1)
    assert MOST_FILES > 1000
    with pytest.raises(CheckpointError):
        Allowed(root).locate("mine")


def test_an_id_is_asked_of_the_hub_and_of_nothing_here(root, monkeypatch):
    """That the working folder has such a path does not matter."""
    asked = []
    monkeypatch.setattr("demo.opening.from_hub", lambda *given: asked.append(given))
    monkeypatch.chdir(root.parent)
    Allowed(root).locate("secret/other")
    Allowed(root).locate("google/ddpm-cifar10-32@main")
    assert asked == [("secret/other", None), ("google/ddpm-cifar10-32", "main")]


def test_what_was_opened_is_in_everybodys_list_and_runs(host):
    tab = Tab(host, steps=2)
    tab.want()
    name, (note,) = host.open_named("mine")
    assert name == "mine"
    assert note.startswith("It has ")
    assert " MB for one picture, " in note
    answer = tab.want(checkpoint="mine")
    assert answer.status[0] == "done"
    assert answer.first["opened"]["checkpoints"] == {"mine": 1000}
    assert answer.first["opened"]["presets"]["1000"]
    assert host.open_named("mine") == ("mine", ())  # again is no second one
    assert host.opened_here == ["mine"]


def test_two_of_one_name_are_refused(host, root):
    (root / "mine").rename(root / "tiny")
    with pytest.raises(CheckpointError, match="Another checkpoint is called tiny"):
        host.open_named("tiny")


def test_what_opens_but_cannot_run_is_refused_without_a_path(host, root):
    config = root / "mine" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"sample_size": -1}))
    with pytest.raises(CheckpointError) as error:
        host.open_named("mine")
    assert "sample_size" in str(error.value)
    assert str(root) not in str(error.value)
    assert "mine" not in host.names()


def test_a_host_that_does_not_allow_it_says_how(tiny_folder, tmp_path):
    with pytest.raises(CheckpointError, match="--allow-checkpoints"):
        EngineHost(tmp_path).open_named("mine")


def test_the_address_answers_with_what_the_browser_must_know(host):
    with TestClient(Starlette(routes=routes(Live(host)))) as client:
        found = client.post("/ddim/open", json={"text": "mine"}).json()
        assert (found["name"], found["checkpoints"]) == ("mine", {"mine": 1000})
        assert found["notes"] == [needs(host.engine("mine").checkpoint.config)]
        for odd in ({"text": ["x"]}, {"text": None}, [], "x"):
            assert "is no checkpoint" in client.post("/ddim/open", json=odd).json()["error"]
        assert client.post("/ddim/open", content=b"{").status_code == 400
