"""Gradio draws its components in its own time: a run may be done before its panel is there."""

from browser.conftest import LIGHT, wait_done

# Panels are taken over only when release() is called; everything else goes on.
LATE = """addEventListener('DOMContentLoaded', () => {
  const { mountPanel } = window.ddim, later = [];
  let free = false;
  window.ddim.mountPanel = (element) => { if (free) mountPanel(element); else later.push(element); };
  window.release = () => { free = true; later.forEach(mountPanel); };
});"""


def test_a_run_that_was_faster_than_its_panel_is_drawn_when_the_panel_comes(open_page):
    page = open_page(LIGHT, init=LATE, wait=False)
    page.wait_for_selector('#status p[data-state="done"]')
    page.wait_for_function("ddim.atRest")
    assert page.locator("#samples .tiles canvas").count() == 0
    assert not page.evaluate("ddim.mounted")
    page.evaluate("release()")
    wait_done(page)
    assert page.locator("#samples .tiles canvas").count() == 1
    assert page.evaluate("ddim.mounted")
