// The health of each plant's data, asked for one after the other once the page is there: the page does not wait for it.
(async () => {
  for (const badge of document.querySelectorAll("[data-health]")) {
    try {
      const answer = await fetch(badge.dataset.health, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (!answer.ok || answer.redirected) continue; // the link beside it says more
      const health = await answer.json();
      badge.textContent = health.label;
      badge.title = health.words;
      badge.classList.add(health.look);
      badge.hidden = false;
    } catch {
      return; // the page is being left, or the site is down
    }
  }
})();
