// The page of an open run asks for its state every 1.5 s and reloads itself when the state changes
// to an end. A reload starts it again; a page without an open run does not load this file.
(() => {
  const panel = document.querySelector("[data-run-state]");
  if (!panel) return;
  const PAUSE = 1500;
  const part = (name) => panel.querySelector(`[data-run-${name}]`);

  async function ask() {
    try {
      const answer = await fetch(panel.dataset.runState, {
        headers: { Accept: "application/json" },
        credentials: "same-origin",
      });
      if (answer.redirected || answer.status === 403 || answer.status === 404) {
        window.location.reload(); // logged out, or the run is gone: the server says so
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const state = await answer.json();
      if (!state.open) {
        window.location.reload();
        return;
      }
      part("trouble").hidden = true;
      part("elapsed").textContent = state.elapsed;
      part("standing").textContent = state.standing;
      if (part("stop") && state.stop) part("stop").textContent = state.stop;
      if (state.state !== panel.dataset.state) {
        panel.dataset.state = state.state;
        part("badge").firstElementChild.textContent = state.label;
        part("meaning").textContent = state.meaning;
      }
    } catch {
      part("trouble").hidden = false;
    }
    window.setTimeout(ask, PAUSE);
  }
  window.setTimeout(ask, PAUSE);
})();
