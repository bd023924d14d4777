// Gradio's client reads all runs of a tab from one stream, which the server closes when no run is left. Where the answer
// to the next run's request comes before the word that closes the stream, the client takes the stream for open, then
// closes it, and hears nothing of the run (docs/decisions/0012-tabs-and-changes.md). Here the word is kept from the client
// while a run is out, and the stream goes on anew; and each is read to its end, where the client would hang up.
(() => {
  "use strict";
  const HEAD = 120; // characters in which a message says what it is
  const LONGEST_MS = 2000; // that an answer may wait for the client to read the word
  const plain = window.fetch;
  const out = new Set(), over = new Set(); // runs that were joined; runs that ended before the answer to their request
  let asked = 0, closing = Promise.resolve();

  async function join(input, init) {
    asked += 1;
    try {
      const answer = await plain(input, init);
      const { event_id: id } = await answer.clone().json().catch(() => ({}));
      if (id && !over.delete(id)) out.add(id);
      await closing; // else the client would still think the stream open
      return answer;
    } finally {
      asked -= 1;
    }
  }

  async function stream(input, init) {
    const { url, headers, credentials, signal } = new Request(input, init);
    const ours = new AbortController();
    let closed = false;
    signal.addEventListener("abort", () => closed || ours.abort());
    const lost = (error) => {
      if (!closed) out.clear(); // once closed, the client itself ends its reading
      throw error;
    };
    const open = () => plain(url, { headers, credentials, signal: ours.signal });
    const answer = await open().catch(lost);
    if (!answer.ok || !answer.body) {
      out.clear();
      return answer;
    }
    const encoder = new TextEncoder();
    let reader = answer.body.getReader(), decoder = new TextDecoder(), rest = "";

    // What the client may read of a chunk, and whether the stream must go on although the server closes it.
    function passed(chunk) {
      const messages = (rest + chunk).split("\n\n");
      rest = messages.pop();
      let text = "";
      for (const message of messages) {
        const head = message.slice(0, HEAD);
        if (head.includes('"close_stream"')) {
          if (out.size) return [text, true];
          if (!asked) over.clear();
          closed = true;
          closing = new Promise((done) => {
            signal.addEventListener("abort", done); // what the client does when it has read the word
            setTimeout(done, signal.aborted ? 0 : LONGEST_MS);
          });
        } else if (head.includes('"process_completed"')) {
          const id = /"event_id":"(\w+)"/.exec(head)?.[1];
          if (id && !out.delete(id)) over.add(id);
        }
        text += `${message}\n\n`;
      }
      return [text, false];
    }

    async function toItsEnd() {
      while (!(await reader.read()).done);
    }

    async function pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        const [text, goOn] = passed(done ? decoder.decode() : decoder.decode(value, { stream: true }));
        if (text) controller.enqueue(encoder.encode(text));
        if (goOn) {
          await toItsEnd();
          const next = await open();
          if (!next.ok || !next.body) throw new Error(`The stream could not be opened again: ${next.status}.`);
          [reader, decoder, rest] = [next.body.getReader(), new TextDecoder(), ""];
        } else if (done || closed) {
          if (!done) await toItsEnd();
          controller.close();
          return;
        }
        if (text) return;
      }
    }
    const body = new ReadableStream({ pull: (controller) => pull(controller).catch(lost) });
    return new Response(body, { status: answer.status, headers: answer.headers });
  }

  window.fetch = async (input, init) => {
    const path = new URL(input.url ?? input, document.baseURI).pathname;
    if (path.endsWith("/queue/join")) return join(input, init);
    return path.endsWith("/queue/data") ? stream(input, init) : plain(input, init);
  };
})();
