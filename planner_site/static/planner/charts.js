// Draws charts as SVG: <figure data-chart="hours|search|curve|map"> holds its numbers as JSON and a place to draw. Colours are classes of planner.css, so that light, dark and print follow it. Every chart has a table beside it.
window.plannerCharts = (() => {
  const SPACE = { left: 46, right: 10, top: 10, bottom: 22 };
  const round = (value) => Math.round(value * 100) / 100;
  const words = (value) => value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 0 });
  const short = (value) =>
    Math.abs(value) >= 10000 ? value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 2 }) : words(value);

  function add(parent, name, attributes = {}, text = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    parent.append(made);
    return made;
  }

  // Round steps of 1, 2 or 5 between low and high, about `count` of them.
  function steps(low, high, count) {
    const rough = (high - low || 1) / count;
    const size = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((factor) => factor * size >= rough) * size;
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(at);
    return found;
  }

  function canvas(place, height) {
    const width = Math.max(place.clientWidth, 220);
    place.textContent = "";
    const svg = add(place, "svg", { viewBox: `0 0 ${width} ${height}`, class: "pl-svg", "aria-hidden": "true" });
    return { svg, width, height, inner: width - SPACE.left - SPACE.right, base: height - SPACE.bottom };
  }

  function levels(box, values, y) {
    for (const value of values) {
      add(box.svg, "line", { class: "pl-grid", x1: SPACE.left, x2: box.width - SPACE.right, y1: y(value), y2: y(value) });
      add(box.svg, "text", { class: "pl-tick", x: SPACE.left - 6, y: y(value) + 4, "text-anchor": "end" }, short(value));
    }
  }

  // Hours of a machine: stacked columns by product, setups hatched on top, a line for what is available.
  function hours(place, data) {
    const box = canvas(place, 190);
    const { svg, inner, base } = box;
    const count = data.periods.length;
    const totals = data.periods.map((_, t) => data.stacks.reduce((sum, stack) => sum + stack.hours[t], 0));
    const top = Math.max(...totals, ...data.available.map((value) => value ?? 0)) || 1;
    const y = (value) => round(base - (value / top) * (base - SPACE.top));
    const slot = inner / count;
    const wide = Math.min(slot * 0.72, 56);
    levels(box, steps(0, top, 4), y);

    data.periods.forEach((period, t) => {
      const x = round(SPACE.left + slot * t + (slot - wide) / 2);
      let reached = 0;
      for (const stack of data.stacks) {
        const value = stack.hours[t];
        if (value < 1e-9) continue;
        const part = add(svg, "rect", {
          class: `pl-c${stack.colour}`,
          x,
          width: round(wide),
          y: y(reached + value),
          height: round(Math.max(y(reached) - y(reached + value), 0.5)),
        });
        add(part, "title", {}, `${stack.name}, ${period}: ${words(value)} h of ${words(totals[t])} h`);
        reached += value;
      }
      const limit = data.available[t];
      if (limit !== null) {
        const line = add(svg, "line", {
          class: "pl-cline",
          x1: round(SPACE.left + slot * t),
          x2: round(SPACE.left + slot * (t + 1)),
          y1: y(limit),
          y2: y(limit),
        });
        add(line, "title", {}, `${period}: ${words(limit)} h available`);
      }
    });
    labels(box, data.periods, slot);
  }

  // Names of periods below their columns: as many as there is room for, cut where one alone is too long.
  function labels(box, periods, slot) {
    const longest = Math.max(...periods.map((period) => period.length)) * 6.5 + 8;
    const every = Math.max(1, Math.ceil(Math.min(longest, 90) / slot));
    const room = Math.max(3, Math.floor((slot * every) / 6.5));
    periods.forEach((period, t) => {
      if (t % every) return;
      const text = period.length > room ? `${period.slice(0, room - 1)}…` : period;
      const x = SPACE.left + slot * (t + 0.5);
      add(box.svg, "text", { class: "pl-tick", x, y: box.height - 6, "text-anchor": "middle" }, text);
    });
  }

  // Best plan and bound over the seconds of a run: each holds until the next one is known.
  function search(place, trail, figure) {
    const box = canvas(place, 190);
    const { svg, inner, base } = box;
    const known = trail.flatMap(([, best, bound]) => [best, bound]).filter((value) => value !== null);
    if (!known.length) return;
    const low = Math.min(...known);
    const high = Math.max(...known);
    const room = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
    const last = Math.max(trail[trail.length - 1][0] * 1.06, 0.01); // room after the last change
    const y = (value) => round(base - ((value - low + room) / (high - low + 2 * room)) * (base - SPACE.top));
    const x = (seconds) => round(SPACE.left + (seconds / last) * inner);
    levels(box, steps(low, high, 4), y);
    for (const seconds of steps(0, last, 5)) {
      add(svg, "text", { class: "pl-tick", x: x(seconds), y: box.height - 6, "text-anchor": "middle" }, `${words(seconds)} s`);
    }
    const currency = figure.dataset.currency ?? "";
    [["bound", 2, "No plan earns more"], ["best", 1, "Best plan"]].forEach(([name, column, label]) => {
      let path = "";
      let value = null;
      for (const point of trail) {
        if (point[column] === null) continue;
        path += path ? `H${x(point[0])}V${y(point[column])}` : `M${x(point[0])},${y(point[column])}`;
        value = point[column];
      }
      if (value === null) return;
      const line = add(svg, "path", { class: `pl-line pl-${name}`, d: `${path}H${x(last)}` });
      add(line, "title", {}, `${label}: ${value.toLocaleString("en", { maximumFractionDigits: 2 })} ${currency}`);
      const above = name === "bound" ? -5 : 13;
      add(svg, "text", { class: `pl-name pl-${name}`, x: box.width - SPACE.right, y: Math.max(y(value) + above, 11), "text-anchor": "end" }, label);
    });
  }

  // Profit over the values of one number: a line, a dot for each run, dashed lines where the bottleneck changes.
  function curve(place, data) {
    const box = canvas(place, 230);
    const { svg, inner, base } = box;
    const known = data.points.filter((point) => point.y !== null);
    if (!known.length) return;
    const xs = data.points.map((point) => point.x);
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [low, high] = [Math.min(...known.map((p) => p.y)), Math.max(...known.map((p) => p.y))];
    const room = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
    const y = (value) => round(base - ((value - low + room) / (high - low + 2 * room)) * (base - SPACE.top));
    const x = (value) => round(SPACE.left + ((value - left) / (right - left || 1)) * inner);
    levels(box, steps(low, high, 4), y);
    for (const value of steps(left, right, 6)) {
      const end = x(value) > box.width - 40 ? "end" : "middle";
      add(svg, "text", { class: "pl-tick", x: x(value), y: box.height - 6, "text-anchor": end }, `${short(value)} ${data.unit}`);
    }
    for (const mark of data.marks) {
      const line = add(svg, "line", { class: "pl-mark", x1: x(mark.x), x2: x(mark.x), y1: SPACE.top, y2: base });
      add(line, "title", {}, mark.text);
    }
    const path = data.points.map((p, i) => (p.y === null ? "" : `${i && data.points[i - 1].y !== null ? "L" : "M"}${x(p.x)},${y(p.y)}`));
    add(svg, "path", { class: "pl-line pl-best", d: path.join("") });
    for (const point of known) {
      const dot = add(svg, "circle", { class: "pl-dot", cx: x(point.x), cy: y(point.y), r: point.x === data.now ? 5 : 3 });
      add(dot, "title", {}, `${words(point.x)} ${data.unit}: ${words(point.y)} ${data.currency}; limited by ${point.full}`);
    }
  }

  // Profit over two numbers: cells from pale to strong, with a line between cells whose bottlenecks differ.
  function map(place, data) {
    const box = canvas(place, Math.min(60 + 26 * data.ys.length, 480));
    const { svg, inner, base } = box;
    const known = data.profits.flat().filter((value) => value !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const gutter = 60;
    const wide = (inner - gutter) / data.xs.length;
    const tall = (base - SPACE.top) / data.ys.length;
    data.profits.forEach((line, j) => {
      const top = base - (j + 1) * tall;
      add(svg, "text", { class: "pl-tick", x: SPACE.left + gutter - 6, y: round(top + tall / 2 + 4), "text-anchor": "end" }, data.ys[j]);
      line.forEach((value, i) => {
        const start = SPACE.left + gutter + i * wide;
        const cell = add(svg, "rect", {
          class: value === null ? "pl-cell pl-none" : "pl-cell",
          x: round(start),
          y: round(top),
          width: round(wide),
          height: round(tall),
          "fill-opacity": value === null ? 1 : round(0.12 + (0.83 * (value - low)) / (high - low || 1)),
        });
        const found = value === null ? "no plan yet, or none" : `${words(value)} ${data.currency}; limited by ${data.full[j][i]}`;
        add(cell, "title", {}, `${data.names[0]} ${data.xs[i]}, ${data.names[1]} ${data.ys[j]}: ${found}`);
        const differs = (other) => other !== undefined && other !== data.full[j][i];
        if (differs(data.full[j][i + 1])) {
          add(svg, "line", { class: "pl-mark", x1: round(start + wide), x2: round(start + wide), y1: round(top), y2: round(top + tall) });
        }
        if (differs(data.full[j + 1]?.[i])) {
          add(svg, "line", { class: "pl-mark", x1: round(start), x2: round(start + wide), y1: round(top), y2: round(top) });
        }
      });
    });
    const every = Math.max(1, Math.ceil(70 / wide));
    data.xs.forEach((text, i) => {
      if (i % every) return;
      add(svg, "text", { class: "pl-tick", x: round(SPACE.left + gutter + (i + 0.5) * wide), y: box.height - 6, "text-anchor": "middle" }, text);
    });
  }

  const kinds = { hours, search, curve, map };
  const widths = new ResizeObserver((changes) => {
    for (const { target } of changes) {
      const figure = target.closest("[data-chart]");
      if (figure && target.dataset.width !== String(target.clientWidth)) draw(figure);
    }
  });

  function draw(figure, fresh) {
    const place = figure.querySelector("[data-draw]");
    if (fresh) figure.plannerData = fresh;
    figure.plannerData ??= JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    if (!place.clientWidth) return; // hidden: drawn once it is seen
    place.dataset.width = place.clientWidth;
    kinds[figure.dataset.chart](place, figure.plannerData, figure);
  }

  function drawAll(within) {
    within.querySelectorAll("[data-chart]").forEach((figure) => {
      draw(figure);
      widths.observe(figure.querySelector("[data-draw]"));
    });
  }
  drawAll(document);
  return { draw, drawAll };
})();
