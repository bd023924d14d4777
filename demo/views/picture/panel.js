// Your picture: places to drop one and choose its part, the way to x_T and back, how Gaussian it is, the error against S.
(() => {
  "use strict";
  const { el, picture, cut, canvases, frame, paintFrame, player, transport, calm } = window.ddim.kit;
  const { kinds } = window.ddim;
  const NS = "http://www.w3.org/2000/svg";
  const svg = (tag, attributes, text) => {
    const node = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const clamp = (v) => Math.min(1, Math.max(0, v));

  // A place for a picture: drop, choose or paste one, or take an example; then move and zoom the square that is taken.
  kinds.given = (root) => {
    const second = root.dataset.panel === "picture_to";
    const f = frame(root, second ? "A second picture" : "Your picture");
    const pick = el("input", { type: "file", accept: "image/*", class: "hidden", "aria-label": second ? "Second picture" : "Picture" });
    const choose = el("button", { type: "button", class: "btn primary" }, "Choose a picture");
    const other = el("button", { type: "button", class: "btn" }, "Random example");
    const stage = el("canvas", { class: "stage", role: "img", "aria-label": "The whole picture", width: 1, height: 1 });
    const hole = el("div", { class: "hole", tabindex: 0, role: "group", "aria-label": "The part that is taken: arrow keys move it" });
    const box = el("div", { class: "stageBox" }, stage, hole);
    const zoom = el("input", { type: "range", min: 1, max: 1, step: 0.01, value: 1, "aria-label": "Zoom in on the picture" });
    const zoomed = el("label", { class: "zoom" }, el("span", {}, "Zoom"), zoom);
    const said = el("p", { class: "said", role: "status" });
    const examples = el("div", { class: "examples", role: "group", "aria-label": "Examples" });
    const note = el("p", { class: "said" }, "Examples are of the same kind as the training's pictures, and were not among them.");
    f.body.append(box, said, zoomed, el("div", { class: "buttons" }, choose, other, pick), examples, note);
    let value = null, crop = [0.5, 0.5, 1], zooming = false;

    const place = () => { // the square, as shares of the picture
      const { width, height } = value, side = Math.min(width, height) / crop[2];
      hole.style.width = `${(100 * side) / width}%`;
      hole.style.height = `${(100 * side) / height}%`;
      hole.style.left = `${(100 * (width - side) * crop[0]) / width}%`;
      hole.style.top = `${(100 * (height - side) * crop[1]) / height}%`;
      root.dataset.crop = crop.join(",");
    };
    const put = (next) => { crop = next.map((v) => Number(v.toFixed(3))); place(); };
    const keep = () => window.ddim.set({ [value.crop_setting]: crop });
    const take = (name) => window.ddim.set({ [value.setting]: name, [value.crop_setting]: [0.5, 0.5, 1] });

    const give = async (file) => {
      if (!file) return;
      said.textContent = "Sending…";
      try {
        take(await window.ddim.give(file));
        said.textContent = "";
      } catch (error) {
        said.textContent = error.message;
      }
    };
    choose.onclick = () => pick.click();
    pick.onchange = () => { give(pick.files[0]); pick.value = ""; };
    root.ondragover = (event) => { event.preventDefault(); root.classList.add("over"); };
    root.ondragleave = () => root.classList.remove("over");
    root.ondrop = (event) => { event.preventDefault(); root.classList.remove("over"); give(event.dataTransfer.files[0]); };
    root.addEventListener("paste", (event) => { const file = [...event.clipboardData.files][0]; if (file) { event.preventDefault(); give(file); } });
    other.onclick = () => {
      const own = value.name.startsWith("example-") ? Number(value.name.slice(8)) : -1;
      let k = Math.floor(Math.random() * value.n);
      if (k === own) k = (k + 1) % value.n;
      take(`example-${k}`);
    };

    let from = null;
    hole.onpointerdown = (event) => { hole.setPointerCapture(event.pointerId); from = [event.clientX, event.clientY, ...crop]; };
    hole.onpointermove = (event) => {
      if (!from) return;
      const whole = box.getBoundingClientRect(), part = hole.getBoundingClientRect();
      const share = (moved, room) => (room > 1 ? moved / room : 0);
      put([clamp(from[2] + share(event.clientX - from[0], whole.width - part.width)),
        clamp(from[3] + share(event.clientY - from[1], whole.height - part.height)), crop[2]]);
    };
    hole.onpointerup = hole.onpointercancel = () => { if (from) { from = null; keep(); } };
    hole.onkeydown = (event) => {
      const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [];
      if (x === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      put([clamp(crop[0] + 0.05 * x), clamp(crop[1] + 0.05 * y), crop[2]]);
      keep();
    };
    zoom.oninput = () => { zooming = true; put([crop[0], crop[1], Number(zoom.value)]); };
    zoom.onchange = () => { zooming = false; keep(); };

    return async (next, current) => {
      paintFrame(f, { ...next, label: "" });
      f.chip.textContent = "";
      const image = next.source ? await picture(next.source) : null, row = next.examples ? await picture(next.examples) : null;
      if (!current()) return;
      value = next;
      if (next.said || !said.textContent.startsWith("Sending")) said.textContent = next.said;
      box.classList.toggle("hidden", !image);
      zoomed.classList.toggle("hidden", !image || next.room < 1.05);
      other.classList.toggle("hidden", !next.n);
      note.classList.toggle("hidden", !next.n);
      if (image) {
        box.style.setProperty("--aspect", next.width / next.height);
        box.classList.toggle("small", next.width < 200);
        [stage.width, stage.height] = [image.naturalWidth, image.naturalHeight];
        stage.getContext("2d").drawImage(image, 0, 0);
        zoom.max = Math.min(16, Math.max(1, next.room));
        if (from || zooming) place(); // the square stays in the hand that holds it
        else { // and an answer to an older change does not move it back
          crop = window.ddim.answered ? next.crop : window.ddim.settings[next.crop_setting];
          zoom.value = crop[2];
          place();
        }
      }
      if (row) {
        canvases(examples, next.n, (i) => `Example ${i + 1}`).forEach((c, i) => {
          cut(c, row, i);
          c.setAttribute("role", "button");
          c.setAttribute("aria-pressed", next.name === `example-${i}`);
          c.tabIndex = 0;
          c.onclick = () => take(`example-${i}`);
          c.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); take(`example-${i}`); } };
        });
      } else examples.replaceChildren();
      root.dataset.painted = next.name;
    };
  };

  // The way of one picture, up to x_T and down again, and its three stations.
  kinds.journey = (root) => {
    const f = frame(root, "Up to x_T and back");
    const tile = (name) => el("canvas", { role: "img", "aria-label": name, width: 1, height: 1 });
    const big = tile("The picture on its way"), wanted = tile("The picture as the network sees it"), noise = tile("Its x_T"), back = tile("What came back");
    const at = el("figcaption", {});
    const film = player((p) => paint(p), () => 120 * Math.max(10, frames()), () => root.offsetParent, { most: 2 });
    const t = transport(root, film, "Scrub the way up and back");
    root.transport.frames = () => Math.max(1, frames() - 1);
    f.body.append(el("div", { class: "journey" },
      el("figure", { class: "way" }, big, at),
      el("div", { class: "stations" },
        el("figure", {}, wanted, el("figcaption", {}, "in")),
        el("figure", {}, noise, el("figcaption", {}, "its x", el("sub", {}, "T"))),
        el("figure", { class: "arrived" }, back, el("figcaption", {}, "back")))), t.node);
    let value = null, image = null;
    const frames = () => (value && value.t ? value.t.length : 1);
    function paint(p) {
      if (!image) return;
      const n = frames(), k = Math.round(p * (n - 1)), top = (n - 1) / 2, step = value.t[k];
      cut(big, image, k);
      at.textContent = n === 1 ? `t = ${step}` : k === 0 ? "the picture" : k === top ? `x_T, t = ${step}` : k === n - 1 ? "what came back" : `${k <= top ? "up" : "down"} · t = ${step}`;
      t.range.value = 1000 * p;
      root.dataset.frame = k;
    }
    return async (next, current) => {
      paintFrame(f, next);
      if (next.state === "none") f.chip.textContent = "";
      const [own, moving, ends] = [next.wanted, next.journey, next.tiles].map((id) => (id ? picture(id) : null));
      const [given, way, came] = [await own, await moving, await ends];
      if (!current()) return;
      if (given) cut(wanted, given, 0);
      if (next.state === "none") for (const c of [big, wanted, noise, back]) c.width = c.height = 1;
      if (way) {
        const fresh = next.state === "done" && (!value || value.journey !== next.journey);
        value = next; image = way;
        if (next.state === "done") cut(noise, way, (frames() - 1) / 2);
        if (came) cut(back, came, 0);
        [noise, back].forEach((c) => c.classList.toggle("old", next.state !== "done"));
        if (fresh && !calm()) { film.seek(0); t.set(true); } else if (!film.playing) film.seek(next.state === "done" ? 0.5 : 1);
      }
      root.dataset.painted = next.state;
    };
  };

  // The values of x_T against the bell that a seed's noise has.
  kinds.gauss = (root) => {
    const f = frame(root, "Is its x_T noise?");
    const plot = svg("svg", { viewBox: "0 0 320 120", class: "plot", role: "img" });
    const figures = el("dl", { class: "figures" }), said = el("p", { class: "said" });
    f.body.append(plot, figures, said);
    return async (value) => {
      paintFrame(f, value);
      f.chip.textContent = value.state === "waiting" ? "waiting" : "";
      if (!value.counts) return;
      const n = value.counts.length, high = Math.max(...value.counts, ...value.expected), w = 320 / n;
      const y = (v) => 104 - (98 * v) / high;
      plot.replaceChildren(
        ...value.counts.map((v, i) => svg("rect", { class: "count", x: i * w + 0.5, y: y(v), width: w - 1, height: 104 - y(v) })),
        svg("polyline", { class: "bell", points: value.expected.map((v, i) => `${(i + 0.5) * w},${y(v)}`).join(" ") }),
        ...[-3, -2, -1, 0, 1, 2, 3].map((v) => svg("text", { x: 160 + (v * 160) / value.edge, y: 117, "text-anchor": "middle" }, v)));
      plot.setAttribute("aria-label", `Histogram of x_T, ${value.figures.map(([name, v]) => `${name} ${v}`).join(", ")}; the line is the normal distribution`);
      figures.replaceChildren(...value.figures.map(([name, v, ...known]) =>
        el("div", {}, el("dt", {}, name), el("dd", {}, v), ...known.map((one) => el("dd", { class: "known" }, one)))));
      said.textContent = value.said;
      root.dataset.painted = value.state;
    };
  };

  // The error of the way there and back against S, both on logarithmic axes.
  kinds.errors = (root) => {
    const f = frame(root, "Error of the way back against S");
    const plot = svg("svg", { viewBox: "0 0 320 150", class: "plot", role: "img" });
    const keys = el("p", { class: "keys" }), said = el("p", { class: "said" }, "Mean square of the difference, pixels from 0 to 1. Nothing is lost but what each step rounds off: smaller steps, smaller error.");
    f.body.append(plot, keys, said);
    const [left, right, top, bottom] = [44, 312, 8, 128];
    return async (value) => {
      paintFrame(f, value);
      f.chip.textContent = ["done", "none"].includes(value.state) ? "" : value.state === "asked" ? "waiting for your word" : value.state;
      const all = (value.lines || []).flatMap((line) => line.points);
      if (!all.length) { plot.replaceChildren(); keys.replaceChildren(); return; }
      const logs = all.map(([, e]) => Math.log10(Math.max(e, 1e-12)));
      const low = Math.floor(Math.min(...logs)), high = Math.max(low + 1, Math.ceil(Math.max(...logs)));
      const S = [...new Set(all.map(([s]) => s))].sort((a, b) => a - b), [s0, s1] = [Math.log(S[0]), Math.log(Math.max(S.at(-1), S[0] + 1))];
      const x = (s) => left + ((right - left) * (Math.log(s) - s0)) / (s1 - s0 || 1);
      const y = (e) => bottom - ((bottom - top) * (Math.log10(Math.max(e, 1e-12)) - low)) / (high - low);
      const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
      const written = S.filter((s, i) => S.slice(0, i).every((one) => Math.abs(x(one) - x(s)) > 16));
      plot.replaceChildren(
        ...ticks.flatMap((e) => [svg("line", { class: "rule", x1: left, x2: right, y1: y(e), y2: y(e) }), svg("text", { x: left - 6, y: y(e) + 3, "text-anchor": "end" }, `1e${Math.round(Math.log10(e))}`)]),
        ...written.map((s) => svg("text", { x: x(s), y: 143, "text-anchor": "middle" }, s)),
        ...value.lines.flatMap((line, i) => [
          svg("polyline", { class: `line l${i}`, points: line.points.map(([s, e]) => `${x(s)},${y(e)}`).join(" ") }),
          ...line.points.map(([s, e]) => {
            const dot = svg("circle", { class: `dot l${i}`, cx: x(s), cy: y(e), r: s === value.S ? 4.5 : 2.8 });
            dot.append(svg("title", {}, `S = ${s}, ${line.name}: ${e.toExponential(1)}`));
            return dot;
          })]));
      keys.replaceChildren(...value.lines.filter((line) => line.points.length).map((line) => el("span", { class: `l${value.lines.indexOf(line)}` }, line.name)));
      plot.setAttribute("aria-label", value.lines.map((line) => `${line.name}: ${line.points.map(([s, e]) => `S ${s} ${e.toExponential(1)}`).join(", ")}`).join("; "));
      root.dataset.painted = value.state;
    };
  };

  // The path between two pictures' x_T.
  kinds.bridge = (root) => {
    const f = frame(root, "Between the two, in x_T");
    const big = el("canvas", { role: "img", "aria-label": "Picture on the path", width: 1, height: 1 });
    const row = el("div", { class: "ribbon" });
    const ends = ["First picture", "Second picture"].map((name) => el("canvas", { role: "img", "aria-label": name, width: 1, height: 1 }));
    const film = player((p) => paint(p), () => 140 * (value ? value.n : 10), () => root.offsetParent);
    const t = transport(root, film, "Scrub the path");
    root.transport.frames = () => (value ? value.n - 1 : 1);
    f.body.append(el("div", { class: "bridge" }, el("figure", {}, ends[0], el("figcaption", {}, "first")), el("figure", { class: "way" }, big), el("figure", {}, ends[1], el("figcaption", {}, "second"))), t.node, row);
    let value = null, image = null;
    function paint(p) {
      if (!image) return;
      const k = Math.round(p * (value.n - 1));
      cut(big, image, k);
      [...row.children].forEach((c, i) => c.classList.toggle("now", i === k));
      t.range.value = 1000 * p;
      root.dataset.frame = k;
    }
    return async (next, current) => {
      paintFrame(f, next);
      if (next.state === "none") f.chip.textContent = "";
      const given = next.wanted ? await picture(next.wanted) : null, loaded = next.tiles ? await picture(next.tiles) : null;
      if (!current()) return;
      ends.forEach((c, k) => { if (given) cut(c, given, k); else c.width = c.height = 1; });
      if (loaded) {
        const fresh = next.state === "done" && (!value || value.tiles !== next.tiles);
        image = loaded; value = next;
        root.style.setProperty("--in-row", next.n);
        canvases(row, next.n, (i) => `Path, frame ${i + 1} of ${next.n}`).forEach((c, i) => {
          cut(c, image, i);
          c.classList.toggle("old", next.state === "stale");
          c.onclick = () => { t.set(false); film.seek(i / Math.max(1, next.n - 1)); };
        });
        if (fresh && !calm()) { film.seek(0); film.boomerang(true); t.set(true); } else film.repaint();
      }
      root.dataset.painted = next.state;
    };
  };
})();
