// The Grid view: S across, η down, one x_T. A cell opens in Explore.
(() => {
  "use strict";
  const { el, picture, cut, frame, paintFrame } = window.ddim.kit;
  const time = (s) => (s < 1 ? `${Math.round(1000 * s)} ms` : `${s.toFixed(2)} s`);

  window.ddim.kinds.grid = (root) => {
    const f = frame(root, "S across, η down");
    const scroll = el("div", { class: "matrixBox", tabindex: 0, role: "region", "aria-label": "Grid of pictures" });
    f.body.append(scroll);
    let shape = "", cells = [];

    const build = ({ steps, etas }) => {
      const corner = el("td");
      const head = el("tr", {}, corner, ...steps.map((s) => el("th", { scope: "col" }, `S = ${s}`)));
      cells = etas.map((eta) => steps.map((s) => {
        const canvas = el("canvas", { width: 1, height: 1 });
        const button = el("button", { type: "button", title: "Open in Explore" }, canvas);
        button.onclick = () => window.ddim.set({ steps: s, eta, view: "explore" });
        const said = el("span", {}, "–");
        return { s, eta, canvas, button, said, node: el("td", {}, button, said) };
      }));
      const rows = cells.map((row, i) => el("tr", {}, el("th", { scope: "row" }, `η = ${etas[i]}`), ...row.map((c) => c.node)));
      scroll.replaceChildren(el("table", { class: "matrix", style: `--columns:${steps.length}` }, el("thead", {}, head), el("tbody", {}, ...rows)));
    };

    return async (value, current) => {
      const asked = value.grid.cells.flat().find((v) => v && v.ask);
      paintFrame(f, { ...value, ask: asked && asked.ask });
      const now = JSON.stringify([value.grid.steps, value.grid.etas]);
      if (now !== shape) { shape = now; build(value.grid); }
      for (const [i, row] of value.grid.cells.entries()) {
        for (const [j, v] of row.entries()) {
          const c = cells[i][j], state = v ? v.state : "waiting";
          c.node.dataset.state = state;
          c.said.textContent = state === "done" ? time(v.total_s) : state === "running" ? `${Math.round(100 * v.progress)}%` : state === "stopped" ? "stopped" : "waiting";
          c.button.setAttribute("aria-label", `S = ${c.s}, η = ${c.eta}, ${c.said.textContent}: open in Explore`);
          if (!v || !v.tiles) { c.canvas.width = c.canvas.width; continue; }
          const image = await picture(v.tiles);
          if (!current()) return;
          cut(c.canvas, image, v.side, 0);
        }
      }
      root.dataset.painted = value.state;
    };
  };
})();
