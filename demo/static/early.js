// The opening race before Gradio is there: its modules take a second on a fast machine and more over a network, and until
// then nothing would move. The race's panel goes on where this leaves off, at the same place.
(() => {
  "use strict";
  const { ddim } = window, { el, picture, cut, calm } = ddim.kit, { lanes } = ddim.known.opening.hero || {};
  const MOST_MS = 20000; // a page that never comes must not stay covered
  if (!lanes || calm() || location.search.length > 1) return; // who follows a link is not shown the race

  const STYLE = `
    #early { position: fixed; inset: 0; z-index: 50; background: #f7f6f2; color: #1b1c1e; font: 16px system-ui, sans-serif; line-height: 1.5; }
    #early > * { position: absolute; left: 24px; right: 24px; margin: 0; }
    #early h1 { top: 18px; font-size: 1.5rem; font-weight: 650; letter-spacing: -.015em; }
    #early p { top: 298px; font-weight: 600; font-size: 1.1rem; line-height: 1.4; }
    #early .race { top: 355px; display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 16px; }
    #early b { display: block; font-size: .85rem; }
    #early canvas { display: block; width: 100%; aspect-ratio: 1; border-radius: 4px; image-rendering: pixelated; margin: 2px 0 10px; }
    #early time { font-size: 2rem; font-weight: 650; font-variant-numeric: tabular-nums; }
    @media (min-width: 901px) { #early > :is(p, .race) { left: 359px; right: 41px; } }
    @media (max-width: 900px) { #early > :is(p, .race) { left: 41px; right: 41px; } #early .race { top: 510px; grid-template-columns: repeat(2, minmax(0, 1fr)); } #early p { top: 378px; } }
    @media (prefers-color-scheme: dark) { #early { background: #17181a; color: #ececea; } }`;

  const slowest = Math.max(...lanes.map((lane) => lane.at_s.at(-1)));
  const period = 1000 * Math.min(Math.max(slowest, 1), 8); // as the race's panel plays it
  const shown = lanes.map((lane, i) => {
    const canvas = el("canvas", { width: 1, height: 1 }), clock = el("time", {}, "0.00 s");
    return { lane, canvas, clock, node: el("div", {}, el("b", {}, `${"ABCD"[i]} · ${lane.label}`), canvas, clock) };
  });
  const cover = el("div", { id: "early", "aria-hidden": "true" }, el("style", {}, STYLE), el("h1", {}, "DDIM explorer"),
    el("p", {}, "DDIM has its picture while DDPM's thousand steps are still noise."),
    el("div", { class: "race" }, ...shown.map((one) => one.node)));
  let began = 0, timer = 0;

  const place = () => (began ? Math.min(1, (performance.now() - began) / period) : 0);
  const paint = () => {
    const s = place() * slowest;
    for (const { lane, image, canvas, clock } of shown) {
      let k = 0;
      while (k + 1 < lane.at_s.length && lane.at_s[k + 1] <= s) k += 1;
      cut(canvas, image, k, 0);
      clock.textContent = `${Math.min(s, lane.at_s.at(-1)).toFixed(2)} s`;
    }
    cover.dataset.frame = s;
  };

  // Where the race stands now, from 0 to 1; the page takes over.
  ddim.takeOver = () => {
    clearInterval(timer);
    cover.remove();
    return place();
  };

  async function start() {
    document.body.prepend(cover);
    setTimeout(ddim.takeOver, MOST_MS);
    for (const one of shown) one.image = await picture(one.lane.film);
    if (!cover.isConnected) return;
    began = performance.now();
    timer = setInterval(paint, 60);
    paint();
  }

  if (document.body) start();
  else new MutationObserver((_, watch) => { if (document.body) { watch.disconnect(); start(); } }).observe(document.documentElement, { childList: true });
})();
