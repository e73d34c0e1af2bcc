// How does the page talk to the emulator?

import {parse} from "./exact.js";

export class Refused extends Error {
  constructor(status, problems) {
    super(problems.join("\n"));
    this.status = status;
    this.problems = problems;
  }
}

/** Ask a route below /_emulator; raises Refused with what the emulator said. */
export async function ask(path, {method = "GET", body, type = "application/json"} = {}) {
  const answer = await fetch(`/_emulator/${path}`, {method, body, headers: body === undefined ? {} : {"Content-Type": type}, cache: "no-store"});
  if (!answer.ok) throw new Refused(answer.status, await problems(answer));
  return answer;
}

/** What such a route answers, parsed. */
export const asked = async (path, how) => parse(await (await ask(path, how)).text());

async function problems(answer) {
  const text = await answer.text();
  try {
    const said = JSON.parse(text);
    const found = said.errors ?? said.detail ?? said.message ?? said.title ?? said.error;
    if (Array.isArray(found) && found.length) return found.map(String);
    if (found) return [String(found)];
  } catch { /* then it is no JSON */ }
  return [text.slice(0, 400) || `${answer.status} ${answer.statusText}`];
}

/** Lines of NDJSON, and how many there are in all. */
export async function lines(path) {
  const answer = await ask(path);
  const text = await answer.text();
  return {total: Number(answer.headers.get("X-Total-Count") ?? 0), lines: text.split("\n").filter(Boolean)};
}
