// The controls, made of native inputs, so that keys, touch and screen readers work. Each shows one setting and sets it;
// the server's table (demo/settings.py) says what kind it is. What cannot be run is put right where it is typed.
(() => {
  "use strict";
  const { ddim } = window;
  const { el } = ddim.kit, { fields, checkpoints, stops: allStops } = ddim.known;
  const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
  const high = (field) => (field.high === null ? ddim.T : field.high);
  let made = 0;
  const newId = (name) => `${name.replace("_", "-")}-input-${made += 1}`;

  // A label with its one-line explanation, on hover, focus and tap.
  function labelled(id, field) {
    const label = el("label", { for: id }, field.label);
    if (!field.hint) return label;
    const tip = el("span", { class: "tip", role: "tooltip", id: `${id}-tip` }, field.hint);
    const mark = el("button", { type: "button", class: "hint", "aria-label": `What is ${field.label}?`, "aria-describedby": tip.id }, "?");
    return el("span", { class: "labelled" }, label, mark, tip);
  }

  // What was typed as a number within its bounds, or what there was where it is none.
  function typed(text, field, otherwise, whole = true) {
    const wish = Number(text);
    if (text.trim() === "" || Number.isNaN(wish)) return otherwise;
    return clamp(whole ? Math.trunc(wish) : wish, field.low, high(field));
  }

  // A slider with a box for the exact value: over logarithmic stops for steps, else even.
  function scale(field) {
    if (field.kind !== "steps") return { min: field.low, max: field.high, step: field.step, at: (v) => v, of: (p) => p };
    const stops = () => allStops[ddim.T];
    const near = (s) => stops().reduce((best, v, i) => (Math.abs(Math.log(v / s)) < Math.abs(Math.log(stops()[best] / s)) ? i : best), 0);
    return { min: 0, get max() { return stops().length - 1; }, step: 1, at: near, of: (p) => stops()[p] };
  }

  function slider(root, name, field, value, send) {
    const id = newId(name), by = scale(field), whole = field.kind === "steps";
    const range = el("input", { type: "range", id, step: by.step });
    const box = el("input", { type: "number", step: whole ? 1 : "any", "aria-label": `${field.label}, exact` });
    const ticks = [el("span", {}, String(field.low)), el("span", {})];
    root.append(el("div", { class: "stepsHead" }, labelled(id, field), box), range,
      el("div", { class: "ticks", "aria-hidden": "true" }, ...ticks));
    const show = (v) => {
      range.min = by.min; range.max = by.max; box.min = field.low; box.max = high(field);
      ticks[1].textContent = high(field);
      range.value = by.at(v); box.value = v;
      range.setAttribute("aria-valuetext", whole ? `${v} steps` : String(v));
      root.dataset.value = v;
    };
    range.oninput = () => { const v = by.of(Number(range.value)); show(v); send(v); };
    box.onchange = () => { const v = typed(box.value, field, value(), whole); show(v); send(v); };
    return show;
  }

  function number(root, name, field, value, send) {
    const id = newId(name), box = el("input", { type: "number", id, min: field.low, max: high(field), step: 1 });
    root.append(labelled(id, field), box);
    const show = (v) => { box.value = v; };
    box.onchange = () => { const v = typed(box.value, field, value()); show(v); send(v); };
    return show;
  }

  function select(root, name, field, value, send) {
    const id = newId(name);
    const node = el("select", { id }, ...field.options.map(([title, v]) => el("option", { value: JSON.stringify(v) }, title)));
    root.append(labelled(id, field), node);
    node.onchange = () => send(JSON.parse(node.value));
    return (v) => {
      const text = JSON.stringify(v);
      if (name === "checkpoint") { // another may have been opened since
        const there = [...node.options].map((option) => option.value);
        for (const one of Object.keys(checkpoints)) if (!there.includes(JSON.stringify(one))) node.append(el("option", { value: JSON.stringify(one) }, one));
      }
      node.value = text;
    };
  }

  function flag(root, name, field, value, send) {
    const id = newId(name), box = el("input", { type: "checkbox", id });
    root.classList.add("flag");
    root.append(box, labelled(id, field));
    box.onchange = () => send(box.checked);
    return (v) => { box.checked = v; };
  }

  // Numbers with commas between, in one box.
  function numbers(root, name, field, value, send) {
    const id = newId(name), box = el("input", { type: "text", id, inputmode: "decimal", autocomplete: "off", spellcheck: "false" });
    root.append(labelled(id, field), box);
    const show = (v) => { box.value = v.join(", "); };
    box.onchange = () => {
      const found = box.value.split(/[\s,;]+/).filter((t) => t !== "" && !Number.isNaN(Number(t)))
        .map((t) => typed(t, field, field.low, field.whole));
      const list = [...new Set(found)].sort((a, b) => a - b);
      if (list.length > field.most) ddim.say("Adjusted", `${field.label}: only the first ${field.most} of ${list.length} were kept.`);
      if (list.length) send(list.slice(0, field.most));
      show(value());
    };
    return show;
  }

  // One or more of some names. The last that is left stays.
  function several(root, name, field, value, send) {
    const boxes = field.options.map(([title, one]) => [one, el("input", { type: "checkbox", value: one }), title]);
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", field.label);
    root.append(el("label", {}, field.label), el("div", { class: "several" }, ...boxes.map(([, box, title]) => el("label", {}, box, title))));
    const show = (v) => boxes.forEach(([one, box]) => { box.checked = v.includes(one); });
    for (const [, box] of boxes) {
      box.onchange = () => {
        const chosen = boxes.filter(([, each]) => each.checked).map(([one]) => one);
        if (chosen.length) send(chosen);
        show(value());
      };
    }
    return show;
  }

  // What is drawn anew at each change keeps the focus where it was.
  function redrawn(root, draw) {
    return (items) => {
      const focused = root.contains(document.activeElement) ? document.activeElement.dataset.at : null;
      root.replaceChildren(...draw(items));
      if (focused) root.querySelector(`[data-at="${focused}"]`)?.focus();
    };
  }

  // Seeds in a row, each a number box; with least = most they cannot be added or removed.
  function seeds(root, name, field, value, send) {
    const fixed = field.least === field.most, random = () => Math.floor(Math.random() * 10000);
    root.classList.add("list", "seeds");
    return redrawn(root, (items) => {
      const nodes = items.map((seed, i) => {
        const what = field.names.length ? field.names[i] : `${field.label} ${i + 1}`;
        const box = el("input", { type: "number", min: field.low, max: field.high, value: seed, "aria-label": `${what}, seed`, "data-at": `${i}` });
        box.onchange = () => { const v = typed(box.value, field, seed); box.value = v; send(items.map((s, j) => (j === i ? v : s))); };
        const node = el("div", { class: "key" }, el("span", {}, what), box);
        if (!fixed) {
          const out = el("button", { type: "button", class: "quiet small", "aria-label": `Remove ${what}` }, "×");
          out.disabled = items.length <= field.least;
          out.onclick = () => send(items.filter((_, j) => j !== i));
          node.append(out);
        }
        return node;
      });
      if (!fixed) {
        const add = el("button", { type: "button", class: "quiet", "data-at": "add" }, "Add a seed");
        add.disabled = items.length >= field.most;
        add.onclick = () => send([...items, random()]);
        nodes.push(add);
      }
      const roll = el("button", { type: "button", class: "quiet", "data-at": "roll" }, "Roll all");
      roll.onclick = () => send(items.map(random));
      return [...nodes, roll];
    });
  }

  // The runners of a race: steps, η and spacing each.
  function lanes(root, name, field, value, send) {
    root.classList.add("list");
    const steps = { ...fields.steps, low: 1 }, eta = fields.eta;
    return redrawn(root, (items) => {
      const by = scale(steps);
      root.style.setProperty("--lanes", items.length);
      const rows = items.map((lane, i) => {
        const who = "ABCD"[i], change = (part) => send(items.map((l, j) => (j === i ? { ...l, ...part } : l)));
        const range = el("input", { type: "range", min: by.min, max: by.max, step: 1, "aria-label": `Steps of ${who}`, "data-at": `${i}-steps` });
        const box = el("input", { type: "number", min: 1, max: ddim.T, value: lane.steps, "aria-label": `Steps of ${who}, exact`, "data-at": `${i}-box` });
        range.value = by.at(lane.steps);
        range.oninput = () => { box.value = by.of(Number(range.value)); };
        range.onchange = () => change({ steps: by.of(Number(range.value)) });
        box.onchange = () => { const v = typed(box.value, steps, lane.steps); box.value = v; change({ steps: v }); };
        const noise = el("input", { type: "range", min: 0, max: 1, step: 0.05, value: lane.eta, "aria-label": `η of ${who}`, "data-at": `${i}-eta` });
        const said = el("output", {}, `${eta.label} ${lane.eta}`);
        noise.oninput = () => { said.textContent = `${eta.label} ${noise.value}`; };
        noise.onchange = () => change({ eta: Number(noise.value) });
        const spacing = el("select", { "aria-label": `Spacing of ${who}`, "data-at": `${i}-spacing` },
          ...field.spacings.map((s) => el("option", s === lane.spacing ? { selected: "" } : {}, s)));
        spacing.onchange = () => change({ spacing: spacing.value });
        const out = el("button", { type: "button", class: "quiet small", "aria-label": `Remove runner ${who}` }, "×");
        out.onclick = () => send(items.filter((_, j) => j !== i));
        out.disabled = items.length <= field.least;
        return el("div", { class: "laneRow", role: "group", "aria-label": `Runner ${who}` },
          el("b", {}, who), box, el("label", { class: "wide" }, el("span", {}, "Steps S"), range),
          el("label", { class: "wide" }, said, noise), spacing, out);
      });
      const add = el("button", { type: "button", class: "quiet", "data-at": "add" }, "Add a runner");
      add.disabled = items.length >= field.most;
      add.onclick = () => send([...items, { steps: Math.min(20, ddim.T), eta: 0, spacing: "leading" }]);
      return [...rows, add];
    });
  }

  // Which view is in front. All are in the page; the name on <html> says which one the style sheet shows.
  function tabs(root, name, field, value, send) {
    const keys = field.options.map(([, key]) => key);
    const buttons = field.options.map(([title, key]) => el("button", { type: "button", role: "tab", id: `tab-${key}`, "data-view": key, "aria-controls": `view-${key}` }, title));
    const show = (view) => {
      document.documentElement.dataset.view = view;
      for (const b of buttons) {
        const front = b.dataset.view === view;
        b.setAttribute("aria-selected", front);
        b.tabIndex = front ? 0 : -1;
        // Not scrollIntoView, which scrolls whatever lies around the tabs too, and with it the page sideways.
        if (front) root.scrollLeft = b.offsetLeft - root.offsetLeft - (root.clientWidth - b.offsetWidth) / 2;
      }
      for (const key of keys) {
        const panel = document.getElementById(`view-${key}`);
        if (panel) { panel.setAttribute("role", "tabpanel"); panel.setAttribute("aria-labelledby", `tab-${key}`); }
      }
    };
    buttons.forEach((b, i) => {
      b.onclick = () => send(b.dataset.view);
      b.onkeydown = (event) => {
        const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: keys.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const next = buttons[(to + keys.length) % keys.length];
        next.focus();
        send(next.dataset.view);
      };
    });
    root.classList.add("views");
    root.setAttribute("role", "tablist");
    root.setAttribute("aria-label", "Views");
    root.replaceChildren(...buttons);
    return show;
  }

  const kinds = { steps: slider, slider, number, select, flag, numbers, several, seeds, lanes };
  const linked = new URLSearchParams(location.search).get("view"); // shown before the server has answered

  function mountControl(element) {
    const root = element.querySelector(".control"), name = root.dataset.setting;
    const field = name === "checkpoint"
      ? { kind: "select", label: "Checkpoint", options: Object.keys(checkpoints).map((one) => [one, one]) } : fields[name];
    const make = name === "view" ? tabs : kinds[field.kind], value = () => ddim.settings[name];
    root.classList.add(`is-${name === "view" ? "tabs" : field.kind}`);
    const show = make(root, name, field, value, (v) => ddim.set({ [name]: v }, show));
    show(name === "view" && field.options.some(([, key]) => key === linked) ? linked : value());
    ddim.onSettings((names, from) => {
      // lists are drawn from their value, so they must hear of their own change as well
      const own = from === show && !["seeds", "lanes"].includes(field.kind) && name !== "view";
      if ((names.includes(name) && !own) || (names.includes("checkpoint") && ["steps", "lanes"].includes(field.kind))) show(value());
    });
  }

  ddim.mountControl = mountControl;
})();
