// Quality against time, one curve for each η, both axes logarithmic. A point is a button that sets the sliders;
// the dot is where the sliders are now.
(() => {
  "use strict";
  const { el, frame, paintFrame } = window.ddim.kit;
  const SVG = "http://www.w3.org/2000/svg", LEFT = 62, RIGHT = 14, TOP = 12, BOTTOM = 40;
  const MARKS = 6; // kinds of line, in theme/style.css
  const NEAR = 14; // px: how far from a point a finger may be

  function svg(tag, attributes = {}, ...children) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  // Ends of a point's bar; where the spread nears the distance, a logarithmic axis would have no end.
  const ends = ([, , d, spread]) => [Math.max(d - spread, d / 3, 0.1), d + spread];

  const time = (s) => (s < 1 ? `${Number((1000 * s).toPrecision(2))} ms` : s < 90 ? `${Number(s.toPrecision(2))} s` : `${Number((s / 60).toPrecision(2))} min`);

  // 1, 2, 5 times a power of ten from low to high, as few as fit.
  function ticks(low, high, most) {
    const all = [];
    for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++) {
      for (const m of [1, 2, 5]) { const v = m * 10 ** p; if (v >= low * 0.999 && v <= high * 1.001) all.push(v); }
    }
    if (all.length <= most) return all;
    const tens = all.filter((v) => Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-9);
    return tens.length > 1 ? tens : all.filter((_, i) => i % Math.ceil(all.length / most) === 0);
  }

  function draw(picture, value, width, hidden) {
    const W = width, H = Math.max(260, Math.min(430, 0.55 * width));
    const points = value.curves.filter((c) => !hidden.has(c.name)).flatMap((c) => c.points), dot = value.dot;
    const ys = points.flatMap(ends).concat(value.floor || []), xs = points.map((p) => p[1]).concat(dot.time);
    const x0 = Math.log(Math.min(...xs)) - 0.15, x1 = Math.log(Math.max(...xs)) + 0.15;
    const y0 = Math.log(Math.max(0.1, Math.min(...ys))) - 0.05, y1 = Math.log(Math.max(...ys)) + 0.05;
    const x = (v) => LEFT + (W - LEFT - RIGHT) * (Math.log(v) - x0) / (x1 - x0);
    const y = (v) => H - BOTTOM - (H - TOP - BOTTOM) * (Math.log(Math.max(v, 0.1)) - y0) / (y1 - y0);
    const text = (words, at) => { const node = svg("text", at); node.textContent = words; return node; };
    const parts = [];
    for (const v of ticks(Math.exp(y0), Math.exp(y1), 7)) {
      parts.push(svg("line", { class: "rule", x1: LEFT, x2: W - RIGHT, y1: y(v), y2: y(v) }), text(String(v), { x: LEFT - 8, y: y(v) + 4, "text-anchor": "end" }));
    }
    for (const v of ticks(Math.exp(x0), Math.exp(x1), Math.max(3, Math.floor(W / 90)))) {
      parts.push(svg("line", { class: "rule", x1: x(v), x2: x(v), y1: TOP, y2: H - BOTTOM }), text(time(v), { x: x(v), y: H - BOTTOM + 16, "text-anchor": "middle" }));
    }
    parts.push(text(value.axis, { class: "axisName", x: W - RIGHT, y: H - 6, "text-anchor": "end" }));
    parts.push(text("Fréchet distance, lower is better", { class: "axisName", transform: `translate(14 ${TOP + (H - TOP - BOTTOM) / 2}) rotate(-90)`, "text-anchor": "middle" }));
    if (value.floor) {
      parts.push(svg("line", { class: "floor", x1: LEFT, x2: W - RIGHT, y1: y(value.floor), y2: y(value.floor) }),
        text("held-out data", { class: "floorName", x: LEFT + 4, y: y(value.floor) - 5 }));
    }
    parts.push(svg("line", { class: "now", x1: x(dot.time), x2: x(dot.time), y1: TOP, y2: H - BOTTOM }));
    const centres = points.map((p) => [x(p[1]), y(p[2])]);
    // What answers the pointer ends half-way to the next point, so that hardly one lies over another.
    const room = (cx, cy) => Math.max(3, Math.min(NEAR, ...centres.map(([a, b]) => Math.hypot(a - cx, b - cy) / 2).filter((d) => d > 0)));
    const targets = []; // [x, y, what a click does]: nothing where no slider has the value
    value.curves.forEach((c, i) => {
      if (hidden.has(c.name)) return;
      const kind = `curve k${i % MARKS}`;
      parts.push(svg("polyline", { class: kind, points: c.points.map((p) => `${x(p[1])},${y(p[2])}`).join(" ") }));
      for (const point of c.points) {
        const [S, t, d, spread] = point, [low, high] = ends(point);
        const said = `S = ${S}, ${c.name}: distance ${d.toFixed(1)} ± ${spread.toFixed(1)}, about ${time(t)} here`;
        const mark = svg("circle", { class: kind, cx: x(t), cy: y(d), r: 5 });
        const group = svg("g", { class: "point", role: "img", "aria-label": said },
          svg("line", { class: kind, x1: x(t), x2: x(t), y1: y(high), y2: y(low) }), mark, svg("circle", { class: "hit", cx: x(t), cy: y(d), r: room(x(t), y(d)) }));
        const title = svg("title"); title.textContent = said; group.append(title);
        const go = c.eta === null ? null : () => window.ddim.set({ steps: S, eta: c.eta });
        targets.push([x(t), y(d), go]);
        if (go) {
          Object.entries({ role: "button", tabindex: 0, "data-steps": S, "data-eta": c.eta }).forEach(([k, v]) => group.setAttribute(k, v));
          group.onclick = (event) => { if (!event.detail) { event.stopPropagation(); go(); } }; // not of a pointer
          group.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); go(); } };
        }
        parts.push(group);
      }
    });
    if (dot.distance !== null) parts.push(svg("circle", { class: "dot", cx: x(dot.time), cy: y(dot.distance), r: 8 }));
    picture.onclick = (event) => { // the nearest, where several are under a finger
      const box = picture.getBoundingClientRect(), away = ([cx, cy]) => Math.hypot(box.x + cx - event.clientX, box.y + cy - event.clientY);
      const nearest = targets.reduce((a, b) => (!a || away(b) < away(a) ? b : a), null);
      if (nearest && away(nearest) <= NEAR) nearest[2]?.();
    };
    const held = picture.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    picture.setAttribute("viewBox", `0 0 ${W} ${H}`);
    picture.setAttribute("height", H);
    picture.replaceChildren(...parts);
    if (held) [...picture.querySelectorAll("[tabindex]")].find((n) => n.getAttribute("aria-label") === held)?.focus();
  }

  window.ddim.kinds.tradeoff = (root) => {
    const f = frame(root, "Quality against time");
    const picture = svg("svg", { width: "100%", role: "group", "aria-label": "Fréchet distance against time" });
    const key = el("ul", { class: "curveKey" }), said = el("p", { class: "said", role: "status" }), best = el("p", { class: "best" });
    const claimed = el("span"), race = el("button", { type: "button", class: "quiet" }, "Race the two");
    const claim = el("p", { class: "claim" }, claimed, race);
    f.body.append(best, claim, picture, key, said);
    let value = null, hidden = null;
    const paint = () => { if (value && value.curves.length && picture.clientWidth) draw(picture, value, picture.clientWidth, hidden); };
    // A line's name shows and hides it; one line stays.
    const legend = () => key.replaceChildren(...value.curves.map((c, i) => {
      const name = el("button", { type: "button", "aria-pressed": String(!hidden.has(c.name)) }, el("i", { class: `k${i % MARKS}` }), c.name);
      name.onclick = () => {
        if (hidden.has(c.name)) hidden.delete(c.name);
        else if (hidden.size + 1 < value.curves.length) hidden.add(c.name);
        name.setAttribute("aria-pressed", !hidden.has(c.name));
        paint();
      };
      return el("li", {}, name);
    }));
    new ResizeObserver(paint).observe(root);
    return async (next) => {
      value = next;
      paintFrame(f, value);
      f.chip.textContent = value.state === "done" ? "measured, n is small" : "not measured";
      picture.style.display = value.curves.length ? "" : "none";
      const names = value.curves.map((c) => c.name).join();
      if (names !== root.dataset.curves) {
        root.dataset.curves = names;
        // σ̂ is no value of η's slider, and its curve lies so high that the others are flat beside it
        hidden = new Set(value.curves.filter((c) => c.name === "σ̂" && value.curves.length > 1).map((c) => c.name));
        legend();
      }
      said.textContent = value.said || "";
      best.textContent = value.best || "";
      claim.hidden = !value.claim;
      claimed.textContent = value.claim ? value.claim.said : "";
      race.hidden = !value.claim?.lanes;
      race.onclick = () => window.ddim.set({ view: "compare", lanes: value.claim.lanes });
      paint();
      root.dataset.painted = value.state;
    };
  };
})();
