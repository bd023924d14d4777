// Keys of the whole page, unless one is typing: Space plays, ← → step, G saves the GIF, Esc stops, ? lists them.
(() => {
  "use strict";
  const visible = (node) => node && node.offsetParent !== null;
  const typing = (node) => node.matches("input, textarea, select, [contenteditable], [role=listbox] *, [role=tab]");

  function player() {
    const panels = [...document.querySelectorAll("section.panel")].filter((p) => visible(p) && p.transport);
    const focused = panels.find((p) => p.contains(document.activeElement));
    return focused || panels.find((p) => p.dataset.kind !== "strip") || panels[0];
  }

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return; // Escape closes it, and nothing behind it is touched
    if (event.key === "Escape" && window.ddim.tour.open) { window.ddim.tour.end(); return; }
    if (event.key === "Escape") { document.querySelector("#stop")?.click(); return; }
    if (typing(event.target)) return;
    if (event.key === " " && event.target.matches("button, a, summary")) return; // the button's own key
    if (event.key === "?") { document.querySelector("#show-keys")?.click(); return; }
    const one = player();
    if (event.key === " " && one) { event.preventDefault(); one.transport.toggle(); }
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      if (!one) return;
      event.preventDefault();
      one.transport.by(event.key === "ArrowLeft" ? -1 : 1, one.transport.frames);
    }
    if (event.key === "g" || event.key === "G") (one && one.querySelector('a[data-suffix="gif"]') || [...document.querySelectorAll('a[data-suffix="gif"]')].find(visible))?.click();
  });
})();
