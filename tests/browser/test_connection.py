"""What comes between the page and the server: lost messages, cut answers, a server that starts anew."""

import subprocess

import pytest
from browser.conftest import (
    APP,
    HEARD,
    HELD,
    LIGHT,
    ROOT,
    enter,
    said,
    serving,
    state,
    steps_shown,
    wait_done,
    wait_samples,
    wait_status,
)

from tests.ports import free_port

WANT = "/ddim/want"
FAILURES = {
    "no way": lambda route: route.abort(),
    "an error of the server": lambda route: route.fulfill(status=500, body="no"),
    "a gateway that does not answer": lambda route: route.fulfill(status=504, body=""),
    "an answer that ends too soon": lambda route: route.fulfill(status=200, body="\n"),
}


def failing(page, how, times=10**6):
    """The next messages fail."""
    left = [times]

    def handle(route):
        if left[0]:
            left[0] -= 1
            FAILURES[how](route)
        else:
            route.continue_()

    page.route(f"**{WANT}", handle)


@pytest.mark.parametrize("how", FAILURES)
def test_a_change_whose_message_fails_twice_is_sent_again_and_done(open_page, how):
    page = open_page(LIGHT, excused=[WANT])
    failing(page, how, 2)
    page.evaluate(HEARD)
    enter(page, "#steps", 6)
    wait_done(page)
    wait_samples(page, 6, 0)
    states = [entry.partition(" ")[0] for entry in page.evaluate("window.heard")]
    changes = [state for i, state in enumerate(states) if i == 0 or state != states[i - 1]]
    assert changes[:5] == ["sent", "lost", "sent", "lost", "sent"]
    assert changes[-1] == "done"


def test_what_is_changed_while_the_connection_is_lost_is_what_is_done_then(open_page):
    page = open_page(LIGHT, excused=[WANT])
    failing(page, "no way")
    enter(page, "#steps", 6)
    wait_status(page, "lost")
    assert said(page) == "The connection was lost; trying again…"
    enter(page, "#eta", 0.5)
    wait_status(page, "lost")
    page.unroute(f"**{WANT}")
    wait_done(page)
    wait_samples(page, 6, 0.5)


def test_stop_ends_the_tries_and_run_again_takes_them_up(open_page):
    page = open_page(LIGHT, excused=[WANT])
    failing(page, "no way")
    enter(page, "#steps", 6)
    wait_status(page, "lost")
    page.click("#stop")
    wait_status(page, "stopped")
    assert page.is_disabled("#stop")
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith(WANT) else None)
    page.wait_for_timeout(2000)  # the next try was due after 0.3 to 1.5 s
    assert (sent, state(page)) == ([], "stopped")
    page.unroute(f"**{WANT}")
    page.click("#again")
    wait_done(page)
    wait_samples(page, 6, 0)


def test_a_message_that_the_server_refuses_is_said_and_not_repeated(open_page):
    page = open_page(LIGHT, excused=[WANT])
    asked = []
    page.route(f"**{WANT}", lambda route: (asked.append(1), route.fulfill(status=400, body="{}")))
    enter(page, "#steps", 6)
    wait_status(page, "error")
    assert "load the page again" in said(page)
    assert page.evaluate("window.ddim.atRest")
    assert asked == [1]


# The last line of an answer is held until release() is called.
HELD_END = """{
  const plain = window.fetch;
  window.held = 0;
  window.fetch = async (address, ...more) => {
    const answer = await plain(address, ...more);
    if (!String(address).endsWith("/ddim/want") || !window.holding) return answer;
    const end = /\\{"status": \\["done"/, decoder = new TextDecoder(), encoder = new TextEncoder();
    const late = new TransformStream({
      async transform(chunk, out) {
        const text = decoder.decode(chunk, { stream: true }), at = text.search(end);
        if (at < 0) { out.enqueue(chunk); return; }
        out.enqueue(encoder.encode(text.slice(0, at)));
        await new Promise((resolve) => { window.release = resolve; window.held += 1; });
        out.enqueue(encoder.encode(text.slice(at)));
      } });
    return new Response(answer.body.pipeThrough(late), { status: answer.status, headers: answer.headers });
  };
}"""


def test_the_end_of_an_older_run_is_not_taken_for_that_of_a_newer_change(open_page):
    page = open_page(LIGHT, init=HELD_END)
    page.evaluate("window.holding = true")
    enter(page, "#steps", 6)
    page.wait_for_function("window.held === 1")
    page.evaluate(HEARD)
    page.evaluate("""() => { window.holding = false;
      window.ddim.set({ eta: 0.5 });
      window.release(); }""")
    wait_samples(page, 6, 0.5)
    wait_done(page)
    heard = page.evaluate("window.heard")
    done = [entry for entry in heard if entry.startswith("done")]
    assert heard[0].startswith("sent")
    assert len(done) == 1
    assert heard[-1] == done[0]


def only_fashion(folder):
    """The command of a server that has the light checkpoint alone."""
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "fashion-mnist").symlink_to(ROOT / "checkpoints" / "fashion-mnist")
    return (*APP, "--checkpoints", str(folder / "checkpoints"))


def test_a_server_that_is_killed_amid_a_run_and_started_again_finishes_it(open_page, tmp_path):
    command, port = only_fashion(tmp_path), free_port()
    with serving(tmp_path / "first", *command, port=port, end=subprocess.Popen.kill) as address:
        page = open_page(LIGHT, address=address, excused=[WANT, "/heartbeat"])
        page.evaluate("window.ddim.set({ steps: 300, eta: 1 })")
        wait_status(page, "running")
    wait_status(page, "lost")
    page.evaluate("window.ddim.set({ steps: 6, eta: 0 })")  # what is wanted meanwhile is what is done
    with serving(tmp_path / "second", *command, port=port):
        wait_done(page)
        wait_samples(page, 6, 0)
        page.context.close()


def test_stop_while_the_model_loads_is_obeyed_and_a_server_that_starts_anew_is_found(open_page, tmp_path):
    command, port = only_fashion(tmp_path), free_port()
    with serving(tmp_path / "first", *command, port=port) as address:
        held = HELD + "hold();"  # or a fast machine has loaded it by then
        page = open_page(LIGHT, address=address, wait=False, init=held, excused=[WANT, "/heartbeat"])
        page.wait_for_selector("#stop:enabled")
        assert state(page) == "sent"
        page.click("#stop")
        page.evaluate("release()")
        wait_status(page, "stopped", "lost")
        assert said(page) == "Stopped."
        page.click("#again")
        wait_done(page)
    enter(page, "#steps", 6)
    wait_status(page, "lost")
    with serving(tmp_path / "second", *command, port=port):
        wait_done(page)
        wait_samples(page, 6, 0)
        assert steps_shown(page) == 6
        page.context.close()
