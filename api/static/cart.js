"use strict";
// The cart is a form that works without scripts; this sends its numbers as they are typed.
// A field typed into since the last request was sent says more than that request's answer: it stays as it is.
const typed = new WeakSet();
document.addEventListener("input", (event) => { if (event.target.matches("#cart .quantity")) typed.add(event.target); });
document.addEventListener("htmx:configRequest", (event) => {
  if (event.target.closest("#cart-form")) document.querySelectorAll("#cart .quantity").forEach((field) => typed.delete(field));
});
Idiomorph.defaults.ignoreActiveValue = true;
Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) => !typed.has(old);
// A field left empty shows the cart's quantity again.
document.addEventListener("focusout", (event) => {
  if (event.target.matches("#cart .quantity") && !event.target.value) event.target.value = event.target.defaultValue;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("#cart .quantity")) return;
  event.preventDefault();
  htmx.trigger(event.target, "enter");
});
// A press is a click on the same button, even where an answer moves the page under the pointer meanwhile.
document.addEventListener("pointerdown", (event) => {
  if (event.target.id === "check-out") event.target.setPointerCapture(event.pointerId);
});
// Whoever leaves by another link before the number was sent does not lose it.
window.addEventListener("pagehide", () => {
  const form = document.getElementById("cart-form");
  if (form && [...form.querySelectorAll(".quantity")].some((field) => typed.has(field)))
    navigator.sendBeacon(form.action, new URLSearchParams(new FormData(form)));
});
