// Which records were refused, and why?

import {asked, lines} from "./ask.js";
import {bar, empty, fill, h, panel} from "./elements.js";
import {count, cut} from "./figures.js";
import {live} from "./live.js";
import {Pages} from "./paging.js";
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

  async function show(pages) {
    const {total, reasons: why} = await asked("rejected/reasons");
    const [since, limit] = pages.range(total);
    const got = await lines(`rejected?since=${since}&limit=${limit}`);
    fill(reasons, why.length ? reasonList(why, total, (number) => pages.goTo(number, total).then(() => list.scrollIntoView()))
      : empty("No record was refused yet",
        h("p", "The inlet refuses what is no JSON object, and what a fault tells it to: switch ", h("b", "Refuse records"), " on under ", h("a", {href: "#/faults"}, "Faults"), " to see what your sender makes of it.")));
    fill(steps, pages.steps(total));
    fill(list, got.lines.length ? got.lines.reverse().map(item) : empty("Nothing here", h("p", "Refused records are listed here with what was said of each.")));
  }
  return new Pages(SIZE, {changes: () => live.stats?.records_rejected, show, reading: () => list.querySelector("details[open]")});
}

/** How often each was the reason; `go(number)` shows the last such record. */
export function reasonList(reasons, total, go) {
  return h("div.reasons", reasons.map((each) => h("div.reason",
    h("span.tag.bad", each.status || "…"), h("span.text", {title: each.message}, each.message.replace(PREFIX, "")),
    h("div.bars", h("div.track", bar(each.count / total, "c2"))),
    h("button.link.number", {type: "button", title: "Show the last of them", onclick: () => go(each.last)}, count(each.count)))));
}

function item(line) {
  const at = line.lastIndexOf(MARK);
  const verdict = JSON.parse("{" + line.slice(at + 1));
  const key = line.startsWith('{"record_base64":') ? "record_base64" : "record";
  const record = line.slice(`{"${key}":`.length, at);
  return recordItem(record, [h("span.tag.bad", verdict.status)], () => h("dl.facts",
    h("dt", "Reason"), h("dd", cut(verdict.message, 2000)),
    verdict.xaction_id ? [h("dt", "xactionId"), h("dd", h("code", verdict.xaction_id))] : null,
    key === "record" ? null : [h("dt", "Bytes"), h("dd", "not UTF-8, so written in base64")]),
  [h("span.why", cut(verdict.message.replace(PREFIX, "")))]);
}
