// A table of numbers that is typed and pasted into like a spreadsheet. Nothing is sent before Save; then only the
// cells that differ are, and the server takes all of them or none.
(() => {
  const { read, shown, isSame } = window.plannerNumbers;
  const OWN_CELLS = "application/x-planner-cells"; // what a grid copies: always with a decimal point
  const PAGE = 15; // rows that PageUp and PageDown move
  const LISTED = 20; // faults listed above the table
  const KEY = "planner-decimals";

  function start(panel) {
    const table = panel.querySelector("table");
    const sheet = panel.querySelector(".pl-sheet");
    const isReadonly = "readonly" in panel.dataset;
    const part = (name) => panel.querySelector(`[data-${name}]`);
    const button = (name) => panel.querySelector(`[data-do=${name}]`);
    const decimals = part("decimals");
    const periods = [...table.tHead.rows[0].cells].slice(2);
    const cellOf = new Map();
    const grid = [...table.tBodies[0].rows].map((tr, r) =>
      [...tr.cells].slice(2).map((td, c) => {
        const held = td.dataset.held ?? td.textContent.replaceAll(",", "");
        const cell = { td, r, c, tr, was: held, now: held, fault: "", isPasted: false };
        cellOf.set(td, cell);
        return cell;
      }),
    );
    const height = grid.length;
    const width = grid[0].length;
    const name = (cell) => `${cell.tr.querySelector(".pl-name").textContent}, ${periods[cell.c].textContent}`;
    const isChanged = (cell) => Boolean(cell.fault) || !isSame(cell.now, cell.was);
    const changed = new Set();
    const refused = new Map(); // cell -> what the server said of the value that it still has

    let active = grid[0][0];
    let anchor = active;
    let editing = null;
    let isLeaving = false; // after Escape, Tab leaves the table
    let painted = [];
    const done = [];
    let undone = [];

    // --- cells -----------------------------------------------------------------------------------

    function draw(cell) {
      const { td } = cell;
      if (editing?.cell !== cell) td.textContent = cell.fault ? cell.now : shown(cell.now);
      const words = cell.fault || refused.get(cell) || "";
      const differs = isChanged(cell);
      if (differs) changed.add(cell);
      else changed.delete(cell);
      td.classList.toggle("pl-changed", differs);
      td.classList.toggle("pl-fault", Boolean(words));
      if (words) td.setAttribute("aria-invalid", "true");
      else td.removeAttribute("aria-invalid");
      td.title = differs ? `was ${cell.was === "" ? "blank" : shown(cell.was)}` : "";
    }

    const stateOf = ({ now, fault, isPasted }) => ({ now, fault, isPasted });

    function stateFrom(text, isPasted, said = decimals?.value ?? "") {
      const found = read(text, said, isPasted);
      return found.fault ? { now: text.trim(), fault: found.fault, isPasted } : { now: found.value, fault: "", isPasted };
    }

    function set(changes) {
      for (const [cell, state] of changes) {
        if (state.now !== cell.now) refused.delete(cell);
        Object.assign(cell, state);
        draw(cell);
      }
      tell();
    }

    // Change cells so that one Undo takes all of it back.
    function apply(changes) {
      const real = changes.filter(([cell, state]) => state.now !== cell.now || state.fault !== cell.fault);
      if (isReadonly || !real.length) return;
      done.push(real.map(([cell, state]) => [cell, stateOf(cell), state]));
      undone = [];
      set(real);
    }

    function step(from, to, which) {
      const last = from.pop();
      if (!last) return;
      to.push(last);
      set(last.map((change) => [change[0], change[which]]));
      select(last[0][0], last.at(-1)[0]);
    }
    const undo = () => step(done, undone, 1);
    const redo = () => step(undone, done, 2);

    function discard() {
      refused.clear();
      apply([...changed].map((cell) => [cell, { now: cell.was, fault: "", isPasted: false }]));
      grid.flat().filter(({ td }) => td.classList.contains("pl-fault")).forEach(draw);
      say("");
      tell();
    }

    // --- what the page says ----------------------------------------------------------------------

    function tell() {
      bubble();
      if (isReadonly) return;
      const count = changed.size;
      part("count").textContent = count ? `${count} ${count === 1 ? "value is" : "values are"} not saved yet` : "";
      button("save").disabled = button("discard").disabled = !count;
      button("undo").disabled = !done.length;
      button("redo").disabled = !undone.length;
    }

    function say(words, isGood = false) {
      const line = document.createElement("p");
      line.className = isGood ? "pl-good" : "pl-error";
      line.textContent = words;
      part("said").replaceChildren(...(words ? [line] : []));
    }

    function listFaults(words, faults) {
      say(words);
      const list = document.createElement("ul");
      list.className = "pl-faults";
      for (const [cell, text] of faults.slice(0, LISTED)) {
        const item = document.createElement("li");
        const jump = document.createElement("button");
        jump.type = "button";
        jump.textContent = name(cell);
        jump.addEventListener("click", () => select(cell));
        item.append(jump, ` ${text}`);
        list.append(item);
      }
      part("said").append(list);
    }

    // The words about the cell in which the cursor is, below it.
    function bubble() {
      const box = part("bubble");
      const words = active.fault || refused.get(active) || "";
      box.hidden = !words || !table.contains(document.activeElement);
      if (box.hidden) return;
      box.textContent = words;
      const at = active.td.getBoundingClientRect();
      const frame = sheet.getBoundingClientRect();
      box.style.top = `${at.bottom - frame.top + sheet.scrollTop + 2}px`;
      box.style.left = `${Math.max(4, Math.min(at.left, frame.right - box.offsetWidth - 8) - frame.left) + sheet.scrollLeft}px`;
    }

    // --- selection -------------------------------------------------------------------------------

    function chosen() {
      const [top, bottom] = [anchor.r, active.r].sort((a, b) => a - b);
      const [left, right] = [anchor.c, active.c].sort((a, b) => a - b);
      return grid.slice(top, bottom + 1).map((row) => row.slice(left, right + 1));
    }

    // The cursor is at the anchor's opposite corner; a plain move puts both on one cell.
    function select(from, to = from) {
      anchor = from;
      active.td.removeAttribute("tabindex");
      active = to;
      active.td.tabIndex = 0;
      for (const td of painted) {
        td.classList.remove("pl-in");
        td.removeAttribute("aria-selected");
      }
      painted = chosen().flat().map(({ td }) => td);
      for (const td of painted) {
        td.classList.add("pl-in");
        td.setAttribute("aria-selected", "true");
      }
      active.td.focus({ preventScroll: true });
      active.td.scrollIntoView({ block: "nearest", inline: "nearest" });
      bubble();
    }

    const at = (r, c) => grid[Math.max(0, Math.min(height - 1, r))][Math.max(0, Math.min(width - 1, c))];
    const move = (r, c, isExtending = false) => select(isExtending ? anchor : at(r, c), at(r, c));

    function tab(by) {
      const place = active.r * width + active.c + by;
      if (place < 0 || place >= height * width) return false;
      move(Math.floor(place / width), place % width);
      return true;
    }

    // --- editing one cell ------------------------------------------------------------------------

    function edit(typed) {
      if (isReadonly || editing) return;
      select(active);
      const input = document.createElement("input");
      input.value = typed ?? active.now;
      input.inputMode = "decimal";
      input.autocomplete = "off";
      input.setAttribute("aria-label", name(active));
      editing = { cell: active, input, isTyped: typed !== undefined };
      active.td.replaceChildren(input);
      part("bubble").hidden = true;
      input.focus();
      if (typed === undefined) input.setSelectionRange(input.value.length, input.value.length);
      input.addEventListener("blur", () => finish(true, false));
    }

    function finish(isKept, isFocusing = true) {
      if (!editing) return;
      const { cell, input } = editing;
      editing = null;
      if (isKept && input.value !== cell.now) apply([[cell, stateFrom(input.value, false)]]);
      draw(cell);
      if (isFocusing) select(active);
    }

    // --- many cells ------------------------------------------------------------------------------

    const blank = () => apply(chosen().flat().map((cell) => [cell, { now: "", fault: "", isPasted: false }]));

    function fill(down) {
      const block = chosen();
      const first = down ? block[0] : block.map((row) => row[0]);
      const isSingle = down ? block.length === 1 : block[0].length === 1;
      const source = (cell) => {
        if (isSingle) return down ? grid[cell.r - 1]?.[cell.c] : grid[cell.r][cell.c - 1];
        return down ? first[cell.c - block[0][0].c] : first[cell.r - block[0][0].r];
      };
      const filled = block.flat().filter((cell) => source(cell) && source(cell) !== cell);
      apply(filled.map((cell) => [cell, stateOf(source(cell))]));
    }

    function paste(text, isOwn) {
      const lines = text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n").map((line) => line.split("\t"));
      const across = Math.max(...lines.map((line) => line.length));
      const block = chosen();
      const [top, left] = [block[0][0].r, block[0][0].c];
      // A selection that is a multiple of the block is filled with it.
      const isTiled = block.length % lines.length === 0 && block[0].length % across === 0;
      const [rows, columns] = isTiled ? [block.length, block[0].length] : [lines.length, across];
      if (top + rows > height || left + columns > width) {
        say(`The block has ${rows} rows and ${columns} columns; from here the table has ${height - top} and ${width - left}. Nothing was pasted.`);
        return;
      }
      const changes = [];
      for (let r = 0; r < rows; r += 1) {
        for (let c = 0; c < columns; c += 1) {
          const found = lines[r % lines.length][c % across] ?? "";
          changes.push([grid[top + r][left + c], isOwn ? stateFrom(found, true, "point") : stateFrom(found, true)]);
        }
      }
      apply(changes);
      select(grid[top][left], grid[top + rows - 1][left + columns - 1]);
      const unread = changes.filter(([cell]) => cell.fault).map(([cell]) => [cell, cell.fault]);
      if (unread.length) listFaults(`${unread.length} of ${changes.length} pasted cells can't be read:`, unread);
      else say("");
    }

    function copy(data) {
      const lines = chosen().map((row) => row.map(({ now }) => now));
      const joined = (texts) => texts.map((line) => line.join("\t")).join("\r\n");
      const written = decimals?.value === "comma" ? lines.map((line) => line.map((text) => text.replace(".", ","))) : lines;
      data.setData(OWN_CELLS, joined(lines));
      data.setData("text/plain", joined(written));
    }

    // --- saving ----------------------------------------------------------------------------------

    async function save() {
      finish(true);
      const cells = [...changed];
      const unread = cells.filter(({ fault }) => fault).map((cell) => [cell, cell.fault]);
      if (unread.length) {
        listFaults(`${unread.length === 1 ? "1 value" : `${unread.length} values`} can't be read. Nothing was saved:`, unread);
        select(unread[0][0]);
        return false;
      }
      if (!cells.length || panel.hasAttribute("aria-busy")) return !cells.length;
      const sent = cells.map((cell) => [Number(cell.tr.dataset.row), Number(periods[cell.c].dataset.period), cell.tr.dataset.field, cell.was, cell.now]);
      panel.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(panel.dataset.grid, {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-CSRFToken": panel.querySelector("[name=csrfmiddlewaretoken]").value },
          body: JSON.stringify({ cells: sent }),
          credentials: "same-origin",
        });
        if (answer.redirected) throw new Error("login");
        return take(cells, sent, await answer.json());
      } catch {
        say("The server did not take the values. Nothing is known to be saved: check that you are logged in, then save again.");
        return false;
      } finally {
        panel.removeAttribute("aria-busy");
        tell();
      }
    }

    function take(cells, sent, said) {
      const isSaved = "saved" in said;
      refused.clear();
      if (isSaved) {
        cells.forEach((cell, place) => (cell.was = sent[place][4]));
        say(said.text, true);
      } else if (said.faults) {
        const byPlace = new Map(sent.map((one, place) => [one.slice(0, 3).join(), cells[place]]));
        const faults = said.faults.map(({ cell, text, now }) => {
          const found = byPlace.get(cell.join());
          refused.set(found, text);
          if (now !== null) found.was = now; // somebody else's value: saving again writes over it knowingly
          return [found, text];
        });
        const wrong = new Set(faults.map(([cell]) => cell)).size;
        listFaults(`${wrong === 1 ? "1 value" : `${wrong} values`} can't be saved. Nothing was saved:`, faults);
        select(faults[0][0]);
      } else {
        say(said.text);
      }
      grid.flat().filter((cell) => cells.includes(cell) || cell.td.classList.contains("pl-fault")).forEach(draw);
      tell();
      return isSaved;
    }

    // --- keys ------------------------------------------------------------------------------------

    const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

    function keyWhileEditing(event) {
      const arrow = editing.isTyped && ARROWS[event.key];
      if (event.key === "Escape") finish(false);
      else if (event.key === "Enter") {
        finish(true);
        move(active.r + (event.shiftKey ? -1 : 1), active.c);
      } else if (event.key === "Tab") {
        finish(true);
        if (!tab(event.shiftKey ? -1 : 1)) return;
      } else if (event.key === "F2") editing.isTyped = false;
      else if (arrow) {
        finish(true);
        move(active.r + arrow[0], active.c + arrow[1]);
      } else if (event.key === "s" && (event.ctrlKey || event.metaKey)) save();
      else return;
      event.preventDefault();
      event.stopPropagation();
    }

    const WITH_CTRL = {
      z: (event) => (event.shiftKey ? redo() : undo()),
      y: redo,
      d: () => fill(true),
      r: () => fill(false),
      s: save,
      a: () => select(grid[0][0], grid[height - 1][width - 1]),
      Home: (event) => move(0, 0, event.shiftKey),
      End: (event) => move(height - 1, width - 1, event.shiftKey),
    };
    const PLAIN = {
      Home: (event) => move(active.r, 0, event.shiftKey),
      End: (event) => move(active.r, width - 1, event.shiftKey),
      PageUp: (event) => move(active.r - PAGE, active.c, event.shiftKey),
      PageDown: (event) => move(active.r + PAGE, active.c, event.shiftKey),
      Enter: (event) => move(active.r + (event.shiftKey ? -1 : 1), active.c),
      F2: () => edit(),
      Delete: blank,
      Backspace: blank,
      " ": () => undefined,
    };

    function key(event) {
      if (editing) return keyWhileEditing(event);
      if (!cellOf.has(event.target) || event.altKey) return undefined;
      const isCtrl = event.ctrlKey || event.metaKey;
      const arrow = ARROWS[event.key];
      if (event.key === "Escape") {
        isLeaving = true;
        return select(active);
      }
      if (event.key === "Tab") {
        if (isLeaving || isCtrl || !tab(event.shiftKey ? -1 : 1)) return undefined;
      } else if (arrow) {
        const far = isCtrl ? Math.max(height, width) : 1;
        move(active.r + arrow[0] * far, active.c + arrow[1] * far, event.shiftKey);
      } else {
        const act = isCtrl ? WITH_CTRL[event.key.length === 1 ? event.key.toLowerCase() : event.key] : PLAIN[event.key];
        if (act) act(event);
        else if (!isCtrl && event.key.length === 1) return edit(""); // the key itself goes into the field
        else return undefined;
      }
      isLeaving = false;
      event.preventDefault();
      return undefined;
    }
    table.addEventListener("keydown", key);

    // --- mouse, touch, clipboard -----------------------------------------------------------------

    let isDragging = false;
    table.addEventListener("mousedown", (event) => {
      const cell = cellOf.get(event.target.closest("td"));
      if (!cell || event.button || editing?.cell === cell) return;
      event.preventDefault();
      finish(true);
      isDragging = true;
      select(event.shiftKey ? anchor : cell, cell);
    });
    table.addEventListener("mouseover", (event) => {
      const cell = cellOf.get(event.target.closest("td"));
      if (isDragging && cell) select(anchor, cell);
    });
    window.addEventListener("mouseup", () => (isDragging = false));
    table.addEventListener("dblclick", (event) => cellOf.has(event.target) && edit());
    let touched = null;
    table.addEventListener("click", (event) => {
      const cell = cellOf.get(event.target);
      if (cell && event.pointerType === "touch" && touched === cell) edit();
      touched = cell ?? null;
    });
    table.addEventListener("focusin", bubble);
    table.addEventListener("focusout", () => (isLeaving = false));

    const isHere = () => !editing && table.contains(document.activeElement);
    document.addEventListener("copy", (event) => {
      if (!isHere()) return;
      copy(event.clipboardData);
      event.preventDefault();
    });
    document.addEventListener("cut", (event) => {
      if (!isHere() || isReadonly) return;
      copy(event.clipboardData);
      blank();
      event.preventDefault();
    });
    document.addEventListener("paste", (event) => {
      const own = event.clipboardData.getData(OWN_CELLS);
      const text = own || event.clipboardData.getData("text/plain");
      if (isReadonly || !text) return;
      if (editing && table.contains(document.activeElement) && /[\t\n]/.test(text.trim())) finish(false);
      if (!isHere()) return;
      event.preventDefault();
      paste(text, Boolean(own));
    });

    // --- buttons, and leaving --------------------------------------------------------------------

    const DO = { save, discard, undo, redo };
    panel.addEventListener("click", (event) => DO[event.target.closest("[data-do]")?.dataset.do]?.());
    if (decimals) {
      decimals.value = window.localStorage.getItem(KEY) ?? "";
      decimals.addEventListener("change", () => {
        window.localStorage.setItem(KEY, decimals.value);
        apply([...changed].filter(({ fault }) => fault).map((cell) => [cell, stateFrom(cell.now, cell.isPasted)]));
        if (![...changed].some(({ fault }) => fault)) say("");
      });
    }
    window.addEventListener("beforeunload", (event) => {
      if (changed.size) event.preventDefault();
    });
    // On a row's own page the form below the same heading is saved after the values by period.
    const form = document.querySelector("form.warn-unsaved-form");
    form?.addEventListener("submit", async (event) => {
      if (!changed.size) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (await save()) form.requestSubmit(event.submitter);
    }, { capture: true });
    active.td.tabIndex = 0;
    tell();
  }

  document.querySelectorAll("[data-grid]").forEach(start);
})();
