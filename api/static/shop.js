"use strict";
// A form marked data-once is sent once: its button rests until the next page is there, or this one is back.
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-once]")) event.target.querySelector("[type=submit]").disabled = true;
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-once] [type=submit]").forEach((button) => { button.disabled = false; });
});
// On phones the filters begin folded, unless some are chosen.
function fold(root) {
  if (matchMedia("(max-width: 800px)").matches)
    root.querySelectorAll(".facets details:not([data-filtered])").forEach((details) => { details.open = false; });
}
document.addEventListener("DOMContentLoaded", () => fold(document));
document.addEventListener("htmx:oobAfterSwap", (event) => fold(event.target.parentNode || document));
