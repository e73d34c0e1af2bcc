// Which records were accepted and did not land, and what does the platform say of each?

import {asked} from "./ask.js";
import {empty, fill, h, pager, panel, table} from "./elements.js";
import {write} from "./exact.js";
import {clock, count} from "./figures.js";
import {indented} from "./json_text.js";
import {live, total as totalOf} from "./live.js";
import {recordItem} from "./records.js";
import {reason} from "./rejected.js";

const SIZE = 50;
const BATCHES = 20;

export function open(main) {
  const reasons = h("div");
  const list = h("div.list");
  const steps = h("div");
  const batches = h("div");
  const batchSteps = h("div");
  fill(main, h("div.stack",
    panel("Why accepted records did not land", null, reasons),
    panel("Failed records", steps, list),
    panel("Failed batches", batchSteps, batches)));
  let page = 0;
  let batchPage = 0;
  let seen = null;

  async function show() {
    const {total, reasons: why} = await asked("failed/reasons");
    const names = new Map(live.flows.map((flow) => [flow.id, flow.name]));
    const end = Math.max(0, total - page * SIZE);
    const from = Math.max(0, end - SIZE);
    const {failed} = await asked(`failed?offset=${from}&limit=${end - from}`);
    fill(reasons, why.length ? h("div.reasons", why.map((each) => reason(each, total, (number) => {
      page = Math.floor((total - 1 - number) / SIZE);
      seen = null;
      tick().then(() => list.scrollIntoView());
    }))) : empty("No accepted record has failed yet",
      h("p", "Accepted is not landed: what a provisioned flow accepts is mapped and validated afterwards. Send it something that breaks its schema, a word where a number should be, to see a failed batch.")));
    fill(steps, total > SIZE ? pager(page, SIZE, total, (to) => { page = to; seen = null; tick(); }) : null);
    fill(list, failed.length ? failed.reverse().map((each) => item(each, names)) : empty("Nothing here", h("p", "Failed records are listed here as they were sent, and as the platform exports them.")));
    await showBatches(names);
  }

  async function showBatches(names) {
    const {total} = await asked("failed/batches?limit=0");
    const end = Math.max(0, total - batchPage * BATCHES);
    const from = Math.max(0, end - BATCHES);
    const got = await asked(`failed/batches?offset=${from}&limit=${end - from}`);
    fill(batchSteps, total > BATCHES ? pager(batchPage, BATCHES, total, (to) => { batchPage = to; seen = null; tick(); }) : null);
    fill(batches, got.batches.length ? table([
      {title: "Made", cell: (each) => h("span.stamp", clock(each.completedMs))},
      {title: "Batch", cell: (each) => h("code", each.id)},
      {title: "Flow", cell: (each) => names.get(each.flowId) ?? h("code", each.flowId)},
      {title: "Reasons", cell: (each) => each.reasons.slice(0, 3).map((one) => h("div", `${count(one.records)} × ${one.description}`))},
      {title: "Records", number: true, cell: (each) => count(each.records)},
    ], got.batches.reverse(), {caption: "Failed batches"}) : empty("Nothing here", h("p", "Records that fail together are one failed batch, as the Catalog tells it.")));
  }

  async function tick() {
    const now = `${totalOf("failed")} ${page} ${batchPage}`;
    if (!live.stats || now === seen || (page === 0 && list.querySelector("details[open]"))) return;
    seen = now;
    await show();
  }
  return {tick};
}

function item(each, names) {
  return recordItem(write(each.record), [h("span.stamp", clock(each.receivedTimeMs))], () => [h("dl.facts",
    h("dt", "Reason"), h("dd", each.message),
    h("dt", "Flow"), h("dd", names.get(each.flowId) ?? h("code", each.flowId)),
    h("dt", "Batch"), h("dd", h("code", each.batchId)),
    h("dt", "xactionId"), h("dd", h("code", each.xactionId))),
  h("details.more", h("summary", "As the platform exports it"), h("div.copyable", indented(write(each.failed)))), h("h3", "As it was sent")], [h("span.why", each.message)]);
}
