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

  /** The rate over the last few seconds, which jumps about less than that of the last second. */
  now(name, seconds = 3) {
    const last = this.samples.at(-1);
    if (!last) return 0;
    const recent = this.rates.filter((each) => each.at > last.at - seconds * 1000 && name in each.values);
    if (!recent.length) return 0;
    return recent.reduce((sum, each) => sum + each.values[name], 0) / recent.length;
  }

  /** How far back a chart of it goes, ms: at least so far, then as far as there are samples. */
  span(least = 60_000, most = this.milliseconds) {
    const age = this.samples.length ? this.samples.at(-1).at - (this.rates[0] ?? this.samples[0]).at : 0;
    return Math.min(most, Math.max(least, age));
  }

  peak(name) {
    return this.rates.reduce((most, each) => Math.max(most, each.values[name] ?? 0), 0);
  }
}

/** A ceiling that reads well above `value`: 1, 2, 5, 10, 20, 50 … */
export function ceiling(value) {
  if (value <= 0) return 1;
  const ten = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((each) => each * ten).find((each) => each >= value);
}

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** A chart of lines over time: series are {name, label, color: a class}. */
export class LineChart {
  constructor(history, series, {unit = "a second", height = 200} = {}) {
    Object.assign(this, {history, series, unit, height});
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
    const left = 44, right = 6, top = 8, bottom = 22;
    const end = history.samples.at(-1)?.at ?? Date.now();
    const span = history.span();
    const start = end - span;
    const most = ceiling(Math.max(...this.series.map((each) => history.peak(each.name))));
    this.x = (at) => left + ((at - start) / span) * (width - left - right);
    this.y = (value) => height - bottom - (value / most) * (height - top - bottom);
    const parts = [];
    for (const part of [0, 0.5, 1]) {
      const y = Math.round(this.y(part * most)) + 0.5;
      parts.push(h("line.grid", {x1: left, x2: width - right, y1: y, y2: y}));
      parts.push(h("text", {x: left - 8, y: y + 4, "text-anchor": "end"}, rate(part * most)));
    }
    const step = [15, 30, 60, 120].find((each) => (span / 1000 / each) * 90 < width - left) ?? 120;
    for (let back = 0; back * 1000 <= span; back += step) {
      const x = this.x(end - back * 1000);
      const anchor = back === 0 ? "end" : x < left + 24 ? "start" : "middle";
      const label = back === 0 ? "now" : back % 60 ? `−${back} s` : `−${back / 60} min`;
      parts.push(h("text", {x, y: height - 4, "text-anchor": anchor}, label));
    }
    for (const each of this.series) {
      const points = history.rates.filter((sample) => sample.at >= start && each.name in sample.values)
        .map((sample) => [this.x(sample.at), this.y(sample.values[each.name])]);
      if (points.length < 2 || points.every(([, y]) => y === this.y(0))) continue; // it stays at nothing
      const line = path(points);
      const floor = this.y(0).toFixed(1);
      parts.push(h(`path.area.${each.color}`, {d: `${line}L${points.at(-1)[0].toFixed(1)} ${floor}L${points[0][0].toFixed(1)} ${floor}Z`}));
      parts.push(h(`path.line.${each.color}`, {d: line}));
    }
    this.cross = h("line.cross", {y1: top, y2: height - bottom, visibility: "hidden"});
    parts.push(this.cross);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren(...parts);
    for (const each of this.series) say(this.values.get(each.name), rate(history.now(each.name)));
    this.svg.setAttribute("aria-label", `${this.unit}, over ${Math.round(span / 1000)} seconds: ` + this.series
      .map((each) => `${each.label} ${rate(history.now(each.name))}, at most ${rate(history.peak(each.name))}`).join("; "));
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
      h(`span.${each.color}`, h("i"), each.label, h("b", rate(near.values[each.name] ?? 0)))));
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
    const end = this.history.samples.at(-1)?.at ?? 0;
    const span = this.history.span(20_000, this.milliseconds);
    const start = end - span;
    const recent = this.history.rates.filter((each) => each.at >= start && this.name in each.values);
    const most = Math.max(1e-9, ...recent.map((each) => each.values[this.name]));
    const points = recent.map((each) => [((each.at - start) / span) * 100, 22.5 - (each.values[this.name] / most) * 20]);
    const line = points.length > 1 ? path(points) : "M0 22.5L100 22.5";
    this.line.setAttribute("d", line);
    this.area.setAttribute("d", points.length > 1 ? `${line}L${points.at(-1)[0].toFixed(1)} 24L${points[0][0].toFixed(1)} 24Z` : "");
  }
}
