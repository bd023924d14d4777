// The 2-D panel: points of a known distribution on their way from noise to data. The server sends one value a
// setting (demo/views/learn/flow.py, flow_value); playing, scrubbing and following a path happen here alone.
(() => {
  "use strict";

  const PERIOD_MS = 5200, REST = 1.22; // one way, and how far past the end the loop waits before it starts again
  const HIDDEN_MS = 300, ROUNDS = 8; // how often it looks whether it is in sight; what it plays by itself
  const NEAR_PX = 16; // how near the pointer must come to follow a path
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function layer(side) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.max(1, side);
    return canvas;
  }

  const indexed = (letter, index) => [letter, el("sub", {}, index)];

  // The parts of the panel, and nothing that draws.
  function build(root) {
    const caption = el("span", { class: "caption" });
    const shape = el("span", { class: "chip" });
    const canvas = el("canvas", { tabindex: 0, role: "img", "aria-keyshortcuts": "Space ArrowLeft ArrowRight Home End" });
    const play = el("button", { type: "button", class: "quiet" }, "Play");
    const range = el("input", { type: "range", min: 0, max: 1000, step: 1, value: 1000, "aria-label": "Place on the way from noise to data" });
    const t = el("output", { class: "t" });
    const follow = el("p", { class: "follow" });
    const note = el("p", { class: "note" });
    const readout = el("dl", { class: "readout" });
    const key = el("ul", { class: "key" },
      el("li", {}, el("i", { class: "start" }), el("span", {}, ...indexed("x", "T"), ": the noise a point starts from")),
      el("li", {}, el("i", { class: "line" }), el("span", {}, ...indexed("x", "t"), ": its path; small dots are steps")),
      el("li", {}, el("i", { class: "dot" }), el("span", {}, "where it is now")),
      el("li", {}, el("i", { class: "shade" }), el("span", {}, "where points should be at this t")));
    root.replaceChildren(
      el("header", {}, el("h2", {}, "Paths with the exact ε"), caption, shape),
      el("p", { class: "lead" }, "The same sampler, sliders and seeds as for pictures, on data whose ε is a formula: no weights."),
      el("div", { class: "flowBody" },
        el("div", { class: "stage" }, canvas, el("div", { class: "transport" }, play, range, t)),
        el("div", { class: "side" }, key, readout, note, follow)));
    return { caption, shape, canvas, play, range, t, follow, note, readout };
  }

  function colours(node) {
    const style = getComputedStyle(node), read = (name) => style.getPropertyValue(name).trim();
    return { accent: read("--accent"), soft: read("--soft"), ink: read("--ink"), card: read("--card"), warn: read("--warn") };
  }

  // The density tiles, coloured: the sheet carries them in its alpha channel only.
  function tint(image, side, count, colour) {
    return Array.from({ length: count }, (_, i) => {
      const tile = layer(side), g = tile.getContext("2d");
      g.drawImage(image, 0, i * side, side, side, 0, 0, side, side);
      g.globalCompositeOperation = "source-in";
      g.fillStyle = colour;
      g.fillRect(0, 0, side, side);
      return tile;
    });
  }

  // Everything on the canvas. Paths do not change while a film runs, so they are drawn once into layers:
  // ``bed`` holds all of them faintly, ``trail`` grows as the points move on.
  function painter(root, canvas) {
    let value = null, image = null, tiles = [], ink = {}, side = 0, unit = 1;
    let bed = layer(1), trail = layer(1), drawn = 0, strength = 0.3, every = 12, width = 1.5;

    const px = (x) => (x / value.span + 1) / 2 * side;
    const py = (y) => (1 - y / value.span) / 2 * side;
    const last = () => value.t.length - 1;

    function place(path, at) { // linear between two steps, as the line drawn there
      const k = Math.min(Math.floor(at), last() - 1), f = at - k, i = 2 * k;
      return [px(path[i] + f * (path[i + 2] - path[i])), py(path[i + 1] + f * (path[i + 3] - path[i + 1]))];
    }

    function stroke(g, path, from, to, colour, alpha, width) {
      g.beginPath();
      g.moveTo(...place(path, from));
      for (let k = Math.floor(from) + 1; k < to; k++) g.lineTo(px(path[2 * k]), py(path[2 * k + 1]));
      g.lineTo(...place(path, to));
      g.globalAlpha = alpha;
      g.strokeStyle = colour;
      g.lineWidth = width * unit;
      g.stroke();
      g.globalAlpha = 1;
    }

    function disc(g, x, y, r, fill, edge, width = 1) {
      g.beginPath();
      g.arc(x, y, r * unit, 0, 2 * Math.PI);
      if (fill) { g.fillStyle = fill; g.fill(); }
      if (edge) { g.strokeStyle = edge; g.lineWidth = width * unit; g.stroke(); }
    }

    function stepDots(g, path, to, colour) {
      if (last() > 60) return; // closer than a dot is wide
      for (let k = 1; k <= to; k++) disc(g, px(path[2 * k]), py(path[2 * k + 1]), 1.7, colour);
    }

    const bold = (i) => i % every === 0;
    const pass = (g, path, i, from, to) =>
      stroke(g, path, from, to, ink.accent, bold(i) ? 0.85 : strength, bold(i) ? width : 1);

    // The trail, up to ``at``. From the start again when the film has gone back, and at rest: a line drawn in
    // many pieces is not quite the line drawn in one.
    function extend(at, anew) {
      const g = trail.getContext("2d");
      if (at < drawn || anew) { g.clearRect(0, 0, side, side); drawn = 0; }
      const whole = Math.floor(at);
      if (whole <= drawn) return;
      value.paths.forEach((path, i) => pass(g, path, i, drawn, whole));
      drawn = whole;
    }

    function prepare() {
      ink = colours(root);
      bed = layer(side);
      trail = layer(side);
      for (const c of [bed, trail]) Object.assign(c.getContext("2d"), { lineJoin: "round", lineCap: "butt" });
      drawn = 0;
      // Thin the ink where there is much of it: a path of 1000 noisy steps is fifty times as long as a smooth one.
      let length = 0;
      for (const p of value.paths) for (let i = 2; i < p.length; i += 2) length += Math.hypot(p[i] - p[i - 2], p[i + 1] - p[i - 1]);
      length /= value.n;
      strength = Math.min(0.42, Math.max(0.05, 1.3 / length));
      every = Math.ceil(value.n / (length < 6 ? 10 : length < 24 ? 4 : 2));
      width = length < 24 ? 1.5 : 1.1;
      const g = bed.getContext("2d");
      for (const path of value.paths) stroke(g, path, 0, last(), ink.soft, strength * 0.4, 1);
      tiles = tint(image, value.cloud.side, value.cloud.levels.length, ink.soft);
    }

    function density(g, at) {
      const k = Math.min(Math.floor(at), last() - 1);
      const level = value.level[k] + (at - k) * (value.level[k + 1] - value.level[k]);
      const place = (1 - level) * (tiles.length - 1), i = Math.min(Math.floor(place), tiles.length - 2);
      g.globalCompositeOperation = "lighter"; // so that the two shares of a blend add up to one
      for (const [tile, share] of [[tiles[i], 1 - place + i], [tiles[i + 1], place - i]]) {
        g.globalAlpha = 0.5 * share;
        g.drawImage(tile, 0, 0, side, side);
      }
      g.globalCompositeOperation = "source-over";
      g.globalAlpha = 1;
    }

    return {
      get ready() { return value !== null && side > 0; },
      get last() { return last(); },
      get value() { return value; },
      take(next, picture) { value = next; image = picture; if (side) prepare(); },
      resize() {
        unit = Math.min(devicePixelRatio || 1, 3);
        const wanted = Math.round(canvas.clientWidth * unit);
        if (!wanted || wanted === side) return;
        canvas.width = canvas.height = side = wanted;
        if (value) prepare();
      },
      recolour() { if (value && side) prepare(); },
      paint(position, followed, anew) {
        const g = canvas.getContext("2d"), at = position * last();
        g.lineJoin = "round";
        g.clearRect(0, 0, side, side);
        density(g, at);
        g.drawImage(bed, 0, 0);
        extend(at, anew);
        g.drawImage(trail, 0, 0);
        value.paths.forEach((path, i) => {
          if (at > drawn) pass(g, path, i, drawn, at);
          if (bold(i)) {
            stepDots(g, path, at, ink.accent);
            disc(g, px(path[0]), py(path[1]), 3.4, ink.card, ink.accent, 1.4);
          }
        });
        for (const path of value.paths) disc(g, ...place(path, at), 2.7, ink.accent, ink.card, 0.9);
        const path = value.paths[followed];
        if (!path) return;
        stroke(g, path, 0, last(), ink.card, 0.8, 4.5);
        stroke(g, path, 0, last(), ink.warn, 1, 2);
        stepDots(g, path, last(), ink.warn);
        disc(g, px(path[0]), py(path[1]), 4.4, ink.card, ink.warn, 2);
        disc(g, ...place(path, at), 5, ink.warn, ink.card, 1.5);
      },
      nearest(x, y) { // in CSS pixels → the path that passes nearest, or −1
        let best = -1, least = (NEAR_PX * unit) ** 2;
        value.paths.forEach((path, i) => {
          for (let k = 0; k < path.length; k += 2) {
            const d = (px(path[k]) - x * unit) ** 2 + (py(path[k + 1]) - y * unit) ** 2;
            if (d < least) { least = d; best = i; }
          }
        });
        return best;
      },
    };
  }

  function describe(v) {
    return `${v.n} points travel from random noise to the distribution "${v.name}" in ${v.steps} step${v.steps === 1 ? "" : "s"} ` +
      `with η = ${v.eta}: ${v.eta === 0 ? "smooth, fixed paths" : "paths shaken by noise"}. ` +
      `${Math.round(100 * v.hit)} % end on the target. Space plays, arrows move along the path.`;
  }

  function start(root) {
    const parts = build(root), art = painter(root, parts.canvas);
    let position = 1, playing = false, begun = false, seen = true, then = 0, timer = 0, asleep = 0, rounds = 0, followed = -1;

    function show(moving) {
      if (!art.ready) return;
      const p = Math.min(position, 1), t = art.value.t[Math.floor(p * art.last + 1e-6)];
      art.paint(p, followed, !moving);
      if (!moving || document.activeElement !== parts.range) parts.range.value = 1000 * p;
      parts.t.textContent = t < 0 ? "finished" : `t = ${t}`;
      parts.range.setAttribute("aria-valuetext", parts.t.textContent);
      const seed = followed < 0 ? "" : ` seed ${art.value.seed + followed}`;
      parts.follow.textContent = seed ? `Following${seed}` : "Point at a path, or tap it, to follow it.";
    }

    function tick(now) {
      if (!playing || !root.isConnected) return;
      if (!seen || !parts.canvas.clientWidth) { // out of sight it waits
        then = now;
        asleep = setTimeout(() => { timer = requestAnimationFrame(tick); }, HIDDEN_MS);
        return;
      }
      timer = requestAnimationFrame(tick);
      const passed = Math.min(Math.max(now - then, 0), 100); // a frame may begin before its cause; a hidden tab resumes
      then = now;
      const rested = position >= 1;
      position += passed / PERIOD_MS;
      if (position > REST) {
        position = 0;
        rounds += 1;
        if (rounds >= ROUNDS) { position = 1; run(false); show(false); return; } // nobody looks for so long
      }
      if (!(rested && position >= 1)) show(true);
    }

    function run(on) {
      cancelAnimationFrame(timer);
      clearTimeout(asleep);
      rounds = 0;
      playing = on;
      parts.play.textContent = on ? "Pause" : "Play";
      root.dataset.playing = on;
      if (!on) { position = Math.min(position, 1); return; }
      if (position >= 1) position = 0;
      then = performance.now();
      timer = requestAnimationFrame(tick);
    }

    function seek(p) {
      run(false);
      position = Math.min(1, Math.max(0, p));
      show(false);
    }

    function point(event) {
      if (!art.ready) return;
      const box = parts.canvas.getBoundingClientRect();
      const next = art.nearest(event.clientX - box.left, event.clientY - box.top);
      if (next !== followed) { followed = next; show(true); }
    }

    root.transport = { // for the page's keys
      toggle: () => run(!playing), frames: () => 50,
      by: (frames, count) => seek(Math.min(position, 1) + frames / Math.max(1, count())),
    };
    parts.play.onclick = () => run(!playing);
    parts.range.oninput = () => seek(parts.range.value / 1000);
    parts.canvas.onpointermove = parts.canvas.onpointerdown = point;
    parts.canvas.onpointerleave = () => { followed = -1; show(true); };
    parts.canvas.onkeydown = (event) => {
      if (!art.ready) return;
      const by = Math.max(1, Math.round(art.last / 50)), here = Math.round(Math.min(position, 1) * art.last);
      const places = { ArrowLeft: here - by, ArrowRight: here + by, Home: 0, End: art.last };
      if (event.key === " ") run(!playing);
      else if (event.key in places) seek(places[event.key] / art.last);
      else return;
      event.preventDefault();
    };

    new ResizeObserver(() => { art.resize(); show(true); }).observe(parts.canvas);
    new IntersectionObserver((entries) => { seen = entries.at(-1).isIntersecting; }).observe(parts.canvas);
    new MutationObserver(() => { art.recolour(); show(true); })
      .observe(document.body, { attributes: true, attributeFilter: ["class"] });
    calm.addEventListener("change", () => { if (calm.matches) seek(1); });

    return async (value, current) => {
      const image = new Image();
      image.src = value.cloud.uri;
      await image.decode();
      if (!current()) return;
      followed = -1;
      art.take(value, image);
      art.resize();
      parts.caption.textContent = value.label;
      parts.shape.textContent = value.name;
      parts.note.textContent = value.note || "";
      parts.canvas.setAttribute("aria-label", describe(value));
      parts.readout.replaceChildren(...value.readout.map(([name, figure, known]) =>
        el("div", {}, el("dt", {}, name), el("dd", {}, figure), el("dd", { class: "known" }, known))));
      if (!begun) { begun = true; run(!calm.matches); }
      show(true);
      Object.assign(root.dataset, { steps: value.steps, eta: value.eta, shape: value.shape, state: value.state, painted: value.state });
    };
  }

  window.ddim.kinds.flow = start;
})();
