"""The page under a path prefix: behind a proxy that strips it, and mounted in somebody's own app."""

import pytest
from browser import mounted
from browser.conftest import LIGHT, ROOT, download, enter, open_tab, serving, wait_done, wait_samples
from browser.prefix_proxy import proxied
from PIL import Image

from core.record import read_record
from tests.ports import free_port

# Gradio's own, which it asks for at the root unless it is told of the prefix, and what a browser asks for itself
ROOTED = ("/theme.css", "/static/js/iframeResizer", "/favicon.ico")


@pytest.fixture
def behind(server):
    """(the proxy, the address of the page behind it)."""
    with proxied(server) as both:
        yield both


def works(page, folder):
    """Runs, downloads and addresses."""
    enter(page, "#steps", 5)
    wait_done(page)
    wait_samples(page, 5, 0)
    path = download(page, "#strip", "gif", folder)
    with Image.open(path) as image:
        assert image.n_frames > 2
    assert read_record(path)["request"]["settings"]["steps"] == 5
    open_tab(page, "grid")
    page.wait_for_function("location.search.includes('view=grid')")
    enter(page, "#grid-steps", "2, 3")
    wait_done(page)
    assert download(page, "#grid", "png", folder).name == "fashion-mnist_seed3_grid.png"


def test_the_page_works_behind_a_proxy_that_strips_a_prefix(open_page, behind, tmp_path):
    proxy, address = behind
    page = open_page(LIGHT, address=address, excused=ROOTED)
    works(page, tmp_path)
    assert page.url.startswith(f"{address}/?checkpoint=")
    page.go_back()
    page.wait_for_function("window.ddim.settings.view === 'explore'")
    wait_done(page)
    assert page.evaluate("window.ddim.link").startswith(f"{address}/?")
    assert [path for path in proxy.elsewhere if not path.startswith(ROOTED)] == []


def test_an_answer_that_a_proxy_cuts_off_is_asked_for_again(open_page, behind):
    proxy, address = behind
    page = open_page(LIGHT, address=address, excused=ROOTED)
    proxy.hang_up_at = 600  # amid the panels
    enter(page, "#steps", 6)
    wait_done(page)
    wait_samples(page, 6, 0)
    assert proxy.hung_up == 1


def test_the_page_works_mounted_in_another_app(open_page, tmp_path):
    port = free_port()
    with serving(tmp_path / "log", mounted.__file__, str(ROOT / "checkpoints"), str(port), port=port) as address:
        page = open_page(LIGHT, address=address + mounted.PATH, excused=ROOTED)
        works(page, tmp_path)
        assert page.url.startswith(f"{address}{mounted.PATH}/?checkpoint=")
        open_tab(page, "reproduce")
        page.set_input_files("#drop input[type=file]", tmp_path / "fashion-mnist_seed3_grid.png")
        page.wait_for_selector("#found .facts:has-text('A grid of')")  # by Gradio's own upload
        page.context.close()
