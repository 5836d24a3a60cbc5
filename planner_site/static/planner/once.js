// A form marked data-once is sent once: a second press of the button would start a second run.
document.querySelectorAll("form[data-once]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.querySelectorAll("button[type=submit]").forEach((button) => button.setAttribute("aria-disabled", "true"));
  });
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
    if (document.activeElement === document.body) document.querySelector("form[data-once] [autofocus]")?.focus();
  }),
);
