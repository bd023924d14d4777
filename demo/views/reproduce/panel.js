// The Reproduce view: text made by the server, with buttons that copy it.
(() => {
  "use strict";

  window.ddim.kinds.code = (root) => async (value) => {
    root.innerHTML = value.html; // escaped by the server (demo/views/reproduce/code.py)
    root.dataset.painted = value.state;
  };

  // Where a browser refuses to copy (a page that is not https or localhost), the text is selected, so that the keyboard
  // can copy it.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const text = button.closest(".code").querySelector("pre");
    let said = "Copied";
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(text);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      said = "Selected: copy with Ctrl+C";
    }
    button.textContent = said;
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
})();
