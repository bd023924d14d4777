// What the page's buttons do: data-do names one of these, data-set holds settings to set and what to look at then.
(() => {
  "use strict";
  const { ddim } = window, { el } = ddim.kit;
  const dice = () => Math.floor(Math.random() * 10000);

  function fit() {
    const said = document.getElementById("fit-said"), budget_s = Number(document.getElementById("budget").value);
    said.textContent = "";
    if (!(budget_s > 0 && budget_s < 1e6)) said.textContent = "Give the time that you have in seconds, such as 2.";
    else if (!ddim.ms) said.textContent = "The model is still loading; ask again in a moment.";
    else ddim.set({ steps: Math.max(1, Math.min(ddim.T, Math.floor(1000 * budget_s / ddim.ms))) });
  }

  async function copy() {
    while (!ddim.answered) await new Promise((resolve) => setTimeout(resolve, 20)); // it is the server that writes the link
    const link = ddim.link;
    try {
      await navigator.clipboard.writeText(link);
      ddim.say("Link copied", link);
    } catch {
      ddim.say("The link is in the address bar", link); // a page that is not https or localhost may not copy
    }
  }

  // What the keyboard does, and how to leave.
  function keys() {
    let dialog = document.getElementById("keys-help");
    if (!dialog) {
      const rows = [["Space", "play or pause"], ["← →", "a frame back, a frame on"], ["G", "save the GIF in sight"],
        ["Esc", "stop the run, end the tour"], ["?", "this list"]];
      const close = el("button", { type: "button", class: "btn primary" }, "Close");
      dialog = el("dialog", { id: "keys-help", "aria-label": "Keys" }, el("h2", {}, "Keys"),
        el("dl", {}, ...rows.map(([key, what]) => el("div", {}, el("dt", {}, key), el("dd", {}, what)))), close);
      close.onclick = () => dialog.close();
      document.body.append(dialog);
    }
    if (!dialog.open) dialog.showModal();
  }

  function advanced(node) {
    const on = document.documentElement.dataset.advanced !== "true";
    document.documentElement.dataset.advanced = on;
    node.setAttribute("aria-expanded", on);
  }

  const actions = {
    again: () => ddim.want({ anew: true }), start: () => ddim.want({ start: true }), stop: ddim.stop, cancel: ddim.cancel,
    tour: () => ddim.tour.start(), stop_at: (node) => ddim.tour.at(node.dataset.key), keys, advanced,
    roll: () => ddim.set({ seed: dice(), seed_to: dice() }), fit, copy,
  };

  document.addEventListener("click", (event) => {
    const node = event.target.closest?.("[data-do], [data-set]");
    if (!node) return;
    if (node.dataset.do) { actions[node.dataset.do](node); return; }
    const { settings, said } = JSON.parse(node.dataset.set);
    const [title, text] = said ? said.split(/\|(.*)/s) : ["", ""];
    ddim.say(title, text);
    ddim.set(settings);
  });
})();
