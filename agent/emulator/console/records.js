// Which records were accepted, byte for byte?

import {ask, lines} from "./ask.js";
import {copyButton, empty, fill, h, panel} from "./elements.js";
import {clock} from "./figures.js";
import {indented, oneLine} from "./json_text.js";
import {live} from "./live.js";
import {Pages} from "./paging.js";

const SIZE = 50;
const MARK = ',"record":';

export function open(main) {
  const list = h("div.list");
  const steps = h("div");
  const forget = h("button.danger.small", {type: "button", onclick: async () => {
    if (!confirm("Forget all accepted and refused records?")) return;
    await ask("records", {method: "DELETE"});
    await pages.go(0);
  }}, "Forget all");
  fill(main, panel("Accepted records", [steps, h("a", {href: "/_emulator/records", download: "records.ndjson"}, "Download"), forget], list));

  async function show() {
    const {total} = await lines("records?limit=0");
    const [since, limit] = pages.range(total);
    const got = await lines(`records?ids=1&since=${since}&limit=${limit}`);
    fill(steps, pages.steps(total));
    fill(list, got.lines.length ? got.lines.reverse().map(item) : empty("No record was accepted yet",
      h("p", "Send one from the ", h("a", {href: "#/"}, "overview"), ", or start an agent with this inlet's URL and flow id.")));
  }
  const pages = new Pages(SIZE, {changes: () => live.stats?.records_accepted, show, reading: () => list.querySelector("details[open]")});
  return pages;
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
