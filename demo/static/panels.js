// Draws the panels. The server sends values (see demo/views.py and demo/runs.py); nothing here asks it
// for anything: scrubbing, looping and playing happen on pictures that are already in the browser.
window.ddim = (() => {
  "use strict";

  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  async function picture(uri) {
    const image = new Image();
    image.src = uri;
    await image.decode();
    return image;
  }

  // Cut tile (column, row) of a sheet into a canvas of the tile's own size; CSS enlarges it crisply.
  function cut(canvas, image, side, column, row = 0) {
    if (canvas.width !== side) canvas.width = canvas.height = side;
    canvas.getContext("2d").drawImage(image, column * side, row * side, side, side, 0, 0, side, side);
  }

  // Whether what is shown started from another x_T than the runs that it would stand beside.
  function otherStart(old, beside) {
    const start = (v) => `${v.weights} ${v.seeds}`, now = beside.find(Boolean);
    return Boolean(old && now) && start(old) !== start(now);
  }

  function canvases(host, count, label) {
    while (host.children.length > count) host.lastChild.remove();
    while (host.children.length < count) host.append(el("canvas", { role: "img", width: 1, height: 1 }));
    [...host.children].forEach((c, i) => c.setAttribute("aria-label", label(i)));
    return [...host.children];
  }

  const words = {
    recorded: "recorded run", running: "sampling…", done: "live", stopped: "stopped",
    preview: "one picture first", waiting: "waiting", coarse: "coarse, refining…",
  };

  function fillReadout(node, value) {
    node.replaceChildren();
    for (const [name, figure, known] of value.readout || []) {
      node.append(el("div", {}, el("dt", {}, name), el("dd", {}, figure), el("dd", { class: "known" }, known)));
    }
  }

  // Figures of an earlier run stay, dimmed, only while the next one runs; a stopped run has none of its own.
  function showReadout(node, value) {
    if (value.readout || value.state !== "running") fillReadout(node, value);
    node.title = value.machine || "";
    node.classList.toggle("old", !value.readout);
  }

  // The frame every panel shares: title, caption, state word, body, progress, note, readout.
  function frame(root, title) {
    const chip = el("span", { class: "chip" });
    const caption = el("span", { class: "caption" });
    const body = el("div", { class: "body" });
    const bar = el("div", { class: "bar" }, el("i"));
    const note = el("p", { class: "note" });
    const readout = el("dl", { class: "readout" });
    root.replaceChildren(
      el("header", {}, el("h2", {}, title), caption, chip), body, bar, note, readout);
    return { root, chip, caption, body, bar, note, readout };
  }

  function paintFrame(f, value) {
    f.root.dataset.state = value.state;
    f.root.dataset.steps = value.steps;
    f.root.dataset.eta = value.eta;
    f.chip.textContent = words[value.state] || value.state;
    f.caption.textContent = value.label || "";
    f.bar.firstChild.style.width = `${100 * (value.progress || 0)}%`;
    f.note.textContent = value.note || "";
    showReadout(f.readout, value);
  }

  const FRAME_MS = 35; // films have at most 41 frames; sixty paints a second would be taken from the network's processors

  // What everything that plays shares: position in 0..1, playing or not, there and back or always forth.
  function player(paint, period) {
    let position = 1, way = 1, back = false, playing = false, last = 0, timer = 0;
    const tick = (now) => {
      if (!playing) return;
      if (now - last < FRAME_MS) { timer = requestAnimationFrame(tick); return; }
      position += way * (now - last) / period();
      last = now;
      if (position > 1.25) { if (back) { way = -1; position = 1; } else position = 0; } // rests at the end
      if (position < 0) { way = 1; position = 0; }
      paint(Math.min(position, 1), true);
      timer = requestAnimationFrame(tick);
    };
    return {
      get playing() { return playing; },
      get position() { return Math.min(position, 1); },
      boomerang(on) { back = on; way = 1; },
      seek(p) { position = Math.min(1, Math.max(0, p)); paint(position, false); },
      repaint() { paint(Math.min(position, 1), false); },
      play(on) {
        cancelAnimationFrame(timer);
        playing = on;
        if (on) { if (position >= 1) position = 0; last = performance.now(); timer = requestAnimationFrame(tick); }
      },
    };
  }

  // Play, scrub, there-and-back; the keyboard reaches it through root.transport.
  function transport(root, film, label, extra = []) {
    const play = el("button", { type: "button", class: "quiet play" }, "Play");
    const range = el("input", { type: "range", min: 0, max: 1000, value: 1000, "aria-label": label });
    const back = el("button", { type: "button", class: "quiet", "aria-pressed": "false", title: "Play there and back" }, "⇄");
    back.setAttribute("aria-label", "Play there and back");
    const set = (on) => { film.play(on); play.textContent = on ? "Pause" : "Play"; };
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

  function samples(root) {
    const f = frame(root, "Samples");
    f.body.classList.add("tiles");
    return async (value, current) => {
      paintFrame(f, value);
      if (!value.tiles) return;
      const image = await picture(value.tiles);
      if (!current()) return;
      const first = value.seeds[0];
      canvases(f.body, value.n, (i) => `Sample of seed ${first + i}`)
        .forEach((c, i) => { cut(c, image, value.side, i); c.title = `seed ${first + i}`; });
      root.dataset.painted = value.state;
    };
  }

  function strip(root) {
    const f = frame(root, "Interpolation in x_T");
    const row = el("div", { class: "strip" });
    const big = el("canvas", { role: "img", class: "loop", "aria-label": "Interpolation loop" });
    const button = el("button", { type: "button", class: "quiet" }, "Pause loop");
    const pick = el("input", { type: "range", min: 1, max: 2, step: 1, value: 1, "aria-label": "Frame of the strip" });
    f.body.append(row, el("div", { class: "loopbox" }, big, pick, button));
    const hold = (k) => { on = false; button.textContent = "Play loop"; at = k; show(); };
    pick.oninput = () => hold(pick.value - 1);
    let image = null, value = null, at = 0, on = !calm();
    const show = () => {
      const n = value.n, there = at % (2 * n - 2);
      const k = there < n ? there : 2 * n - 2 - there;
      cut(big, image, value.side, k);
      [...row.children].forEach((c, i) => c.classList.toggle("now", i === k));
      pick.max = n; pick.value = k + 1;
    };
    setInterval(() => {
      if (image && on && !document.hidden && root.offsetParent) { // in sight
        at += 1; show();
      }
    }, 110);
    button.textContent = on ? "Pause loop" : "Play loop";
    button.onclick = () => { on = !on; button.textContent = on ? "Pause loop" : "Play loop"; };
    root.transport = {
      toggle: () => button.click(), frames: () => 1,
      by: (d) => { const n = value ? value.n : 1; hold(Math.min(n - 1, Math.max(0, pick.value - 1 + d))); },
    };
    return async (next, current) => {
      paintFrame(f, next);
      if (!next.tiles) return;
      const loaded = await picture(next.tiles);
      if (!current()) return;
      image = loaded; value = next;
      const [from, to] = value.seeds;
      canvases(row, value.n, (i) => `Frame ${i + 1} of ${value.n} between seed ${from} and seed ${to}`)
        .forEach((c, i) => {
          cut(c, image, value.side, i);
          c.onclick = () => hold(i);
        });
      show();
      root.dataset.painted = value.state;
    };
  }

  function duel(root) {
    const f = frame(root, "Trajectories from one x_T");
    const lane = (name) => {
      const x_t = el("canvas", { role: "img", "aria-label": `Player ${name}: x_t` });
      const x0 = el("canvas", { role: "img", "aria-label": `Player ${name}: predicted x0` });
      const label = el("h3", {});
      const t = el("span", { class: "t" });
      const readout = el("dl", { class: "readout" });
      const bar = el("div", { class: "bar" }, el("i"));
      const node = el("div", { class: "lane" }, el("div", { class: "laneHead" }, label, t),
        el("div", { class: "pair" },
          el("figure", {}, x_t, el("figcaption", {}, "x", el("sub", {}, "t"))),
          el("figure", {}, x0, el("figcaption", {}, "x̂", el("sub", {}, "0")))), bar, readout);
      return { name, node, x_t, x0, label, t, readout, bar, image: null, value: null };
    };
    const lanes = { a: lane("A"), b: lane("B") };
    const paint = (position, moving) => {
      const p = Math.min(position, 1);
      for (const l of Object.values(lanes)) {
        if (!l.image) continue;
        const k = Math.round(p * (l.value.t.length - 1));
        cut(l.x_t, l.image, l.value.side, k, 0);
        cut(l.x0, l.image, l.value.side, k, 1);
        const t = l.value.t[k];
        l.t.textContent = t < 0 ? "finished" : `t = ${t}`;
        l.node.dataset.frame = k;
      }
      if (moving) range.value = 1000 * p;
      range.setAttribute("aria-valuetext", Object.values(lanes).map((l) => `${l.name}: ${l.t.textContent}`).join(", "));
    };
    const film = player(paint, () => 2600);
    const t = transport(root, film, "Scrub both trajectories");
    const range = t.range;
    root.transport.frames = () => Math.max(1, ...Object.values(lanes).map((l) => (l.value ? l.value.t.length - 1 : 1)));
    f.body.append(el("div", { class: "lanes" }, lanes.a.node, lanes.b.node), t.node);
    const clear = (l) => {
      l.image = l.value = null;
      for (const canvas of [l.x_t, l.x0]) canvas.width = canvas.height = 1;
      l.label.textContent = `${l.name} · waiting`; l.t.textContent = ""; l.bar.firstChild.style.width = "0";
      l.node.dataset.state = "waiting";
      l.readout.replaceChildren();
    };
    return async (value, current) => {
      const both = [value.a, value.b].filter(Boolean);
      const state = (both.find((v) => v.state === "running") || both.find((v) => v.state !== "done") || both[0] || {}).state;
      paintFrame(f, { state, note: both.map((v) => v.note).find(Boolean) });
      for (const key of ["a", "b"]) {
        const v = value[key], l = lanes[key];
        if (!v) { if (otherStart(l.value, both)) clear(l); continue; }
        l.label.textContent = `${l.name} · ${v.label}`;
        l.bar.firstChild.style.width = `${100 * (v.progress || 0)}%`;
        l.node.dataset.state = v.state;
        l.node.dataset.steps = v.steps;
        l.node.dataset.eta = v.eta;
        showReadout(l.readout, v);
        if (!v.film) continue;
        const image = await picture(v.film);
        if (!current()) return;
        l.image = image; l.value = v;
      }
      film.repaint();
      root.dataset.painted = state;
    };
  }

  const kinds = { samples, strip, duel };

  function panel(kind, element, props, watch) {
    let draw = null, root = null, seq = 0;
    const update = () => {
      const section = element.querySelector("section.panel");
      if (!section) return;
      if (section !== root || !section.firstChild) { root = section; draw = kinds[kind](root); } // empty canvases first
      if (!props.value) { root.dataset.state = "empty"; return; }
      const mine = ++seq;
      draw(JSON.parse(props.value), () => mine === seq).catch((error) => console.warn("ddim: picture not drawn", error));
    };
    watch("value", update);
    update();
  }

  return { panel, kinds, kit: { el, picture, cut, canvases, frame, paintFrame, player, transport, showReadout, otherStart, calm } };
})();
