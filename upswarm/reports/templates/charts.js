// Draws the charts of a page: every figure has its options as JSON, and the colours are those of the style sheet.
"use strict";

const upswarmCharts = (() => {
  const digits = (value) => {
    const shown = Number(value.toPrecision(3));
    const decimals = shown > 0 ? Math.max(0, 2 - Math.floor(Math.log10(shown))) : 0;
    return shown.toFixed(decimals);
  };
  const trimmed = (text) => text.replace(/(\.\d*?)0+(?= )/, "$1").replace(/\.(?= )/, "");
  const two = (value) => String(value).padStart(2, "0");

  function size(value) {
    const names = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = 0;
    while (power < 4 && Number((value / 1024 ** power).toFixed(1)) >= 1024) power += 1;
    return power ? `${(value / 1024 ** power).toFixed(1)} ${names[power]}` : `${Math.round(value)} B`;
  }

  function duration(value) {
    const shown = Number(value.toPrecision(3));
    if (!shown) return "0 s";
    if (shown >= 60) {
      const seconds = Math.round(value), hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
      return hours ? `${hours} h ${two(minutes)} m` : `${minutes} m ${two(seconds % 60)} s`;
    }
    if (shown >= 1) return `${digits(value)} s`;
    return shown >= 1e-3 ? `${digits(value * 1e3)} ms` : `${digits(value * 1e6)} µs`;
  }

  function clock(value) {
    const tenths = Math.round(value / 100), seconds = Math.floor(tenths / 10);
    if (seconds < 60) return `${tenths / 10} s`;
    const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }

  const known = (format) => (value) => (value === null || value === undefined || value === "-" ? "–" : format(value));
  const formats = {
    "@size": known(size),
    "@bandwidth": known((value) => `${size(value)}/s`),
    "@duration": known(duration),
    "@ratio": known((value) => `${Number((value * 100).toPrecision(3))} %`),
    "@count": known((value) => Number(value.toPrecision(6)).toLocaleString("en")),
    "@clock": known(clock),
    // The HDR scale: 1 is the minimum, 10 the 90th percentile, 100 the 99th, and so on.
    "@percentile": known((value) => `${Number((100 - 100 / value).toPrecision(9))} %`),
  };
  // An axis has room for what is not zero.
  const axisFormats = {
    "@size": (value) => trimmed(size(value)),
    "@bandwidth": (value) => `${trimmed(size(value))}/s`,
    "@duration": (value) => trimmed(duration(value)),
  };

  const COLOURED = new Set(["color", "borderColor", "backgroundColor"]);
  const FORMATTED = new Set(["formatter", "valueFormatter"]);

  function resolved(value, key, inAxis, colour) {
    if (Array.isArray(value)) return key === "data" && typeof value[0] !== "object" ? value : value.map((each) => resolved(each, key, inAxis, colour));
    if (value && typeof value === "object") {
      const pairs = Object.entries(value).map(([name, each]) => [name, resolved(each, name, inAxis || name === "axisLabel", colour)]);
      return Object.fromEntries(pairs);
    }
    if (typeof value !== "string") return value;
    if (FORMATTED.has(key) && formats[value]) return (inAxis && axisFormats[value]) || formats[value];
    const variable = COLOURED.has(key) && /^var\((--[\w-]+)\)$/.exec(value);
    return variable ? colour(variable[1]) : value;
  }

  const list = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
  const merged = (base, over) => {
    const both = { ...base };
    for (const [key, each] of Object.entries(over || {})) {
      const isObject = each && typeof each === "object" && !Array.isArray(each);
      both[key] = isObject && both[key] && typeof both[key] === "object" ? merged(both[key], each) : each;
    }
    return both;
  };

  // A tooltip is headed by the place on the axis, in the axis's own words.
  const pointer = (axis) => {
    const format = Object.keys(formats).find((name) => [formats[name], axisFormats[name]].includes(axis.axisLabel?.formatter));
    return format ? { label: { formatter: (at) => formats[format](at.value) } } : {};
  };

  const short = (name) => (name.length > 28 ? `${name.slice(0, 27)}…` : name);

  // What all charts have in common: the page's letters and colours, and a tooltip that any width has room for.
  function themed(option, colour, fontFamily) {
    const soft = colour("--soft"), line = colour("--line"), ink = colour("--ink");
    const text = { color: soft, fontSize: 12 };
    const axis = { axisLine: { show: true, lineStyle: { color: line } }, axisTick: { lineStyle: { color: line } }, axisLabel: text,
      nameTextStyle: text, splitLine: { lineStyle: { color: line } }, minorTick: { lineStyle: { color: line } } };
    const own = resolved(option, "", false, colour);
    return {
      ...own,
      animation: false,
      useUTC: true,
      textStyle: { fontFamily },
      legend: list(own.legend).map((each) => merged({ textStyle: text, inactiveColor: line, icon: "roundRect", formatter: short, itemWidth: 14, itemHeight: 8,
        pageTextStyle: text, pageIconColor: soft, pageIconInactiveColor: line }, each)),
      tooltip: merged({ confine: true, backgroundColor: colour("--card"), borderColor: line, textStyle: { color: ink, fontSize: 12 },
        axisPointer: { lineStyle: { color: soft }, label: { show: false } } }, own.tooltip),
      xAxis: list(own.xAxis).map((each) => merged({ ...axis, splitLine: { show: false }, axisPointer: pointer(each) }, each)),
      yAxis: list(own.yAxis).map((each) => merged({ ...axis, axisLine: { show: false }, axisTick: { show: false } }, each)),
    };
  }

  class Figure {
    constructor(figure) {
      this.canvas = figure.querySelector(".canvas");
      this.options = JSON.parse(figure.querySelector("script").textContent);
      this.chosen = Object.keys(this.options)[0];
      this.chart = echarts.init(this.canvas, null, { renderer: "svg" });
      if (Object.keys(this.options).length > 1) this.offer(figure);
      this.draw();
      this.fit();
    }

    offer(figure) {
      const row = document.createElement("div");
      row.className = "choices";
      for (const name of Object.keys(this.options)) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = name;
        button.setAttribute("aria-pressed", String(name === this.chosen));
        button.addEventListener("click", () => {
          this.chosen = name;
          for (const each of row.children) each.setAttribute("aria-pressed", String(each === button));
          this.draw();
        });
        row.append(button);
      }
      figure.prepend(row);
    }

    draw() {
      const style = getComputedStyle(document.documentElement), font = getComputedStyle(document.body).fontFamily;
      const colour = (name) => style.getPropertyValue(name).trim();
      this.chart.setOption(themed(this.options[this.chosen], colour, font), { notMerge: true });
    }

    // The box of a view lets paper have any width.
    fit(width) {
      this.chart.resize({ width: width || "auto" });
      const svg = this.canvas.querySelector("svg");
      svg.setAttribute("viewBox", `0 0 ${this.chart.getWidth()} ${this.chart.getHeight()}`);
    }
  }

  function start() {
    const figures = [...document.querySelectorAll("figure[data-chart]")].map((each) => new Figure(each));
    const PAPER = 720;
    // Paper is light, and what is folded up on a screen can't be opened on it.
    const show = (onPaper) => {
      document.documentElement.classList.toggle("paper", onPaper);
      if (onPaper) for (const each of document.querySelectorAll("details")) each.open = true;
      for (const each of figures) each.draw(), each.fit(onPaper ? PAPER : 0);
    };
    addEventListener("resize", () => figures.forEach((each) => each.fit()));
    addEventListener("beforeprint", () => show(true));
    addEventListener("afterprint", () => show(false));
    matchMedia("print").addEventListener("change", (query) => show(query.matches));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(false));
  }

  return { formats, themed, start };
})();

if (typeof document !== "undefined") upswarmCharts.start();
