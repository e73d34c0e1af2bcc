// How does JSON look to people, without being parsed? Its tokens stay as they were written: no number
// loses a digit, no key that came twice is lost, and what is no JSON is shown as it is.

import {h} from "./elements.js";

const TOKEN = /"(?:[^"\\]|\\.)*"(?=\s*:)|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]|[^\s{}[\],:"]+|"/gsu;
const TOKENS_MAX = 4000;

function kind(token, next) {
  if (token.startsWith('"')) return next === ":" ? "key" : "string";
  if (/^-?\d/.test(token)) return "numeral";
  return /^(true|false|null)$/.test(token) ? "word" : null;
}

/** The first characters of a record on one line, its tokens coloured. */
export function oneLine(text, most = 400) {
  const cut = text.length > most ? text.slice(0, most) + "…" : text;
  return h("code.json", colored(cut));
}

function colored(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const what = kind(match[0], /^\s*:/.test(text.slice(end, end + 8)) ? ":" : "");
    parts.push(what ? h(`span.${what}`, match[0]) : match[0]);
  }
  parts.push(text.slice(end));
  return parts;
}

/** The same over several lines, indented. */
export function indented(text) {
  const parts = [];
  let depth = 0;
  const tokens = text.match(TOKEN) ?? [];
  const shown = tokens.slice(0, TOKENS_MAX);
  const line = () => parts.push("\n" + "  ".repeat(Math.min(depth, 60)));
  shown.forEach((token, i) => {
    const next = tokens[i + 1];
    const what = kind(token, next);
    if ("}]".includes(token)) {
      depth = Math.max(0, depth - 1);
      if (!"{[".includes(tokens[i - 1] ?? "")) line();
    }
    parts.push(what ? h(`span.${what}`, token) : token);
    if ("{[".includes(token)) {
      depth += 1;
      if (!"}]".includes(next ?? "")) line();
    } else if (token === ",") line();
    else if (token === ":") parts.push(" ");
    else if (next && !"}],:".includes(next)) parts.push(" "); // no JSON: keep what was apart apart
  });
  if (tokens.length > shown.length) parts.push("\n…");
  return h("pre.json", parts);
}
