// The Interpolate view: a path through key seeds beside its pixel cross-fade, and a sheet one drags through.
(() => {
  "use strict";
  const { el, picture, cut, hasBegun, mirror, canvases, frame, paintFrame, player, transport, calm } = window.ddim.kit;

  const SMALLEST = 26; // px of a thumbnail that still shows its picture
  const NARROW = 480; // px of a panel: below it a sheet of 7 × 7 takes the whole width, not half

  // Pictures in one row of a ribbon: all of them, or, where they would be too small, as many whole ways from key to key
  // as have room, so that every row begins with a key.
  function inRow(n, between, width) {
    const room = Math.max(1, Math.floor(width / SMALLEST));
    return n <= room ? n : room < between ? room : between * Math.floor(room / between);
  }

  window.ddim.kinds.path = (root) => {
    const f = frame(root, "Path through x_T");
    const big = el("canvas", { role: "img", "aria-label": "Picture on the path", width: 1, height: 1 });
    const mixed = el("canvas", { role: "img", "aria-label": "Pixel cross-fade at the same place", width: 1, height: 1 });
    const slerps = el("div", { class: "ribbon" }), fades = el("div", { class: "ribbon" });
    let image = null, fade = null, value = null;
    const paint = (p, moving) => {
      if (!image) return;
      const k = Math.min(value.n - 1, Math.round(p * (value.n - 1)));
      mirror(big, slerps.children[k]);
      if (fade) mirror(mixed, fades.children[k]);
      for (const ribbon of [slerps, fades]) [...ribbon.children].forEach((c, i) => c.classList.toggle("now", i === k));
      root.dataset.frame = k;
      if (moving) t.range.value = 1000 * p;
      t.range.setAttribute("aria-valuetext", `frame ${k + 1} of ${value.n}`);
    };
    const spread = () => {
      if (value && slerps.clientWidth) root.style.setProperty("--in-row", inRow(value.n, value.between, slerps.clientWidth));
    };
    new ResizeObserver(spread).observe(slerps);
    const film = player(paint, () => 120 * (value ? value.n : 10), () => root.offsetParent);
    const t = transport(root, film, "Scrub the path");
    root.transport.frames = () => (value ? value.n - 1 : 1);
    f.body.append(
      el("div", { class: "duo" },
        el("figure", {}, big, el("figcaption", {}, "slerp in x", el("sub", {}, "T"))),
        el("figure", {}, mixed, el("figcaption", {}, "pixel cross-fade"))),
      t.node, slerps, fades);
    return async (next, current) => {
      paintFrame(f, next);
      if (!next.tiles) return;
      const loaded = await picture(next.tiles), mix = next.fade ? await picture(next.fade) : null;
      if (!current()) return;
      image = loaded; fade = mix; value = next;
      spread();
      for (const [ribbon, source, name] of [[slerps, image, "Path"], [fades, fade, "Cross-fade"]]) {
        if (!source) { ribbon.replaceChildren(); continue; }
        canvases(ribbon, value.n, (i) => `${name}, frame ${i + 1} of ${value.n}`).forEach((c, i) => {
          const there = source !== image || hasBegun(value, i);
          if (there) cut(c, source, i);
          c.classList.toggle("old", !there || value.state === "stale");
          c.classList.toggle("key", i % next.between === 0);
          c.onclick = () => { t.set(false); film.seek(i / Math.max(1, value.n - 1)); t.range.value = 1000 * film.position; };
        });
      }
      if (next.state === "done" && root.dataset.painted !== "done" && !calm()) t.set(true); else film.repaint();
      root.dataset.painted = next.state;
    };
  };

  window.ddim.kinds.square = (root) => {
    const f = frame(root, "Sheet of four seeds");
    const big = el("canvas", { role: "img", "aria-label": "Picture at the chosen place", width: 1, height: 1 });
    const said = el("figcaption", {});
    const grid = el("canvas", { class: "map", role: "img", "aria-label": "Sheet of pictures between four seeds; drag through it", width: 1, height: 1 });
    const dot = el("i", { class: "dot" });
    const map = el("div", { class: "mapBox" }, grid, dot);
    const sliders = ["across", "down"].map((name) => el("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0.5, "aria-label": `Place on the sheet, ${name}` }));
    const axes = el("div", { class: "axes" }, ...sliders.map((s, i) => el("label", {}, ["Across", "Down"][i], s)));
    const square = el("div", { class: "square" }, el("figure", { class: "atPlace" }, big, said), map, axes);
    // by script: of a style sheet Gradio drops @container
    new ResizeObserver(() => square.classList.toggle("narrow", square.clientWidth < NARROW)).observe(square);
    f.body.append(square);
    let image = null, value = null, at = [0.5, 0.5], dragging = false;
    const nearest = () => {
      const n = Math.round(Math.sqrt(value.n)), [x, y] = at.map((w) => Math.round(w * (n - 1)));
      return [n, x, y];
    };
    const near = () => {
      const n = value ? Math.round(Math.sqrt(value.n)) : 7, on = (w) => `${100 * (0.5 / n + w * (1 - 1 / n))}%`; // cell centres
      dot.style.left = on(at[0]); dot.style.top = on(at[1]);
      sliders.forEach((s, i) => { s.value = at[i]; });
      if (!image) return;
      const [, x, y] = nearest();
      cut(big, grid, x, y);
      big.classList.toggle("old", !hasBegun(value, y * n + x));
      said.textContent = `nearest of ${value.n} · S = ${value.steps}`;
      root.dataset.shown = "nearest";
    };
    const move = (event) => {
      const box = map.getBoundingClientRect(), pad = box.width / (2 * Math.sqrt(value ? value.n : 49));
      at = [(event.clientX - box.left - pad) / (box.width - 2 * pad), (event.clientY - box.top - pad) / (box.height - 2 * pad)]
        .map((w) => Math.min(1, Math.max(0, w)));
      near();
    };
    map.onpointerdown = (event) => { dragging = true; map.setPointerCapture(event.pointerId); move(event); };
    map.onpointermove = (event) => { if (dragging) move(event); };
    map.onpointerup = map.onpointercancel = () => { if (dragging) { dragging = false; window.ddim.set({ place: at.map((w) => Number(w.toFixed(4))) }); } };
    sliders.forEach((s, i) => {
      s.oninput = () => { at[i] = Number(s.value); near(); };
      s.onchange = () => window.ddim.set({ place: at.map((w) => Number(w.toFixed(4))) });
    });
    return async (next, current) => {
      const { sheet, place } = next;
      const { state } = next, ask = [sheet, place].map((v) => v && v.ask).find(Boolean);
      paintFrame(f, { ...(sheet || {}), state, ask, files: next.files, label: sheet ? `${sheet.n} pictures · ${sheet.label}` : "" });
      if (state === "stale") f.chip.textContent = "of earlier settings";
      if (sheet && sheet.tiles) {
        const loaded = await picture(sheet.tiles);
        if (!current()) return;
        image = loaded; value = sheet;
        const n = Math.round(Math.sqrt(value.n)), [w, h] = image.tile;
        if (grid.width !== n * w || grid.height !== n * h) {
          [grid.width, grid.height] = [n * w, n * h];
          grid.style.aspectRatio = w === h ? "" : `${w} / ${h}`;
        }
        grid.tile = [w, h];
        const pen = grid.getContext("2d");
        for (let i = 0; i < value.n; i += 1) if (hasBegun(value, i)) pen.drawImage(image, i * w, 0, w, h, (i % n) * w, Math.floor(i / n) * h, w, h);
        root.dataset.sheet = sheet.state;
      }
      if (place && place.tiles && !dragging) {
        const loaded = await picture(place.tiles);
        if (!current()) return;
        if (place.at) at = place.at;
        near();
        cut(big, loaded, 0);
        big.classList.remove("old");
        said.textContent = place.state === "coarse" ? `coarse · ${place.label}` : place.state === "stale" ? `from ${place.label}` : `${place.label}${place.readout ? ` · ${place.readout[0][1]}` : ""}`;
        root.dataset.shown = place.state;
      } else if (!dragging) near();
      root.dataset.painted = state;
    };
  };
})();
