// Which traps of the platform are set: what it does silently, or only sometimes, to good records?

import {asked, Refused} from "./ask.js";
import {fill, h, panel, toggle} from "./elements.js";

const TITLES = {
  warm_up: "Warm-up of new flows", schema_cache: "Schema cache", event_bytes: "Longest event in Profile",
  profile_bytes: "Longest record in Profile", capacity: "Capacity of the organisation", capacity_window: "Window of the capacity",
  requests_per_second: "Requests a second", retry_after: "Retry-After of a 429", sync_validations: "syncValidation a minute",
  sync_validation_here: "syncValidation in this data centre", allow: "Allowed networks", dialect: "Dialect of a 207", token_life: "Life of tokens",
};
const UNITS = {
  warm_up: "seconds", schema_cache: "seconds", event_bytes: "bytes", profile_bytes: "bytes", capacity: "records/s", capacity_window: "seconds",
  requests_per_second: "requests/s", retry_after: "seconds", sync_validations: "a minute", token_life: "seconds",
};
const ADOBE = {warm_up: 300, schema_cache: 900, event_bytes: 10000, profile_bytes: 100000, capacity: 1500, capacity_window: 900, requests_per_second: 1000, retry_after: null, sync_validations: 60};
const CHOICES = {dialect: ["documented", "observed"]};
const EMPTY = {retry_after: "none", allow: "all"}; // what null means

export function open(main) {
  const list = h("div");
  const problem = h("div", {role: "alert"});
  const adobe = h("button.quiet.small", {type: "button", onclick: () => put(ADOBE)}, "As Adobe has them");
  fill(main, panel("Traps", adobe, h("div.body", problem, h("p.soft",
    "Unlike faults, which break an answer, these belong to the platform as it is documented. A change counts at once, until the emulator ends."), list)));
  let drawn = "";

  async function put(some) {
    fill(problem);
    try {
      show(await asked("traps", {method: "PUT", body: JSON.stringify(some)}));
    } catch (error) {
      fill(problem, h("div.notice.bad", error instanceof Refused ? error.message : "The emulator does not answer; nothing was changed."));
      drawn = "";
    }
  }

  function show({traps, meanings}) {
    const state = JSON.stringify(traps);
    if (state === drawn || list.contains(document.activeElement) && drawn && document.activeElement.value !== "" && document.activeElement.dataset.dirty) return;
    const focused = document.activeElement?.getAttribute("aria-label");
    drawn = state;
    fill(list, h("div.traps", Object.entries(traps).map(([name, value]) => h("div.trap",
      h("div", h("strong", TITLES[name] ?? name), h("p", meanings[name])), h("span.field", field(name, value, put), h("span.soft.unit", UNITS[name] ?? ""))))));
    if (focused) list.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }
  return {tick: async () => show(await asked("traps"))};
}

function field(name, value, put) {
  const label = TITLES[name] ?? name;
  if (typeof value === "boolean") return toggle(label, value, (on) => put({[name]: on}));
  if (CHOICES[name]) {
    const select = h("select", {"aria-label": label}, CHOICES[name].map((each) => h("option", {value: each, selected: each === value}, each)));
    select.addEventListener("change", () => put({[name]: select.value}));
    return select;
  }
  const text = Array.isArray(value) ? value.join(", ") : value ?? "";
  const input = h("input", {"aria-label": label, type: name === "allow" ? "text" : "number", min: 0, step: "any", value: text, placeholder: EMPTY[name] ?? ""});
  input.addEventListener("input", () => { input.dataset.dirty = "yes"; });
  input.addEventListener("change", () => { delete input.dataset.dirty; put({[name]: given(name, input.value.trim())}); });
  return input;
}

function given(name, text) {
  if (text === "") return name in EMPTY ? null : 0;
  if (name === "allow") return text.split(/[\s,]+/);
  return Number(text);
}
