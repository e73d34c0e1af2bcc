// What does the emulator say of itself, second by second?

import {asked} from "./ask.js";
import {History} from "./chart.js";

const EVERY = 1000; // ms
const WAIT_MAX = 5000;

/** What all places share. `listeners` are told after each look, whether it succeeded or not. */
export const live = {
  stats: null,
  faults: {seed: 0, rules: []},
  flows: [],
  inlets: [],
  away: null, // since when the emulator does not answer, ms
  history: new History(300),
  flowHistory: new Map(), // by flow id
  listeners: new Set(),
};

/** Look now, and again every second. */
export async function follow() {
  let wait = EVERY;
  await begin().catch(() => {});
  for (;;) {
    try {
      await look();
      wait = EVERY;
    } catch {
      live.away ??= Date.now();
      wait = Math.min(WAIT_MAX, wait * 1.5);
    }
    for (const tell of live.listeners) tell();
    await new Promise((done) => setTimeout(done, wait));
  }
}

/** Take over what the emulator knows of the minutes before this page was opened. */
async function begin() {
  const {until, accepted, rejected} = await asked("throughput");
  if (accepted.length) live.history.begin(until * 1000, {accepted, rejected});
}

/** How many records of all flows landed, failed, … */
export const total = (name) => live.flows.reduce((sum, flow) => sum + flow[name], 0);

async function look() {
  const [stats, faults, {inlets}, flows] = await Promise.all(["stats", "faults", "inlets", "flows"].map((name) => asked(name)));
  const before = live.stats;
  Object.assign(live, {stats, faults, inlets, flows, away: null});
  const at = Date.now();
  live.history.add(at, {
    accepted: stats.records_accepted,
    rejected: stats.records_rejected,
    bytes: stats.bytes_uncompressed,
    wire: stats.bytes_wire,
    requests: stats.requests,
    landed: total("landed"),
  });
  for (const [id, accepted] of Object.entries(stats.records_by_flow)) {
    if (!live.flowHistory.has(id)) {
      live.flowHistory.set(id, new History(60));
      live.flowHistory.get(id).add(at - EVERY, {accepted: before ? 0 : accepted});
    }
    live.flowHistory.get(id).add(at, {accepted});
  }
}
