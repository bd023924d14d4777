"""``python docs/feel.py``: how fast the page feels, measured in Chromium on the app as people start it.

Prints a table for docs/feel.md. Times are medians of --repeats, as the browser's own clock sees them.
"""

from __future__ import annotations

import argparse
import os
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
# Milliseconds from the page's first byte to a second frame of the race that opens it, on the page's own clock.
MOVING = """window.moving = new Promise((done) => {
  let first = null;
  const watch = new MutationObserver(() => {
    const now = [...document.querySelectorAll('#early, #hero .lane')].map((one) => one.dataset.frame).join();
    if (!/[0-9]/.test(now) || now === first) return;
    if (first === null) { first = now; return; }
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - performance.getEntriesByType('navigation')[0].responseStart));
  });
  watch.observe(document, { subtree: true, childList: true, attributeFilter: ['data-frame'] });
});"""
SET = """const r = document.querySelector('#steps input[type=number]');
  r.value = %d; r.dispatchEvent(new Event('change'))"""


@contextmanager
def app(checkpoints: Path) -> Iterator[tuple[str, int]]:
    """The address of a running app, and its process."""
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
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(20)


def done(page: Page) -> None:
    page.wait_for_selector('#status p[data-state="done"]', timeout=300_000)


def frames(page: Page, repeats: int) -> list[float]:
    """From another S to a new frame of player A, coarse or final."""
    times = []
    for i in range(repeats):
        S = 31 + i  # none of which was run before
        page.wait_for_timeout(500)
        lane = '#duel .lane:first-child[data-state="coarse"], #duel .lane:first-child[data-state="done"]'
        changed = ", ".join(f'{part.strip()}:not([data-steps="{page_steps(page)}"])' for part in lane.split(","))
        times.append(page.evaluate(UNTIL, [SET % S, changed]))
        done(page)
    return times


def page_steps(page: Page) -> str:
    return str(page.locator("#duel .lane").first.get_attribute("data-steps"))


def stops(page: Page, repeats: int) -> list[float]:
    """From Stop to the word that it has stopped, while one picture of four hundred steps runs."""
    times = []
    page.evaluate("window.ddim.set({ count: 1 })")  # all of it in under a minute, or it would ask
    for i in range(repeats):
        page.evaluate(SET % (400 - i))
        page.wait_for_selector('#duel .lane:first-child[data-state="running"]')
        page.wait_for_timeout(700)
        stopped = '#status p[data-state="stopped"]'
        times.append(page.evaluate(UNTIL, ["document.querySelector('#stop').click()", stopped]))
        page.evaluate(SET % 20)
        done(page)
    page.evaluate("window.ddim.set({ count: 16 })")
    done(page)
    return times


def wholes(page: Page, repeats: int) -> list[float]:
    """From new seeds at S = 20 to every panel of Explore finished: nothing of it was computed before."""
    times = []
    for i in range(repeats):
        seeds = f"window.ddim.set({{ steps: 20, seed: {1000 + 100 * i}, seed_to: {1050 + 100 * i} }})"
        changed = f'#samples section[data-seed="{1000 + 100 * i}"][data-state="done"]'
        times.append(page.evaluate(UNTIL, [seeds, changed]))
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


def in_page_s(page: Page, S: int, panel: str) -> float:
    """Seconds in the sampler that a panel reads out for S steps, previews and browser beside it."""
    page.evaluate(SET % S)
    page.wait_for_selector(f'{panel}[data-state="done"][data-steps="{S}"]', timeout=120_000)
    done(page)
    value, unit = page.locator(f"{panel} .headline").first.inner_text().split()[:2]
    return float(value) / {"ms": 1000, "s": 1, "min": 1 / 60}[unit]


def alone_s(checkpoints: Path, S: int, pictures: int) -> float:
    """The same run with no page: the engine in a process of its own. Median of three."""
    code = (
        "import sys; from core import Engine, Request, SamplerSettings; S, n = map(int, sys.argv[2:])\n"
        "engine = Engine.open(sys.argv[1]); request = Request(tuple(range(3, 3 + n)), SamplerSettings(S))\n"
        "print(sorted(engine.sample(request, max_batch=8).timing.total_s for _ in range(3))[1])"
    )
    command = [sys.executable, "-c", code, str(checkpoints / "toon-faces"), str(S), str(pictures)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def cpu_s(root: int) -> float:
    """Processor seconds of a process and all that descend from it, so far (Linux)."""
    children: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        pid = int(stat.parent.name)
        children.setdefault(int(fields[1]), []).append(pid)
        spent[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    total, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        total += spent.get(pid, 0.0)
        waiting += children.get(pid, [])
    return total


def at_rest(pids: dict[str, int], seconds: float = 20) -> list[str]:
    """What each process takes of a core while nothing is asked for, once it has settled."""
    time.sleep(5)
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    time.sleep(seconds)
    shares = {name: (cpu_s(pid) - before[name]) / seconds for name, pid in pids.items()}
    return [
        f"| at rest, {name}, of a core | < 3 % | {100 * share:.1f} % | over {seconds:.0f} s | 1 |"
        for name, share in shares.items()
    ]


def row(what: str, wanted: str, times: list[float]) -> str:
    spread = f"{min(times):.0f}–{max(times):.0f}" if len(times) > 1 else "once"
    return f"| {what} | {wanted} | {statistics.median(times):.0f} ms | {spread} | {len(times)} |"


def measure(address: str, page: Page, repeats: int) -> list[str]:
    rows = []
    page.add_init_script(MOVING)
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("#samples section[data-painted]", timeout=60_000)
    moving = page.evaluate("window.moving")
    rows.append(row("the page's first byte to something that moves, the model still loading", "< 1000 ms", [moving]))
    rows.append(row("first paint of something real, right after the server is up", "< 2000 ms",
                    [1000 * (time.perf_counter() - start)]))  # fmt: skip
    done(page)
    rows.append(row("from opening right after the server is up to every panel of Explore finished", "< 8000 ms",
                    [1000 * (time.perf_counter() - start)]))  # fmt: skip
    start = time.perf_counter()
    page.reload()
    page.wait_for_selector('#duel .lane:first-child[data-state="done"]')
    rows.append(
        row("page opened again to its pictures, model loaded", "< 1000 ms", [1000 * (time.perf_counter() - start)])
    )
    done(page)
    steps: list[tuple[str, str, Callable[[Page, int], list[float]]]] = [
        ("a slider moved to a new frame of one picture", "< 150 ms", frames),
        ("new seeds at S = 20 to every panel of Explore finished", "< 8000 ms", wholes),
        ("Stop to stopped", "< 100 ms and a step", stops),
        ("fifty scrubs of both players", "no server", scrubs),
    ]
    rows += [row(what, wanted, measure_one(page, repeats)) for what, wanted, measure_one in steps]
    rows.append(f"| previews' share of the run, worst panel | < 10 % | {100 * drawing_share(page):.1f} % | once | 1 |")
    return rows


def ratios(checkpoints: Path, page: Page) -> list[str]:
    """Steps in the page against steps of the engine alone, one picture and sixteen."""
    out = []
    page.evaluate("window.ddim.set({ eta: 0.5 })")  # with noise no panel shares a run with another, so 16 are 16
    for panel, n, S, wanted in (
        ("#duel .lane:first-child", 1, 50, 1.4),
        ("#samples section", 16, 20, 1.15),
    ):
        here = statistics.median(in_page_s(page, S + i, panel) / (S + i) for i in range(3))
        alone = alone_s(checkpoints, S, n) / S
        out.append(
            f"| a step of {n} in the page, against {1000 * alone:.1f} ms by the engine alone | < {wanted} times | "
            f"{1000 * here:.1f} ms, {here / alone:.2f} times | median | 3 |"
        )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints")
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no chromium on PATH: apt-get install chromium")
    with sync_playwright() as playwright, app(args.checkpoints) as (address, server):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        rows = measure(address, page, args.repeats)
        if page.inner_text("#strip .loopbox button") == "Pause loop":  # else it rests already
            page.click("#strip .loopbox button")
        rows += at_rest({"the app": server, "the browser": browser_pid()})
        rows += ratios(args.checkpoints, page)
        status = page.inner_text("#status")
        browser.close()
    print(f"{processor()}; {status}\n")
    print("| what | wanted | median | range | n |\n|---|---|---|---|---|")
    print("\n".join(rows))


def browser_pid() -> int:
    """The Chromium that this process has started, through playwright's own server."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = (stat.parent / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if "chromium" in words[0] and "--type=" not in " ".join(words) and "--headless" in " ".join(words):
            return int(stat.parent.name)
    raise SystemExit("the browser's process was not found")


def processor() -> str:
    """What the machine calls its processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
