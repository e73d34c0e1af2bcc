// How are figures written for people?

const whole = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
const compact = new Intl.NumberFormat("en", {notation: "compact", maximumFractionDigits: 1});

/** 1,234,567 */
export const count = (value) => whole.format(value ?? 0);

/** 1.2M */
export const short = (value) => (value < 10_000 ? whole.format(value) : compact.format(value));

/** A rate for each second: 0, 0.4, 12, 8,140, 154K */
export function rate(value) {
  if (!value) return "0";
  return value < 10 ? value.toFixed(1).replace(/\.0$/, "") : short(Math.round(value));
}

/** The beginning of a text that may be of any length. */
export const cut = (text, most = 300) => (text.length > most ? `${text.slice(0, most)}…` : text);

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** 1.4 MB */
export function bytes(value) {
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) { value /= 1000; unit += 1; }
  return `${value < 10 && unit ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** 12 s, 4 min, 3 h 20 min, 2 days */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 60 * 48) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} days`;
}

/** 14:03:59 */
export const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");

/** 26.2 %, and never 100 % or 0 % of what is not */
export function share(part, total) {
  if (!total || !part) return "0 %";
  const percent = (100 * part) / total;
  if (part < total && percent > 99.9) return "> 99.9 %";
  return percent < 0.1 ? "< 0.1 %" : `${percent.toFixed(1).replace(/\.0$/, "")} %`;
}
