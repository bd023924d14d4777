"""``python docs/make_pictures.py``: make the pictures of the README and of the model cards again.

The page's pictures come out of the running app, driven in chromium: a screenshot, and the GIF that its own
button downloads. The cards' sheets are command-line runs over consecutive seeds, none left out.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
PORT = 7897


def save_screenshot(png: bytes, path: Path) -> None:
    Image.open(io.BytesIO(png)).convert("RGB").save(path, "WEBP", quality=88, method=6)


def page_pictures() -> None:
    server = subprocess.Popen([sys.executable, "app.py", "--no-browser", "--port", str(PORT)], cwd=ROOT)
    address = f"http://127.0.0.1:{PORT}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(address, timeout=2).close()
                break
            except OSError:
                time.sleep(0.25)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, width, query in (("page", 1280, ""), ("page-dark", 1280, "?__theme=dark"), ("phone", 390, "")):
                page = browser.new_page(viewport={"width": width, "height": 900})
                page.goto(f"{address}/{query}")
                page.wait_for_selector('#status p[data-state="done"]', timeout=120_000)
                page.evaluate(
                    """() => { const r = document.querySelector('#duel .transport input');
                               r.value = 350; r.dispatchEvent(new Event('input')); }"""
                )
                page.wait_for_timeout(500)
                save_screenshot(page.screenshot(full_page=True), IMAGES / f"{name}.webp")
                if name == "page":
                    with page.expect_download() as event:
                        page.click("#get-strip-gif")
                    event.value.save_as(IMAGES / "interpolation.gif")
            browser.close()
    finally:
        server.terminate()
        server.wait(20)


def card_pictures(folder: Path) -> None:
    """Unselected sheets: 64 seeds at S = 50, and 8 seeds from one x_T at several S."""
    core = [sys.executable, "-m", "core"]
    run = [*core, "sample", str(folder), "--device", "cpu"]
    subprocess.run([*run, "--seeds", "0-63", "--steps", "50", "--out", str(folder / "sheet.png")], cwd=ROOT, check=True)
    for steps, eta in ((5, 0), (10, 0), (20, 0), (100, 0), (20, 1), (100, 1)):
        out = folder / f"steps-{steps:03d}-eta-{eta}.png"
        subprocess.run(
            [*run, "--seeds", "0-15", "--steps", str(steps), "--eta", str(eta), "--columns", "16", "--out", str(out)],
            cwd=ROOT, check=True,
        )  # fmt: skip


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for checkpoint in sorted(p.parent for p in (ROOT / "checkpoints").glob("*/config.json")):
        card_pictures(checkpoint)
    page_pictures()
