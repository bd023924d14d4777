// Controls of our own, all made of native inputs, so keys, touch and screen readers work. Each holds one
// value; Gradio itself tells of a change when props.value is set, so a trigger("change") would tell of it twice.
(() => {
  "use strict";
  const { el } = window.ddim.kit;
  const config = (element) => JSON.parse(element.querySelector("[data-config]").dataset.config);
  const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

  function whole(text, low, high, otherwise) {
    const wish = Number(text);
    return text === "" || !Number.isFinite(wish) ? otherwise : clamp(Math.round(wish), low, high);
  }

  // A slider over logarithmic stops; returns {node, show}. send(S) is called when a person moves it.
  function logSlider(stops, id, send) {
    const range = el("input", { type: "range", min: 0, max: stops.length - 1, step: 1, id });
    const nearest = (s) => stops.reduce((best, v, i) =>
      Math.abs(Math.log(v / s)) < Math.abs(Math.log(stops[best] / s)) ? i : best, 0);
    range.oninput = () => send(stops[range.value]);
    return { node: range, show(s) { range.value = nearest(s); range.setAttribute("aria-valuetext", `${s} steps`); } };
  }

  // A slider with logarithmic stops and a box for any exact S.
  function steps(element, props, watch) {
    const { stops, caption } = config(element), top = stops[stops.length - 1], id = `steps-${Math.random().toString(36).slice(2)}`;
    const box = el("input", { type: "number", min: 1, max: top, step: 1, "aria-label": `${caption}, exact` });
    const root = element.querySelector(".steps");
    const send = (s) => { show(s); if (props.value !== s) { props.value = s; } };
    const slider = logSlider(stops, id, send);
    root.replaceChildren(
      el("div", { class: "stepsHead" }, el("label", { for: id }, caption), box), slider.node,
      el("div", { class: "ticks", "aria-hidden": "true" }, el("span", {}, "1"), el("span", {}, String(top))));
    const show = (s) => { box.value = s; slider.show(s); root.dataset.value = s; };
    box.onchange = () => send(whole(box.value, 1, top, box.value === "" ? 1 : props.value));
    watch("value", () => show(props.value));
    show(props.value);
  }

  // What holds a list as JSON text: draw() rebuilds it, send() tells of a change.
  function list(element, props, watch, draw) {
    const root = element.querySelector(".list");
    const send = (items) => {
      const text = JSON.stringify(items);
      if (text !== props.value) { props.value = text; draw(root, items, send); }
    };
    watch("value", () => draw(root, JSON.parse(props.value), send));
    draw(root, JSON.parse(props.value), send);
  }

  // The runners of a race: steps, η and spacing each; two to four of them.
  function lanes(element, props, watch) {
    const { stops, spacings } = config(element), top = stops[stops.length - 1];
    list(element, props, watch, (root, items, send) => {
      const focused = root.contains(document.activeElement) ? document.activeElement.dataset.at : null;
      root.replaceChildren(...items.map((lane, i) => {
        const name = "ABCD"[i];
        const change = (part) => send(items.map((l, j) => (j === i ? { ...l, ...part } : l)));
        const slider = logSlider(stops, `lane-${i}-steps`, (steps) => { box.value = steps; });
        slider.node.onchange = () => change({ steps: stops[slider.node.value] });
        slider.node.setAttribute("aria-label", `Steps of ${name}`);
        slider.show(lane.steps);
        const box = el("input", { type: "number", min: 1, max: top, value: lane.steps, "aria-label": `Steps of ${name}, exact`, "data-at": `${i}-box` });
        slider.node.dataset.at = `${i}-steps`;
        box.onchange = () => change({ steps: whole(box.value, 1, top, lane.steps) });
        const eta = el("input", { type: "range", min: 0, max: 1, step: 0.05, value: lane.eta, "aria-label": `η of ${name}`, "data-at": `${i}-eta` });
        const said = el("output", {}, `η ${lane.eta}`);
        eta.oninput = () => { said.textContent = `η ${eta.value}`; };
        eta.onchange = () => change({ eta: Number(eta.value) });
        const spacing = el("select", { "aria-label": `Spacing of ${name}`, "data-at": `${i}-spacing` },
          ...spacings.map((s) => el("option", s === lane.spacing ? { selected: "" } : {}, s)));
        spacing.onchange = () => change({ spacing: spacing.value });
        const out = el("button", { type: "button", class: "quiet small", "aria-label": `Remove runner ${name}` }, "×");
        out.onclick = () => send(items.filter((_, j) => j !== i));
        out.disabled = items.length <= 2;
        return el("div", { class: "laneRow", role: "group", "aria-label": `Runner ${name}` },
          el("b", {}, name), el("label", { class: "wide" }, el("span", {}, "Steps"), slider.node), box,
          el("label", { class: "wide" }, said, eta), spacing, out);
      }));
      const add = el("button", { type: "button", class: "quiet", "data-at": "add" }, "Add a runner");
      add.disabled = items.length >= 4;
      add.onclick = () => send([...items, { steps: 20, eta: 0, spacing: "leading" }]);
      root.append(add);
      if (focused) root.querySelector(`[data-at="${focused}"]`)?.focus();
    });
  }

  // Seeds in a row: low to high of them, each a number box; with low = high they cannot be added or removed.
  function seeds(element, props, watch) {
    const { low, high, names } = config(element);
    list(element, props, watch, (root, items, send) => {
      const focused = root.contains(document.activeElement) ? document.activeElement.dataset.at : null;
      root.classList.add("seeds");
      root.replaceChildren(...items.map((seed, i) => {
        const what = names ? names[i] : `Key ${i + 1}`;
        const box = el("input", { type: "number", min: 0, max: 999999, value: seed, "aria-label": `${what}, seed`, "data-at": `${i}` });
        box.onchange = () => send(items.map((s, j) => (j === i ? whole(box.value, 0, 999999, s) : s)));
        const node = el("div", { class: "key" }, el("span", {}, what), box);
        if (low !== high) {
          const out = el("button", { type: "button", class: "quiet small", "aria-label": `Remove ${what}` }, "×");
          out.disabled = items.length <= low;
          out.onclick = () => send(items.filter((_, j) => j !== i));
          node.append(out);
        }
        return node;
      }));
      if (low !== high) {
        const add = el("button", { type: "button", class: "quiet", "data-at": "add" }, "Add a seed");
        add.disabled = items.length >= high;
        add.onclick = () => send([...items, Math.floor(Math.random() * 10000)]);
        root.append(add);
      }
      const roll = el("button", { type: "button", class: "quiet", "data-at": "roll" }, "Roll all");
      roll.onclick = () => send(items.map(() => Math.floor(Math.random() * 10000)));
      root.append(roll);
      if (focused) root.querySelector(`[data-at="${focused}"]`)?.focus();
    });
  }

  // Numbers with commas between, in one box.
  function numbers(element, props, watch) {
    const { caption, low, high, most, whole: only } = config(element), id = `numbers-${Math.random().toString(36).slice(2)}`;
    const box = el("input", { type: "text", id, inputmode: "decimal", autocomplete: "off", spellcheck: "false" });
    const root = element.querySelector(".numbers");
    root.replaceChildren(el("label", { for: id }, caption), box);
    const show = () => { box.value = JSON.parse(props.value).join(", "); };
    box.onchange = () => {
      const found = box.value.split(/[\s,;]+/).filter((t) => t !== "" && Number.isFinite(Number(t)))
        .map((t) => clamp(only ? Math.round(Number(t)) : Number(t), low, high));
      const list = [...new Set(found)].sort((a, b) => a - b).slice(0, most), text = JSON.stringify(list);
      if (list.length && text !== props.value) { props.value = text; }
      show();
    };
    watch("value", show);
    show();
  }

  // A cell of the grid or a point of the trade-off that was chosen; like a place it has no face of its own.
  function pickControl(element, props, name) {
    let times = 0;
    window.ddim[name] = (steps, eta) => { times += 1; props.value = JSON.stringify([steps, eta, times]); };
  }

  // A place on the sheet. It has no face of its own: the sheet's panel moves it through window.ddim.place.
  function placeControl(element, props) {
    window.ddim.place = (across, down) => {
      const text = JSON.stringify([Number(across.toFixed(4)), Number(down.toFixed(4))]);
      if (text !== props.value) { props.value = text; }
    };
  }

  // Which view is in front. All are in the page; the name on <html> says which one the style sheet shows. A link's
  // view is shown before the server has answered.
  function views(element, props, watch) {
    const { names } = config(element), keys = Object.keys(names), root = element.querySelector(".views");
    const linked = new URLSearchParams(location.search).get("view");
    const buttons = keys.map((key) => el("button", { type: "button", role: "tab", id: `tab-${key}`, "data-view": key, "aria-controls": `view-${key}` }, names[key]));
    const show = (view) => {
      document.documentElement.dataset.view = view;
      for (const b of buttons) {
        const front = b.dataset.view === view;
        b.setAttribute("aria-selected", front);
        b.tabIndex = front ? 0 : -1;
        if (front && root.scrollWidth > root.clientWidth) b.scrollIntoView({ block: "nearest", inline: "center" });
      }
      for (const key of keys) {
        const panel = document.getElementById(`view-${key}`);
        if (panel) { panel.setAttribute("role", "tabpanel"); panel.setAttribute("aria-labelledby", `tab-${key}`); }
      }
    };
    const go = (view) => { show(view); if (props.value !== view) { props.value = view; } };
    buttons.forEach((b, i) => {
      b.onclick = () => go(b.dataset.view);
      b.onkeydown = (event) => {
        const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: keys.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const next = buttons[(to + keys.length) % keys.length];
        next.focus();
        go(next.dataset.view);
      };
    });
    root.setAttribute("role", "tablist");
    root.setAttribute("aria-label", "Views");
    root.replaceChildren(...buttons);
    watch("value", () => show(props.value));
    show(keys.includes(linked) ? linked : props.value);
  }

  Object.assign(window.ddim, { steps, lanes, seeds, numbers, placeControl, pickControl, views });
})();
