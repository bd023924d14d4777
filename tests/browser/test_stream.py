"""The one stream that all runs of a tab are read from, where its end overtakes or is overtaken."""

from browser.conftest import LIGHT, wait_status

# As a slow connection does: what the server says last on a stream comes late, the answers to other requests do not.
LATE_CLOSE = """(() => {
  const plain = window.fetch;
  window.fetch = async (input, init) => {
    const answer = await plain(input, init);
    if (!String(input.url ?? input).includes("/queue/data")) return answer;
    const close = new TextDecoder(), late = new TransformStream({
      async transform(chunk, controller) {
        const text = close.decode(chunk, { stream: true }), at = text.indexOf('data: {"msg":"close_stream"');
        const send = (t) => t && controller.enqueue(new TextEncoder().encode(t));
        send(at < 0 ? text : text.slice(0, at));
        if (at < 0) return;
        await new Promise((resolve) => setTimeout(resolve, 1500));
        window.lateCloses = (window.lateCloses || 0) + 1;
        send(text.slice(at));
      } });
    return new Response(answer.body.pipeThrough(late), { status: answer.status, headers: answer.headers });
  };
})();"""


def test_a_run_that_is_joined_while_the_stream_closes_is_heard_of(open_page):
    page = open_page(query=LIGHT, init=LATE_CLOSE)
    running = '#samples section[data-state="running"], #duel .lane[data-state="running"]'
    for S in (1000, 999):
        page.fill("#steps input[type=number]", str(S))
        page.keyboard.press("Enter")
        wait_status(page, "estimate")
        page.wait_for_timeout(300)
        page.click("#go-on")
        page.wait_for_selector(running)
        page.click("#stop")
        wait_status(page, "stopped")
    assert page.evaluate("window.lateCloses") >= 2
