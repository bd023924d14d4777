"""Taking a run out of the page and back: dropped files, copied commands and code."""

import base64
import io
import os
import shlex
import subprocess
import sys

import numpy as np
from browser.conftest import LIGHT, ROOT, download, enter, open_tab, settle, wait_done
from PIL import Image, ImageSequence

from core.files.encoders import png_bytes
from core.record import read_record

TILES = "#samples .tiles canvas"


def tiles(page, selector=TILES):
    """The pictures of a panel as arrays, as the browser shows them."""
    found = page.evaluate("s => [...document.querySelectorAll(s)].map((c) => c.toDataURL())", selector)
    opened = [Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) for uri in found]
    return [np.asarray(image.convert("RGB")) for image in opened]


def tiles_of(path, count):
    """The first pictures of a sheet that the command line wrote."""
    with Image.open(path) as image:
        whole = np.asarray(image.convert("RGB"))
    side = 28
    columns = (whole.shape[1] + 2) // (side + 2)
    places = [divmod(i, columns) for i in range(count)]
    return [whole[r * (side + 2) :, c * (side + 2) :][:side, :side] for r, c in places]


def frames(path):
    with Image.open(path) as image:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]


def drop(page, path):
    open_tab(page, "reproduce")
    if page.locator("#drop button[aria-label='Clear']").count():
        page.click("#drop button[aria-label='Clear']")
        page.wait_for_selector("#found .facts", state="detached")
    page.set_input_files("#drop input[type=file]", path)
    page.wait_for_selector("#found .facts, #found [role=alert]")


def test_a_dropped_picture_is_shown_first_and_loaded_when_asked(open_page, tmp_path):
    page = open_page(LIGHT + "&seed=5&count=4&eta=0.5")
    before = tiles(page)
    png = download(page, "#samples", "png", tmp_path)
    other = open_page(LIGHT + "&steps=6")
    mine = tiles(other)
    drop(other, png)
    facts = other.inner_text("#found .facts")
    assert "4 pictures" in facts
    assert "5-8" in facts
    assert "bit-equal" in other.inner_text("#found .notes")
    cross, row = (other.locator(f"#drop {one}").first.bounding_box() for one in ("button.icon-button", "tr.file"))
    assert row["y"] >= cross["y"] + cross["height"]  # neither covers the other
    assert other.input_value("#eta input[type=number]") == "0"  # nothing has changed yet
    other.click("#load-found")
    settle(other, '#samples section[data-painted="done"][data-steps="4"][data-eta="0.5"]')
    wait_done(other)
    after = tiles(other)
    assert len(after) == 4
    assert all(np.array_equal(a, b) for a, b in zip(after, before, strict=True))
    assert not np.array_equal(after[0], mine[0])
    assert png.name in other.inner_text("#guide")


def test_an_exported_gif_comes_back_frame_by_frame(open_page, tmp_path):
    page = open_page(LIGHT + "&seed=7&seed_to=9")
    first = download(page, "#strip", "gif", tmp_path)
    other = open_page(LIGHT)
    drop(other, first)
    other.click("#load-found")
    settle(other, '#strip section[data-painted="done"]:has(canvas[aria-label$="seed 7 and seed 9"])')
    wait_done(other)
    again = download(other, "#strip", "gif", tmp_path / "again")
    assert len(frames(first)) > 2
    assert all(np.array_equal(a, b) for a, b in zip(frames(first), frames(again), strict=True))


def test_what_differs_here_is_said_and_other_files_are_refused(open_page, tmp_path):
    page = open_page(LIGHT)
    record = read_record(download(page, "#samples", "png", tmp_path))
    record["checkpoint"]["sha256"] = "0" * 64
    record["timing"]["precision"] = "bf16"
    record["versions"]["torch"] = "1.0"
    (tmp_path / "odd.png").write_bytes(png_bytes(np.zeros((8, 8, 3), np.uint8), record))
    drop(page, tmp_path / "odd.png")
    notes = page.inner_text("#found .notes")
    for word in ("00000000", "bf16", "torch 1.0"):
        assert word in notes
    assert page.is_visible("#load-found")
    record["request"]["settings"]["sigma_hat"] = True
    (tmp_path / "hat.png").write_bytes(png_bytes(np.zeros((8, 8, 3), np.uint8), record))
    drop(page, tmp_path / "hat.png")
    assert "no control" in page.inner_text("#found .why")
    assert "--sigma-hat" in page.inner_text("#repeat-found pre >> nth=0")
    assert not page.is_visible("#load-found")
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    drop(page, tmp_path / "plain.png")
    assert "carries no run settings" in page.inner_text("#found [role=alert]")
    assert not page.is_visible("#load-found")


def copied(page, run):
    """What the two copy buttons put on the clipboard for a run."""
    page.select_option("#what select", label=run)
    page.wait_for_selector(f'#code pre:has-text("{run.lower()}.png")')
    texts = []
    for i in range(2):
        page.locator("#code [data-copy]").nth(i).click()
        page.wait_for_selector(f'#code .code:nth-child({i + 1}) button:has-text("Copied")')
        texts.append(page.evaluate("navigator.clipboard.readText()"))
    return texts


def test_the_copied_command_and_code_give_the_pages_pixels(open_page, tmp_path):
    page = open_page(LIGHT + "&seed=11&count=4&eta=0.3")
    samples, strip = tiles(page), tiles(page, "#strip .strip canvas")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_tab(page, "reproduce")
    command, code = copied(page, "Samples")
    path_command, path_code = copied(page, "Strip")
    (tmp_path / "checkpoints").symlink_to(ROOT / "checkpoints")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for text, name, there in ((command, "samples", samples), (code, "samples", samples),
                              (path_command, "strip", strip), (path_code, "strip", strip)):  # fmt: skip
        words = shlex.split(text)[1:] if text.startswith("python -m core ") else ["-c", text]
        subprocess.run([sys.executable, *words], cwd=tmp_path, check=True, capture_output=True, env=environment)
        here = tiles_of(tmp_path / f"{name}.png", len(there))
        assert len(there) in (4, 11)
        assert all(np.array_equal(a, b) for a, b in zip(here, there, strict=True)), text
        (tmp_path / f"{name}.png").unlink()


def test_the_code_follows_the_controls(open_page):
    page = open_page(LIGHT + "&view=reproduce")
    page.wait_for_selector('#code pre:has-text("--steps 4")')
    enter(page, "#eta", 1)
    page.wait_for_selector('#code pre:has-text("--eta 1")')
