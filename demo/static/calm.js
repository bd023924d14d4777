// Gradio's waiting clock asks for sixty frames a second for as long as the page is open, once it has been shown
// (6.31: its loop outlives the component), which takes a tenth of a core. Its pending frames are taken back once the page
// rests; what asks through window.requestAnimationFrame, as all of this page does, keeps its own.
(() => {
  "use strict";
  const LOOK_BACK = 200, WAIT_MS = 1500;
  const ask = window.requestAnimationFrame.bind(window), ours = new Set();

  window.requestAnimationFrame = (draw) => {
    const id = ask((now) => { ours.delete(id); draw(now); });
    ours.add(id);
    return id;
  };

  let timer = 0;
  window.ddim.calmDown = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const last = ask(() => 0);
      for (let id = Math.max(1, last - LOOK_BACK); id <= last; id += 1) if (!ours.has(id)) cancelAnimationFrame(id);
    }, WAIT_MS);
  };
})();
