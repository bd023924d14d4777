// The Explore view: two trajectories from one x_T, the strip between two seeds, samples.
(() => {
  "use strict";
  const { el, picture, cut, hasBegun, mirror, canvases, frame, paintFrame, player, transport, readoutBox, showReadout, stateWord, calm } = window.ddim.kit;
  const { kinds } = window.ddim;
  const LOOP_MS = 110, ROUNDS = 12;

  // Tiles that are whole or on their way; the rest keep what they showed, dimmed.
  function fill(list, image, value) {
    list.forEach((canvas, i) => {
      const there = hasBegun(value, i);
      const shown = `${value.tiles} ${i}`;
      if (there && canvas.shown !== shown) cut(canvas, image, i);
      if (there) canvas.shown = shown;
      canvas.classList.toggle("old", !there || value.state === "stale");
    });
  }

  kinds.samples = (root) => {
    const f = frame(root, "Samples");
    const box = el("div", { class: "tiles" }), chosen = el("div", { class: "chosen", role: "group" });
    f.body.append(box, chosen);
    // What may be done with one of them.
    const choose = (seed) => {
      const { set, settings, known } = window.ddim;
      const does = (label, patch) => {
        const button = el("button", { type: "button", class: "btn" }, label);
        button.onclick = () => { chosen.replaceChildren(); set(patch()); };
        return button;
      };
      const most = known.fields.keys.most;
      const keys = () => [...settings.keys.filter((key) => key !== seed).slice(0, most - 1), seed];
      chosen.setAttribute("aria-label", `Seed ${seed}`);
      chosen.replaceChildren(el("b", {}, `Seed ${seed}`), does("Start from it", () => ({ seed })),
        does("Blend to it", () => ({ seed_to: seed })), does("Add it to Interpolate", () => ({ keys: keys(), view: "interpolate" })));
      chosen.querySelector("button").focus({ preventScroll: true });
    };
    return async (value, current) => {
      paintFrame(f, value);
      root.dataset.seed = value.seeds[0];
      if (!value.tiles) return;
      const image = await picture(value.tiles);
      if (!current()) return;
      const first = value.seeds[0];
      box.style.setProperty("--across", value.n > 16 ? 8 : 4); // no row is begun and left
      const tiles = canvases(box, value.n, (i) => `Sample of seed ${first + i}`);
      tiles.forEach((c, i) => {
        c.title = `seed ${first + i}`;
        c.setAttribute("role", "button");
        c.tabIndex = 0;
        c.onclick = () => choose(first + i);
        c.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(first + i); } };
      });
      fill(tiles, image, value);
      root.dataset.painted = value.state;
    };
  };

  kinds.strip = (root) => {
    const f = frame(root, "Interpolation in x_T");
    const row = el("div", { class: "strip" });
    const big = el("canvas", { role: "img", class: "loop", "aria-label": "Interpolation loop" });
    const button = el("button", { type: "button", class: "quiet" }, "Pause loop");
    const pick = el("input", { type: "range", min: 1, max: 2, step: 1, value: 1, "aria-label": "Frame of the strip" });
    f.body.append(row, el("div", { class: "loopbox" }, big, pick, button));
    const hold = (k) => { on = false; pace(); button.textContent = "Play loop"; at = k; show(); };
    pick.oninput = () => hold(pick.value - 1);
    let image = null, value = null, at = 0, on = !calm();
    const show = () => {
      const n = value.n, there = at % (2 * n - 2);
      const k = there < n ? there : 2 * n - 2 - there;
      mirror(big, row.children[k]);
      [...row.children].forEach((c, i) => c.classList.toggle("now", i === k));
      pick.max = n; pick.value = k + 1;
    };
    let timer = 0, begun = 0;
    const tick = () => {
      if (!image || document.hidden || !root.offsetParent) return; // out of sight
      at += 1;
      if (at - begun > ROUNDS * (2 * value.n - 2)) button.click(); else show(); // nobody looks for so long
    };
    const pace = () => { clearInterval(timer); begun = at; timer = on ? setInterval(tick, LOOP_MS) : 0; };
    pace();
    button.textContent = on ? "Pause loop" : "Play loop";
    button.onclick = () => { on = !on; pace(); button.textContent = on ? "Pause loop" : "Play loop"; };
    root.transport = {
      toggle: () => button.click(), frames: () => 1,
      by: (d) => { const n = value ? value.n : 1; hold(Math.min(n - 1, Math.max(0, pick.value - 1 + d))); },
    };
    return async (next, current) => {
      paintFrame(f, next);
      if (!next.tiles) return;
      const loaded = await picture(next.tiles);
      if (!current()) return;
      image = loaded; value = next; begun = at;
      const [from, to] = value.seeds;
      const tiles = canvases(row, value.n, (i) => `Frame ${i + 1} of ${value.n} between seed ${from} and seed ${to}`);
      tiles.forEach((c, i) => { c.onclick = () => hold(i); });
      fill(tiles, image, value);
      show();
      root.dataset.painted = value.state;
    };
  };

  kinds.duel = (root) => {
    const f = frame(root, "Trajectories from one x_T");
    const lane = (name) => {
      const x_t = el("canvas", { role: "img", "aria-label": `Player ${name}: x_t` });
      const x0 = el("canvas", { role: "img", "aria-label": `Player ${name}: predicted x0` });
      const label = el("h3", {});
      const t = el("span", { class: "t" });
      const readout = readoutBox();
      const bar = el("div", { class: "bar" }, el("i"));
      const node = el("div", { class: "lane" }, el("div", { class: "laneHead" }, label, t),
        el("div", { class: "pair" },
          el("figure", {}, x_t, el("figcaption", {}, "x", el("sub", {}, "t"))),
          el("figure", {}, x0, el("figcaption", {}, "x̂", el("sub", {}, "0")))), bar, readout.node);
      return { name, node, x_t, x0, label, t, readout, bar, image: null, value: null };
    };
    const lanes = { a: lane("A"), b: lane("B") };
    const { sweep } = window.ddim.known.opening;
    let sheet = null, swept = 0;
    if (sweep) picture(sweep.tiles).then((image) => { sheet = image; });

    // While the steps are dragged, the opening seed's picture at that S is there at once, from a recorded sweep; what is
    // computed takes its place.
    window.ddim.onSettings((names) => {
      const { steps, eta, seed, spacing, solver, checkpoint } = window.ddim.settings, l = lanes.a;
      if (!names.length) return;
      swept = 0;
      if (!names.includes("steps") || !sheet || eta > 0 || solver !== "ddim") return;
      if (seed !== sweep.seed || spacing !== sweep.spacing || checkpoint !== sweep.checkpoint) return;
      const k = sweep.steps.indexOf(steps);
      if (k < 0) return;
      swept = steps;
      l.image = l.value = null;
      for (const canvas of [l.x_t, l.x0]) cut(canvas, sheet, k);
      l.label.textContent = `A · S = ${steps} · η = 0, recorded`;
      l.t.textContent = "";
      l.node.dataset.state = "recorded";
      l.node.dataset.steps = steps;
    });
    const paint = (position, moving) => {
      const p = Math.min(position, 1);
      for (const l of Object.values(lanes)) {
        if (!l.image) continue;
        const k = Math.round(p * (l.value.t.length - 1));
        cut(l.x_t, l.image, k, 0);
        cut(l.x0, l.image, k, 1);
        const t = l.value.t[k];
        l.t.textContent = t < 0 ? "finished" : `t = ${t}`;
        l.node.dataset.frame = k;
      }
      if (moving) range.value = 1000 * p;
      range.setAttribute("aria-valuetext", Object.values(lanes).map((l) => `${l.name}: ${l.t.textContent}`).join(", "));
    };
    const film = player(paint, () => 2600, () => root.offsetParent);
    const t = transport(root, film, "Scrub both trajectories");
    const range = t.range;
    root.transport.frames = () => Math.max(1, ...Object.values(lanes).map((l) => (l.value ? l.value.t.length - 1 : 1)));
    f.body.append(el("div", { class: "lanes" }, lanes.a.node, lanes.b.node), t.node);
    const clear = (l) => {
      l.image = l.value = null;
      for (const canvas of [l.x_t, l.x0]) canvas.width = canvas.height = 1;
      l.label.textContent = `${l.name} · waiting`; l.t.textContent = ""; l.bar.firstChild.style.width = "0";
      l.node.dataset.state = "waiting";
      showReadout(l.readout, {});
    };
    return async (value, current) => {
      const both = [value.a, value.b].filter(Boolean), { state } = value;
      const ask = both.map((v) => v.ask).find(Boolean);
      paintFrame(f, { state, ask, note: both.map((v) => v.note).find(Boolean), files: value.files });
      f.chip.textContent = both.some((v) => v.state === "stale") && state === "stale" ? "of earlier settings" : f.chip.textContent;
      for (const key of ["a", "b"]) {
        const v = value[key], l = lanes[key];
        if (!v) { clear(l); continue; }
        if (key === "a" && swept && ["coarse", "stale"].includes(v.state)) continue; // the recorded one is the picture itself
        l.label.textContent = `${l.name} · ${v.state === "stale" ? stateWord(v) : v.label}`;
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
  };
})();
