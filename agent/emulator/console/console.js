// Where is somebody on the page, and what stands round every place?

import {ask} from "./ask.js";
import {fill, h, say} from "./elements.js";
import {clock, duration, short} from "./figures.js";
import * as datasets from "./datasets.js";
import * as failed from "./failed.js";
import * as faults from "./faults.js";
import {follow, live, total} from "./live.js";
import * as overview from "./overview.js";
import * as profiles from "./profiles.js";
import * as records from "./records.js";
import * as rejected from "./rejected.js";
import {theme} from "./theme.js";
import * as traps from "./traps.js";

const PLACES = [
  {path: "", title: "Overview", view: overview},
  {path: "records", title: "Records", view: records, badge: () => live.stats?.records_accepted},
  {path: "rejected", title: "Refused", view: rejected, badge: () => live.stats?.records_rejected, tone: "bad"},
  {path: "datasets", title: "Datasets", view: datasets, badge: () => total("landed")},
  {path: "failed", title: "Failed", view: failed, badge: () => total("failed"), tone: "bad"},
  {path: "profiles", title: "Profiles", view: profiles},
  {path: "faults", title: "Faults", view: faults, badge: () => live.faults.rules.length, tone: "warn"},
  {path: "traps", title: "Traps", view: traps},
];

const main = document.getElementById("main");
const nav = document.getElementById("places");
const links = new Map();
let here = null;
let view = null;
let isNew = true; // until its place in the navigation was brought into view

function showPlaces() {
  fill(nav, PLACES.map((place) => {
    const badge = h(place.tone ? `span.badge.${place.tone}` : "span.badge", {hidden: true});
    const link = h("a", {href: `#/${place.path}`}, place.title, badge);
    links.set(place, {link, badge});
    return link;
  }));
}

function go() {
  const [path, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const place = PLACES.find((each) => each.path === path) ?? PLACES[0];
  for (const [each, {link}] of links) {
    if (each === place) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  isNew = true;
  document.title = `${place.title} · aep-agent emulator`;
  if (here !== null) {
    scrollTo(0, 0);
    main.focus({preventScroll: true});
  }
  here = place;
  view = place.view.open(main, rest);
  tick();
}

function tick() {
  for (const [place, {badge}] of links) {
    const much = place.badge?.() ?? 0;
    badge.hidden = !much;
    say(badge, short(much));
  }
  if (live.stats && isNew) {
    links.get(here)?.link.scrollIntoView({block: "nearest", inline: "center"}); // its badges have their width now
    isNew = false;
  }
  const pulse = document.getElementById("pulse");
  pulse.className = `pulse ${live.away ? "bad" : live.stats ? "good" : ""}`;
  say(pulse, live.away ? "no answer" : live.stats ? `up ${duration(live.stats.seconds)}` : "");
  showNotices();
  Promise.resolve(view?.tick()).catch((error) => {
    if (!(error instanceof TypeError && /fetch/i.test(error.message))) console.error(error);
  }); // whether the emulator is away is told by the next look
}

let noticed = "";
function showNotices() {
  const rules = live.faults.rules;
  const state = live.away ? `away ${live.away}` : rules.map((rule) => rule.name).join("\n");
  if (state === noticed) return;
  noticed = state;
  const element = document.getElementById("notices");
  if (live.away) {
    fill(element, h("div.notice.bad", `The emulator has not answered since ${clock(live.away)}. This page goes on by itself once it does.`));
  } else if (rules.length && here?.path !== "faults") {
    fill(element, h("div.notice.warn", h("span", rules.length === 1 ? "A fault is at work: " : `${rules.length} faults are at work: `,
      h("b", rules.slice(0, 4).map((rule) => rule.name.replace(/^console: /, "")).join(", ")), rules.length > 4 ? " …" : ""),
    h("button.quiet.small", {type: "button", onclick: async () => {
      await ask("faults", {method: "DELETE"});
      live.faults = {seed: 0, rules: []};
      tick();
    }}, "End all faults")));
  } else fill(element);
}

theme();
showPlaces();
addEventListener("hashchange", () => { noticed = ""; go(); });
live.listeners.add(tick);
go();
follow();
