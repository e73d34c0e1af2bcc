// What goes in, how fast, and what becomes of it?

import {LineChart, Sparkline, tile} from "./chart.js";
import {bar, copyButton, empty, fill, h, panel, refill, say, table} from "./elements.js";
import {bytes, count, duration, rate, share} from "./figures.js";
import {indented} from "./json_text.js";
import {live} from "./live.js";
import {commands, sendOne} from "./sending.js";

export function open(main) {
  const tiles = {
    accepted: tile("Accepted records", live.history, "accepted", "c1"),
    rejected: tile("Refused records", live.history, "rejected", "c2"),
    requests: tile("Requests", live.history, "requests", "c3"),
    bytes: tile("Bytes of records", live.history, "bytes", "c4"),
  };
  const chart = new LineChart(live.history, [
    {name: "accepted", label: "accepted", color: "c1"},
    {name: "rejected", label: "refused", color: "c2"},
    {name: "landed", label: "landed", color: "c3"},
  ], {unit: "Records a second"});
  const flows = h("div");
  const nothing = h("div.notice.plain", h("div", h("h2", "Nothing has arrived yet"), h("p.soft", "Send something with a command below, or press ", h("b", "Send one record"), ".")));
  const answers = h("div.body");
  const inlets = h("div");
  fill(main, h("div.stack", nothing,
    h("div.tiles", Object.values(tiles).map((each) => each.element)),
    panel("Records a second", null, chart.element),
    panel("Flows", null, flows),
    h("div.halves", inlets, panel("Answers", null, answers))));
  const sparks = new Map();
  let drawn = "";

  return {
    tick() {
      const {stats, history} = live;
      if (!stats) return;
      tiles.accepted.show(count(stats.records_accepted), `${rate(history.now("accepted"))}/s`,
        repeats(stats));
      tiles.rejected.show(count(stats.records_rejected), `${rate(history.now("rejected"))}/s`,
        `${share(stats.records_rejected, stats.records_accepted + stats.records_rejected)} of all records`);
      tiles.rejected.element.classList.toggle("bad", stats.records_rejected > 0);
      tiles.requests.show(count(stats.requests), `${rate(history.now("requests"))}/s`,
        `${stats.requests_in_flight} in flight, ${count(stats.connections)} connection${stats.connections === 1 ? "" : "s"}`);
      tiles.bytes.show(bytes(stats.bytes_uncompressed), `${bytes(history.now("bytes"))}/s`,
        stats.requests_gzip ? `${bytes(stats.bytes_wire)} on the wire` : "nothing compressed");
      nothing.hidden = stats.requests > 0;
      inlets.parentElement.style.order = stats.requests ? "" : "-1";
      nothing.style.order = "-2";
      chart.draw();
      showFlows(flows, sparks);
      showAnswers(answers, stats);
      const state = JSON.stringify([live.inlets, live.flows.map((flow) => flow.name)]);
      if (state !== drawn) fill(inlets, inletPanel());
      drawn = state;
    },
  };
}

function repeats(stats) {
  const told = [];
  if (stats.duplicates) told.push(`${count(stats.duplicates)} came twice`);
  if (stats.repeated_ids) told.push(`${count(stats.repeated_ids)} with an _id again`);
  return told.join(", ") || "none came twice";
}

/** Rows of flows: of those that were provisioned, and of the ready-made one. */
function flowRows() {
  const by = live.stats.records_by_flow;
  const rows = new Map();
  for (const inlet of live.inlets) for (const id of inlet.flow_ids) rows.set(id, {id, name: "ready-made", accepted: by[id] ?? 0});
  for (const [id, accepted] of Object.entries(by)) rows.set(id, {id, ...rows.get(id), accepted});
  for (const flow of live.flows) rows.set(flow.id, {...flow, provisioned: true, accepted: by[flow.id] ?? flow.accepted});
  return [...rows.values()];
}

function showFlows(element, sparks) {
  const rows = flowRows();
  const columns = [
    {title: "Flow", cell: nameOf},
    ...(live.flows.length ? [{title: "Dataset", cell: datasetOf}] : []),
    {title: "Last minute", cell: (row) => sparkOf(row, sparks), class: "spark-cell"},
    {title: "Now", number: true, cell: (row) => `${rate(live.flowHistory.get(row.id)?.now("accepted") ?? 0)}/s`},
    {title: "Accepted", number: true, cell: (row) => count(row.accepted)},
    ...(live.flows.length ? ["landed", "failed", "lost", "waiting"].map((name) => (
      {title: name[0].toUpperCase() + name.slice(1), number: true, cell: (row) => fateOf(row, name)})) : []),
  ];
  refill(element, rows.length ? table(columns, rows, {caption: "Flows"})
    : empty("No flow yet", h("p", "Provision one, or send with a flow id that the inlet knows.")),
  live.flows.length ? null : h("p.soft.padded", "Flows that are provisioned here, by ", h("code", "aep-agent provision apply"), " say, come with what landed and what failed."));
}

function nameOf(row) {
  const name = row.provisioned ? row.name ?? "removed" : row.name;
  return [h("div", name ? h("span", name, " ") : null, row.enabled === false ? h("span.tag.warn", "disabled") : null,
    row.profile ? h("span.tag", "profile") : null), h("code.soft.id", row.id),
  row.warnings ? h("div.warn", {title: row.last_warnings.join("\n")}, `${count(row.warnings)} warnings of the mapping`) : null];
}

function datasetOf(row) {
  if (!row.datasetId) return h("span.soft", row.provisioned ? "none" : "kept as they came");
  return h("a", {href: `#/datasets/${encodeURIComponent(row.datasetId)}`}, row.dataset || row.datasetId);
}

function fateOf(row, name) {
  if (!row.provisioned) return h("span.soft", "–");
  if (name === "failed") return row.failed ? h("a.bad", {href: "#/failed"}, count(row.failed)) : "0";
  if (name !== "lost") return count(row[name]);
  const reasons = Object.entries(row.lost);
  const lost = reasons.reduce((sum, [, records]) => sum + records, 0);
  return h(lost ? "span.warn" : "span", {title: reasons.map(([why, records]) => `${count(records)}: ${why}`).join("\n")}, count(lost));
}

function sparkOf(row, sparks) {
  const history = live.flowHistory.get(row.id);
  if (!history) return null;
  if (!sparks.has(row.id)) sparks.set(row.id, new Sparkline(history, "accepted"));
  sparks.get(row.id).draw();
  return sparks.get(row.id).element;
}

function showAnswers(element, stats) {
  const statuses = Object.entries(stats.requests_by_status);
  if (!statuses.length) {
    refill(element, h("p.soft", "No request has been answered yet."));
    return;
  }
  const most = Math.max(...statuses.map(([, times]) => times));
  refill(element, h("div.bars", statuses.sort(([a], [b]) => a.localeCompare(b)).map(([status, times]) => h("div.bar",
    h("span", status === "none" ? "no answer" : status),
    h("div.track", bar(times / most, color(status))),
    h("span.number", count(times))))),
  h("p.soft.answer", `Counted for ${duration(stats.seconds)}. 207 is a batch with a verdict for each record.`));
}

function color(status) {
  if (/^2/.test(status)) return "c3";
  return /^(429|503)$/.test(status) ? "c4" : "c2";
}

let chosenInlet = null; // by somebody; the newest one otherwise

function inletPanel() {
  const {inlets} = live;
  const body = h("div.body");
  const tags = h("span.field");
  const choice = h("select", {"aria-label": "Inlet", onchange: () => choose(inlets[choice.selectedIndex])},
    inlets.map((inlet) => h("option", {value: inlet.id}, inletName(inlet))));
  const inlet = inlets.find((each) => each.id === chosenInlet) ?? inlets.at(-1);
  function choose(one) {
    chosenInlet = one.id;
    show(one);
  }
  function show(one) {
    choice.value = one.id;
    fill(tags, h("span.tag", one.data_type === "xdm" ? "XDM" : "raw"), h("span.tag", one.authenticated ? "asks for a token" : "no token"));
    fill(body, inletBody(one));
  }
  show(inlet);
  return panel("Send to an inlet", [inlets.length > 1 ? choice : null, tags], body);
}

function inletName(inlet) {
  if (inlet.ready_made) return "ready-made";
  const names = inlet.flow_ids.map((id) => live.flows.find((flow) => flow.id === id)?.name ?? id);
  return names.join(", ") || `no flow: ${inlet.id.slice(0, 12)}…`;
}

function inletBody(inlet) {
  const ways = commands(inlet, live.flows.find((flow) => flow.id === inlet.flow_ids[0]));
  const text = h("pre.command", {tabindex: "0", "aria-label": "Command"});
  const buttons = ways.map((way, i) => h("button", {type: "button", "aria-pressed": "false", onclick: () => choose(i)}, way.title));
  function choose(chosen) {
    say(text, ways[chosen].text);
    buttons.forEach((each, i) => each.setAttribute("aria-pressed", String(i === chosen)));
  }
  choose(0);
  const answer = h("div.answer", {"aria-live": "polite"});
  const send = h("button", {type: "button", onclick: async () => {
    send.disabled = true;
    try {
      const got = await sendOne(inlet, live.flows.find((flow) => flow.id === inlet.flow_ids[0]));
      fill(answer, h("p", h(got.status < 300 ? "span.tag.good" : "span.tag.bad", got.status), " ", got.status < 300 ? "Accepted." : "Refused."), indented(got.text));
    } catch {
      fill(answer, h("p.bad", "No answer: the connection was closed. Is a fault at work?"));
    }
    send.disabled = false;
  }}, "Send one record");
  return [
    h("div.between", h("div.segments", {role: "group", "aria-label": "Ways to send"}, buttons), copyButton(() => text.textContent)),
    h("div.copyable.answer", text),
    inlet.authenticated ? null : h("div.try", send, h("span", "from this page, to see an answer")), answer];
}
