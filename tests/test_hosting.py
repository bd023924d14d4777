"""What the options for hosts come to, and which exclude each other."""

import sys
from pathlib import Path

import pytest

import app
from demo.limits import Limits


def hosting(monkeypatch, *argv):
    monkeypatch.setattr(sys, "argv", ["app.py", *argv])
    return app.arguments().hosting


@pytest.fixture(autouse=True)
def no_account(monkeypatch):
    monkeypatch.delenv("DDIM_AUTH", raising=False)


def test_without_options_the_api_is_limited_and_the_page_is_not(monkeypatch):
    found = hosting(monkeypatch)
    assert (found.api_minutes, found.queue_size, found.limits) == (10, 64, Limits())
    assert found.limits.page is None
    assert (found.public, found.allow_checkpoints, found.auth, found.log_level) == (False, None, None, "warning")


def test_public_lowers_every_limit_and_binds_the_page(monkeypatch):
    usual, public = hosting(monkeypatch), hosting(monkeypatch, "--public")
    assert public.public
    assert public.api_minutes < usual.api_minutes
    assert public.queue_size < usual.queue_size
    assert public.limits.pictures < usual.limits.pictures
    assert public.limits.megapixels < usual.limits.megapixels
    assert public.limits.page == public.limits.megapixels


def test_what_a_host_gives_holds_with_the_preset_too(monkeypatch):
    found = hosting(monkeypatch, "--public", "--api-minutes", "7", "--queue-size", "5", "--api-pictures", "3",
                    "--api-megapixels", "900")  # fmt: skip
    assert (found.api_minutes, found.queue_size, found.limits) == (7, 5, Limits(3, 900, 900))


def refused(monkeypatch, capsys, *argv):
    with pytest.raises(SystemExit) as ended:
        hosting(monkeypatch, *argv)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    return said


def test_strangers_may_not_name_what_is_opened(monkeypatch, capsys):
    assert hosting(monkeypatch, "--allow-checkpoints").allow_checkpoints == Path()
    assert hosting(monkeypatch, "--allow-checkpoints", "/data").allow_checkpoints == Path("/data")
    said = refused(monkeypatch, capsys, "--public", "--allow-checkpoints")
    assert "--public and --allow-checkpoints exclude each other" in said


@pytest.mark.parametrize("source", ["--auth", "DDIM_AUTH"])
def test_a_login_is_taken_from_either_place(monkeypatch, source):
    argv = ["--auth", "ada:a:b"] if source == "--auth" else []
    monkeypatch.setenv("DDIM_AUTH", "bob:c" if argv else "ada:a:b")
    assert hosting(monkeypatch, *argv).auth == ("ada", "a:b")


@pytest.mark.parametrize("source", ["--auth", "DDIM_AUTH"])
@pytest.mark.parametrize("text", ["", "secret", ":secret", "secret:", " ada:secret"])
def test_what_is_no_login_starts_nothing_and_is_not_repeated(monkeypatch, capsys, source, text):
    if source == "DDIM_AUTH":
        monkeypatch.setenv(source, text)
    said = refused(monkeypatch, capsys, *(["--auth", text] if source == "--auth" else []))
    assert said.startswith(f"{source}: give USER:PASSWORD")
    assert "secret" not in said
