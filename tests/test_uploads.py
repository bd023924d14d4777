"""What may be uploaded to the page: files of the size of its own exports, and no more."""

from pathlib import Path

import httpx
import pytest
from wishes import host_of, served

from demo.page import MAX_UPLOAD


@pytest.fixture
def address(tiny_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "served").mkdir()
    with served(host_of(tmp_path / "served", tiny_folder)) as address:
        yield address


def test_a_file_that_is_too_large_is_refused_and_nothing_of_it_stays(address, tmp_path):
    def upload(size):
        return httpx.post(f"{address}gradio_api/upload", files={"files": ("x.gif", bytes(size))}, timeout=60)

    assert upload(MAX_UPLOAD // 2).status_code == 200
    kept = {path for path in (tmp_path / "uploads").rglob("*") if path.is_file()}
    assert len(kept) == 1
    refused = upload(MAX_UPLOAD + 1)
    assert refused.status_code == 413
    assert "size" in refused.text
    assert str(Path.cwd()) not in refused.text
    assert {path for path in (tmp_path / "uploads").rglob("*") if path.is_file()} == kept
