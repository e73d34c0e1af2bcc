// How does a figure move over the last minutes? Small SVG charts that are drawn anew at each sample.

import {h, say} from "./elements.js";
import {clock, rate} from "./figures.js";

/** Samples of counters over time, turned into rates; a counter that falls has begun anew. */
export class History {
  constructor(seconds) {
    this.milliseconds = seconds * 1000;
    this.samples = []; // {at, values} of the counters
    this.rates = []; // {at, values} of what each gained a second since the sample before
  }

  /** Put rates before all others: `rates` hold one for each second until `until`, in ms. */
  begin(until, rates) {
    const seconds = Math.max(...Object.values(rates).map((each) => each.length));
    this.rates = Array.from({length: seconds}, (_, i) => ({
      at: until - (seconds - 1 - i) * 1000,
      values: Object.fromEntries(Object.entries(rates).map(([name, each]) => [name, each[i]])),
    }));
  }

  add(at, values) {
    const last = this.samples.at(-1);
    if (last) {
      const seconds = Math.max(0.001, (at - last.at) / 1000);
      const gained = {};
      for (const [name, value] of Object.entries(values)) {
        const before = last.values[name] ?? 0;
        gained[name] = Math.max(0, value >= before ? value - before : value) / seconds;
      }
      this.rates.push({at, values: gained});
    }
    this.samples.push({at, values});
    while (this.samples[0].at < at - this.milliseconds - 5000) this.samples.shift();
    while (this.rates.length && this.rates[0].at < at - this.milliseconds - 5000) this.rates.shift();
  }

  /** Put what is a rate or a level already, and not a counter; null where there is none. */
  put(at, values) {
    this.rates.push({at, values});
    while (this.rates[0].at < at - this.milliseconds - 5000) this.rates.shift();
  }

  /** When it was last told something, ms. */
  get end() {
    return this.samples.at(-1)?.at ?? this.rates.at(-1)?.at;
  }

  /** The rate over the last few seconds, which jumps about less than that of the last second;
   *  null where nothing is known of them. */
  now(name, seconds = 3) {
    const end = this.end;
    if (!end) return null;
    const recent = this.rates.filter((each) => each.at > end - seconds * 1000 && known(each, name));
    if (!recent.length) return null;
    return recent.reduce((sum, each) => sum + each.values[name], 0) / recent.length;
  }

  /** How far back a chart of it goes, ms: at least so far, then as far as there are samples. */
  span(least = 60_000, most = this.milliseconds) {
    const first = this.rates[0] ?? this.samples[0];
    const age = first ? this.end - first.at : 0;
    return Math.min(most, Math.max(least, age));
  }

  peak(name) {
    return this.rates.reduce((most, each) => Math.max(most, each.values[name] ?? 0), 0);
  }
}

const known = (sample, name) => (sample.values[name] ?? null) !== null;

/** A ceiling that reads well above `value`: 1, 2, 5, 10, 20, 50 … */
export function ceiling(value) {
  if (value <= 0) return 1;
  const ten = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((each) => each * ten).find((each) => each >= value);
}

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

const BREAK = 6000; // ms without a sample after which a line begins anew

/** Samples in runs without a gap. */
function unbroken(samples) {
  const runs = [];
  for (const each of samples) {
    if (!runs.length || each.at - runs.at(-1).at(-1).at > BREAK) runs.push([]);
    runs.at(-1).push(each);
  }
  return runs;
}

/** A chart of lines over time: series are {name, label, color: a class}. */
export class LineChart {
  constructor(history, series, {unit = "a second", height = 200, format = rate} = {}) {
    Object.assign(this, {history, series, unit, height, format});
    this.svg = h("svg.lines", {role: "img", preserveAspectRatio: "none"});
    this.tip = h("div.tip", {hidden: true, "aria-hidden": "true"});
    this.values = new Map(series.map((each) => [each.name, h("b", "0")]));
    this.legend = h("div.legend", series.map((each) => h(`span.${each.color}`, h("i"), each.label, " ", this.values.get(each.name))));
    this.element = h("figure.chart", this.legend, h("div.plot", this.svg, this.tip));
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  draw() {
    const width = this.svg.clientWidth || 600;
    const {height, history} = this;
    const right = 6, top = 8, bottom = 22;
    const end = history.end ?? Date.now();
    const span = history.span();
    const start = end - span;
    const most = ceiling(Math.max(...this.series.map((each) => history.peak(each.name))));
    const longest = Math.max(...[0, 0.5, 1].map((part) => this.format(part * most).length));
    const left = Math.max(44, 14 + 6.5 * longest);
    this.x = (at) => left + ((at - start) / span) * (width - left - right);
    this.y = (value) => height - bottom - (value / most) * (height - top - bottom);
    const parts = [];
    for (const part of [0, 0.5, 1]) {
      const y = Math.round(this.y(part * most)) + 0.5;
      parts.push(h("line.grid", {x1: left, x2: width - right, y1: y, y2: y}));
      parts.push(h("text", {x: left - 8, y: y + 4, "text-anchor": "end"}, this.format(part * most)));
    }
    const step = [15, 30, 60, 120].find((each) => (span / 1000 / each) * 90 < width - left) ?? 120;
    for (let back = 0; back * 1000 <= span; back += step) {
      const x = this.x(end - back * 1000);
      const anchor = back === 0 ? "end" : x < left + 24 ? "start" : "middle";
      const label = back === 0 ? "now" : back % 60 ? `−${back} s` : `−${back / 60} min`;
      parts.push(h("text", {x, y: height - 4, "text-anchor": anchor}, label));
    }
    for (const each of this.series) {
      const runs = unbroken(history.rates.filter((sample) => sample.at >= start && known(sample, each.name)))
        .map((run) => run.map((sample) => [this.x(sample.at), this.y(sample.values[each.name])]))
        .filter((points) => points.length > 1);
      if (runs.flat().every(([, y]) => y === this.y(0))) continue; // it stays at nothing
      const floor = this.y(0).toFixed(1);
      const under = (points) => `${path(points)}L${points.at(-1)[0].toFixed(1)} ${floor}L${points[0][0].toFixed(1)} ${floor}Z`;
      parts.push(h(`path.area.${each.color}`, {d: runs.map(under).join("")}));
      parts.push(h(`path.line.${each.color}`, {d: runs.map(path).join("")}));
    }
    this.cross = h("line.cross", {y1: top, y2: height - bottom, visibility: "hidden"});
    parts.push(this.cross);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren(...parts);
    for (const each of this.series) say(this.values.get(each.name), this.format(history.now(each.name)));
    this.svg.setAttribute("aria-label", `${this.unit}, over ${Math.round(span / 1000)} seconds: ` + this.series
      .map((each) => `${each.label} ${this.format(history.now(each.name))}, at most ${this.format(history.peak(each.name))}`).join("; "));
    if (this.pointed) this.point(this.pointed);
  }

  point(event) {
    this.pointed = event;
    const near = event && this.nearest(event.clientX - this.svg.getBoundingClientRect().left);
    this.tip.hidden = !near;
    this.cross?.setAttribute("visibility", near ? "visible" : "hidden");
    if (!near) return;
    const x = this.x(near.at);
    this.cross.setAttribute("x1", x);
    this.cross.setAttribute("x2", x);
    this.tip.replaceChildren(h("time", clock(near.at)), ...this.series.map((each) =>
      h(`span.${each.color}`, h("i"), each.label, h("b", known(near, each.name) ? this.format(near.values[each.name]) : "–"))));
    this.tip.classList.toggle("left", x > this.svg.clientWidth / 2);
    this.tip.style.left = `${x}px`;
  }

  nearest(x) {
    let best = null;
    for (const each of this.history.rates) {
      if (!best || Math.abs(this.x(each.at) - x) < Math.abs(this.x(best.at) - x)) best = each;
    }
    return best && Math.abs(this.x(best.at) - x) < 40 ? best : null;
  }
}

/** A line without axes, as high as a row of text, of the last minutes. */
export class Sparkline {
  constructor(history, name, color = "c1", seconds = 60) {
    Object.assign(this, {history, name, milliseconds: seconds * 1000});
    this.area = h(`path.area.${color}`);
    this.line = h(`path.line.${color}`);
    this.element = h("svg.spark", {viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true"}, this.area, this.line);
  }

  draw() {
    const end = this.history.end ?? 0;
    const span = this.history.span(20_000, this.milliseconds);
    const start = end - span;
    const recent = this.history.rates.filter((each) => each.at >= start && known(each, this.name));
    const most = Math.max(1e-9, ...recent.map((each) => each.values[this.name]));
    const points = recent.map((each) => [((each.at - start) / span) * 100, 22.5 - (each.values[this.name] / most) * 20]);
    const line = points.length > 1 ? path(points) : "M0 22.5L100 22.5";
    this.line.setAttribute("d", line);
    this.area.setAttribute("d", points.length > 1 ? `${line}L${points.at(-1)[0].toFixed(1)} 24L${points[0][0].toFixed(1)} 24Z` : "");
  }
}

/** A figure of its own, with its speed, a line about it, and how it moved in the last minutes. */
export function tile(title, history, name, color) {
  const value = h("span", "0");
  const speed = h("small");
  const below = h("div.below");
  const spark = new Sparkline(history, name, color, 120);
  return {
    element: h("dl.panel.tile", h("dt", title), h("dd", value, " ", speed), h("div.below", below), spark.element),
    show(much, fast, more) {
      say(value, much);
      say(speed, fast);
      say(below, more);
      below.title = more;
      spark.draw();
    },
  };
}
