// How does the agent do, and what should somebody see to?

import {LineChart, tile} from "./chart.js";
import {bufferFacts, fates, inletFacts} from "./facts.js";
import {empty, fill, h, panel, refill, say} from "./elements.js";
import {bytes, clock, count, duration, rate} from "./figures.js";
import {flows, follow, historyOf, live, unlock} from "./live.js";
import {flowTable, letterTable, receiptTable, sourceTable} from "./tables.js";
import {theme} from "./theme.js";

const main = document.getElementById("main");
const BAD = new Set(["residue", "store", "auth_blocked", "schema_changed", "disk_full", "down"]);
const CALM = new Set(["draining", "warming_up", "paced"]);
const STAGES = {starting: "starting", running: "", draining: "stopping"};

let view = null;
let chosen = null; // the flow that is looked at; "" is all
let drawn = null; // the history that is drawn

function open(flow) {
  const history = historyOf(flow);
  const tiles = {
    read: tile("Read", history, "read", "c1"),
    accepted: tile("Accepted", history, "accepted", "c3"),
    letters: tile("Dead-lettered", history, "dead_lettered", "c2"),
    held: tile("Held", history, "held", "c4"),
    lag: tile("Receive lag", history, "lag_mean", "c1"),
  };
  const throughput = new LineChart(history, [
    {name: "read", label: "read", color: "c1"},
    {name: "accepted", label: "accepted", color: "c3"},
    {name: "dead_lettered", label: "dead-lettered", color: "c2"},
    {name: "filtered", label: "filtered", color: "c4"},
  ], {unit: "Records a second"});
  const lag = new LineChart(history, [
    {name: "lag_mean", label: "mean", color: "c1"},
    {name: "lag_p99", label: "99 % within", color: "c4"},
  ], {unit: "Receive lag", format: (seconds) => (seconds ? duration(seconds) : seconds === null ? "–" : "0")});
  const parts = {
    ...Object.fromEntries(["waits", "flows", "sources", "letters", "receipts"].map((name) => [name, h("div")])),
    ...Object.fromEntries(["fates", "inlet", "buffer"].map((name) => [name, h("div.body")])),
  };
  const flowsPanel = panel("Flows", null, parts.flows);
  fill(main, h("div.stack",
    flow ? h("p", h("a", {href: "#/"}, "All flows"), " › ", h("b", flow)) : null,
    parts.waits,
    h("div.tiles.five", Object.values(tiles).map((each) => each.element)),
    h("div.halves", panel("Records a second", null, throughput.element), panel("Receive lag", null, lag.element)),
    panel("What became of every record", h("span.soft", "over all runs"), parts.fates),
    flowsPanel,
    panel("Sources: what goes in", null, parts.sources),
    h("div.even", panel("Inlet: what comes out", null, parts.inlet), panel("Spool: what waits", null, parts.buffer)),
    panel("Last dead letters", h("code.soft.wide", "aep-agent dead-letters list"), parts.letters),
    panel("Last receipts", h("code.soft.wide", "aep-agent receipts find"), parts.receipts)));

  return () => {
    const {status} = live;
    const one = flow ? status.flows[flow] : status;
    if (!one) { location.hash = "#/"; return; } // it went with a reload
    const fast = one.rates["10s"];
    const late = one.receive_lag_seconds["10s"];
    tiles.read.show(count(one.read), `${rate(fast.read)}/s`, `${bytes(fast.bytes_read)}/s, ${bytes(one.bytes_read)} in all`);
    tiles.accepted.show(count(one.accepted), `${rate(fast.accepted)}/s`, `${rate(fast.requests)} requests/s`);
    tiles.letters.show(count(one.dead_lettered), `${rate(fast.dead_lettered)}/s`, reasons(one.dead_lettered_by_reason));
    tiles.letters.element.classList.toggle("bad", one.dead_lettered > 0);
    tiles.held.show(count(one.held), "", one.held ? `the oldest for ${duration(one.buffer.oldest_seconds)}` : "nothing waits");
    tiles.lag.show(late.p50 === null ? "–" : duration(late.p50), late.p50 === null ? "" : "median", late.p99 === null ? "nothing was accepted lately" : `99 % within ${duration(late.p99)}`);
    throughput.draw();
    lag.draw();
    showWaits(parts.waits, one, status);
    refill(parts.fates, fates(flow ? one : {...status.ledger}, flow ? null : status.ledger.residue));
    flowsPanel.hidden = !status.flows || Boolean(flow);
    if (!flowsPanel.hidden) refill(parts.flows, flowTable(flows()));
    refill(parts.sources, sourceTable(one));
    refill(parts.inlet, inletFacts(one));
    refill(parts.buffer, bufferFacts(one, status.store));
    refill(parts.letters, one.last_dead_letters.length ? letterTable(one.last_dead_letters)
      : empty("No dead letter since the start", h("p", status.ledger.dead_lettered ? `${count(status.ledger.dead_lettered)} are known of all runs.` : "What is no record, or is refused by the platform, is kept with its reason and listed here.")));
    refill(parts.receipts, one.last_receipts.length ? receiptTable(one.last_receipts)
      : empty("No receipt since the start", h("p", "What the platform accepts is acknowledged by an xactionId, which is kept.")));
  };
}

function reasons(byReason) {
  const sorted = Object.entries(byReason).sort(([, a], [, b]) => b - a);
  return sorted.map(([reason, times]) => `${count(times)} ${reason}`).join(", ") || "none";
}

/** What keeps records waiting, what to do about it; or that all is well. */
function showWaits(element, one, status) {
  if (one.waits.length) {
    refill(element, h("div.waits", one.waits.map((wait) => h(`section.wait.${tone(wait.cause)}`, {"aria-label": wait.cause},
      h("div", h("span", {class: `tag ${tone(wait.cause)}`}, wait.cause.replaceAll("_", " ")),
        wait.flow ? [" ", h("a", {href: `#/${encodeURIComponent(wait.flow)}`}, wait.flow)] : null,
        wait.seconds === null ? null : h("span.soft", ` for ${duration(wait.seconds)}`), again(wait, one)),
      h("h2", wait.says), wait.next_step ? h("p", wait.next_step) : null))));
  } else if (!one.read && !one.recovered && !one.accepted) {
    refill(element, h("div.notice.plain", h("div", h("h2", "Nothing has been read yet"),
      h("p.soft", status.stage === "starting" ? "The agent is starting." : `The agent waits for records from ${names(one)}.`))));
  } else {
    refill(element, h("p.well", h("b", "Nothing keeps records waiting."), one.held ? ` ${count(one.held)} are on their way.` : " Everything that was read is answered for."));
  }
}

const tone = (cause) => (BAD.has(cause) ? "bad" : CALM.has(cause) ? "calm" : "warn");

function again(wait, one) {
  const seconds = one.inlet.asked_again_in_seconds;
  return wait.cause === one.inlet.state && (!wait.flow || wait.flow === one.inlet.flow) && seconds ? h("span.soft", `, asked again in ${duration(seconds)}`) : null;
}

function names(one) {
  const all = Object.entries(one.sources).map(([name, source]) => (source.listen?.length ? source.listen.join(", ") : name));
  return all.length > 3 ? `${all.slice(0, 3).join(", ")} and ${all.length - 3} more` : all.join(", ") || "no source";
}

function places() {
  if (!live.status?.flows) return "";
  const wanted = decodeURIComponent(location.hash.replace(/^#\/?/, ""));
  return wanted in live.status.flows ? wanted : "";
}

function tick() {
  notices();
  if (live.locked || !live.status) return;
  const flow = live.flow = places();
  if (flow !== chosen || historyOf(flow) !== drawn || !view) {
    chosen = flow;
    drawn = historyOf(flow);
    view = open(flow);
  }
  const {status} = live;
  say(document.getElementById("version"), flow || status.version);
  document.title = `${status.waits.length ? `${status.waits[0].cause.replaceAll("_", " ")} · ` : ""}aep-agent`;
  const pulse = document.getElementById("pulse");
  pulse.className = `pulse ${live.away || !status.ready ? "bad" : "good"}`;
  say(pulse, live.away ? "no answer" : [STAGES[status.stage] ?? status.stage, `up ${duration(status.seconds)}`].filter(Boolean).join(", "));
  if (!live.away) view();
}

let noticed = "";
function notices() {
  const element = document.getElementById("notices");
  const state = live.locked ? "locked" : live.away ? `away ${live.away}` : "";
  if (state === noticed) return;
  noticed = state;
  if (live.locked) { fill(element); view = null; fill(main, door()); }
  else if (live.away) fill(element, h("div.notice.bad", `The agent has not answered since ${clock(live.away)}. This page goes on by itself once it does.`));
  else fill(element);
}

/** Asks for the token, where the agent does. */
function door() {
  const refused = sessionStorage.getItem("admin token");
  const input = h("input", {type: "password", autocomplete: "off", "aria-label": "Token", required: true});
  const form = h("form.panel.door", h("h2", "This agent asks for a token"),
    h("p.soft", refused ? "That one was not right. " : "", "It is what ", h("code", "admin.token"), " or ", h("code", "admin.token_file"), " says. It stays in this tab, until the tab is closed."),
    h("div.field", input, h("button", {type: "submit"}, "Show the status")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    unlock(input.value.trim());
    noticed = "asked";
  });
  return form;
}

theme();
addEventListener("hashchange", () => { scrollTo(0, 0); tick(); });
live.listeners.add(tick);
follow();
