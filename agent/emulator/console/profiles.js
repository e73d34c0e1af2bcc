// Who is known to Profile, and what of them?

import {asked} from "./ask.js";
import {empty, fill, h, panel} from "./elements.js";
import {write} from "./exact.js";
import {count} from "./figures.js";
import {indented, oneLine} from "./json_text.js";
import {total} from "./live.js";
import {Pages} from "./paging.js";
import {recordItem} from "./records.js";

const SIZE = 50;
const EVENTS = 50; // of each, shown

export function open(main, [wanted]) {
  const list = h("div.list");
  const steps = h("div");
  const note = h("span.soft");
  const search = h("input", {type: "search", placeholder: "a@b.org or Email:a@b.org", "aria-label": "Identity", value: wanted ?? ""});
  search.addEventListener("input", () => pages.go(0));
  fill(main, panel("Profiles", [note, steps, search], list));

  async function show() {
    const identity = search.value.trim();
    const got = await asked(identity ? `profiles?identity=${encodeURIComponent(identity)}` : `profiles?offset=${pages.page * SIZE}&limit=${SIZE}`);
    fill(note, got.duplicates ? `${count(got.duplicates)} events ignored, whose _id was known` : null);
    fill(steps, identity ? null : pages.steps(got.total));
    if (got.profiles.length) fill(list, got.profiles.map(item));
    else if (got.total) fill(list, empty("Nobody of that identity", h("p", "Write the whole of it, as it stands in the records, with or without its namespace.")));
    else fill(list, empty("Nobody is known yet", h("p", "Profile takes what lands in a dataset with the tag ", h("code", "unifiedProfile: enabled:true"), " and has a primary identity. Records of one identity are merged here.")));
  }
  const pages = new Pages(SIZE, {changes: () => `${total("landed")} ${search.value}`, show, reading: () => list.querySelector("details[open]")});
  return pages;
}

function item(profile) {
  const inside = h("div.inside");
  const {namespace, id} = profile.identity;
  const hasAttributes = Object.keys(profile.attributes).length > 0;
  return h("details", {ontoggle: (event) => {
    if (!event.target.open || inside.childElementCount) return;
    fill(inside, hasAttributes ? h("div.copyable", indented(write(profile.attributes))) : null,
      profile.events.length ? [h("h3", `${count(profile.events.length)} event${profile.events.length === 1 ? "" : "s"}, the newest first`),
        h("div.list.inner", profile.events.slice(-EVENTS).reverse().map((each) => recordItem(write(each), [], () => null)))] : null);
  }}, h("summary", h("span", h("span.tag", namespace), " ", h("b", id)),
    hasAttributes ? oneLine(write(profile.attributes)) : h("span.soft.line", "no attributes, only events"),
    h("span.why", `${count(profile.records)} record${profile.records === 1 ? "" : "s"}, ${count(profile.events.length)} event${profile.events.length === 1 ? "" : "s"}`)), inside);
}
