// What follows from the checkpoint: its presets, and the field that opens a further one.
(() => {
  "use strict";
  const { ddim } = window, { el } = ddim.kit, { known } = ddim;

  // The presets of this T; of several with the same settings the first.
  ddim.mountPresets = (element) => {
    const root = element.querySelector("div");
    const paint = () => {
      const once = new Map();
      for (const [label, steps, eta] of known.presets[ddim.T]) if (!once.has(`${steps} ${eta}`)) once.set(`${steps} ${eta}`, [label, { steps, eta }]);
      root.replaceChildren(...[...once.values()].map(([label, settings]) =>
        el("button", { type: "button", class: "btn", "data-set": JSON.stringify({ settings, said: "" }) }, label)));
    };
    paint();
    ddim.onSettings((names) => { if (names.includes("checkpoint")) paint(); });
  };

  // Checkpoints that this browser did not know of, and what their lengths bring with them.
  ddim.learn = ({ checkpoints, stops, presets }) => {
    Object.assign(known.stops, stops);
    Object.assign(known.presets, presets);
    Object.assign(known.checkpoints, checkpoints);
  };

  // Where the host allows it: a folder or an id of the hub, typed.
  ddim.mountOpen = (element) => {
    const form = element.querySelector("form");
    if (!form) return;
    const [box, button] = [form.querySelector("input"), form.querySelector("button")], said = form.querySelector("p");
    form.onsubmit = async (event) => {
      event.preventDefault();
      if (!box.value.trim() || button.disabled) return;
      button.disabled = true;
      said.textContent = "Looking for it; a download may take minutes…";
      const answer = await fetch(ddim.address("ddim/open"), { method: "POST", body: JSON.stringify({ text: box.value }) }).catch(() => null);
      const found = (answer && await answer.json().catch(() => null)) || { error: "The server did not answer: try again." };
      button.disabled = false;
      said.textContent = found.error || found.notes.join(" ");
      if (found.error) return;
      box.value = "";
      ddim.learn(found);
      ddim.set({ checkpoint: found.name });
    };
  };
})();
