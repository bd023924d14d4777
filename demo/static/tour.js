// A minute on the page itself: each stop sets what it speaks of, brings it into sight and frames it (demo/tour.py).
(() => {
  "use strict";
  const { ddim } = window;
  const { el, calm } = ddim.kit, { stops, minute } = ddim.known.tour;
  let card = null, at = -1;

  function frame(target) {
    for (const node of document.querySelectorAll(".toured")) node.classList.remove("toured");
    const node = target && document.querySelector(target);
    if (!node) return;
    node.classList.add("toured");
    node.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
  }

  function end() {
    frame(null);
    card?.remove();
    [card, at] = [null, -1];
  }

  const button = (label, go, primary) => {
    const node = el("button", { type: "button", class: primary ? "btn primary" : "btn" }, label);
    node.onclick = go;
    return node;
  };

  function show(index) {
    const stop = stops[index], last = index === minute - 1 || index >= minute;
    at = index;
    ddim.say("", "");
    ddim.set(stop.settings);
    const title = el("h2", { tabindex: -1 }, stop.title);
    const where = index < minute ? `${index + 1} of ${minute}` : "";
    const back = index > 0 && index < minute ? [button("Back", () => show(index - 1))] : [];
    const next = button(last ? "Done" : "Next", () => (last ? end() : show(index + 1)), true);
    card?.remove();
    card = el("aside", { id: "tour", role: "dialog", "aria-label": "A tour of the page" },
      el("header", {}, title, el("span", { class: "caption" }, where)), el("p", {}, stop.look),
      el("div", { class: "tourButtons" }, ...back, next, ...(last ? [] : [button("End", end)])));
    document.body.append(card);
    title.focus({ preventScroll: true });
    requestAnimationFrame(() => { if (at === index) frame(stop.target); });
  }

  ddim.tour = { start: () => show(0), at: (key) => show(stops.findIndex((stop) => stop.key === key)), end, get open() { return at >= 0; } };
})();
