// What every panel is drawn with. Nothing here asks the server for anything: scrubbing, looping and playing happen on
// pictures that are already in the browser.
(() => {
  "use strict";
  const pictures = new Map(); // id → the decoded picture, or the promise of it

  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  async function decoded(uri) {
    const image = new Image();
    image.src = uri;
    await image.decode();
    const [, across, down] = /^data:[^,;]*;tiles=(\d+)x(\d+)/.exec(uri) || [0, 1, 1];
    image.tile = [image.naturalWidth / across, image.naturalHeight / down];
    return image;
  }

  // A picture by the id that the server gave it with its pixels, or by its own data: URI.
  const picture = (id) => (id.startsWith("data:") ? decoded(id) : pictures.get(id));

  function takePictures(found) {
    for (const [id, uri] of Object.entries(found)) pictures.set(id, decoded(uri));
  }

  // Forget what no panel shows; the server is told which ids are left. kept: the panels' values.
  function dropPictures(kept) {
    const text = JSON.stringify(kept);
    for (const id of pictures.keys()) if (!text.includes(`"${id}"`)) pictures.delete(id);
  }

  // Cut tile (column, row) of a sheet into a canvas of the tile's own size; CSS enlarges it crisply.
  function cut(canvas, image, column, row = 0) {
    const [w, h] = image.tile;
    if (canvas.width !== w || canvas.height !== h) {
      [canvas.width, canvas.height] = [w, h];
      canvas.style.aspectRatio = w === h ? "" : `${w} / ${h}`;
    }
    canvas.getContext("2d").drawImage(image, column * w, row * h, w, h, 0, 0, w, h);
  }

  // A sheet on its way has black where a tile has not begun: nobody may be shown that as a picture.
  const hasBegun = (value, i) => !value.filled || value.filled[i] > 0;

  // A large canvas shows what a small one shows, dimmed as that one is; where that has nothing yet, nothing.
  function mirror(large, small) {
    small.tile = [small.width, small.height];
    cut(large, small, 0);
    large.classList.toggle("old", small.classList.contains("old"));
  }

  function canvases(host, count, label) {
    while (host.children.length > count) host.lastChild.remove();
    while (host.children.length < count) host.append(el("canvas", { role: "img", width: 1, height: 1 }));
    [...host.children].forEach((c, i) => c.setAttribute("aria-label", label(i)));
    return [...host.children];
  }

  const words = {
    recorded: "recorded run", running: "sampling…", done: "live", stopped: "stopped", waiting: "waiting",
    coarse: "coarse, refining…", asked: "waiting for your word",
  };

  // What a value is, in a word: a result that was there before says so, and one of other settings from what it is.
  function stateWord(value) {
    if (value.state === "stale" && !value.seeds) return "of earlier settings"; // a panel of several runs, each saying its own
    if (value.state === "stale") return `from ${value.label}, seed ${value.seeds[0]}, ${value.checkpoint}`;
    return value.state === "done" && value.cached ? "done before" : words[value.state] || value.state;
  }

  // A line to be read from the back row, and all figures behind "details".
  function readoutBox() {
    const headline = el("p", { class: "headline" }), figures = el("dl", { class: "readout" });
    return { node: el("div", { class: "timing" }, headline, el("details", {}, el("summary", {}, "details"), figures)), headline, figures };
  }

  function fillReadout(box, value) {
    box.headline.textContent = value.headline || "";
    box.node.classList.toggle("none", !value.readout);
    box.figures.replaceChildren(...(value.readout || []).map(([name, figure, known]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, figure), el("dd", { class: "known" }, known))));
  }

  // Figures of an earlier run stay, dimmed, only while the next one runs; a stopped run has none of its own.
  function showReadout(box, value) {
    if (value.readout || value.state !== "running") fillReadout(box, value);
    box.node.title = value.machine || "";
    box.node.classList.toggle("old", !value.readout);
  }

  // The frame every panel shares: title, caption, state word, body, progress, note, question, readout, files.
  function frame(root, title) {
    const chip = el("span", { class: "chip" });
    const caption = el("span", { class: "caption" });
    const body = el("div", { class: "body" });
    const bar = el("div", { class: "bar" }, el("i"));
    const note = el("p", { class: "note" });
    const ask = el("div", { class: "ask" });
    const readout = readoutBox();
    const files = el("div", { class: "exports" });
    const heading = el("h2", {}, title);
    root.replaceChildren(el("header", {}, heading, caption, chip, files), body, bar, note, ask, readout.node);
    return { root, heading, chip, caption, body, bar, note, ask, readout, files };
  }

  const button = (label, does) => el("button", { type: "button", class: "btn", "data-do": does }, label);

  function paintFrame(f, value) {
    f.root.dataset.state = value.state;
    f.root.dataset.steps = value.steps;
    f.root.dataset.eta = value.eta;
    f.chip.textContent = stateWord(value);
    f.caption.textContent = value.state === "stale" ? "" : value.label || "";
    f.bar.firstChild.style.width = `${100 * (value.progress || 0)}%`;
    f.note.textContent = value.note || "";
    if (value.ask) f.ask.replaceChildren(el("span", {}, value.ask), button("Start", "start"), button("Cancel", "cancel"));
    else f.ask.replaceChildren();
    showReadout(f.readout, value);
    const old = value.state === "stale" || value.state === "asked";
    f.files.replaceChildren(...(value.files || []).map((file, i) => {
      const label = old && value.label ? `${file.label} of ${value.label}` : file.label;
      return el("a", {
        class: i ? "btn" : "btn primary", href: window.ddim.address(file.href), download: file.name, title: file.name,
        "data-suffix": file.name.split(".").pop(),
      }, i ? label : `Export ${label}`);
    }));
  }

  const ROUNDS = 8, HIDDEN_MS = 300;
  const FRAME_MS = 35; // films have at most 41 frames; sixty paints a second would be taken from the network's processors

  // What everything that plays shares: position in 0..1, playing or not, there and back or always forth.
  // What is out of sight waits, and after some rounds it rests: nobody looks for so long.
  function player(paint, period, inSight, { most = ROUNDS, frame_ms = FRAME_MS } = {}) {
    let position = 1, way = 1, back = false, playing = false, last = 0, timer = 0, asleep = 0, rounds = 0;
    const wait = () => { // without asking for frames
      if (inSight()) { last = performance.now(); timer = requestAnimationFrame(tick); } else asleep = setTimeout(wait, HIDDEN_MS);
    };
    const tick = (now) => {
      if (!playing) return;
      if (!inSight()) { wait(); return; }
      if (now - last < frame_ms) { timer = requestAnimationFrame(tick); return; }
      position += way * (now - last) / period();
      last = now;
      if (position > 1.25) { // it has stood at the end for a while
        rounds += 1;
        if (rounds >= most) { position = 1; paint(1, true); own.rest(); return; }
        if (back) { way = -1; position = 1; } else position = 0;
      }
      if (position < 0) { way = 1; position = 0; }
      paint(Math.min(position, 1), true);
      timer = requestAnimationFrame(tick);
    };
    const own = {
      rest() { this.play(false); },
      get playing() { return playing; },
      get position() { return Math.min(position, 1); },
      boomerang(on) { back = on; way = 1; },
      seek(p) { position = Math.min(1, Math.max(0, p)); paint(position, false); },
      repaint() { paint(Math.min(position, 1), false); },
      play(on) {
        cancelAnimationFrame(timer);
        clearTimeout(asleep);
        playing = on;
        rounds = 0;
        if (on) { if (position >= 1) position = 0; last = performance.now(); timer = requestAnimationFrame(tick); }
      },
    };
    return own;
  }

  // Play, scrub, there-and-back; the keyboard reaches it through root.transport.
  function transport(root, film, label, extra = []) {
    const play = el("button", { type: "button", class: "quiet play" }, "Play");
    const range = el("input", { type: "range", min: 0, max: 1000, value: 1000, "aria-label": label });
    const back = el("button", { type: "button", class: "quiet", "aria-pressed": "false", title: "Play there and back" }, "⇄");
    back.setAttribute("aria-label", "Play there and back");
    const set = (on) => { film.play(on); play.textContent = on ? "Pause" : "Play"; };
    film.rest = () => set(false);
    play.onclick = () => set(!film.playing);
    range.oninput = () => { set(false); film.seek(range.value / 1000); };
    back.onclick = () => {
      const on = back.getAttribute("aria-pressed") !== "true";
      back.setAttribute("aria-pressed", on); film.boomerang(on);
    };
    root.transport = {
      toggle: () => set(!film.playing),
      by: (frames, count) => { set(false); film.seek(film.position + frames / Math.max(1, count())); range.value = 1000 * film.position; },
    };
    return { node: el("div", { class: "transport" }, play, range, back, ...extra), range, set };
  }

  window.ddim.kinds = {}; // of panels: root → (value, current) → drawn
  window.ddim.kit = {
    el, picture, takePictures, dropPictures, pictureIds: () => [...pictures.keys()], cut, hasBegun, mirror, canvases, frame, paintFrame,
    player, transport, readoutBox, showReadout, stateWord, calm,
  };
})();
