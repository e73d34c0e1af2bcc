// What does the agent say of itself, second by second?

import {History} from "./chart.js";

const EVERY = 1000; // ms
const WAIT_MAX = 5000;
const MINUTES = 300; // seconds that the agent remembers
const RECENT = 10; // seconds asked for again and again, so that none is missed
const KEY = "admin token";

/** What every part of the page reads. `histories` are by flow; "" is all of them together. */
export const live = {
  status: null,
  away: null, // since when it does not answer, ms
  locked: false, // it asks for a token
  flow: "", // whose minutes are drawn
  histories: new Map([["", new History(MINUTES)]]),
  listeners: new Set(),
};

/** Show this token from now on, for as long as this tab is open. */
export function unlock(token) {
  sessionStorage.setItem(KEY, token);
}

/** Look now, and again every second. */
export async function follow() {
  let wait = EVERY;
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

async function look() {
  const token = sessionStorage.getItem(KEY);
  const {flow} = live;
  const follows = live.status && !live.away && Date.now() - (live.histories.get(flow)?.end ?? 0) < (RECENT - 2) * 1000;
  const query = new URLSearchParams({history: follows ? RECENT : MINUTES, flow});
  const answer = await fetch(`/status?${query}`, {cache: "no-store", headers: token ? {Authorization: `Bearer ${token}`} : {}});
  live.locked = answer.status === 401;
  if (live.locked) { live.away = null; return; }
  if (!answer.ok) throw new Error(`${answer.status}`);
  const status = await answer.json();
  if (live.status && status.seconds < live.status.seconds) live.histories.clear(); // it was started anew
  remember("", status);
  for (const [name, each] of Object.entries(status.flows ?? {})) {
    if (typeof each !== "object") delete status.flows[name]; // a word that there are more
    else if (each.history) remember(name, each);
  }
  Object.assign(live, {status, away: null});
}

/** Take over the seconds that are not known yet. */
function remember(name, {history}, at = Date.now()) {
  const known = historyOf(name);
  history.ago.forEach((ago, i) => {
    const when = at - ago * 1000;
    if (known.end && when < known.end + EVERY / 2) return;
    known.put(when, Object.fromEntries(Object.entries(history).map(([column, values]) => [column, values[i]])));
  });
}

/** The last minutes of a flow; "" is all of them together. */
export function historyOf(flow) {
  if (!live.histories.has(flow)) live.histories.set(flow, new History(MINUTES));
  return live.histories.get(flow);
}

/** The flows by name; the only one has the empty name. */
export const flows = () => Object.entries(live.status.flows ?? {"": live.status});
