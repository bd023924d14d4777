// The noise schedule: √ᾱ over t, where the chosen steps fall on it, and σ of each.
(() => {
  "use strict";
  const { el } = window.ddim.kit;
  const W = 300, H = 96, PAD = 4, SVG = "http://www.w3.org/2000/svg";

  function svg(tag, attributes) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  }

  window.ddim.kinds.curve = (root) => {
    const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", preserveAspectRatio: "none" });
    const words = el("p", { class: "curveWords" });
    root.replaceChildren(el("h2", {}, "Where the steps fall"), picture, words);
    return async (value) => {
      const x = (t) => PAD + (W - 2 * PAD) * (1 - t / (value.T - 1 || 1)); // time runs as sampling does: noise at the left
      const y = (v) => H - PAD - (H - 2 * PAD) * v;
      picture.replaceChildren(
        ...value.steps.map(([t, , sigma]) => svg("line", { class: "sigma", x1: x(t), x2: x(t), y1: y(0), y2: y(Math.min(1, sigma)) })),
        svg("polyline", { class: "signal", points: value.curve.map(([t, v]) => `${x(t)},${y(v)}`).join(" ") }),
        ...value.steps.map(([t, v]) => svg("circle", { class: "step", cx: x(t), cy: y(v), r: value.S > 60 ? 1.4 : 2.6 })));
      const largest = Math.max(...value.steps.map((s) => s[2]));
      const about = value.eta === 0 ? "η = 0: no noise is added." : `η = ${value.eta}: each bar is the σ of a step, at most ${largest.toFixed(2)}.`;
      picture.setAttribute("aria-label", `Noise schedule with ${value.S} ${value.spacing} steps. ${about}`);
      words.textContent = `Curve: √ᾱ, the share of picture in x_t, from noise (t = ${value.T - 1}) to picture. ${about}`;
      root.dataset.painted = `${value.S}/${value.eta}`;
    };
  };
})();
