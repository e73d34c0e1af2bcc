// Which rows landed in which dataset, and what does SQL say of them?

import {asked, Refused} from "./ask.js";
import {copyButton, empty, fill, h, panel, refill, table} from "./elements.js";
import {flat, plain, write} from "./exact.js";
import {clock, count} from "./figures.js";
import {indented} from "./json_text.js";
import {total} from "./live.js";
import {Pages} from "./paging.js";

const SIZE = 50;
const COLUMNS_MAX = 60;

export const open = (main, [id]) => (id ? openOne(main, id) : openAll(main));

function openAll(main) {
  const list = h("div");
  fill(main, panel("Datasets", null, list));
  return {
    async tick() {
      const datasets = await asked("datasets");
      refill(list, datasets.length ? table([
        {title: "Dataset", cell: (each) => h("a", {href: `#/datasets/${encodeURIComponent(each.id)}`}, each.name ?? each.id)},
        {title: "", cell: (each) => (isForProfile(each) ? h("span.tag", "profile") : null)},
        {title: "Schema", cell: (each) => h("code.soft", each.schema ?? "none")},
        {title: "Id", cell: (each) => h("code.soft", each.id)},
        {title: "Rows", number: true, cell: (each) => count(each.rows)},
      ], datasets, {caption: "Datasets"}) : empty("No dataset was made yet",
        h("p", "The records of the ready-made inlet are kept as they came and land in none. Make schema, dataset and flow with ", h("code", "aep-agent provision apply MANIFEST"), `, in which platform.url is ${location.origin}, or by the platform's own calls to this address.`)));
    },
  };
}

const isForProfile = (dataset) => (dataset.tags?.unifiedProfile ?? []).includes("enabled:true");

function openOne(main, id) {
  const path = `datasets/${encodeURIComponent(id)}`;
  const title = h("span", id);
  const facts = h("span.soft");
  const rows = h("div");
  const steps = h("div");
  const query = queryPanel(path);
  fill(main, h("div.stack",
    h("p.crumbs", h("a", {href: "#/datasets"}, "Datasets"), " / ", h("b", title), " ", facts),
    query, panel("Rows", steps, rows)));

  async function describe() {
    const known = (await asked("datasets")).find((each) => each.id === id);
    fill(title, known?.name ?? id);
    fill(facts, known ? [h("code", id), " ", known.schema ? h("code", known.schema) : null] : null);
  }

  async function show(pages) {
    if (pages.seen === null) await describe();
    try {
      const {total: all} = await asked(`${path}?limit=0`);
      const [offset, limit] = pages.range(all);
      const got = await asked(`${path}?offset=${offset}&limit=${limit}`);
      fill(steps, pages.steps(all));
      fill(rows, got.rows.length ? rowTable(got.rows.reverse()) : empty("Nothing landed here yet",
        h("p", "What a flow to this dataset accepts is judged in the background. What does not fit is under ", h("a", {href: "#/failed"}, "Failed"), ".")));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(rows, empty("There is no such dataset", h("p", error.message)));
    }
  }
  return new Pages(SIZE, {changes: () => total("landed"), show, reading: () => rows.querySelector(".detail")});
}

const namesOf = (cells) => [...new Set(cells.flatMap((each) => [...each.keys()]))].slice(0, COLUMNS_MAX);

function rowTable(rows) {
  const cells = rows.map((row) => flat(row.entity));
  const names = namesOf(cells);
  return table([
    {title: "Received", cell: ([row]) => h("button.link.stamp", {type: "button", "aria-expanded": "false", title: "All of this row", onclick: (event) => openRow(event.target, row, names.length + 1)}, clock(row.receivedTimeMs))},
    ...names.map((name) => ({title: columnTitle(name), class: "cell", cell: ([, cell]) => plain(cell.get(name))})),
  ], rows.map((row, i) => [row, cells[i]]), {caption: "Rows, the newest first"});
}

function columnTitle(path) {
  const place = path.lastIndexOf(".");
  return [place > 0 ? h("small", path.slice(0, place + 1)) : null, h("span", path.slice(place + 1))];
}

/** Open all of a row below it, or close it again. */
function openRow(button, row, columns) {
  const line = button.closest("tr");
  const isOpen = line.nextElementSibling?.classList.contains("detail");
  button.setAttribute("aria-expanded", String(!isOpen));
  if (isOpen) line.nextElementSibling.remove();
  else line.after(h("tr.detail", h("td", {colspan: columns}, h("div.opened",
    h("dl.facts", h("dt", "xactionId"), h("dd", h("code", row.xactionId)), h("dt", "Flow"), h("dd", h("code", row.flowId)), h("dt", "Batch"), h("dd", h("code", row.batchId))),
    h("div.copyable", copyButton(() => write(row.entity)), indented(write(row.entity)))))));
}

function answerTable({columns, rows}) {
  const cells = rows.map((row) => new Map(row.flatMap((value, i) => [...flat(value, columns[i])])));
  return table(namesOf(cells).map((name) => ({
    title: columnTitle(name), class: "cell", number: cells.every((cell) => typeof cell.get(name) === "number"), cell: (cell) => plain(cell.get(name))})),
  cells, {caption: "Answer"});
}

function queryPanel(path) {
  const answer = h("div", {"aria-live": "polite"});
  const area = h("textarea.code", {rows: 3, spellcheck: "false", "aria-label": "SQL", value: "select * exclude (_landed) from dataset limit 20"});
  const run = h("button", {type: "button", onclick: ask}, "Run");
  area.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask(); });
  async function ask() {
    run.disabled = true;
    try {
      const got = await asked(`${path}?sql=${encodeURIComponent(area.value)}`);
      fill(answer, got.rows.length ? answerTable(got) : h("p.soft.padded", "No rows."),
        got.truncated ? h("p.warn.padded", `Only the first ${count(got.rows.length)} rows are shown.`) : null);
    } catch (error) {
      fill(answer, h("div.body", h("div.notice.bad", error instanceof Refused ? error.message : "The emulator does not answer.")));
    }
    run.disabled = false;
  }
  return panel("SQL", null, h("div.body", area, h("div.try", run, h("span", "or Ctrl+Enter. The table is ", h("code", "dataset"),
    "; it has the fields of the records, and ", h("code", "_landed"), "."))), answer);
}
