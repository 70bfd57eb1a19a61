// Charts over the time of a run: lines and one area, drawn as SVG with axes that have units, and a readout under the pointer.

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 78, RIGHT = 12, TOP = 10, BELOW = 26;
const CLOCK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `12.5 MiB`: in the largest binary unit that leaves at least one whole. */
export function size(bytes) {
  const power = bytes < 1 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? Math.round(value) : value.toFixed(1)} ${SIZES[power]}`;
}

/** `1.24 ms`: three significant digits. */
export function duration(seconds) {
  const [value, unit] = seconds >= 1 ? [seconds, "s"] : seconds >= 1e-3 ? [seconds * 1e3, "ms"] : [seconds * 1e6, "µs"];
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${unit}`;
}

/** `1:05` into a run, `2 h 05` into a long one, and `42 s` where it is short. */
export function clock(seconds, lastS) {
  const whole = Math.floor(seconds);
  const two = (value) => String(value).padStart(2, "0");
  if (lastS < 90) return `${whole} s`;
  if (lastS < 5400) return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))}`;
}

/** An axis from 0 in equal steps of bytes per second, in binary units. */
export function sizeAxis(highest) {
  const steps = SIZES.flatMap((_, power) => [1, 2, 5, 10, 20, 50, 100, 200, 500].map((digits) => digits * 1024 ** power));
  const step = steps.find((each) => highest <= each * 5) ?? highest;
  return linearAxis(step, highest, (value) => (value === 0 ? "0" : `${size(value).replace(".0", "")}/s`));
}

/** An axis from 0 in equal steps of whole numbers. */
export function countAxis(highest) {
  let step = 1;
  for (let at = 0; highest > step * 5; at += 1) step = [1, 2, 5][at % 3] * 10 ** Math.floor(at / 3);
  return linearAxis(step, highest, (value) => value.toLocaleString("en"));
}

/** A logarithmic axis of times: 1, 2 and 5 of each decade, from below the shortest to above the longest. */
export function timeAxis(longest, shortest) {
  const series = [];
  for (let power = -6; power < 6; power += 1) for (const digit of [1, 2, 5]) series.push(Number(`${digit}e${power}`));
  const first = Math.max(0, series.findLastIndex((each) => each <= shortest));
  let last = series.findIndex((each) => each >= longest);
  if (last < 0) last = series.length - 1;
  const shown = series.slice(first, Math.max(last, first + 1) + 1);
  const few = shown.length < 9;
  const ticks = shown.map((value) => ({ value, label: few || String(value.toExponential())[0] === "1" ? duration(value) : "" }));
  const [low, high] = [Math.log10(shown[0]), Math.log10(shown.at(-1))];
  return { ticks, place: (value) => (Math.log10(value) - low) / (high - low) };
}

function linearAxis(step, highest, label) {
  const count = Math.max(1, Math.ceil(highest / step));
  const ticks = Array.from({ length: count + 1 }, (_, at) => ({ value: at * step, label: label(at * step) }));
  return { ticks, place: (value) => value / (count * step) };
}

/**
 * Draw into `box`. `lines` are [{name, kind, area, values: [[seconds, value or null], …]}], `axis` is made of the values,
 * `words` say what a reader who does not see the chart has to know.
 */
export function draw(box, { lines, axis, lastS, height, words, show }) {
  const width = Math.max(280, box.clientWidth || 600);
  const [right, bottom] = [width - RIGHT, height - BELOW];
  const x = (seconds) => LEFT + (seconds / Math.max(lastS, 1)) * (right - LEFT);
  const y = (value) => bottom - axis.place(value) * (bottom - TOP);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": words });
  for (const { value, label } of axis.ticks) {
    svg.append(make("line", { class: label ? "grid" : "grid faint", x1: LEFT, x2: right, y1: y(value), y2: y(value) }));
    if (label) svg.append(text(LEFT - 10, y(value) + 4, label, "end"));
  }
  for (const at of clockTicks(lastS, Math.floor((right - LEFT) / 85))) {
    svg.append(make("line", { class: "base", x1: x(at), x2: x(at), y1: bottom, y2: bottom + 4 }), text(x(at), bottom + 19, clock(at, lastS), "middle"));
  }
  svg.append(make("line", { class: "base", x1: LEFT, x2: right, y1: bottom, y2: bottom }));
  for (const line of lines) for (const run of unbroken(line.values)) svg.append(path(line, run, x, y, bottom));
  box.replaceChildren(svg);
  follow(box, svg, { lines, x, y, right, bottom, lastS, show });
}

function path({ kind, area }, run, x, y, bottom) {
  if (run.length === 1 && !area) return make("circle", { class: `point ${kind}`, cx: x(run[0][0]), cy: y(run[0][1]), r: 2 });
  const points = run.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  if (!area) return make("path", { class: `line ${kind}`, d: `M${points.join("L")}` });
  const [from, to] = [x(run[0][0]).toFixed(1), x(run.at(-1)[0]).toFixed(1)];
  return make("path", { class: `area ${kind}`, d: `M${from},${bottom}L${points.join("L")}L${to},${bottom}Z` });
}

/** A line is broken where there is no value: nothing happened there, and nothing is made up. */
function unbroken(values) {
  const runs = [[]];
  for (const [at, value] of values) {
    if (value === null) runs.push([]);
    else runs.at(-1).push([at, value]);
  }
  return runs.filter((run) => run.length > 0);
}

const pointed = new WeakMap(); // where the pointer rests on a chart, in seconds, for the chart is drawn anew under it

function follow(box, svg, { lines, x, y, right, bottom, lastS, show }) {
  const cursor = make("g", { visibility: "hidden" });
  const readout = document.createElement("div");
  readout.className = "readout";
  readout.hidden = true;
  svg.append(cursor);
  box.append(readout);
  const point = (seconds) => {
    const found = lines.map((line) => ({ line, point: nearest(line.values, seconds) })).filter((each) => each.point && each.point[1] !== null);
    if (found.length === 0) return;
    const at = found[0].point[0];
    cursor.replaceChildren(make("line", { class: "cursor", x1: x(at), x2: x(at), y1: TOP, y2: bottom }),
      ...found.map((each) => make("circle", { class: `point ${each.line.kind}`, cx: x(each.point[0]), cy: y(each.point[1]), r: 3.5 })));
    cursor.setAttribute("visibility", "visible");
    readout.replaceChildren(...[["at", clock(at, lastS)], ...found.map((each) => [each.line.name, show(each.point[1])])].map(read));
    readout.hidden = false;
    const before = x(at) > (LEFT + right) / 2;
    readout.style.left = before ? "" : `${x(at) + 12}px`;
    readout.style.right = before ? `${box.clientWidth - x(at) + 12}px` : "";
  };
  svg.addEventListener("pointermove", (event) => {
    pointed.set(box, ((event.clientX - svg.getBoundingClientRect().left - LEFT) / (right - LEFT)) * lastS);
    point(pointed.get(box));
  });
  svg.addEventListener("pointerleave", () => {
    pointed.delete(box);
    cursor.setAttribute("visibility", "hidden");
    readout.hidden = true;
  });
  if (pointed.has(box)) point(pointed.get(box));
}

function read([name, value]) {
  const row = document.createElement("div");
  const strong = document.createElement("b");
  strong.textContent = value;
  row.append(`${name} `, strong);
  return row;
}

function nearest(values, seconds) {
  return values.reduce((best, each) => (best && Math.abs(best[0] - seconds) <= Math.abs(each[0] - seconds) ? best : each), null);
}

function clockTicks(lastS, most) {
  const step = CLOCK_STEPS_S.find((each) => lastS <= each * most) ?? CLOCK_STEPS_S.at(-1);
  return Array.from({ length: Math.floor(lastS / step) + 1 }, (_, at) => at * step);
}

function text(x, y, words, anchor) {
  const node = make("text", { x, y, "text-anchor": anchor });
  node.textContent = words;
  return node;
}

function make(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
