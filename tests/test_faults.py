"""What may befall a server while it computes or writes: a sentence with a remedy, and the next run works."""

import errno
import io
import tempfile
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from wishes import Tab, host_of, served

from demo.failures import DISK, FOLDER, MEMORY
from demo.routes import routes
from demo.views.reproduce import read_file

CALL = {"seeds": [1, 2], "steps": 3, "api_name": "/sample"}
NAN = "The network returned NaN or infinity at t ="


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The temporary folders of the program and of Gradio, of this test alone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "checkpoints").mkdir()
    return tmp_path


@pytest.fixture
def host(folders, tiny_folder):
    return host_of(folders / "checkpoints", tiny_folder)


@pytest.fixture
def client(host):
    with served(host) as address:
        client = Client(address, verbose=False, download_files=False)
        client.address = address
        yield client
        client.close()


def fails(client, sentence):
    with pytest.raises(AppError) as caught:
        client.predict(**CALL)
    assert str(caught.value).startswith(sentence)


def works(client):
    got = client.predict(**CALL)
    for file in got["files"].values():
        assert httpx.get(file["url"], timeout=30).status_code == 200


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device", "/srv/x")


def test_a_disk_that_is_full_under_a_call(client, folders, monkeypatch, capsys):
    write = Path.write_bytes

    def full_amid_the_second(path, data):
        write(path, data[:10])
        if path.suffix == ".npy":
            full()

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full_amid_the_second)
        fails(client, DISK)
    assert "Traceback" not in capsys.readouterr().err
    left = [path for path in folders.rglob("*") if path.is_file() and not path.is_relative_to(folders / "checkpoints")]
    assert left == []
    works(client)


def test_gradios_folder_is_removed_between_calls(client, folders):
    works(client)
    for path in sorted((folders / "gradio").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (folders / "gradio").rmdir()
    works(client)


def test_gradios_folder_cannot_be_had(client, folders):
    (folders / "gradio").write_text("in its way")
    fails(client, FOLDER)
    upload = httpx.post(f"{client.address}gradio_api/upload", files={"files": ("x.gif", b"GIF89a")}, timeout=30)
    assert (upload.status_code, upload.json()) == (500, {"error": FOLDER})
    (folders / "gradio").unlink()
    works(client)


def no_memory(*_, **__):
    return torch.empty(2**55, dtype=torch.uint8)  # torch's own words for it


def no_python_memory(*_, **__):
    raise MemoryError


def no_gpu_memory(*_, **__):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def not_finite(x, *_, **__):
    return torch.full_like(x, torch.nan)


BROKEN = {"a CPU's memory": (no_memory, MEMORY), "a GPU's memory": (no_gpu_memory, MEMORY), "NaN": (not_finite, NAN)}


@pytest.mark.parametrize("what", BROKEN)
def test_a_network_that_breaks_under_the_page(host, what, monkeypatch, capsys):
    forward, sentence = BROKEN[what]
    tab = Tab(host)
    before = tab.want()
    with monkeypatch.context() as patched:
        patched.setattr(host.engine("tiny").network, "forward", forward)
        for view in ("explore", "compare", "interpolate", "branches", "grid"):
            state, said = tab.want(view=view, seed=77, lanes=[{"steps": 2}, {"steps": 3}], start=True).status
            assert state == "error", view
            assert said.startswith(sentence), view
    assert "Traceback" not in capsys.readouterr().err
    assert tab.want(view="explore", seed=3).panels["samples"]["tiles"] == before.panels["samples"]["tiles"]


@pytest.mark.parametrize("what", BROKEN)
def test_a_network_that_breaks_under_the_api(client, host, what, monkeypatch, capsys):
    forward, sentence = BROKEN[what]
    works(client)
    with monkeypatch.context() as patched:
        patched.setattr(host.engine("tiny").network, "forward", forward)
        fails(client, sentence)
    assert "Traceback" not in capsys.readouterr().err
    works(client)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [(full, DISK), (no_memory, MEMORY), (no_python_memory, MEMORY)],
    ids=["disk", "torch", "Python"],
)
def test_a_download_that_cannot_be_made(host, fault, sentence, monkeypatch, capsys):
    tab = Tab(host)
    links = tab.want().panels["samples"]["files"]
    with TestClient(Starlette(routes=routes(tab.live))) as browser:
        with monkeypatch.context() as patched:
            patched.setattr("core.files.samples", fault)
            answer = browser.get("/" + links[0]["href"])
            assert (answer.status_code, answer.text) == (500, sentence)
        assert "Traceback" not in capsys.readouterr().err
        assert browser.get("/" + links[0]["href"]).status_code == 200


def test_an_mp4_whose_temporary_folder_went_away(host, folders):
    tab = Tab(host)
    link = next(link for link in tab.want().panels["strip"]["files"] if link["name"].endswith(".mp4"))
    (folders / "temporary").rmdir()
    with TestClient(Starlette(routes=routes(tab.live))) as browser:
        answer = browser.get("/" + link["href"])
        assert answer.text == FOLDER
        (folders / "temporary").mkdir()
        assert browser.get("/" + link["href"]).status_code == 200
    assert list((folders / "temporary").iterdir()) == []


def test_a_picture_that_cannot_be_read_for_want_of_room(host, folders):
    tab = Tab(host)
    tab.want()
    data = png(np.full((16, 16, 3), 128, np.uint8))
    with TestClient(Starlette(routes=routes(tab.live))) as browser:
        (folders / "temporary").rmdir()
        answer = browser.post(f"/ddim/picture/{tab.key}", content=data)
        assert (answer.status_code, answer.json()) == (500, {"error": FOLDER})
        (folders / "temporary").mkdir()
        assert browser.post(f"/ddim/picture/{tab.key}", content=data).status_code == 200


def png(pixels):
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def test_an_upload_that_went_away_before_it_was_read(host, tmp_path):
    said = read_file(host, str(Path(tmp_path) / "gone.png"), "tiny")
    assert said.startswith('<p role="alert">')
    assert said.count(".") >= 1
    assert "Traceback" not in said
