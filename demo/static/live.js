// The live session: settings live here; each change goes to the server as one message and is answered by a stream of
// small ones (demo/live.py). What belongs to an older change than the newest is ignored, whenever it arrives.
(() => {
  "use strict";
  const { known, kit } = window.ddim;
  const RETRY_MS = [300, 700, 1500, 3000, 5000], SETTLED_MS = 300, PACE_MS = 40;
  const settings = { ...known.settings };
  if (location.search.length > 1) document.documentElement.dataset.touched = true; // who follows a link knows the page
  const { sweep, ...recorded } = known.opening; // the sweep is no panel: dragging the steps shows it
  const listeners = [], panels = new Map(), values = new Map(Object.entries(recorded));
  let session = null, seq = 0, busy = false, failed = 0, retry = 0, pace = 0, sentAt = 0, waiting = null;
  let said = { state: "loading", sentence: "" }, line = null, guide = null, advice = ["", ""];
  let opening = location.search, later = {}; // an address that the server has not answered yet, and what was set since
  let query = location.search, addressTimer = 0, pushed = false, ms = 0, stopWish = -1, heard = 0;

  // Gradio's own, such as __theme: it reads them when it mounts, which may be after the address was first rewritten.
  const gradios = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith("__"));

  const root = new URL(location.pathname.replace(/[^/]*$/, ""), location.origin);
  const address = (path) => new URL(path, root).href;
  const post = (path, body) => fetch(address(path), { method: "POST", body: JSON.stringify(body), keepalive: path !== "ddim/want" });

  function status(state, sentence) {
    said = { state, sentence: sentence ?? said.sentence };
    document.documentElement.dataset.status = said.state;
    if (!line) return;
    line.dataset.state = said.state;
    if (said.sentence && line.textContent !== said.sentence) line.textContent = said.sentence;
  }

  function mountStatus(element) {
    line = element.querySelector("p");
    status(said.state);
  }

  function setBusy(on) {
    busy = on;
    document.documentElement.dataset.busy = on;
    const stop = document.getElementById("stop");
    if (stop) stop.disabled = !on;
  }

  // Tell the controls. from: the control that knows already.
  function show(names, from) {
    for (const listener of listeners) listener(names, from);
  }

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  // Change settings and run. A change of view is a step in the browser's history.
  function set(patch, from) {
    const names = Object.keys(patch).filter((name) => !same(settings[name], patch[name]));
    if (!names.length) return;
    Object.assign(settings, patch);
    document.documentElement.dataset.touched = true;
    if (opening !== null) Object.assign(later, patch);
    pushed ||= names.includes("view");
    show(names, from);
    want({});
  }

  // At most one message in PACE_MS: a slider tells of sixty changes a second, and only the last matters.
  function want(more) {
    waiting = { ...waiting, ...more };
    status("sent");
    setBusy(true);
    if (!pace) pace = setTimeout(send, Math.max(0, sentAt + PACE_MS - performance.now()));
  }

  function send() {
    clearTimeout(retry);
    [pace, retry] = [0, 0];
    const more = waiting || {};
    waiting = null;
    sentAt = performance.now();
    seq += 1;
    kit.dropPictures([...values.values()]);
    const opened = opening === null ? {} : { query: opening };
    talk(seq, { session, seq, settings, have: kit.pictureIds(), ...opened, ...more }).then(
      (ended) => { if (!ended) lost(more); }, () => lost(more));

    async function lost(again) {
      if (again.seq !== undefined || waiting || pace) return; // something newer is on its way
      status("lost", "The connection was lost; trying again…");
      retry = setTimeout(() => want(again), RETRY_MS[Math.min(failed, RETRY_MS.length - 1)]);
      failed += 1;
    }
  }

  // Send one message and read its answer. True where it ended as it should, or something newer took its place.
  async function talk(mine, body) {
    const answer = await post("ddim/want", body).catch(() => null);
    if (mine !== seq) return true;
    if (!answer || !answer.ok) {
      if (answer && answer.status < 500) { ended("error", "The page and the server do not understand each other: load the page again."); return true; }
      return false;
    }
    const reader = answer.body.getReader(), decoder = new TextDecoder();
    let rest = "", over = false;
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true }));
      if (mine !== seq) { reader.cancel().catch(() => 0); return true; }
      if (done) return over;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line) continue;
        failed = 0;
        over = hear(JSON.parse(line), mine) || over;
      }
    }
  }

  // One message. True for one that says that no more will come.
  function hear(message, mine) {
    if (message.session) begun(message, mine);
    if (message.pictures) kit.takePictures(message.pictures);
    if (message.panel) { values.set(message.panel, message.value); draw(message.panel); progress(message.value); }
    if (message.ms !== undefined) ms = message.ms;
    if (message.classes !== undefined) document.documentElement.toggleAttribute("data-classes", message.classes > 0);
    if (message.late) { want({}); return true; } // this tab has a twin, or its numbers began anew
    if (!message.status) return false;
    const [state, sentence] = message.status;
    const over = !["loading", "running"].includes(state);
    if (waiting) return over; // of what was wanted before
    if (over) ended(state, sentence); else status(state, sentence);
    return over;
  }

  // How far the run in front is, for whatever shows it: the dock of a phone, where panels are out of sight.
  function progress(value) {
    const running = [value, value.a, value.b, ...(value.lanes || [])].find((v) => v && v.state === "running" && v.progress);
    if (running) document.documentElement.style.setProperty("--progress", running.progress);
  }

  function begun(message, mine) {
    session = message.session;
    if (message.late) { seq = Math.max(seq, message.seq) + 1000; return; }
    if (stopWish === mine) post("ddim/stop", { session, seq: mine });
    if (waiting) return; // the answer to what was wanted before
    document.documentElement.style.setProperty("--progress", 0);
    if (message.opened) window.ddim.learn(message.opened);
    const names = Object.keys(message.settings), since = later;
    Object.assign(settings, message.settings, since);
    [opening, later, heard] = [null, {}, mine];
    show(names, null);
    if (message.said.length) say("Adjusted", `${message.said.join("; ")}.`);
    query = message.query;
    clearTimeout(addressTimer);
    addressTimer = setTimeout(settleAddress, pushed ? 0 : SETTLED_MS);
    if (Object.keys(since).length) want({});
  }

  function settleAddress() {
    const search = [query, ...gradios.map((one) => new URLSearchParams([one]))].join("&");
    if (location.search !== search) history[pushed ? "pushState" : "replaceState"](null, "", search + location.hash);
    pushed = false;
  }

  function ended(state, sentence) {
    setBusy(false);
    window.ddim.calmDown();
    status(state, sentence);
    if (state === "done") window.ddim.history.done();
  }

  function stop() {
    if (waiting || retry) {
      clearTimeout(pace);
      clearTimeout(retry);
      [pace, retry, waiting] = [0, 0, null];
      ended("stopped", "Stopped.");
    }
    if (session) post("ddim/stop", { session, seq }).catch(() => 0);
    else stopWish = seq;
  }

  // A question that is answered with no: what there is stays.
  function cancel() {
    for (const [name, value] of values) {
      const text = JSON.stringify(value);
      if (text.includes('"ask":')) {
        values.set(name, JSON.parse(text, (key, v) => (key === "ask" ? undefined : v === "asked" && key === "state" ? "stopped" : v)));
        draw(name);
      }
    }
    ended("stopped", "Not started.");
  }

  // Send a picture; its name among this tab's. Where the server has forgotten the tab, it is made known again first.
  async function give(file) {
    if (file.size > known.most_upload) throw new Error(`A picture has at most ${known.most_upload >> 20} MB: make it smaller.`);
    for (let tries = 0; tries < 3; tries += 1) {
      while (!session || waiting) await new Promise((resolve) => setTimeout(resolve, 50));
      const answer = await fetch(address(`ddim/picture/${session}`), { method: "POST", body: file }).catch(() => null);
      const found = (answer && await answer.json().catch(() => null)) || {};
      if (found.picture) return found.picture;
      if (answer && answer.status !== 409) throw new Error(found.error || "The server could not take the picture: try another one.");
      if (answer) { session = null; want({}); }
    }
    throw new Error("The connection was lost: drop the picture again.");
  }

  // Words that stay until something else is to be said. Text only.
  function say(title, text) {
    advice = [title, text];
    if (!guide) return;
    if (!title) { guide.replaceChildren(); return; }
    guide.replaceChildren(kit.el("details", { open: "" }, kit.el("summary", {}, title), kit.el("p", {}, text)));
  }

  function mountGuide(element) {
    guide = element.querySelector("div.words");
    say(...advice);
  }

  function draw(name) {
    const panel = panels.get(name), value = values.get(name);
    if (!panel || !value) return;
    const mine = ++panel.seq;
    panel.drawn = panel.draw(value, () => mine === panel.seq).catch((error) => console.warn(`ddim: ${name} not drawn`, error));
  }

  // Gradio may draw a component's markup again; then the panel begins anew with the newest value.
  function mountPanel(element) {
    const section = element.querySelector("section.panel");
    panels.set(section.dataset.panel, { draw: window.ddim.kinds[section.dataset.kind](section), seq: 0 });
    if (values.has(section.dataset.panel)) draw(section.dataset.panel);
    else section.dataset.state = "empty";
    setBusy(busy); // the buttons are there only now
    if (said.state === "done") window.ddim.history.done(); // the run was faster than Gradio
  }

  addEventListener("popstate", () => {
    clearTimeout(addressTimer);
    [pushed, opening, later] = [false, location.search, {}];
    want({});
  });
  addEventListener("pagehide", () => { if (session) navigator.sendBeacon(address("ddim/leave"), JSON.stringify({ session })); });
  addEventListener("pageshow", (event) => { if (event.persisted) want({}); }); // back from the browser's own cache

  const shared = {
    settings, set, want, give, stop, cancel, say, status, address, mountPanel, mountStatus, mountGuide,
    onSettings: (listener) => listeners.push(listener),
    get mounted() { return [...values.keys()].every((name) => panels.has(name)); }, // Gradio draws in its own time
    drawn: () => Promise.all([...panels.values()].map((panel) => panel.drawn)),
    get T() { return known.checkpoints[settings.checkpoint]; },
    get ms() { return ms; },
    get atRest() { return !busy && !pace && !retry; },
    get answered() { return !waiting && heard === seq; },
    get link() { return location.origin + location.pathname + query; },
  };
  Object.defineProperties(window.ddim, Object.getOwnPropertyDescriptors(shared)); // getters and all
  setTimeout(() => want({})); // once the rest of the script has run
})();
