"use strict";
// What a person typed and the server never sends back (a card), and what a person opened, stays as it is.
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
  !((name === "value" && node.matches("[data-kept]")) || (name === "open" && node.matches("details")));
// A form that comes back with faults begins at the first of them.
document.addEventListener("htmx:afterSwap", () => {
  document.querySelector("#checkout-form [aria-invalid=true]")?.focus();
});
// On phones the filters begin folded, unless some are chosen.
function fold(root) {
  if (matchMedia("(max-width: 800px)").matches)
    root.querySelectorAll(".facets details:not([data-filtered])").forEach((details) => { details.open = false; });
}
document.addEventListener("DOMContentLoaded", () => fold(document));
document.addEventListener("htmx:oobAfterSwap", (event) => fold(event.target.parentNode || document));
