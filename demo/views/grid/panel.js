// The Grid view: a setting across, another down, all else the same. A cell opens in Explore.
(() => {
  "use strict";
  const { ddim } = window;
  const { el, picture, cut, frame, paintFrame } = ddim.kit;
  const time = (s) => (s < 1 ? `${Math.round(1000 * s)} ms` : `${s.toFixed(2)} s`);

  // The style sheet shows the lists of the two axes, and hides the sliders that would say nothing.
  const axes = () => { document.documentElement.dataset.axes = `${ddim.settings.grid_x} ${ddim.settings.grid_y}`; };
  axes();
  ddim.onSettings((names) => { if (names.includes("grid_x") || names.includes("grid_y")) axes(); });

  ddim.kinds.grid = (root) => {
    const f = frame(root, "Two settings at a time");
    const scroll = el("div", { class: "matrixBox", tabindex: 0, role: "region", "aria-label": "Grid of pictures" });
    f.body.append(scroll);
    let shape = "", cells = [];

    const build = ({ columns, rows, settings }) => {
      const head = el("tr", {}, el("td"), ...columns.map((title) => el("th", { scope: "col" }, title)));
      cells = settings.map((row, i) => row.map((one, j) => {
        const canvas = el("canvas", { width: 1, height: 1 });
        const button = el("button", { type: "button", title: "Open in Explore" }, canvas);
        button.onclick = () => ddim.set({ ...one, view: "explore" });
        const said = el("span", {}, "–");
        return { title: `${columns[j]}, ${rows[i]}`, canvas, button, said, node: el("td", {}, button, said) };
      }));
      const body = cells.map((row, i) => el("tr", {}, el("th", { scope: "row" }, rows[i]), ...row.map((c) => c.node)));
      scroll.replaceChildren(el("table", { class: "matrix", style: `--columns:${columns.length}` }, el("thead", {}, head), el("tbody", {}, ...body)));
    };

    return async (value, current) => {
      const asked = value.grid.cells.flat().find((v) => v && v.ask);
      paintFrame(f, { ...value, ask: asked && asked.ask });
      const { title, columns, rows, settings } = value.grid, now = JSON.stringify(settings);
      f.heading.textContent = title;
      if (now !== shape) { shape = now; build({ columns, rows, settings }); }
      for (const [i, row] of value.grid.cells.entries()) {
        for (const [j, v] of row.entries()) {
          const c = cells[i][j], state = v ? v.state : "waiting";
          c.node.dataset.state = state;
          c.said.textContent = state === "done" ? time(v.total_s) : state === "running" ? `${Math.round(100 * v.progress)}%` : state === "stopped" ? "stopped" : "waiting";
          c.button.setAttribute("aria-label", `${c.title}, ${c.said.textContent}: open in Explore`);
          if (!v || !v.tiles) { c.canvas.width = c.canvas.width; continue; }
          const image = await picture(v.tiles);
          if (!current()) return;
          cut(c.canvas, image, 0);
        }
      }
      root.dataset.painted = value.state;
    };
  };
})();
