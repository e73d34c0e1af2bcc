// Which flows, sources, dead letters and receipts are there?

import {empty, h, table} from "./elements.js";
import {bytes, clock, count, cut, duration, rate} from "./figures.js";

const several = (rows) => rows.some((row) => row.flow);
const ofFlow = {title: "Flow", cell: (row) => row.flow ?? ""};

/** A row for each flow, with a link to all that is known of it. */
export function flowTable(flows) {
  return table([
    {title: "Flow", cell: ([name]) => h("a", {href: `#/${encodeURIComponent(name)}`}, name)},
    {title: "Inlet", cell: ([, flow]) => h("span", {class: `tag ${flow.destination === "ready" ? "good" : "warn"}`}, flow.destination.replaceAll("_", " "))},
    {title: "In", number: true, cell: ([, flow]) => `${rate(flow.rates["10s"].read)}/s`},
    {title: "Out", number: true, cell: ([, flow]) => `${rate(flow.rates["10s"].accepted)}/s`},
    {title: "Accepted", number: true, cell: ([, flow]) => count(flow.accepted)},
    {title: "Dead letters", number: true, cell: ([, flow]) => h(flow.dead_lettered ? "span.bad" : "span", count(flow.dead_lettered))},
    {title: "Held", number: true, cell: ([, flow]) => count(flow.held)},
    {title: "Oldest", number: true, cell: ([, flow]) => (flow.held ? duration(flow.buffer.oldest_seconds) : "–")},
    {title: "Lag", number: true, cell: ([, flow]) => (flow.receive_lag_seconds["10s"].p50 === null ? "–" : duration(flow.receive_lag_seconds["10s"].p50))},
  ], flows, {caption: "Flows"});
}

/** A row for each source: how fast, how far behind, and who is connected. */
export function sourceTable(one) {
  const rows = Object.entries(one.sources).filter(([, source]) => typeof source === "object").map(([name, source]) => ({name, ...source}));
  if (!rows.length) return empty("No source", h("p", "Nothing is read here; what is in the spool is sent."));
  return table([
    {title: "Source", class: "name", cell: (row) => h("span", {title: row.name}, row.name)},
    ...(several(rows) ? [ofFlow] : []),
    {title: "Now", number: true, cell: (row) => `${rate(row.rates["10s"].records)}/s`},
    {title: "Records", number: true, cell: (row) => count(row.records)},
    {title: "Read", number: true, cell: (row) => (row.total ? `${bytes(row.read)} of ${bytes(row.total)}` : bytes(row.read))},
    {title: "Behind", class: "notes", cell: behind},
    {title: "Clients", class: "notes", cell: clients},
  ], rows, {caption: "Sources"});
}

function behind(row) {
  const told = [];
  const files = `${count(row.files)} file${row.files === 1 ? "" : "s"}`;
  if (row.lag_bytes !== undefined) told.push(h("div", row.lag_bytes ? `${bytes(row.lag_bytes)} in ${files}` : `nothing; ${files}, ${count(row.open)} open`));
  if (row.waited_seconds >= 1) told.push(h("div.warn", `waited ${duration(row.waited_seconds)} for room`));
  for (const [path, why] of Object.entries(row.not_read ?? {})) told.push(h("div.bad", `${path}: ${why}`));
  if (row.dropped_datagrams) told.push(h("div.bad", `${count(row.dropped_datagrams)} datagrams dropped by the kernel`));
  return told.length ? told : h("span.soft", "–");
}

function clients(row) {
  const told = [];
  if (row.connections !== undefined) told.push(h("div", `${count(row.connections)} connected`));
  if (row.waiting) told.push(h("div", `${count(row.waiting.requests)} requests wait`));
  if (row.refused_connections) told.push(h("div.warn", `${count(row.refused_connections)} refused`));
  if (row.listen?.length) told.push(h("div.soft", row.listen.join(", ")));
  return told.length ? told : h("span.soft", "–");
}

/** Why records were refused lately; alike ones once. No record is among it. */
export function letterTable(rows) {
  return table([
    {title: "When", class: "nowrap", cell: (row) => h("span.stamp", clock(row.at * 1000))},
    ...(several(rows) ? [ofFlow] : []),
    {title: "Reason", cell: (row) => [h("span.tag.bad", row.reason), row.status ? h("span.soft", ` ${row.status}`) : null]},
    {title: "What was said", class: "said", cell: (row) => (row.message === null ? h("span.soft", "not told without admin.token") : cut(row.message))},
    {title: "Of this reason", number: true, cell: (row) => count(row.of_reason)},
    {title: "The last of them", class: "name", cell: (row) => h("span", {title: `${row.source}, line ${row.line}`}, `${row.source}:${row.line}`)},
    {title: "Size", number: true, cell: (row) => bytes(row.bytes)},
  ], rows, {caption: "Last dead letters"});
}

/** What was accepted last, with the id to ask Adobe about. */
export function receiptTable(rows) {
  return table([
    {title: "When", class: "nowrap", cell: (row) => h("span.stamp", clock(row.at * 1000))},
    ...(several(rows) ? [ofFlow] : []),
    {title: "Records", number: true, cell: (row) => count(row.records)},
    {title: "First xactionId", class: "name", cell: (row) => h("code", {title: row.first_xaction_id}, row.first_xaction_id ?? "–")},
    {title: "Attempt", number: true, cell: (row) => count(row.attempts)},
    {title: "From", class: "name", cell: (row) => (row.source === null ? "–" : h("span", {title: `${row.source}, line ${row.line}`}, `${row.source}:${row.line}`))},
  ], rows, {caption: "Last receipts"});
}
