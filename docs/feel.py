"""``python docs/feel.py``: how fast the page feels, measured in Chromium on the app as people start it.

Prints a table for docs/feel.md. Times are medians of --repeats, as the browser's own clock sees them.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# Milliseconds from an action to the moment at which a selector matches, on the page's own clock.
UNTIL = """([action, selector]) => new Promise((done) => {
  const start = performance.now();
  const look = () => { if (document.querySelector(selector)) { watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - start)); } };
  const watch = new MutationObserver(look);
  watch.observe(document.body, { subtree: true, childList: true, attributes: true });
  eval(action); look();
})"""
SET = """const r = document.querySelector('#steps input[type=number]');
  r.value = %d; r.dispatchEvent(new Event('change'))"""


@contextmanager
def app(checkpoints: Path) -> Iterator[str]:
    """The address of a running app."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--no-browser", "--port", str(port), "--checkpoints", str(checkpoints)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                urllib.request.urlopen(address, timeout=2).close()
                break
            except OSError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def done(page: Page) -> None:
    page.wait_for_selector('#status p[data-state="done"], #status p[data-state="estimate"]', timeout=300_000)


def frames(page: Page, repeats: int) -> list[float]:
    """From another S to a new frame of player A, coarse or final."""
    times = []
    for i in range(repeats):
        S = 14 + i  # few enough never to be asked about
        page.wait_for_timeout(500)  # the run before has closed its stream
        lane = '#duel .lane:first-child[data-state="coarse"], #duel .lane:first-child[data-state="done"]'
        changed = ", ".join(f'{part.strip()}:not([data-steps="{page_steps(page)}"])' for part in lane.split(","))
        times.append(page.evaluate(UNTIL, [SET % S, changed]))
        done(page)
    return times


def page_steps(page: Page) -> str:
    return str(page.locator("#duel .lane").first.get_attribute("data-steps"))


def stops(page: Page, repeats: int) -> list[float]:
    """From Stop to the word that it has stopped, in a thousand-step run."""
    times = []
    for _ in range(repeats):
        page.evaluate(SET % 1000)
        page.wait_for_selector('#status p[data-state="estimate"]')  # a thousand steps are asked about
        page.click("#go-on")
        page.wait_for_selector('#status p[data-state="running"]')
        page.wait_for_timeout(700)
        stopped = '#status p[data-state="stopped"]'
        times.append(page.evaluate(UNTIL, ["document.querySelector('#stop').click()", stopped]))
        page.evaluate(SET % 20)
        done(page)
    return times


def scrubs(page: Page, repeats: int) -> list[float]:
    """Fifty scrubs of both players, without the server."""
    code = """() => { const r = document.querySelector('#duel .transport input'), start = performance.now();
      for (let i = 0; i < 50; i += 1) { r.value = i * 20; r.dispatchEvent(new Event('input')); }
      return performance.now() - start; }"""
    return [page.evaluate(code) for _ in range(repeats)]


def drawing_share(page: Page) -> float:
    """Previews' share of the run, the worst panel: "drawing" by "total"."""
    code = """() => Math.max(...[...document.querySelectorAll('dl.readout')].map((d) => {
      const s = (name) => { const n = [...d.children].find((c) => c.firstChild.textContent === name);
        if (!n) return NaN; const [v, u] = n.querySelector('dd').textContent.split(' ');
        return Number(v) / (u === 'ms' ? 1000 : u === 'min' ? 1 / 60 : 1); };
      const share = s('drawing') / s('total'); return Number.isFinite(share) ? share : 0; }))"""
    return float(page.evaluate(code))


def in_page_s(page: Page, S: int) -> float:
    """Seconds in the sampler that player A reads out for S steps, previews and browser beside it."""
    page.evaluate(SET % S)
    page.wait_for_selector(f'#duel .lane:first-child[data-state="done"][data-steps="{S}"]')
    done(page)
    value, unit = page.inner_text("#duel .lane:first-child dl.readout dd").split()[:2]
    return float(value) / {"ms": 1000, "s": 1, "min": 1 / 60}[unit]


def alone_s(checkpoints: Path, S: int) -> float:
    """The same run with no page: the engine in a process of its own. Median of three."""
    code = (
        "import sys; from core import Engine, Request, SamplerSettings; S = int(sys.argv[2])\n"
        "engine = Engine.open(sys.argv[1]); request = Request((3,), SamplerSettings(S))\n"
        "print(sorted(engine.sample(request).timing.total_s for _ in range(3))[1])"
    )
    command = [sys.executable, "-c", code, str(checkpoints / "toon-faces"), str(S)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def row(what: str, wanted: str, times: list[float]) -> str:
    spread = f"{min(times):.0f}–{max(times):.0f}" if len(times) > 1 else "once"
    return f"| {what} | {wanted} | {statistics.median(times):.0f} ms | {spread} | {len(times)} |"


def measure(address: str, page: Page, repeats: int) -> list[str]:
    rows = []
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("#samples section[data-painted]", timeout=60_000)
    rows.append(row("first paint of something real, right after the server is up", "< 2000 ms",
                    [1000 * (time.perf_counter() - start)]))  # fmt: skip
    done(page)
    start = time.perf_counter()
    page.reload()
    page.wait_for_selector('#duel .lane:first-child[data-state="coarse"], #duel .lane:first-child[data-state="done"]')
    rows.append(
        row("page opened to first live picture, model loaded", "< 1000 ms", [1000 * (time.perf_counter() - start)])
    )
    done(page)
    steps: list[tuple[str, str, Callable[[Page, int], list[float]]]] = [
        ("a slider moved to a new frame of one picture", "< 150 ms", frames),
        ("Stop to stopped", "within a step", stops),
        ("fifty scrubs of both players", "no server", scrubs),
    ]
    rows += [row(what, wanted, measure_one(page, repeats)) for what, wanted, measure_one in steps]
    rows.append(f"| previews' share of the run, worst panel | < 10 % | {100 * drawing_share(page):.1f} % | once | 1 |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints")
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no chromium on PATH: apt-get install chromium")
    with sync_playwright() as playwright, app(args.checkpoints) as address:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        rows = measure(address, page, args.repeats)
        seconds = statistics.median(in_page_s(page, S) for S in (50, 51, 50))
        status = page.inner_text("#status")
        browser.close()
    alone = f"{alone_s(args.checkpoints, 50):.2f} s by the engine alone"
    rows.append(f"| one picture at S = 50 in the page, against {alone} | | {seconds:.2f} s | median | 3 |")
    print(f"{platform.processor() or platform.machine()}; {status}\n")
    print("| what | wanted | median | range | n |\n|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
