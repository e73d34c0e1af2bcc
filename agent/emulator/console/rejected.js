// Which records were refused, and why?

import {asked, lines} from "./ask.js";
import {empty, fill, h, pager, panel} from "./elements.js";
import {count} from "./figures.js";
import {live} from "./live.js";
import {bar} from "./overview.js";
import {recordItem} from "./records.js";

const SIZE = 50;
const MARK = ',"status":';
const PREFIX = /^inletId: \[[^\]]*\] imsOrgId: \[[^\]]*\] /; // the same in each, as the platform has it

export function open(main) {
  const reasons = h("div");
  const list = h("div.list");
  const steps = h("div");
  fill(main, h("div.stack",
    panel("Why records were refused", null, reasons),
    panel("Refused records", [steps, h("a", {href: "/_emulator/rejected", download: "rejected.ndjson"}, "Download")], list)));
  let page = 0;
  let seen = null;

  async function show() {
    const {total, reasons: why} = await asked("rejected/reasons");
    const end = Math.max(0, total - page * SIZE);
    const since = Math.max(0, end - SIZE);
    const got = total ? await lines(`rejected?since=${since}&limit=${end - since}`) : {lines: []};
    fill(reasons, why.length ? h("div.reasons", why.map((each) => reason(each, total, (number) => {
      page = Math.floor((total - 1 - number) / SIZE);
      seen = null;
      tick().then(() => list.scrollIntoView());
    }))) : empty("No record was refused yet",
      h("p", "The inlet refuses what is no JSON object, and what a fault tells it to: switch ", h("b", "Refuse records"), " on under ", h("a", {href: "#/faults"}, "Faults"), " to see what your sender makes of it.")));
    fill(steps, total > SIZE ? pager(page, SIZE, total, (to) => { page = to; seen = null; tick(); }) : null);
    fill(list, got.lines.length ? got.lines.reverse().map(item) : empty("Nothing here", h("p", "Refused records are listed here with what was said of each.")));
  }

  async function tick() {
    const now = live.stats && `${live.stats.records_rejected} ${page}`;
    if (!live.stats || now === seen || (page === 0 && list.querySelector("details[open]"))) return;
    seen = now;
    await show();
  }
  return {tick};
}

/** How often one thing was the reason; `go(number)` shows the last such record. */
export function reason(each, total, go) {
  return h("div.reason", h("span.tag.bad", each.status || "…"), h("span.text", {title: each.message}, each.message.replace(PREFIX, "")),
    h("div.bars", h("div.track", bar(each.count / total, "c2"))),
    h("button.link.number", {type: "button", title: "Show the last of them", onclick: () => go(each.last)}, count(each.count)));
}

function item(line) {
  const at = line.lastIndexOf(MARK);
  const verdict = JSON.parse("{" + line.slice(at + 1));
  const key = line.startsWith('{"record_base64":') ? "record_base64" : "record";
  const record = line.slice(`{"${key}":`.length, at);
  return recordItem(record, [h("span.tag.bad", verdict.status)], () => h("dl.facts",
    h("dt", "Reason"), h("dd", verdict.message),
    verdict.xaction_id ? [h("dt", "xactionId"), h("dd", h("code", verdict.xaction_id))] : null,
    key === "record" ? null : [h("dt", "Bytes"), h("dd", "not UTF-8, so written in base64")]),
  [h("span.why", verdict.message.replace(PREFIX, ""))]);
}
