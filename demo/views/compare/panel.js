// The Compare view: two to four films from one x_T, in step or against their recorded clocks.
(() => {
  "use strict";
  const { el, picture, cut, frame, paintFrame, player, transport, readoutBox, showReadout, stateWord } = window.ddim.kit;
  const OPENING = { most: 1, frame_ms: 120 }; // the model loads and samples beside it, perhaps on the same two cores
  const SHORTEST_S = 1, LONGEST_S = 8; // of the replay

  window.ddim.kinds.race = (root) => {
    const opening = root.dataset.panel === "hero";
    const f = frame(root, opening ? "One noise, three ways" : "From one x_T");
    if (opening) f.body.before(el("p", { class: "cue" }, "DDIM has its picture while DDPM's thousand steps are still noise. Now drag the steps."));
    const row = el("div", { class: "race" });
    let lanes = [], byClock = true;
    // When each frame was there: x̂₀ is known a step after the x_t it is made from, so a film, whole or not yet, ends with it.
    const times = (l) => (l.row && l.value.x0_at_s) || l.value.at_s;
    const ends = (v) => (v.x0_at_s || v.at_s).at(-1);
    const slowest = () => Math.max(0.001, ...lanes.map((l) => (l.value ? ends(l.value) : 0)));
    const film_s = () => Math.min(Math.max(slowest(), SHORTEST_S), LONGEST_S);
    const period = () => (byClock ? 1000 * film_s() : 3000);
    const mode = (on) => el("button", { type: "button", class: "quiet", "aria-pressed": String(on === byClock) }, on ? "By wall clock" : "By step");
    const clockMode = mode(true), stepMode = mode(false);
    const setMode = (on) => {
      byClock = on;
      clockMode.setAttribute("aria-pressed", String(on)); stepMode.setAttribute("aria-pressed", String(!on));
      film.repaint(); say();
    };
    clockMode.onclick = () => setMode(true);
    stepMode.onclick = () => setMode(false);
    const pace = el("p", { class: "pace" });
    const say = () => {
      const speed = slowest() / film_s();
      pace.textContent = !byClock ? "Every film is stretched to the same length."
        : speed > 1.05 ? `Each run was timed alone; replayed at ${speed.toFixed(1)} times its speed.`
          : speed < 0.95 ? `Each run was timed alone; replayed slowed down, at ${Number(speed.toPrecision(2))} times its speed.`
            : "Each run was timed alone; replayed as it was.";
    };
    const paint = (p, moving) => {
      const clock = p * slowest();
      for (const l of lanes) {
        if (!l.image) continue;
        const at = times(l), total = ends(l.value);
        let k = Math.round(p * (at.length - 1));
        if (byClock) { k = 0; while (k + 1 < at.length && at[k + 1] <= clock + 1e-9) k += 1; }
        const shown = `${l.value.film} ${k} ${l.row}`; // most paints move the clock alone
        if (l.shown !== shown) { cut(l.canvas, l.image, k, l.row); l.shown = shown; }
        const done = byClock ? clock >= total - 1e-9 : k === at.length - 1;
        l.clock.textContent = `${(byClock ? Math.min(clock, total) : at[k]).toFixed(2)} s`;
        l.node.classList.toggle("finished", done);
        l.node.dataset.frame = k;
        l.fill.style.width = `${100 * (byClock ? Math.min(1, clock / total) : k / (at.length - 1))}%`;
      }
      if (moving) t.range.value = 1000 * p;
      t.range.setAttribute("aria-valuetext", byClock ? `${clock.toFixed(2)} seconds` : `${Math.round(100 * p)} per cent`);
    };
    const film = player(paint, period, () => root.offsetParent, opening ? OPENING : {});
    const t = transport(root, film, "Scrub the race", [clockMode, stepMode]);
    root.transport.frames = () => 40;
    const seen = el("button", { type: "button", class: "quiet", "aria-pressed": "false" }, "Show x̂₀");
    seen.onclick = () => {
      const on = seen.getAttribute("aria-pressed") !== "true";
      seen.setAttribute("aria-pressed", on);
      for (const l of lanes) l.row = on ? 1 : 0;
      film.repaint();
    };
    t.node.append(seen);
    f.body.append(row, t.node, pace);

    const lane = (i) => {
      const canvas = el("canvas", { role: "img", "aria-label": `Runner ${"ABCD"[i]}`, width: 1, height: 1 });
      const label = el("h3", {}), clock = el("b", { class: "clock" }, "–"), fill = el("i"), readout = readoutBox();
      const chip = el("span", { class: "t" });
      const node = el("div", { class: "lane" }, el("div", { class: "laneHead" }, label, chip), canvas,
        el("div", { class: "bar" }, fill), clock, readout.node);
      return { node, canvas, label, clock, fill, readout, chip, image: null, value: null, row: 0 };
    };

    const clear = (l) => {
      l.image = l.value = null;
      l.canvas.width = l.canvas.height = 1;
      l.shown = null;
      l.clock.textContent = "–"; l.fill.style.width = "0"; l.chip.textContent = "";
      showReadout(l.readout, {});
    };

    return async (value, current) => {
      const { state } = value;
      paintFrame(f, { state, files: value.files, ask: value.lanes.map((v) => v && v.ask).find(Boolean) });
      if (state === "stale") f.chip.textContent = "of earlier settings";
      while (lanes.length > value.lanes.length) lanes.pop().node.remove();
      while (lanes.length < value.lanes.length) { const l = lane(lanes.length); lanes.push(l); row.append(l.node); }
      row.style.setProperty("--lanes", lanes.length);
      for (const [i, v] of value.lanes.entries()) {
        const l = lanes[i];
        l.node.dataset.state = v ? v.state : "waiting";
        if (!v) {
          l.label.textContent = `${"ABCD"[i]} · waiting`;
          clear(l);
          continue;
        }
        const spacing = v.spacing && v.spacing !== "leading" ? ` · ${v.spacing}` : "";
        l.label.textContent = `${"ABCD"[i]} · ${v.state === "stale" ? stateWord(v) : v.label + spacing}`;
        l.chip.textContent = v.state === "running" ? `${Math.round(100 * v.progress)}%` : ["done", "stale"].includes(v.state) ? "" : v.state;
        l.node.dataset.steps = v.steps; l.node.dataset.eta = v.eta;
        showReadout(l.readout, v);
        if (!v.film) continue;
        const image = await picture(v.film);
        if (!current()) return;
        l.image = image; l.value = v;
      }
      say();
      const early = opening && window.ddim.takeOver?.();
      if (early) film.seek(early);
      if (["done", "recorded"].includes(state) && root.dataset.painted !== state && !window.ddim.kit.calm()) t.set(true);
      else film.repaint();
      root.dataset.painted = state;
    };
  };

  // How far the runners' pictures are from the most exact one.
  window.ddim.kinds.apart = (root) => async (value, current) => {
    root.dataset.state = value.state;
    if (!value.tiles) { root.replaceChildren(); return; }
    const image = await picture(value.tiles);
    if (!current()) return;
    root.replaceChildren(el("h3", {}, `Difference from ${value.reference}`),
      el("div", { class: "race", style: `--lanes:${value.rms.length}` }, ...value.rms.map((rms, i) => {
        const canvas = el("canvas", { role: "img", "aria-label": `Runner ${"ABCD"[i]} differs by ${rms}`, width: 1, height: 1 });
        cut(canvas, image, i);
        return el("figure", {}, canvas, el("figcaption", {}, rms === 0 ? "the same" : `RMS ${rms.toFixed(3)} of full range`));
      })));
    root.dataset.painted = value.state;
  };
})();
