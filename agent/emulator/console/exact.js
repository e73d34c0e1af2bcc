// How is JSON read without a number losing a digit? Where the browser lets us see how a number was
// written, one of more digits than JavaScript can be sure of stays as it was written.

const DIGITS = 15;

function asWritten(key, value, context) {
  if (typeof value !== "number" || context?.source === undefined || !JSON.rawJSON) return value;
  const digits = context.source.replace(/e.*$/i, "").replace(/\D/g, "");
  return digits.length > DIGITS ? JSON.rawJSON(context.source) : value;
}

/** What `text` holds; of what is nested too deeply for that, numbers are as JavaScript has them. */
export const parse = (text) => shallow(() => JSON.parse(text, asWritten), () => JSON.parse(text));

/** Its text again. */
export const write = (value) => shallow(() => JSON.stringify(value) ?? "", () => TOO_DEEP);

const TOO_DEEP = "nested too deeply to be shown here";

function shallow(what, otherwise) {
  try {
    return what();
  } catch (error) {
    if (error instanceof RangeError) return otherwise();
    throw error;
  }
}

const isWhole = (value) => value === null || typeof value !== "object" || Array.isArray(value) || JSON.isRawJSON?.(value);

/** A value as it stands in a table. */
export function plain(value) {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : write(value);
}

/** An object without depth: dotted paths and what is there; arrays stay whole. */
export const flat = (value, name = "") => shallow(() => flattened(value, name, new Map()), () => new Map([[name, TOO_DEEP]]));

function flattened(value, before, into) {
  if (isWhole(value)) into.set(before, value);
  else for (const [key, each] of Object.entries(value)) flattened(each, before ? `${before}.${key}` : key, into);
  return into;
}
