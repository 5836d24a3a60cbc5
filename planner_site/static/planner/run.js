// The page of an open run asks for its state every 1.5 s and reloads itself when the state changes
// to an end. A reload starts it again; a page without an open run does not load this file.
(() => {
  const panel = document.querySelector("[data-run-state]");
  if (!panel) return;
  const PAUSE = 1500;
  const part = (name) => panel.querySelector(`[data-run-${name}]`);

  // What a set of runs does not have: stages, a time limit, a chart.
  function showProgress(state) {
    if (!state.stages || !part("stages")) return;
    part("stages").replaceChildren(
      ...state.stages.map((stage) => {
        const item = document.createElement("li");
        item.className = `pl-stage pl-${stage.standing}`;
        item.textContent = stage.words;
        if (stage.standing === "now") item.setAttribute("aria-current", "step");
        return item;
      }),
    );
    part("stuck").hidden = !state.stuck;
    if (part("stuck").textContent !== state.stuck) part("stuck").textContent = state.stuck;
    part("bar").hidden = !state.limit;
    part("bar").max = state.limit || 1;
    part("bar").value = state.spent;
    part("chart").hidden = state.trail.length < 2;
    if (state.trail.length > 1) window.plannerCharts.draw(part("chart"), state.trail);
  }

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
      showProgress(state);
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
