// The Branches view: a row for each t, with x_t where its branches part, and what came of each.
(() => {
  "use strict";
  const { el, picture, cut, frame, paintFrame } = window.ddim.kit;
  const time = (s) => (s < 1 ? `${Math.round(1000 * s)} ms` : `${s.toFixed(2)} s`);

  window.ddim.kinds.tree = (root) => {
    const f = frame(root, "What is still open at t");
    const box = el("div", { class: "treeBox", tabindex: 0, role: "region", "aria-label": "Rows of branches" });
    const note = el("p", { class: "said" });
    f.body.append(box, note);
    let shape = "", rows = [];

    const build = (values) => {
      const heads = ["", "x at t", ...Array.from({ length: values[0].count }, (_, k) => `branch ${k + 1}`)];
      rows = values.map((v) => {
        const tile = (name) => el("canvas", { role: "img", "aria-label": `${name}, t = ${v.at}`, width: 1, height: 1 });
        const fork = tile("Where the branches part"), ends = Array.from({ length: v.count }, (_, k) => tile(`Branch ${k + 1}`));
        const said = el("span", {}), label = el("th", { scope: "row" }, `t = ${v.at}`, said);
        return { fork, ends, said, node: el("tr", {}, label, el("td", { class: "fork" }, fork), ...ends.map((c) => el("td", {}, c))) };
      });
      const head = el("tr", {}, ...heads.map((text) => (text ? el("th", { scope: "col" }, text) : el("td"))));
      box.replaceChildren(el("table", { class: "matrix tree", style: `--columns:${values[0].count + 1}` },
        el("thead", {}, head), el("tbody", {}, ...rows.map((row) => row.node))));
    };

    return async (value, current) => {
      const asked = value.rows.find((v) => v.ask);
      paintFrame(f, { ...value, ask: asked && asked.ask });
      note.textContent = value.said;
      const now = JSON.stringify(value.rows.map((v) => [v.at, v.count]));
      if (now !== shape) { shape = now; build(value.rows); }
      for (const [i, v] of value.rows.entries()) {
        const row = rows[i];
        row.node.dataset.state = v.state;
        row.said.textContent = v.state === "done" ? [v.count > 1 ? `rms ${v.apart.toFixed(3)}` : "", time(v.total_s)].filter(Boolean).join(" · ")
          : v.state === "running" ? `${Math.round(100 * v.progress)}%` : v.state;
        for (const [source, canvases] of [[v.fork, [row.fork]], [v.tiles, row.ends]]) {
          const image = source && await picture(source);
          if (!current()) return;
          canvases.forEach((canvas, k) => { if (image) cut(canvas, image, k); else canvas.width = canvas.width; });
        }
      }
      root.dataset.painted = value.state;
    };
  };
})();
