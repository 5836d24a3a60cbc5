// The changes of a scenario as rows in place: names to choose from, their order, and Check.
document.addEventListener("DOMContentLoaded", () => {
  const panel = document.querySelector("[data-changes]");
  if (!panel) return;
  const prefix = panel.dataset.changes;
  const total = panel.querySelector(`[name=${prefix}-TOTAL_FORMS]`);
  const blank = panel.querySelector("template[data-blank]");
  const list = () => panel.querySelector("[data-list]"); // another page of it replaces the list
  const rows = () => [...list().querySelectorAll("[data-change]")];
  const part = (row, name) => row.querySelector(`[name$='-${name}']`);

  // --- what can be chosen ------------------------------------------------------------------------

  const source = (blank?.content ?? panel).querySelector("select[data-fields]");
  const fieldsOf = JSON.parse(source?.dataset.fields ?? "{}");
  const perPeriod = JSON.parse(source?.dataset.perPeriod ?? "{}");

  function narrow(row) {
    const table = part(row, "table").value;
    const field = part(row, "field");
    for (const option of field.options) {
      const offered = !fieldsOf[table] || !option.value || option.selected || fieldsOf[table].includes(option.value);
      option.hidden = !offered;
      option.disabled = !offered;
    }
    const period = part(row, "period");
    const takesNone = Boolean(table && field.value) && !(perPeriod[table] ?? []).includes(field.value);
    period.disabled = takesNone && !period.value;
    period.title = takesNone ? "This field has no value per period." : "";
  }

  const waiting = new WeakMap();
  function offerNames(row) {
    window.clearTimeout(waiting.get(row));
    waiting.set(row, window.setTimeout(() => askForNames(row), 150));
  }

  async function askForNames(row) {
    const table = part(row, "table").value;
    const offered = row.querySelector("datalist");
    if (!table) return offered.replaceChildren();
    const typed = part(row, "row").value;
    const words = typed === "*" ? "" : typed;
    const query = new URLSearchParams({ table, q: words });
    try {
      const answer = await fetch(`${panel.dataset.rowsUrl}?${query}`, { credentials: "same-origin" });
      if (!answer.ok || table !== part(row, "table").value) return undefined;
      const names = (await answer.json()).rows;
      return offered.replaceChildren(...["*", ...names].map((name) => new Option(name === "*" ? "every row" : "", name)));
    } catch {
      return undefined; // names are a help; without them they are typed
    }
  }

  // --- rows --------------------------------------------------------------------------------------

  function number() {
    let shown = 0;
    rows().forEach((row, place) => {
      const order = part(row, "ORDER");
      if (order) order.value = place + 1;
      if (!row.classList.contains("pl-removed")) shown += 1;
      row.querySelector(".pl-change-number").textContent = row.classList.contains("pl-removed") ? "" : shown;
    });
    panel.querySelector("[data-empty]").hidden = rows().length > 0;
  }

  function add() {
    const made = blank.content.firstElementChild.cloneNode(true);
    const place = total.value;
    made.querySelectorAll("*").forEach((node) => {
      for (const attribute of node.attributes) {
        if (attribute.value.includes("__prefix__")) {
          node.setAttribute(attribute.name, attribute.value.replaceAll("__prefix__", place));
        }
      }
    });
    made.dataset.change = made.dataset.change.replaceAll("__prefix__", place);
    total.value = Number(place) + 1;
    list().append(made);
    const above = rows().at(-2);
    if (above) part(made, "table").value = part(above, "table").value;
    narrow(made);
    number();
    part(made, "table").focus();
  }

  function remove(row) {
    const mark = part(row, "DELETE");
    mark.checked = !mark.checked;
    row.classList.toggle("pl-removed", mark.checked);
    const button = row.querySelector("[data-remove]");
    button.textContent = mark.checked ? "↺" : "✕";
    button.setAttribute("aria-label", mark.checked ? "Keep this change" : "Remove this change");
    button.title = mark.checked ? "Keep" : "Remove";
    mark.dispatchEvent(new Event("change", { bubbles: true }));
    number();
  }

  function move(row, by) {
    const all = rows();
    const other = all[all.indexOf(row) + by];
    if (!other) return;
    if (by < 0) other.before(row);
    else other.after(row);
    number();
    row.querySelector(`[data-move='${by}']`).focus();
    part(row, "ORDER")?.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // --- Check -------------------------------------------------------------------------------------

  async function check(button) {
    button.setAttribute("aria-disabled", "true");
    number();
    const result = panel.querySelector("[data-result]");
    try {
      const answer = await fetch(`${panel.dataset.checkUrl}${window.location.search}`, {
        method: "POST",
        body: new FormData(panel.closest("form")),
        credentials: "same-origin",
      });
      if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
      const said = await answer.json();
      for (const row of rows()) {
        row.querySelectorAll(".pl-cell > .pl-error").forEach((old) => old.remove());
        row.querySelector("[data-effect]").innerHTML = said.rows[row.dataset.change] ?? "";
        row.classList.toggle("pl-wrong", Boolean(row.querySelector("[data-effect] .pl-error")));
      }
      result.innerHTML = said.result;
    } catch {
      result.textContent = "The server did not answer. Save, or reload the page and try again.";
    }
    button.removeAttribute("aria-disabled");
  }

  // --- events ------------------------------------------------------------------------------------

  panel.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const row = event.target.closest("[data-change]");
    if (!button) return;
    if ("add" in button.dataset) add();
    else if ("check" in button.dataset && !button.hasAttribute("aria-disabled")) check(button);
    else if ("remove" in button.dataset) remove(row);
    else if ("move" in button.dataset) move(row, Number(button.dataset.move));
  });
  panel.addEventListener("change", (event) => {
    const row = event.target.closest("[data-change]");
    if (!row || !event.target.matches("select")) return;
    if (event.target.name.endsWith("-field") || event.target.name.endsWith("-table")) {
      const chosen = part(row, "field").value;
      const known = fieldsOf[part(row, "table").value];
      if (event.target.name.endsWith("-table") && known && !known.includes(chosen)) part(row, "field").value = "";
      if (chosen && !(perPeriod[part(row, "table").value] ?? []).includes(chosen)) part(row, "period").value = "";
    }
    narrow(row);
  });
  for (const kind of ["focusin", "input"]) {
    panel.addEventListener(kind, (event) => {
      if (event.target.matches("input[list]")) offerNames(event.target.closest("[data-change]"));
    });
  }
  const begin = () => {
    rows().forEach(narrow);
    number();
  };
  document.body.addEventListener("htmx:afterSwap", begin);
  begin();
});
