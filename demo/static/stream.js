// Gradio's client reads all runs of a tab from one stream, which the server closes when no run is left. Where the
// answer to the next run's request comes before that word, the client takes the stream for open, and then closes it:
// nothing is heard of the run. Here the word is kept from the client while a run is out, and the stream goes on anew.
(() => {
  "use strict";
  const HEAD = 120; // characters in which a message says what it is
  const LONGEST_MS = 2000; // that an answer may wait for the client to read the word
  const plain = window.fetch;
  const out = new Set(), over = new Set(); // runs that were joined; runs that ended before the answer to their request
  let closing = Promise.resolve();

  async function join(input, init) {
    const answer = await plain(input, init);
    const { event_id: id } = await answer.clone().json().catch(() => ({}));
    if (id && !over.delete(id)) out.add(id);
    await closing; // else the client would still think the stream open
    return answer;
  }

  async function stream(input, init) {
    const request = new Request(input, init);
    const answer = await plain(request);
    if (!answer.ok || !answer.body) return answer;
    const encoder = new TextEncoder();
    let reader = answer.body.getReader(), decoder = new TextDecoder(), rest = "";

    // What the client may read of a chunk, and whether the stream must go on although the server closed it.
    function passed(chunk) {
      const messages = (rest + chunk).split("\n\n");
      rest = messages.pop();
      let text = "";
      for (const message of messages) {
        const head = message.slice(0, HEAD);
        if (head.includes('"close_stream"')) {
          if (out.size) return [text, true];
          over.clear();
          closing = new Promise((done) => {
            request.signal.addEventListener("abort", done); // what the client does when it has read it
            setTimeout(done, request.signal.aborted ? 0 : LONGEST_MS);
          });
        } else if (head.includes('"process_completed"')) {
          const id = /"event_id":"(\w+)"/.exec(head)?.[1];
          if (id && !out.delete(id)) over.add(id);
        }
        text += `${message}\n\n`;
      }
      return [text, false];
    }

    async function pull(controller) {
      for (;;) {
        const { done, value } = await reader.read().catch((error) => { out.clear(); throw error; });
        const [text, goOn] = passed(done ? decoder.decode() : decoder.decode(value, { stream: true }));
        if (text) controller.enqueue(encoder.encode(text));
        if (goOn) {
          reader.cancel().catch(() => 0);
          const next = await plain(request);
          if (!next.ok || !next.body) throw new Error(`The stream could not be opened again: ${next.status}.`);
          [reader, decoder, rest] = [next.body.getReader(), new TextDecoder(), ""];
        } else if (done) {
          controller.close();
          return;
        }
        if (text) return;
      }
    }
    const body = new ReadableStream({ pull, cancel: (reason) => reader.cancel(reason) });
    return new Response(body, { status: answer.status, headers: answer.headers });
  }

  window.fetch = (input, init) => {
    const path = new URL(input.url ?? input, location.href).pathname;
    if (path.endsWith("/queue/join")) return join(input, init);
    return path.endsWith("/queue/data") ? stream(input, init) : plain(input, init);
  };
})();
