"""``python docs/make_pictures.py [cards] [gifs] [page] [recording]``: make the pictures of README and cards again.

A view's name instead of ``page``, such as ``grid``, makes that picture alone.

The page's pictures and the recording are screenshots of the running app, driven in chromium. The GIFs come from the
engine, as the page's own buttons make them. The cards' sheets are command-line runs over consecutive seeds, none left
out.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import (  # noqa: E402  # from a checkout, not installed
    Engine,
    Request,
    SamplerSettings,
    files,
)
from core.files.film import Runner  # noqa: E402
from demo.settings import FIELDS  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PORT = 7897
DONE = '#status p[data-state="done"]'
ASKED = '#status p[data-state="asked"]'  # on a slow machine, a view that takes more than a minute
RECORDED_WIDTH = 520  # the recording is to stay under 300 kB


# name, width, what the address carries
SHOTS = (
    ("page", 1280, ""),
    ("page-dark", 1280, "?__theme=dark"),
    ("phone", 390, ""),
    ("compare", 1280, "?view=compare&lanes=10:0,50:0,1000:1"),
    ("interpolate", 1280, "?view=interpolate"),
    ("picture", 1280, "?view=picture&steps=100"),
    ("branches", 1280, "?view=branches"),
    ("grid", 1280, "?view=grid&grid_steps=5,10,20,50&grid_etas=0,0.5,1"),
    ("tradeoff", 1280, "?view=tradeoff&checkpoint=fashion-mnist"),
    ("reproduce", 1280, "?view=reproduce"),
    ("learn", 1280, "?view=learn&eta=0.5"),
    ("compare-phone", 390, "?view=compare&lanes=10:0,50:0,1000:1"),
    ("interpolate-dark", 1280, "?view=interpolate&__theme=dark"),
)
RACE = ((10, 0.0), (50, 0.0), (1000, 1.0))  # S and η of the README's runners
LOOP_SEEDS = (3, 8, 12, 20, 27, 31)


def save_screenshot(png: bytes, path: Path) -> None:
    Image.open(io.BytesIO(png)).convert("RGB").save(path, "WEBP", quality=88, method=6)


@contextmanager
def app() -> Iterator[str]:
    """The address of the running app."""
    server = subprocess.Popen([sys.executable, "app.py", "--no-browser", "--port", str(PORT)], cwd=ROOT)
    address = f"http://127.0.0.1:{PORT}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(address, timeout=2).close()
                break
            except OSError:
                time.sleep(0.25)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def page_pictures(wanted: Iterable[str] = ()) -> None:
    """Those of these names; all, where none is named."""
    with app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, width, query in SHOTS:
            if wanted and name not in wanted:
                continue
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.goto(f"{address}/{query}")
            page.wait_for_selector(f"{DONE}, {ASKED}", timeout=300_000)
            if page.locator(ASKED).count():
                page.click(".ask button:has-text('Start'):visible")
                page.wait_for_selector(DONE, timeout=600_000)
            if name.startswith("compare"):  # its first run was timed while the page opened
                page.click("#again")
                page.wait_for_function("!ddim.atRest")
                page.wait_for_function("ddim.atRest", timeout=300_000)
            page.wait_for_timeout(3000)
            save_screenshot(page.screenshot(full_page=True), IMAGES / f"{name}.webp")
            page.close()
        browser.close()


def recording() -> None:
    """A quarter of a minute: the race on opening, the steps and η dragged, a path through latent space."""
    frames: list[tuple[Image.Image, int]] = []

    def shot(page: Page, ms: int) -> None:
        image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        frames.append((image.resize((RECORDED_WIDTH, image.height * RECORDED_WIDTH // image.width), Image.LANCZOS), ms))

    def drag(page: Page, control: str, stops: tuple[float, ...]) -> None:
        slider = page.locator(f"{control} input[type=range]")
        for stop in stops:
            slider.fill(str(stop))
            page.wait_for_timeout(250)
            shot(page, 400)
        page.wait_for_selector(DONE, timeout=300_000)
        shot(page, 1600)

    with app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1120, "height": 720}, reduced_motion="reduce")
        page.goto(address)
        page.wait_for_selector(DONE, timeout=300_000)
        scrub = page.locator("#hero .transport input")
        for at in (0, 10, 40, 120, 300, 600, 1000):
            scrub.fill(str(at))
            shot(page, 500 if at < 1000 else 1400)
        drag(page, "#steps", (4, 7, 9, 11, 13))
        drag(page, "#eta", (0.3, 0.6, 1, 0))
        page.click('#view button[data-view="interpolate"]')
        page.wait_for_selector('#path section[data-state="done"]', timeout=300_000)
        page.wait_for_selector(DONE, timeout=300_000)
        path = page.locator("#path .transport input")
        for at in range(0, 1001, 125):
            path.fill(str(at))
            shot(page, 450)
        browser.close()
    sheet = Image.new("RGB", (RECORDED_WIDTH, sum(image.height for image, _ in frames[::6])))
    for i, (image, _) in enumerate(frames[::6]):
        sheet.paste(image, (0, i * image.height))
    palette = sheet.quantize(96, dither=Image.Dither.NONE)
    flat = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image, _ in frames]
    flat[0].save(IMAGES / "recording.gif", save_all=True, append_images=flat[1:], loop=0, optimize=True,
                 duration=[ms for _, ms in frames])  # fmt: skip


def race_gif(checkpoint: Path) -> None:
    """The README's race: what Compare downloads, smaller, and showing x̂0, whose frames compress."""
    engine = Engine.open(checkpoint, "cpu")
    runners, runs = [], []
    for steps, eta in RACE:
        run = engine.run(Request((FIELDS["seed"].default,), SamplerSettings(steps, eta)), film=True)
        run.result()
        frames = run.film.frames
        film = np.stack([frame.x0_hat[0] for frame in frames])
        runners.append(Runner(f"S = {steps} · η = {eta:g}", film, tuple(frame.elapsed_s for frame in frames)))
        runs.append(run.made)
    (IMAGES / "race.gif").write_bytes(files.race(".gif", runners, runs, frame_ms=320, side=120))


def loop_gif(checkpoint: Path) -> None:
    """The README's loop: a closed path through six seeds, none of them chosen after looking."""
    seeds = ",".join(map(str, LOOP_SEEDS))
    core = [sys.executable, "-m", "core", "interpolate", str(checkpoint), "--seeds", seeds, "--loop"]
    subprocess.run([*core, "--frames", "30", "--steps", "50", "--device", "cpu", "--out", str(IMAGES / "loop.gif")],
                   cwd=ROOT, check=True)  # fmt: skip


def card_pictures(folder: Path) -> None:
    """Unselected sheets: 32 or 64 seeds at S = 50, and 16 seeds at several S, each from its own x_T."""
    core = [sys.executable, "-m", "core"]
    run = [*core, "sample", str(folder), "--device", "cpu"]
    seeds = "0-63" if folder.name == "fashion-mnist" else "0-31"  # a colour sheet of 64 is over 300 kB
    subprocess.run([*run, "--seeds", seeds, "--steps", "50", "--columns", "8" if seeds == "0-31" else "16",
                    "--out", str(folder / "sheet.png")], cwd=ROOT, check=True)  # fmt: skip
    colour = folder.name == "toon-faces"
    if colour:
        options = ["--device", "cpu", "--seeds", "3,8", "--frames", "11", "--steps", "20", "--out"]
        subprocess.run(
            [*core, "interpolate", str(folder), *options, str(folder / "strip-3-8.png")], cwd=ROOT, check=True
        )
    for steps, eta in ((5, 0), (10, 0), (20, 0), *([(50, 0)] if colour else []), (100, 0), (20, 1), (100, 1)):
        out = folder / f"steps-{steps:03d}-eta-{eta}.png"
        subprocess.run(
            [*run, "--seeds", "0-15", "--steps", str(steps), "--eta", str(eta), "--columns", "16", "--out", str(out)],
            cwd=ROOT, check=True,
        )  # fmt: skip


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    folders = sorted(p.parent for p in (ROOT / "checkpoints").glob("*/config.json"))
    wanted = sys.argv[1:] or ["cards", "gifs", "page", "recording"]
    flagship = next((f for f in folders if f.name == "toon-faces"), folders[0])
    if "cards" in wanted:
        for checkpoint in folders:
            card_pictures(checkpoint)
    if "gifs" in wanted:
        race_gif(flagship)
        loop_gif(flagship)
    if "page" in wanted:
        page_pictures()
    elif named := [name for name, _, _ in SHOTS if name in wanted]:
        page_pictures(named)
    if "recording" in wanted:
        recording()
