// Which records were accepted, byte for byte?

import {lines} from "./ask.js";
import {copyButton, empty, fill, h, pager, panel} from "./elements.js";
import {clock} from "./figures.js";
import {indented, oneLine} from "./json_text.js";
import {live} from "./live.js";

const SIZE = 50;
const MARK = ',"record":';

export function open(main) {
  const list = h("div.list");
  const steps = h("div");
  const forget = h("button.danger.small", {type: "button", onclick: async () => {
    if (!confirm("Forget all accepted and refused records?")) return;
    await fetch("/_emulator/records", {method: "DELETE"});
    page = 0;
    seen = null;
  }}, "Forget all");
  fill(main, panel("Accepted records", [steps, h("a", {href: "/_emulator/records", download: "records.ndjson"}, "Download"), forget], list));
  let page = 0;
  let seen = null;

  async function show() {
    const total = Number((await lines("records?limit=0")).total);
    const end = Math.max(0, total - page * SIZE);
    const since = Math.max(0, end - SIZE);
    const got = total ? await lines(`records?ids=1&since=${since}&limit=${end - since}`) : {lines: []};
    fill(steps, total > SIZE ? pager(page, SIZE, total, (to) => { page = to; seen = null; tick(); }) : null);
    fill(list, got.lines.length ? got.lines.reverse().map(item) : empty("No record was accepted yet",
      h("p", "Send one from the ", h("a", {href: "#/"}, "overview"), ", or start an agent with this inlet's URL and flow id.")));
  }

  /** Newest first, kept up to date while nobody is reading one. */
  async function tick() {
    const now = live.stats && `${live.stats.records_accepted} ${page}`;
    if (!live.stats || now === seen || (page === 0 && list.querySelector("details[open]"))) return;
    seen = now;
    await show();
  }
  return {tick};
}

function item(line) {
  const at = line.indexOf(MARK);
  const {xaction_id: id, flow_id: flow} = JSON.parse(line.slice(0, at) + "}");
  const record = line.slice(at + MARK.length, -1);
  const ms = Number(/^(\d{13})\b/.exec(id)?.[1]);
  return recordItem(record, [h("span.stamp", ms ? clock(ms) : "")], () => h("dl.facts",
    h("dt", "xactionId"), h("dd", h("code", id)), h("dt", "Flow"), h("dd", h("code", flow))));
}

/** A record that opens: one line of it, and inside `facts()` and all of it. */
export function recordItem(record, before, facts, after = []) {
  const inside = h("div.inside");
  return h("details", {ontoggle: (event) => {
    if (!event.target.open || inside.childElementCount) return;
    fill(inside, facts(), h("div.copyable", copyButton(() => record), indented(record)));
  }}, h("summary", before, oneLine(record), after), inside);
}
