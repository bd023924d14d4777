// Gradio's waiting clock (6.31) asks for sixty frames a second for as long as the page is open, once it has been shown: its
// loop outlives the component, and takes a tenth of a core. It cannot be reached, but it asks what time it is in every
// frame; once the page rests, the answer to that one question is an error, which ends the loop.
(() => {
  "use strict";
  const WAIT_MS = 1500, FRAMES_MS = 120;
  const enough = new Error("Gradio's waiting clock is stopped.");
  let timer = 0;

  // Called straight from a frame, with nothing between: what is still in use calls it from deeper down.
  const fromTheClock = (stack) => stack.split("\n").length <= 4 && stack.includes("/statustracker-");

  function refuse() {
    const own = performance.now.bind(performance);
    performance.now = () => {
      if (fromTheClock(new Error().stack || "")) throw enough;
      return own();
    };
    setTimeout(() => { delete performance.now; }, FRAMES_MS);
  }

  addEventListener("error", (event) => { if (event.error === enough) event.preventDefault(); });
  window.ddim.calmDown = () => {
    clearTimeout(timer);
    timer = setTimeout(refuse, WAIT_MS);
  };
})();
