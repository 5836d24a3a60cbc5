// What if: a moved slider asks for its answer while the hand still moves, one question at a time, the last one counts.
// Without this script the form posts, and the page that comes back has the answer or a link to look again.
(() => {
  const PAUSE = 400;
  const PATIENCE = 60000; // then nobody seems to answer
  const state = { asking: false, wanted: false };

  const formIn = (section) => section.querySelector("form[data-what-if]");

  function show(form, html) {
    const place = form.parentElement.querySelector("[data-what-if-answer]");
    const open = [...place.querySelectorAll("details")].map((details) => details.open);
    place.innerHTML = html;
    place.querySelectorAll("details").forEach((details, i) => (details.open = open[i] ?? false));
  }

  // Ask for the value in the form, and go on asking until its answer is whole or another value is wanted.
  async function ask(form) {
    if (state.asking) {
      state.wanted = true;
      return;
    }
    state.asking = true;
    state.wanted = false;
    const until = Date.now() + PATIENCE;
    try {
      let answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { "X-Requested-With": "fetch" },
        credentials: "same-origin",
      });
      for (;;) {
        if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
        show(form, await answer.text());
        if (answer.status !== 202 || state.wanted || !form.isConnected) break;
        if (Date.now() > until) throw new Error("nobody answers");
        await new Promise((resume) => window.setTimeout(resume, PAUSE));
        if (state.wanted) break;
        const query = new URLSearchParams(new FormData(form));
        query.delete("csrfmiddlewaretoken");
        query.set("number", answer.headers.get("X-Question"));
        query.set("open", "yes");
        answer = await fetch(`${form.dataset.answer}?${query}`, { credentials: "same-origin" });
      }
    } catch {
      show(form, "");
      form.parentElement.querySelector("[data-what-if-answer]").textContent = "No answer came. Try again.";
    } finally {
      state.asking = false;
    }
    if (state.wanted && form.isConnected) ask(form);
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-what-if]");
    if (!form) return;
    const [slider, number] = [form.querySelector("[data-slider]"), form.elements.value];
    if (event.target === slider) number.value = String(Number(Number(slider.value).toPrecision(4)));
    else if (event.target === number) slider.value = number.value;
    if (form.checkValidity()) ask(form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-what-if]");
    if (!form) return;
    const leaves = event.submitter?.hasAttribute("data-leaves");
    if (!leaves || form.dataset.sent) event.preventDefault(); // a second press would start it a second time
    if (leaves) form.dataset.sent = "yes";
    else ask(form);
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-what-if]").forEach((form) => delete form.dataset.sent);
  });

  // The names that are offered are those of the kind that is chosen.
  function offer(choice) {
    const [kind, row] = [choice.querySelector("select"), choice.querySelector("input[list]")];
    const rows = kind.selectedOptions[0]?.dataset.rows;
    if (rows) row.setAttribute("list", rows);
  }
  document.addEventListener("change", (event) => {
    const choice = event.target.closest("[data-what-if-choice]");
    if (choice && event.target.matches("select")) offer(choice);
  });

  function begin(section) {
    section.querySelectorAll("[data-what-if-choice]").forEach(offer);
    const form = formIn(section);
    if (!form) return;
    form.querySelector("[data-slider]").hidden = false;
    const body = new FormData();
    body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    fetch(form.dataset.ready, { method: "POST", body, credentials: "same-origin" }).catch(() => {});
  }
  document.addEventListener("planner:part", (event) => begin(event.target));
  document.querySelectorAll("#what-if").forEach(begin);
})();
