// select2 draws a field of its own over each select and gives it no name; readers of screens need one.
document.addEventListener("DOMContentLoaded", () => {
  function name(select) {
    const drawn = select.parentElement.querySelector(".select2-selection");
    if (!drawn || drawn.hasAttribute("aria-label")) return;
    const words = select.getAttribute("aria-label") ?? select.labels?.[0]?.textContent.trim() ?? "Choose";
    for (const part of [drawn, drawn.querySelector(".select2-selection__rendered")]) part?.setAttribute("aria-label", words);
  }

  const nameAll = () => document.querySelectorAll("select.select2-hidden-accessible").forEach(name);
  nameAll();
  new MutationObserver((changes) => {
    if (changes.some((change) => [...change.addedNodes].some((node) => node.classList?.contains("select2")))) nameAll();
  }).observe(document.body, { childList: true, subtree: true });
});
