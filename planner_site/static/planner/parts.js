// The parts of a run's page: those that the page did not wait for are loaded once it is there, and a link or form of a
// part (a page, a measure, a search) changes that part alone. Without this script the links load the whole page.
(() => {
  const OF_PAGE = window.location.pathname;

  async function load(section, query) {
    section.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(section.dataset.part + query, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      section.innerHTML = await answer.text();
      window.plannerCharts.drawAll(section);
      section.dispatchEvent(new CustomEvent("planner:part", { bubbles: true }));
      askAgain(section);
      return true;
    } catch {
      return false;
    } finally {
      section.removeAttribute("aria-busy");
    }
  }

  // What is being tried ends by itself: a part with a link "look again" follows it, keeps open what is open, and
  // waits while somebody writes in it.
  const AGAIN = 2000;
  const PLACES = "a, button, summary";

  function askAgain(section) {
    const link = section.querySelector("[data-part-again]");
    if (!link) return;
    window.setTimeout(async () => {
      if (!section.contains(link)) return; // shown anew since
      const active = section.contains(document.activeElement) ? document.activeElement : null;
      if (document.hidden || active?.matches("input, select, textarea")) {
        askAgain(section);
        return;
      }
      const place = active ? [...section.querySelectorAll(PLACES)].indexOf(active) : -1;
      const open = [...section.querySelectorAll("details")].map((details) => details.open);
      if (!(await load(section, new URL(link.href).search))) {
        askAgain(section);
        return;
      }
      const fresh = [...section.querySelectorAll("details")];
      if (fresh.length === open.length) fresh.forEach((details, i) => (details.open = open[i]));
      if (place >= 0) section.querySelectorAll(PLACES)[place]?.focus({ preventScroll: true });
    }, AGAIN);
  }
  document.querySelectorAll("[data-part]").forEach(askAgain);

  async function turn(section, query, focus) {
    if (!(await load(section, query))) {
      window.location.assign(`${OF_PAGE}${query}#${section.id}`); // the server says what is wrong
      return;
    }
    window.history.replaceState(null, "", `${OF_PAGE}${query}#${section.id}`);
    const target = section.querySelector(focus) ?? section.querySelector("h2");
    target?.focus({ preventScroll: true });
    if (section.getBoundingClientRect().top < 0) section.scrollIntoView({ block: "start" });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-part-link]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const section = link.closest("[data-part]");
    event.preventDefault();
    turn(section, new URL(link.href).search, link.closest(".pl-switch") ? "[aria-current]" : "h2");
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-part-form]");
    if (!form) return;
    event.preventDefault();
    turn(form.closest("[data-part]"), `?${new URLSearchParams(new FormData(form))}`, "[type=search]");
  });

  async function loadLater() {
    for (const section of document.querySelectorAll("[data-part-later]")) {
      section.removeAttribute("data-part-later");
      section.querySelector("[role=status]").textContent = "Loading …";
      if (!(await load(section, ""))) {
        section.querySelector("[role=status]").textContent = "This part could not be loaded. Reload the page to try again.";
      }
    }
    const changes = document.querySelector("[data-changes]");
    if (!changes) return;
    const answer = await fetch(changes.dataset.changes, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const found = await answer.json();
    changes.hidden = !found.words;
    changes.textContent = found.words;
    changes.title = found.about;
  }
  loadLater();

  // On paper the numbers stand beside the charts.
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll(".pl-numbers").forEach((numbers) => (numbers.open = true));
  });
})();
