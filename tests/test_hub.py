"""Ids of the Hugging Face hub, against a server on this machine that answers as the hub does."""

import hashlib
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import huggingface_hub
import pytest
from diffusers import DDIMScheduler

import app
from core import CheckpointError, hub, open_checkpoint
from core.__main__ import main
from demo.host import EngineHost
from tests.foreign import write_folder

REPO, FIRST, SECOND = "google/ddpm-tiny-8", "a" * 40, "b" * 40


class Hub(ThreadingHTTPServer):
    """One repository. commits: {hash: folder}; asked: the files that were, by method and path."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Answers)
        self.commits, self.main, self.asked, self.status, self.big = {FIRST: folder}, FIRST, [], None, {}
        self.refuses = ""  # what a path holds that is answered by status
        self.url = f"http://127.0.0.1:{self.server_port}"

    def files(self):
        got = [path for method, path in self.asked if method == "GET" and f"/{FIRST}/" in path and "/api/" not in path]
        return {path.split(f"/{FIRST}/")[1] for path in got}


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        hub, api = self.server, f"/api/models/{REPO}"
        hub.asked.append((self.command, path))
        if hub.status is not None and hub.refuses in path:
            status, code = hub.status
            return self.answer(status, b"{}", X_Error_Code=code)
        if path.startswith(f"{api}/tree/") and path.rsplit("/", 1)[1] in hub.commits:
            root = hub.commits[path.rsplit("/", 1)[1]]
            files = [p for p in root.rglob("*") if p.is_file()]
            names = {p.relative_to(root).as_posix(): p.stat().st_size for p in files} | hub.big
            rows = [{"type": "file", "path": n, "size": s, "oid": hashlib.sha1(n.encode()).hexdigest()}
                    for n, s in names.items()]  # fmt: skip
            return self.answer(200, json.dumps(rows).encode(), Content_Type="application/json")
        if path in (api, f"{api}/revision/main"):
            return self.answer(200, json.dumps({"id": REPO, "sha": hub.main, "siblings": []}).encode())
        if path.startswith((f"{api}/revision/", f"{api}/tree/")):
            return self.answer(404, b"{}", X_Error_Code="RevisionNotFound")
        if path.startswith("/blob/"):
            commit, name = path.removeprefix("/blob/").split("/", 1)
            return self.answer(200, (hub.commits[commit] / name).read_bytes())
        if path.startswith(f"/{REPO}/resolve/"):
            commit, name = path.removeprefix(f"/{REPO}/resolve/").split("/", 1)
            body = (hub.commits[commit] / name).read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()}"'
            if name.endswith(".safetensors"):  # large files lie elsewhere
                return self.answer(302, b"", Location=f"http://localhost:{hub.server_port}/blob/{commit}/{name}",
                                   X_Repo_Commit=commit, X_Linked_Etag=etag, X_Linked_Size=len(body))  # fmt: skip
            return self.answer(200, body, ETag=etag, X_Repo_Commit=commit)
        return self.answer(401, b"{}", X_Error_Code="RepoNotFound")

    def do_HEAD(self):
        self.do_GET()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "saved"
    write_folder(folder, DDIMScheduler())
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "unet" / "training_args.pkl").write_bytes(b"another")
    (folder / "README.md").write_text("words")
    return folder


@pytest.fixture
def server(saved, monkeypatch, tmp_path):
    with Hub(saved) as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        constants = huggingface_hub.constants
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.chdir(tmp_path)
        yield hub
        hub.shutdown()
        thread.join()


def refused(capsys, *words):
    assert main(["info", *words]) == 2
    said = capsys.readouterr().err
    assert len(said) < 300
    return said.removeprefix("python -m core info: ").rstrip("\n")


def test_an_id_opens_at_its_commit_with_the_wanted_files_alone(server, saved, capsys):
    assert main(["info", REPO]) == 0
    said = capsys.readouterr().out
    assert f"note         It is {REPO} of the Hugging Face hub at commit {FIRST}.\n" in said
    assert "note         The weights are not averaged (non-EMA): google/ddpm-ema-… are the averages" in said
    assert server.files() == {
        "model_index.json", "scheduler/scheduler_config.json", "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    }  # fmt: skip
    there, local = open_checkpoint(REPO), open_checkpoint(saved)
    assert (there.sha256, there.name) == (local.sha256, "ddpm-tiny-8")
    assert local.name == "saved"


def test_a_commit_stays_and_a_branch_moves(server, saved, tmp_path):
    first = hub.locate(REPO)
    server.commits[SECOND], server.main = saved, SECOND
    assert first.text == f"{REPO}@{FIRST}"
    asked = len(server.asked)
    assert hub.locate(first.text).path == first.path
    assert len(server.asked) == asked  # a commit that is here asks nobody
    assert hub.locate(f"{REPO}@main").text == f"{REPO}@{SECOND}"


def test_what_is_cached_opens_without_the_hub(server, monkeypatch):
    first = hub.locate(REPO)
    server.status = 503, ""
    assert hub.locate(REPO) == first
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert hub.locate(REPO) == first


@pytest.mark.parametrize(
    ("status", "name", "sentence"),
    [
        (None, "google/none", "There is no google/none on the Hugging Face hub, or it is private: check the id, or "
         "sign in with hf auth login; neither is there a folder of that name here."),
        (None, f"{REPO}@nope", f"{REPO} has no revision nope: name a branch, a tag or a whole commit."),
        ((403, "GatedRepo"), REPO, f"{REPO} is gated: accept its terms at huggingface.co/{REPO}, and sign in with hf "
         "auth login."),
        ((503, ""), REPO, f"The Hugging Face hub cannot be reached, and {REPO} is not in the cache: check the network, "
         "or give the path of a folder."),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_one_sentence(server, capsys, status, name, sentence):
    server.status = status
    assert refused(capsys, name) == sentence


def test_a_gated_one_whose_files_alone_are_refused(server, capsys):
    server.status, server.refuses = (403, "GatedRepo"), "/resolve/"
    assert refused(capsys, REPO).endswith("sign in with hf auth login.")


def test_a_commit_that_is_none(server, capsys):
    assert refused(capsys, f"{REPO}@{SECOND}").startswith(f"{REPO} has no revision {SECOND}: ")


def test_no_hub_at_all_is_one_sentence(server, capsys, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in refused(capsys, REPO)


def test_too_much_is_refused_before_it_is_downloaded(server, capsys):
    server.big = {"unet/diffusion_pytorch_model.safetensors": 5_000_000_000}
    assert refused(capsys, REPO) == f"{REPO} holds 5.0 GB of weights, and 4 are the most: name a smaller one."
    assert not server.files()


@pytest.mark.parametrize(
    "text", ["here/typo", "./a/b", "../a", "a", "a/b/c", "a/b@", "a/..b", "-a/b", "a--b/c", "/a/b"]
)
def test_paths_are_no_ids(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    assert hub.hub_id(text) is None


def test_ids_and_a_path_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert hub.hub_id("a/b@refs/pr/1") == ("a/b", "refs/pr/1")
    Path("a/b").mkdir(parents=True)
    assert hub.hub_id("a/b") is None


def test_wanted_files():
    weights = "diffusion_pytorch_model"
    assert hub.wanted(["config.json", "scheduler_config.json", f"{weights}.bin", f"{weights}.fp16.bin", "x.ckpt"]) == [
        "config.json", "scheduler_config.json", f"{weights}.bin"]  # fmt: skip
    shards = [f"unet/{weights}-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = f"unet/{weights}.safetensors.index.json"
    assert hub.wanted(["unet/config.json", "vqvae/config.json", index, *shards, f"unet/{weights}.bin"]) == [
        "unet/config.json", "vqvae/config.json", index, *shards]  # fmt: skip


def test_the_page_lists_it_and_names_its_commit(server, tiny_folder, capsys):
    more = app.further([REPO, str(tiny_folder)], Path("none"))
    assert FIRST in capsys.readouterr().out
    host = EngineHost(Path("none"), "cpu", further=more)
    assert host.names() == ["ddpm-tiny-8", "tiny"]
    assert host.folder_text("ddpm-tiny-8") == f"{REPO}@{FIRST}"
    assert host.folder_text("tiny") == str(tiny_folder)
    assert host.training_steps("ddpm-tiny-8") == 1000
    asked = len(server.asked)
    assert host.engine("ddpm-tiny-8").checkpoint.name == "ddpm-tiny-8"
    assert len(server.asked) == asked
    with pytest.raises(CheckpointError, match="Two checkpoints are called tiny: leave one out, or rename a folder"):
        app.further([str(tiny_folder)], tiny_folder.parent)


def test_the_app_says_what_is_wrong_and_ends(server, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["app.py", "--no-browser", "--checkpoint", "google/none"])
    assert app.main() == 2
    assert capsys.readouterr().err.startswith("There is no google/none on the Hugging Face hub")


def test_the_hub_is_imported_for_an_id_alone():
    code = "import sys, core, core.hub, demo.host; core.hub.locate('/x'); print('huggingface_hub' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
