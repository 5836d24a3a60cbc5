// In the rows of a scenario's changes: offer only the fields of the chosen table.
(() => {
  let known; // table -> its fields; the empty row brings it
  function fieldsOf(table) {
    known ??= JSON.parse(document.querySelector("select[data-fields]")?.dataset.fields ?? "{}");
    return known[table];
  }

  function narrow(row) {
    const table = row.querySelector("select[name$='-table']");
    const field = row.querySelector("select[name$='-field']");
    if (!table || !field) return;
    const fields = fieldsOf(table.value);
    for (const option of field.options) {
      const offered = !fields || !option.value || option.selected || fields.includes(option.value);
      option.hidden = !offered;
      option.disabled = !offered;
    }
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[name$='-table']")) narrow(event.target.closest(".form-row, tr, tbody"));
  });
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("select[name^='scenario_changes-'][name$='-table']").forEach((select) => {
      narrow(select.closest(".form-row, tr, tbody"));
    });
  });
})();
