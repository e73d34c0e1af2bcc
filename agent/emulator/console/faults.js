// How shall the inlet misbehave, from now on?

import {ask, asked, Refused} from "./ask.js";
import {copyButton, fill, h, panel, say, toggle} from "./elements.js";
import {count} from "./figures.js";
import {PREFIX, PRESETS} from "./fault_presets.js";
import {live} from "./live.js";

/** Rules as they were written, without what is counted of them. */
export const written = (rules) => rules.map(({matched, applied, ...rule}) => rule);

/** Put these rules to work in place of the present ones. */
export async function put(rules) {
  live.faults = await asked("faults", {method: "PUT", body: JSON.stringify({seed: live.faults.seed, rules})});
  for (const tell of live.listeners) tell();
}

export function open(main) {
  const problem = h("div", {role: "alert"});
  const cards = PRESETS.flatMap((group) => group.faults).map((preset) => card(preset, attempt));
  let next = 0;
  const script = scriptPanel(attempt);
  const end = h("button.danger.small", {type: "button", onclick: () => attempt(() => put([]))}, "End all faults");
  fill(main, h("div.stack",
    panel("Fault switches", end, h("div.body", problem,
      h("p.soft", "Each switch puts a rule into the script of faults below. They apply at once, and until they are switched off; of several that change the whole answer, the first one counts."),
      PRESETS.map((group) => [h("h3.group-title", group.group), h("div.faults", group.faults.map(() => cards[next++].element))]))),
    script.element));

  async function attempt(change) {
    fill(problem);
    try {
      await change();
    } catch (error) {
      fill(problem, h("div.notice.bad", error instanceof Refused ? error.message : "The emulator does not answer; nothing was changed."));
    }
    tick();
  }

  function tick() {
    for (const each of cards) each.show();
    end.disabled = live.faults.rules.length === 0;
    script.show();
  }
  return {tick};
}

function card(preset, attempt) {
  const name = PREFIX + preset.id;
  const input = {};
  const choices = [...(preset.choices ?? [])];
  const part = h("select", {"aria-label": `${preset.title}: how many`}, [100, 50, 10, 1].map((each) =>
    h("option", {value: each, selected: each === (preset.share ?? 100)}, each === 100 ? "all" : `${each} %`)));
  for (const each of choices) {
    input[each.name] = h("input", {type: each.type, value: each.value, min: each.min, step: "any", placeholder: each.placeholder, "aria-label": `${preset.title}: ${each.label}`});
    input[each.name].addEventListener("change", changed);
  }
  part.addEventListener("change", changed);
  const hits = h("div.hits");
  const control = toggle(preset.title, false, (on) => attempt(() => put(on ? [...others(), rule()] : others())));
  const element = h("div.fault", control, h("strong", preset.title), h("p", preset.what),
    h("div.choices", h("span.field", h("label", preset.share ? "records" : "requests"), part),
      choices.map((each) => h("span.field", h("label", each.label), input[each.name]))), hits);

  const others = () => written(live.faults.rules.filter((each) => each.name !== name));
  function rule() {
    const values = Object.fromEntries(choices.map((each) => [each.name, each.type === "number" ? Number(input[each.name].value) : input[each.name].value]));
    const when = {};
    if (preset.path) when.path = preset.path;
    if (values.matching) when.matching = values.matching;
    if (part.value !== "100") when.probability = Number(part.value) / 100;
    return {name, ...(Object.keys(when).length ? {when} : {}), ...preset.rule(values)};
  }
  function changed() {
    const place = live.faults.rules.findIndex((each) => each.name === name);
    if (place >= 0) attempt(() => put(written(live.faults.rules).with(place, rule())));
  }
  return {
    element,
    show() {
      const found = live.faults.rules.find((each) => each.name === name);
      control.checked = Boolean(found);
      element.classList.toggle("on", Boolean(found));
      say(hits, found ? `applied ${found.applied === 1 ? "once" : `${count(found.applied)} times`}` : "");
    },
  };
}

function scriptPanel(attempt) {
  const area = h("textarea.code", {rows: 12, spellcheck: "false", "aria-label": "Script of faults, YAML or JSON"});
  const apply = h("button", {type: "button", onclick: () => attempt(async () => {
    await ask("faults", {method: "PUT", body: area.value});
    live.faults = await asked("faults");
    shown = null;
  })}, "Put to work");
  let shown = null;
  return {
    element: panel("The whole script", copyButton(() => area.value), h("div.body", area,
      h("div.try", apply, h("span", "YAML or JSON; "), h("code", "aep-agent emulate --help"), h("span", "explains the keys.")))),
    show() {
      const text = JSON.stringify({seed: live.faults.seed, rules: written(live.faults.rules)}, null, 2);
      if (text === shown || (document.activeElement === area && shown !== null)) return;
      shown = text;
      area.value = text;
    },
  };
}
