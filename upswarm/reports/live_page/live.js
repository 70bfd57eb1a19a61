// The live page: asks for the state of the run every two seconds, and shows it. Everything that is shown is text, never markup.

import { clock, countAxis, draw, duration, size, sizeAxis, timeAxis } from "./chart.js";

const EVERY_MS = 2000;
const PATIENCE_MS = 10000;
const UNSETTLED_S = 5; // what is younger may still change, for workers report every few seconds
const PHASES = ["init", "chunk", "finalize", "upload", "probe", "abort", "inspect"];
const STATES = { none: "No run yet.", running: "Running.", ended: "Ended:" };
const NOW_FIRST = new Set(["goodput", "sent", "in_flight"]);
const MARKS = { holds: "✓ ", broken: "✗ ", open: "" };
const TONES = { passed: "good", failed: "bad", "invalid measurement": "invalid" };

const byId = (id) => document.getElementById(id);
const chosen = byId("phase");
const drawn = new Map(); // what each table shows: drawn anew for nothing, it would take the focus from a link
let shown = null; // the document that is shown, with all points of its series
let asking = false;

for (const phase of PHASES) chosen.append(new Option(phase, phase, phase === "chunk", phase === "chunk"));
chosen.addEventListener("change", ask);
addEventListener("resize", () => shown && charts(shown));
document.addEventListener("visibilitychange", () => !document.hidden && ask());
setInterval(() => !document.hidden && ask(), EVERY_MS);
ask();

async function ask() {
  if (asking) return;
  asking = true;
  const phase = chosen.value;
  try {
    shown = await whole(phase);
    byId("trouble").hidden = true;
    show(shown);
  } catch (error) {
    say("trouble", error.message);
    byId("trouble").hidden = false;
  }
  asking = false;
  if (phase !== chosen.value) ask();
}

/** Only the end of the series is asked for where the beginning is here: of the same run and phase, and as wide. */
async function whole(phase) {
  const known = shown?.state === "running" && shown.series.phase === phase ? shown : null;
  const fromS = known ? Math.max(0, Math.floor((known.series.points.at(-1)?.at_s ?? 0) - UNSETTLED_S)) : 0;
  const fresh = await asked(phase, fromS);
  if (fromS === 0 || fresh.series.points[0]?.at_s === 0) return fresh;
  const fits = fresh.state === "running" && fresh.run.run_id === known.run.run_id && fresh.series.width_s === known.series.width_s;
  if (!fits || fresh.series.points.length === 0) return asked(phase, 0);
  const before = known.series.points.filter((point) => point.at_s < fresh.series.points[0].at_s);
  return { ...fresh, series: { ...fresh.series, points: [...before, ...fresh.series.points] } };
}

async function asked(phase, fromS) {
  let answer;
  try {
    answer = await fetch(`uploads/live?phase=${phase}&from_s=${fromS}`, { signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new Error("Locust does not answer. What is shown is from before; the page goes on asking.");
  }
  if (answer.redirected) throw new Error("The login has expired. Log in again in Locust's page, then load this one anew.");
  if (!answer.ok) throw new Error(`Locust answered ${answer.status}. What is shown is from before; the page goes on asking.`);
  return answer.json();
}

function show(live) {
  const { state, run } = live;
  document.body.dataset.state = state;
  byId("scenario").textContent = run.scenario || "Uploads, live";
  document.title = `${run.scenario || "Uploads, live"} – upswarm`;
  byId("banner").className = `banner ${state === "ended" ? TONES[run.conclusion.word] ?? "bad" : ""}`;
  say("state", state === "ended" ? `${STATES.ended} ${run.conclusion.word}.` : STATES[state]);
  say("sentence", sentence(state, run));
  list(byId("remarks"), run.remarks);
  say("run-id", run.run_id);
  for (const name of ["about", "target", "load", "elapsed"]) say(name, run[name]);
  say("users", state === "running" ? run.users.toLocaleString("en") : "–");
  figures(live.figures);
  tables(live);
  if (state !== "none") charts(live);
}

/** A text that stays as it is is left alone, or it would be read out again, and what somebody has marked would be lost. */
function say(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

function sentence(state, run) {
  if (state === "none") return "Start one in Locust's page; it is shown here as soon as it goes on.";
  if (state === "running") return "Nothing is decided before the end.";
  return run.conclusion.sentence;
}

/** Of rates and levels the number of now comes first, of counts that of the whole run. */
function figures(rows) {
  byId("figures").replaceChildren(...rows.map(({ key, name, now, whole, detail }) => {
    const live = NOW_FIRST.has(key) && now !== "–";
    const item = element("li", { "data-figure": key });
    const beside = live ? `now; whole run: ${whole} ${detail}` : [now === "–" ? "" : `now ${now}`, detail].filter(Boolean).join("; ");
    item.append(element("span", { class: "label" }, name), element("span", { class: "value" }, live ? now : whole), element("span", { class: "definition" }, beside));
    return item;
  }));
}

function charts(live) {
  const { points, width_s: widthS, phase } = live.series;
  const lastS = Math.max(live.run.elapsed_s, 1);
  const line = (name, kind, value, area = false) => ({ name, kind, area, values: points.map((point) => [Math.min(point.at_s + widthS / 2, lastS), value(point)]) });
  const per = widthS === 1 ? "second" : duration(widthS);
  const counted = (value) => `${value.toLocaleString("en")} per ${per}`;
  const levels = live.in_flight.map(([at, value]) => [Math.min(at, lastS), value]);
  chart("chart-throughput", lastS, {
    lines: [line("sent", "sent", (point) => point.sent_per_s, true), line("goodput", "goodput", (point) => point.goodput_per_s)],
    height: 230, axis: sizeAxis, show: (value) => `${size(value)}/s`, of: "Bytes per second", empty: "Nothing has been sent.", always: false,
  });
  chart("chart-times", lastS, {
    lines: ["p50", "p95", "p99"].map((name, at) => line(name, name, (point) => point.times_s[at] ?? null)),
    height: 230, axis: timeAxis, show: duration, of: `Response times of ${phase}`, empty: `No ${phase} has succeeded.`, always: true,
  });
  chart("chart-in-flight", lastS, {
    lines: [{ name: "in flight", kind: "level", values: levels }],
    height: 180, axis: countAxis, show: (value) => value.toLocaleString("en"), of: "Uploads in flight", empty: "No worker has reported.", always: true,
  });
  chart("chart-errors", lastS, {
    lines: [line("failed attempts", "attempts", (point) => point.failed_attempts), line("retries", "retries", (point) => point.retries), line("failed uploads", "lost", (point) => point.failed_uploads)],
    height: 180, axis: countAxis, show: counted, of: "Errors and retries", empty: "Nothing has failed, and nothing was repeated.", always: false,
  });
  byId("errors-unit").textContent = `How many in each ${per}.`;
}

/** A chart, or a sentence where there is nothing to draw; unless `always`, nothing but zeros is nothing. */
function chart(id, lastS, { lines, height, axis, show, of, empty, always }) {
  const values = lines.flatMap((line) => line.values.map(([, value]) => value)).filter((value) => value !== null);
  if (!values.some((value) => always || value > 0)) {
    byId(id).replaceChildren(element("p", { class: "empty" }, empty));
    return;
  }
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const latest = lines.map((line) => [line.name, line.values.findLast(([, value]) => value !== null)]).filter(([, point]) => point);
  const words = `${of} over ${clock(lastS, lastS)}. Latest: ${latest.map(([name, [, value]]) => `${name} ${show(value)}`).join(", ")}. Highest: ${show(most)}.`;
  draw(byId(id), { lines, axis: axis(most, least), lastS, height, words, show });
}

function tables({ state, thresholds, phases, failures, workers, runs }) {
  const over = state === "ended";
  const tone = (row) => (over && row.tone === "open" ? "broken" : row.tone);
  table("thresholds", thresholds, "The scenario sets no threshold, so this run can neither pass nor fail by one.", [
    ["threshold", (row) => element("code", {}, row.threshold), "long"],
    ["observed", (row) => row.observed, "number"],
    [over ? "verdict" : "so far", (row) => `${MARKS[tone(row)]}${row.standing}`, tone],
  ]);
  table("phases", phases, "No request has ended.", [
    ["phase", (row) => row.name], ...["count", "failed", "retries", "p50", "p90", "p95", "p99", "max", "sent"].map((key) => [key, (row) => row[key], "number"]),
  ]);
  table("failures", failures, "No attempt and no upload has failed.", [
    ["phase", (row) => row.name], ["kind", (row) => row.kind], ["count", (row) => row.count, "number"], ["meaning", (row) => row.meaning, "wrap"],
  ]);
  table("workers", workers, "No worker takes part.", [
    ["worker", (row) => row.name, "long"], ["host", (row) => row.host], ["state", (row) => row.state, (row) => (row.troubled ? "broken" : "")],
    ...[["in flight", "in_flight"], ["goodput", "goodput"], ["CPU of one core", "cpu"], ["lag p99", "lag"], ["peak memory", "memory"], ["reports", "reports"], ["last report", "age"]].map(([title, key]) => [title, (row) => row[key], "number"]),
  ]);
  table("runs", runs, "No run of this process has ended yet.", [
    ["started (UTC)", (row) => row.started_at.replace("T", " ").replace("+00:00", "")], ["scenario", (row) => row.scenario], ["result", (row) => row.word, (row) => ({ passed: "holds", failed: "broken" })[row.word] ?? ""],
    ["files", files, "files"],
  ], (row) => ({ "data-run": row.run_id }));
}

const FILES = ["report.html", "summary.md", "junit.xml", "run.json", "phases.csv", "series.csv", "workers.csv", "errors.csv"];

function files({ run_id: runId, ledger }) {
  const names = ledger ? [...FILES, "ledger.jsonl"] : FILES;
  const links = [["report.html", "report", {}], ...names.map((name) => [name, name, { download: `${runId}-${name}` }])];
  const box = document.createDocumentFragment();
  for (const [name, label, more] of links) {
    box.append(element("a", { href: `uploads/runs/${encodeURIComponent(runId)}/${name}`, "data-file": name, ...(more.download ? more : { "data-view": name }) }, label));
  }
  return box;
}

/** A table of `columns` [title, cell, class], or a sentence where there are no rows. */
function table(id, rows, empty, columns, attributes = () => ({})) {
  const now = JSON.stringify([rows, columns.map(([title]) => title)]);
  if (drawn.get(id) === now) return;
  drawn.set(id, now);
  if (rows.length === 0) {
    byId(id).replaceChildren(element("p", { class: "empty" }, empty));
    return;
  }
  const kind = (column, row) => (typeof column[2] === "function" ? column[2](row) : column[2] ?? "");
  const head = element("tr");
  head.append(...columns.map((column) => element("th", { scope: "col", class: column[2] === "number" ? "number" : "" }, column[0])));
  const body = element("tbody");
  body.append(...rows.map((row) => {
    const line = element("tr", attributes(row));
    line.append(...columns.map((column, at) => element(at === 0 ? "th" : "td", { ...(at === 0 ? { scope: "row" } : {}), class: kind(column, row) }, column[1](row))));
    return line;
  }));
  const made = byId(`table-${id}`) ?? newTable(id);
  const top = element("thead");
  top.append(head);
  made.replaceChildren(top, body);
}

/** It stays while its rows come and go, so that nobody who has scrolled sideways is thrown back. */
function newTable(id) {
  const [made, box] = [element("table", { id: `table-${id}` }), element("div", { class: "scroll", role: "region", "aria-label": id, tabindex: "0" })];
  box.append(made);
  byId(id).replaceChildren(box);
  return made;
}

function list(box, sentences) {
  if ([...box.children].map((each) => each.textContent).join("\n") === sentences.join("\n")) return;
  box.replaceChildren(...sentences.map((each) => element("li", {}, each)));
  box.hidden = sentences.length === 0;
}

function element(name, attributes = {}, content = "") {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== "") node.setAttribute(key, value);
  node.append(content);
  return node;
}
