// A form marked data-once is sent once: a second press of the button would start a second run.
// The document listens, so that forms of parts that came later are covered too.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-once]");
  if (!form) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.querySelectorAll("button[type=submit]").forEach((button) => button.setAttribute("aria-disabled", "true"));
});
// Back from the next page: the form may be sent again.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-once]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("button[type=submit]").forEach((button) => button.removeAttribute("aria-disabled"));
  });
});
// unfold hides the page until its own script has run; the browser may look for the field to begin with before that.
window.addEventListener("load", () =>
  window.requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.querySelector("form[data-once] [data-focus]")?.focus({ preventScroll: true });
  }),
);
