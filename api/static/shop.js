"use strict";
// What a person typed and the server never sends back (a card), and what a person opened, stays as it is.
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
  !((name === "value" && node.matches("[data-kept]")) || (name === "open" && node.matches("details")));
// A form that comes back with faults begins at the first of them.
document.addEventListener("htmx:afterSwap", () => {
  document.querySelector("#checkout-form [aria-invalid=true]")?.focus();
});
// On phones the filters begin folded, unless some are chosen.
document.addEventListener("DOMContentLoaded", () => {
  if (matchMedia("(max-width: 800px)").matches)
    document.querySelectorAll(".facets details:not([data-filtered])").forEach((details) => { details.open = false; });
});
// What a request could not do is said; the next one that succeeds takes a word about the connection back.
function say(words, kind) {
  const note = document.createElement("div");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  if (kind) note.dataset.kind = kind;
  note.textContent = words;
  document.getElementById("toast").replaceChildren(note);
}
const OFFLINE = "The shop cannot be reached, so nothing was changed. Please check your connection and try again.";
document.addEventListener("htmx:sendError", () => say(OFFLINE, "connection"));
document.addEventListener("htmx:timeout", () => say(OFFLINE, "connection"));
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  say(status === 503 || status === 429 ? "The shop is very busy right now, so nothing was changed. Please try again in a moment."
    : "That did not work, and nothing was changed. Please load the page again and try once more.");
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) document.querySelectorAll("#toast [data-kind=connection]").forEach((note) => note.remove());
});
