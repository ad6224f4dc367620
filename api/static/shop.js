"use strict";
// A form marked data-once is sent once: its button rests until the next page is there.
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-once]")) event.target.querySelector("[type=submit]").disabled = true;
});
