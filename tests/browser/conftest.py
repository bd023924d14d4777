"""A real server (``python app.py`` in a process of its own) and a real browser (Debian's chromium)."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError, sync_playwright

from tests.ports import free_port

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


def pytest_collection_modifyitems(items):
    """All of these need a chromium: ``-m "not browser"`` leaves them out."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")


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


@contextmanager
def serving(log, *command, port, end=subprocess.Popen.terminate):
    """The address of a server in a process of its own, once it answers. log: a file for what it prints. end: how."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, "GRADIO_SERVER_PORT": str(port), "PYTHONPATH": str(ROOT), "DDIM_BACKEND": "auto"},
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                assert process.poll() is None, log.read_text()
                try:
                    urllib.request.urlopen(address, timeout=2).close()
                    break
                except urllib.error.HTTPError:  # it answers, if not there
                    break
                except OSError:
                    time.sleep(0.25)
            else:
                pytest.fail(f"the server did not answer: {log.read_text()}")
            yield address
        finally:
            end(process)
            process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


APP = ("app.py", "--no-browser", "--threads", "1")  # two would wait for other tests


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of the app as people start it, on the shipped checkpoints."""
    with serving(tmp_path_factory.mktemp("server") / "log", *APP, port=free_port()) as address:
        yield address


@pytest.fixture
def open_page(chromium, server):
    """Opens pages; afterwards no page may have logged an error or asked another host for anything.

    query: of a link to the grey garments, of any link where it begins with "?"; None opens the bare address. wait: for
    its pictures. excused: parts of the addresses that may fail or be asked elsewhere. Motion is reduced: films that
    play by themselves keep two cores painting and tests waiting.
    """
    problems, contexts = [], []

    def open_(query="count=4", *, wait=True, address=server, size=(1280, 900), init="", excused=(), **options):
        options = {"viewport": dict(zip(("width", "height"), size, strict=True)), "reduced_motion": "reduce", **options}
        context = chromium.new_context(accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(ADVANCED + init)
        page.set_default_timeout(90_000)  # a ceiling for a loaded machine, not a target
        own = (address, "data:", "blob:")

        def noted(problem):
            if not any(part in problem for part in excused):
                problems.append(problem)

        def heard(message):  # a panel that could not be drawn is only a warning
            if message.type == "error" or message.text.startswith("ddim:"):
                noted(f"{message.text} {message.location['url']}")

        page.on("console", heard)
        page.on("pageerror", lambda error: noted(str(error)))
        page.on("request", lambda request: None if request.url.startswith(own) else noted(request.url))
        # the grey garments: what is tested does not depend on the flagship, and they are sampled faster
        link = "" if query is None else query if query.startswith("?") else f"?{FASHION}&{query}"
        page.goto(f"{address}/{link}")
        if wait:
            wait_done(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert problems == []


# The rarer controls are unfolded, as by their button.
ADVANCED = "addEventListener('DOMContentLoaded', () => { document.documentElement.dataset.advanced = true; });"
# Answers of the live session that are held up, while the page goes on, until release() is called.
HELD = """{
  const plain = window.fetch;
  let free = Promise.resolve();
  window.hold = () => { free = new Promise((resolve) => { window.release = resolve; }); };
  window.fetch = async (address, ...more) => {
    const answer = await plain(address, ...more);
    if (String(address).endsWith("/ddim/want")) await free;
    return answer;
  };
}"""

FASHION = "checkpoint=fashion-mnist&seed=3&seed_to=8&keys=3,8,12&corners=3,8,12,20"  # whatever the page opens with
LIGHT = "steps=4&steps_b=4&count=1&between=4&lanes=4:0,8:0,12:1"  # enough to see, and soon done
LONG_RACE = "steps=4&steps_b=4&count=1&lanes=1000:0,1000:0.3,1000:0.6,1000:1"
RUNNING = '#race .lane[data-state="running"]'
ASKED = '#status p[data-state="asked"]'
DRAWN = """async () => {
  const { kit } = window.ddim;
  await Promise.all(kit.pictureIds().map(kit.picture));
  await window.ddim.drawn();
  await new Promise((resolve) => setTimeout(resolve));
}"""


# What is seen and reaches past the sides of the window, and is not in a box of its own that one can scroll.
PAST_THE_SIDES = """() => [...document.querySelectorAll('.gradio-container *')].filter((node) => {
  const box = node.getBoundingClientRect();
  const seen = node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  if (!seen || !box.width || !box.height) return false;
  if (box.left >= 0 && box.right <= innerWidth + 0.5) return false;
  for (let at = node.parentElement; at; at = at.parentElement) {
    if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX)) return false;
  }
  return !node.closest('.tip');
}).map((node) => `${node.tagName}#${node.id}.${node.className}`)"""

# Every state of the status line with its sentence, as they come.
HEARD = """() => { const line = document.querySelector('#status p'); window.heard = [];
  new MutationObserver(() => window.heard.push(`${line.dataset.state} ${line.textContent}`))
    .observe(line, { attributes: true, childList: true, characterData: true, subtree: true }); }"""


def said(page):
    """The sentence of the status line."""
    return page.inner_text("#status p")


def state(page):
    return page.get_attribute("#status p", "data-state")


def wait_status(page, *states):
    page.wait_for_selector(", ".join(f'#status p[data-state="{s}"]' for s in states))


def settle(page, done):
    """Until ``done`` is there; a slow machine asks before a long run, and we start it."""
    try:
        page.wait_for_selector(f"{done}, {ASKED}")
        while not page.locator(done).first.is_visible():
            if page.locator(ASKED).count():
                page.locator("[data-do=start]:visible").first.click()
            page.wait_for_selector(f"{done}, {ASKED}")
    except TimeoutError as error:
        raise AssertionError(f"{done} did not come; the status line says {said(page)!r}") from error


def wait_done(page):
    """Until the newest settings are on screen, to the last pixel: panels may be mounted, and pictures are decoded,
    after the line says so."""
    settle(page, '#status p[data-state="done"]')
    page.wait_for_function("window.ddim.atRest && window.ddim.mounted")
    page.evaluate(DRAWN)


def reload(page):
    """Load the page again once its address has followed the last change, which it does a moment after the run."""
    page.wait_for_function("ddim.answered && location.href === ddim.link")
    page.reload()
    wait_done(page)


def wait_samples(page, steps, eta):
    settle(page, f'#samples section[data-state="done"][data-steps="{steps}"][data-eta="{eta}"]')


def open_tab(page, name):
    page.click(f'#view button[data-view="{name}"]')


def enter(page, control, value):
    """Type a value into a control's box and leave it with Enter."""
    page.fill(f"{control} input:not([type=range])", str(value))
    page.keyboard.press("Enter")


def settings(page, *names):
    """What the page is set to, by name."""
    return page.evaluate("(names) => Object.fromEntries(names.map((n) => [n, window.ddim.settings[n]]))", list(names))


def steps_shown(page, control="#steps"):
    return int(page.input_value(f"{control} input[type=number]"))


def race_done(page, runners=3):
    settle(page, f'#race .race .lane:nth-child({runners})[data-state="done"]')
    wait_done(page)


def scrub(page, panel, value):
    page.evaluate(
        """([p, v]) => { const r = document.querySelector(`${p} .transport input`);
                         r.value = v; r.dispatchEvent(new Event('input')); }""",
        [panel, value],
    )


def drag(page, selector, fraction):
    """Press on the slider's middle, move in steps, let go at a fraction of its width."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * fraction, y, steps=8)
    page.mouse.up()


def pixels(page, selector):
    """Of the first canvas that a selector finds."""
    return page.evaluate(
        """s => { const c = document.querySelector(s);
                  return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).join(); }""",
        selector,
    )


def download(page, panel, end, folder):
    """Press a panel's link to the file whose name ends so; the path of what was saved, under that name."""
    with page.expect_download() as event:
        page.locator(f'{panel} .exports a[download$="{end}"]').first.click()
    path = folder / event.value.suggested_filename
    event.value.save_as(path)  # and its folder, where there is none
    return path
