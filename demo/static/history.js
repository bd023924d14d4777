// The last runs that were finished, each with a picture, to go back to. Kept by this tab alone, over a reload too.
(() => {
  "use strict";
  const { ddim } = window, { el } = ddim.kit;
  const MOST = 12, SIDE = 64, KEPT = "ddim-history";
  const VIEWS = ["explore", "compare", "interpolate", "picture", "branches", "grid"]; // whose runs are pictures
  let items = [], root = null;

  // Of an app of before the settings had other names: such a run cannot be gone back to.
  const names = JSON.stringify(Object.keys(ddim.settings).sort());
  try {
    items = JSON.parse(sessionStorage.getItem(KEPT)).filter((item) => JSON.stringify(Object.keys(item.settings).sort()) === names);
  } catch { items = []; }

  // What is in front, small: a picture that is whole rather than a film that is being played.
  function thumbnail(view) {
    const all = [...document.querySelectorAll(`#view-${view} section.panel:not([data-panel=hero]) canvas`)];
    const there = all.filter((c) => c.width > 1 && c.offsetParent);
    const best = there.find((c) => c.closest(".tiles, .ribbon, .arrived, .matrix td:not(.fork)")) || there[0];
    if (!best) return "";
    const small = el("canvas", { width: SIDE, height: SIDE });
    small.getContext("2d").drawImage(best, 0, 0, SIDE, SIDE);
    return small.toDataURL();
  }

  function title(s) {
    const view = ddim.known.fields.view.options.find(([, name]) => name === s.view)[0];
    const run = `S ${s.steps} · η ${s.eta}`;
    const said = {
      compare: `${s.lanes.map((l) => l.steps).join(" / ")} steps`, interpolate: `${run} · ${s.keys.length} keys`,
      branches: `${run} · ${s.branch_at.length} t`, picture: `S ${s.steps}`,
      grid: [s.grid_x, s.grid_y].map((axis) => s[ddim.known.axes[axis]].length).join(" × "),
    }[s.view] || run;
    const ofOne = !["interpolate", "picture"].includes(s.view) && !(s.view === "grid" && [s.grid_x, s.grid_y].includes("seed"));
    return [view, ofOne ? `${said} · seed ${s.seed}` : said];
  }

  function paint() {
    if (!root) return;
    const now = JSON.stringify(ddim.settings);
    root.parentElement.hidden = !items.length;
    root.replaceChildren(...items.map((item) => {
      const [view, said] = title(item.settings);
      const button = el("button", { type: "button", title: item.settings.checkpoint }, el("img", { src: item.thumb, alt: "", width: 56, height: 56 }),
        el("b", {}, view), el("span", {}, said));
      if (item.key === now) button.setAttribute("aria-current", "true");
      button.onclick = () => ddim.set(item.settings);
      return el("li", {}, button);
    }));
  }

  // A run is finished, and is kept as soon as its panels are drawn: somebody may change something in the same second.
  async function done() {
    const settings = structuredClone(ddim.settings), key = JSON.stringify(settings);
    if (!VIEWS.includes(settings.view)) return;
    await ddim.drawn();
    const thumb = key === JSON.stringify(ddim.settings) ? thumbnail(settings.view) : "";
    if (!thumb) return;
    items = [{ key, settings, thumb }, ...items.filter((item) => item.key !== key)].slice(0, MOST);
    try { sessionStorage.setItem(KEPT, JSON.stringify(items)); } catch { /* a browser that keeps nothing */ }
    paint();
  }

  ddim.history = { done };
  ddim.mountHistory = (element) => { root = element.querySelector("ul"); paint(); };
  ddim.onSettings(() => root?.querySelector("[aria-current]")?.removeAttribute("aria-current"));
})();
