// What is there to say of the inlet, of what waits, and of where all records are?

import {bar, h} from "./elements.js";
import {bytes, count, duration, share} from "./figures.js";

const FATES = [
  ["accepted", "accepted", "c3"], ["dead_lettered", "dead-lettered", "c2"], ["filtered", "filtered", "c1"],
  ["dropped", "dropped", "c5"], ["held", "held", "c4"],
];
const SOON = 2 * 86400; // seconds: what is further away than this is a guess
const GOOD = /^2/;
const BUSY = /^(429|503)$/;

/** One bar of all records that were read, by what became of them; whether that adds up. */
export function fates(found, residue) {
  const parts = FATES.map(([name, label, color]) => ({label, color, records: found[name]})).filter((each) => each.records > 0);
  const total = parts.reduce((sum, each) => sum + each.records, 0);
  const read = found.read + (found.recovered ?? 0);
  return h("div.fates",
    h("div.whole", parts.map((part) => {
      const piece = bar(part.records / total, part.color);
      piece.title = `${part.label}: ${count(part.records)}`;
      return piece;
    })),
    h("div.legend.flush", FATES.map(([name, label, color]) => h(`span.${color}`, h("i"), label, " ", h("b", count(found[name])), " ", h("small.soft", share(found[name], total))))),
    h("p.soft", h("b", count(read)), found.recovered ? " read or recovered " : " read ", "= the sum of these. ",
      residue ? h("span.tag.bad", `${count(residue)} unaccounted for`) : residue === 0 ? h("span.tag.good", "adds up") : null));
}

const rows = (facts) => h("dl.facts", facts.filter(Boolean).map(([name, value]) => [h("dt", name), h("dd", value)]));

/** The state of the inlet in words, how many requests are under way, and what they were answered. */
export function inletFacts(one) {
  const {inlet} = one;
  const statuses = Object.entries(one.requests_by_status);
  const most = Math.max(1, ...statuses.map(([, times]) => times));
  return h("div", rows([
    ["State", [h("span", {class: `tag ${inlet.state === "ready" ? "good" : "warn"}`}, inlet.state.replaceAll("_", " ")), inlet.flow ? ` of ${inlet.flow}` : "", inlet.since_seconds === null ? "" : ` for ${duration(inlet.since_seconds)}`]],
    ["In flight", `${count(inlet.in_flight)} of ${count(inlet.in_flight_limit)} requests`],
    inlet.failures_in_a_row ? ["Failed in a row", count(inlet.failures_in_a_row)] : null,
    inlet.asked_again_in_seconds ? ["Asked again in", duration(inlet.asked_again_in_seconds)] : null,
    ["Bodies", inlet.compressed ? "gzip" : "not compressed"],
    inlet.access_expires_in_seconds ? ["Credentials", `renewed within ${duration(inlet.access_expires_in_seconds)}`] : null,
  ]), statuses.length ? h("div.bars.below-facts", {role: "group", "aria-label": "Answers"}, statuses.map(([status, times]) => h("div.bar",
    h("span", status === "none" ? "no answer" : status), h("div.track", bar(times / most, GOOD.test(status) ? "c3" : BUSY.test(status) ? "c4" : "c2")), h("span.number", count(times)))))
    : h("p.soft.below-facts", "Nothing was sent yet."));
}

/** How full memory and spool are, how long that goes on, and what the disk has left. */
export function bufferFacts(one, store) {
  const {buffer} = one;
  return h("div", h("div.bars",
    level("on disk", buffer.spooled_bytes, buffer.spool_limit_bytes),
    level("in memory", buffer.held_bytes, buffer.limit_bytes)), h("div.below-facts", rows([
    ["Waiting", `${count(one.held)} records in ${count(buffer.batches)} batches`],
    ["Oldest", one.held ? duration(buffer.oldest_seconds) : "–"],
    ["Full in", until(buffer.full_in_seconds)],
    ["Store", store.bytes_on_disk === null ? "–" : `${bytes(store.bytes_on_disk)} with receipts and dead letters`],
    ["Disk", store.disk_free_bytes === null ? "–" : [`${bytes(store.disk_free_bytes)} free`, store.disk_full_in_seconds === null || store.disk_full_in_seconds > SOON ? "" : `, used up in ${duration(store.disk_full_in_seconds)} as it grows now`]],
    store.trouble ? ["Trouble", h("span.bad", store.trouble)] : null,
  ])));
}

function level(label, used, limit) {
  if (!limit) return null;
  const part = used / limit;
  return h("div.bar", h("span", label), h("div.track", used ? bar(Math.min(1, part), part > 0.9 ? "c2" : part > 0.5 ? "c4" : "c1") : null), h("span.number", `${bytes(used)} of ${bytes(limit)}`));
}

const until = (seconds) => (seconds === null ? "it does not fill" : `${duration(seconds)} as it grows now`);
