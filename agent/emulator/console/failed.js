// Which records were accepted and did not land, and what does the platform say of each?

import {asked} from "./ask.js";
import {empty, fill, h, panel, table} from "./elements.js";
import {write} from "./exact.js";
import {clock, count, cut} from "./figures.js";
import {indented} from "./json_text.js";
import {live, total} from "./live.js";
import {Pages} from "./paging.js";
import {recordItem} from "./records.js";
import {reasonList} from "./rejected.js";

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

  async function showRecords(pages) {
    const {total: all, reasons: why} = await asked("failed/reasons");
    const [offset, limit] = pages.range(all);
    const {failed} = await asked(`failed?offset=${offset}&limit=${limit}`);
    fill(reasons, why.length ? reasonList(why, all, (number) => pages.goTo(number, all).then(() => list.scrollIntoView()))
      : empty("No accepted record has failed yet",
        h("p", "Accepted is not landed: what a provisioned flow accepts is mapped and validated afterwards. Send it something that breaks its schema, a word where a number should be, to see a failed batch.")));
    fill(steps, pages.steps(all));
    fill(list, failed.length ? failed.reverse().map(item) : empty("Nothing here", h("p", "Failed records are listed here as they were sent, and as the platform exports them.")));
  }

  async function showBatches(pages) {
    const {total: all} = await asked("failed/batches?limit=0");
    const [offset, limit] = pages.range(all);
    const got = await asked(`failed/batches?offset=${offset}&limit=${limit}`);
    fill(batchSteps, pages.steps(all));
    fill(batches, got.batches.length ? table([
      {title: "Made", cell: (each) => h("span.stamp", clock(each.completedMs))},
      {title: "Batch", cell: (each) => h("code", each.id)},
      {title: "Flow", cell: (each) => flowName(each.flowId)},
      {title: "Reasons", cell: (each) => each.reasons.slice(0, 3).map((one) => h("div", `${count(one.records)} × ${cut(one.description)}`))},
      {title: "Records", number: true, cell: (each) => count(each.records)},
    ], got.batches.reverse(), {caption: "Failed batches"}) : empty("Nothing here", h("p", "Records that fail together are one failed batch, as the Catalog tells it.")));
  }

  const changes = () => total("failed");
  const records = new Pages(SIZE, {changes, show: showRecords, reading: () => list.querySelector("details[open]")});
  const those = new Pages(BATCHES, {changes, show: showBatches});
  return {tick: () => Promise.all([records.tick(), those.tick()])};
}

const flowName = (id) => live.flows.find((flow) => flow.id === id)?.name ?? h("code", id);

function item(each) {
  const errors = each.failed._validationErrors ?? [];
  const place = errors[0]?.pointerToViolation;
  return recordItem(write(each.record), [h("span.stamp", clock(each.receivedTimeMs))], () => [h("dl.facts",
    h("dt", "Reason"), h("dd", errors.length ? errors.map((error) => h("div", cut(error.message, 2000), " ", h("code.soft", error.pointerToViolation))) : cut(each.message, 2000)),
    h("dt", "Flow"), h("dd", flowName(each.flowId)),
    h("dt", "Batch"), h("dd", h("code", each.batchId)),
    h("dt", "xactionId"), h("dd", h("code", each.xactionId))),
  h("details.more", h("summary", "As the platform exports it"), h("div.copyable", indented(write(each.failed)))), h("h3", "As it was sent")], [h("span.why", {title: cut(each.message)}, cut(each.message), place && place !== "#" ? h("code", ` ${place}`) : null)]);
}
