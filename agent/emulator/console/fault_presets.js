// Which faults does the page offer, and as what rules?

const seconds = (name, value) => ({name, label: "seconds", type: "number", value, min: 0});

/** {id, title, what, rule(choices), choices}: rules as /_emulator/faults takes them. */
export const PRESETS = [
  {group: "The platform is in trouble", faults: [
    {id: "503", title: "503 with Retry-After", what: "Unavailable. A sender waits as long as it is told, for everybody.", choices: [seconds("retry", 5)], rule: (c) => ({status: 503, retry_after: c.retry})},
    {id: "503-bare", title: "503 without Retry-After", what: "Unavailable, and no word about how long. A sender backs off by itself.", rule: () => ({status: 503})},
    {id: "429", title: "429 with Retry-After", what: "Too many requests, come back later. No record's fault.", choices: [seconds("retry", 2)], rule: (c) => ({status: 429, retry_after: c.retry})},
    {id: "429-bare", title: "429 without Retry-After", what: "Throttled, and no word about how long.", rule: () => ({status: 429})},
    {id: "500", title: "500", what: "An internal error. The same request may well succeed later.", rule: () => ({status: 500})},
    {id: "html", title: "502 with HTML", what: "What a proxy in between says, in no format of the platform.", rule: () => ({status: 502, body: "html"})},
  ]},
  {group: "The sender may not", faults: [
    {id: "401", title: "401", what: "The token is not good. A sender fetches another, once, then waits.", rule: () => ({status: 401})},
    {id: "403", title: "403 without a body", what: "Forbidden, and nobody says why.", rule: () => ({status: 403})},
    {id: "413", title: "413", what: "The request is too large. A sender makes smaller ones.", rule: () => ({status: 413})},
  ]},
  {group: "Records are refused", faults: [
    {id: "reject", title: "Refuse records", what: "Some records of each request get a 400, the others pass.", share: 10, choices: [{name: "matching", label: "that match", type: "text", value: "", placeholder: "any"}],
      rule: () => ({reject: {status: 400, message: "refused by the console's fault switch"}})},
    {id: "lost-items", title: "Verdicts missing", what: "One in ten items of a 207 is left out: nobody knows of these records.", rule: () => ({drop_items: 0.1})},
    {id: "shuffled", title: "Verdicts in disorder", what: "The items of a 207 come in any order.", rule: () => ({shuffle_items: true})},
    {id: "dialect", title: "Both dialects", what: "Items of a 207 as documented and as observed, mixed.", rule: () => ({dialect: "mixed"})},
    {id: "error-in-200", title: "An error in a 200", what: "Status 200, and in the body an error. Nothing was accepted.", rule: () => ({body_is: "error_in_200"})},
  ]},
  {group: "The network is in trouble", faults: [
    {id: "slow", title: "Slow answers", what: "Every answer comes late.", choices: [seconds("delay", 2)], rule: (c) => ({delay: c.delay})},
    {id: "hang", title: "No answer", what: "The connection stays open, and nothing comes.", rule: () => ({hang: true})},
    {id: "reset", title: "Reset before", what: "The connection is reset, the records are not accepted.", rule: () => ({reset: 0})},
    {id: "lost", title: "Reset after", what: "The records are accepted, but the answer is lost: who sends again sends twice.", rule: () => ({accept_then_reset: true})},
    {id: "cut", title: "Answer cut off", what: "The connection is closed after 20 bytes of the body.", rule: () => ({truncate: 20})},
  ]},
  {group: "The services beside the inlets are in trouble", faults: [
    {id: "token", title: "No tokens", what: "Requests for a token are answered with 500.", path: "token", rule: () => ({status: 500})},
    {id: "services", title: "503 from the services", what: "Flow Service, Schema Registry, Catalog and the others are unavailable. Who provisions tries again.", path: "platform", rule: () => ({status: 503})},
    {id: "slow-services", title: "Slow services", what: "Their answers come late.", path: "platform", choices: [seconds("delay", 2)], rule: (c) => ({delay: c.delay})},
  ]},
];

export const PREFIX = "console: ";
