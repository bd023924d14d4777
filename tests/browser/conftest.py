"""A real server (``python app.py`` in a process of its own) and a real browser (Debian's chromium)."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError, sync_playwright

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        reason = "no chromium on PATH: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of the app as people start it, on the shipped checkpoints."""
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--no-browser", "--threads", "1"],  # two would wait for other tests
            cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, "GRADIO_SERVER_PORT": str(port), "DDIM_BACKEND": "auto"},
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                assert process.poll() is None, log.read_text()
                try:
                    urllib.request.urlopen(address, timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.25)
            else:
                pytest.fail(f"the server did not answer: {log.read_text()}")
            yield address
        finally:
            process.terminate()
            process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture
def open_page(chromium, server):
    """Opens pages; afterwards no page may have logged an error or asked another host for anything."""
    problems, contexts = [], []

    def open_(width=1280, height=900, wait=True, query="count=4", init=""):
        # Less motion: loops that play by themselves keep two cores painting and every test waiting.
        context = chromium.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(init)
        page.set_default_timeout(90_000)  # a ceiling for a loaded machine, not a target
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: problems.append(str(e)))
        page.on("request", lambda r: None if r.url.startswith((server, "data:", "blob:")) else problems.append(r.url))
        # the grey garments: what is tested does not depend on the flagship, and they are sampled faster
        page.goto(f"{server}/?{FASHION}&{query.lstrip('?')}")
        if wait:
            wait_status(page, "done")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert problems == []


def said(page):
    """The sentence of the status line, without Gradio's own (hidden) seconds while an event is open."""
    return page.inner_text("#status p")


def wait_status(page, *states):
    page.wait_for_selector(", ".join(f'#status p[data-state="{s}"]' for s in states))


FASHION = "checkpoint=fashion-mnist"
RUNNING = '#race .lane[data-state="running"]'
LONG_RACE = "?steps=4&steps_b=4&count=1&lanes=300:0,400:1"
LIGHT = "?steps=4&steps_b=4&count=1&between=4&lanes=4:0,8:0,12:1"  # enough to see, and soon done
ASKED = '#status p[data-state="estimate"]'


def settle(page, done):
    """Until ``done`` is there; on a slow machine the page asks first, perhaps more than once, and we go on."""
    try:
        page.wait_for_selector(f"{done}, {ASKED}")
        while not page.locator(done).first.is_visible():
            if page.locator(ASKED).count():
                page.click("#go-on")
                page.wait_for_selector(ASKED, state="detached")
            page.wait_for_selector(f"{done}, {ASKED}")
    except TimeoutError as error:
        raise AssertionError(f"{done} did not come; the status line says {said(page)!r}") from error


def wait_done(page):
    """Until the newest settings are on screen."""
    settle(page, '#status p[data-state="done"]')


def wait_samples(page, steps, eta):
    settle(page, f'#samples section[data-state="done"][data-steps="{steps}"][data-eta="{eta}"]')


def open_tab(page, name):
    page.click(f'#views button[data-view="{name}"]')


def race_done(page, runners=3):
    settle(page, f'#race .race .lane:nth-child({runners})[data-state="done"]')
    wait_done(page)


def scrub(page, panel, value):
    page.evaluate(
        """([p, v]) => { const r = document.querySelector(`${p} .transport input`);
                         r.value = v; r.dispatchEvent(new Event('input')); }""",
        [panel, value],
    )
