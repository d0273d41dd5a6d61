// Money, numbers and dates, as the reader's language writes them.
//
//   money(amount, currency)      amount as the API has it: 99.99
//   moneyOfMinor(minor, currency)  the same in cents
//   minor(amount) → cents, a whole number: sums are made of these and never of decimals
//   major(minor) → 99.99, as the API wants it
//   decimal(text) → a number of what a person typed ("12,50" or "12.50"), or NaN
//   number(value), percent(value)  percent(7) is "7 %"
//   date(time), dateTime(time), ago(time)   of what the API says, RFC 3339
//   country(code) → its name; countries() → [[code, name], …] by name
//   list(texts) → "a, b and c"
//   orderNumber(id) → the short number of an order's id, as emails have it

import { language } from "./words.js";

const made = new Map();
function formatter(kind, options) {
  const key = `${language()} ${kind.name} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new kind(language(), options));
  return made.get(key);
}

export const minor = amount => Math.round(Number(amount ?? 0) * 100);
export const major = cents => Number((cents / 100).toFixed(2));
export const money = (amount, currency = "USD") =>
  amount == null ? "" : formatter(Intl.NumberFormat, { style: "currency", currency }).format(amount);
export const moneyOfMinor = (cents, currency) => money(major(cents), currency);

export function decimal(text) {
  const value = String(text ?? "")
    .trim()
    .replace(/\s/g, "")
    .replace(",", ".");
  return /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
}

export const number = value => formatter(Intl.NumberFormat, { maximumFractionDigits: 1 }).format(value);
export const percent = value =>
  formatter(Intl.NumberFormat, { style: "percent", maximumFractionDigits: 2 }).format(value / 100);
export const date = time =>
  time ? formatter(Intl.DateTimeFormat, { dateStyle: "medium" }).format(new Date(time)) : "";
export const dateTime = time =>
  time ? formatter(Intl.DateTimeFormat, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time)) : "";

const STEPS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
export function ago(time) {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  if (Math.abs(seconds) > 7 * 86_400) return date(time);
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  const count = unit === "second" ? 0 : Math.round(seconds / size);
  return formatter(Intl.RelativeTimeFormat, { numeric: "auto" }).format(count, unit);
}

export const list = texts => formatter(Intl.ListFormat, { type: "conjunction" }).format(texts);

// ISO 3166-1, what people send things to; names come from the browser.
const COUNTRIES =
  "AD AE AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BJ BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM CN " +
  "CO CR CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FM FR GA GB GD GE GH GL GM GN GQ GR GT GW GY HK HN HR HT HU ID " +
  "IE IL IN IQ IS IT JM JO JP KE KG KH KI KM KN KR KW KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO " +
  "MR MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NR NZ OM PA PE PG PH PK PL PT PW PY QA RO RS RW SA SB SC SE SG SI SK SL SM " +
  "SN SO SR ST SV SZ TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VN VU WS XK YE ZA ZM ZW";

export function country(code) {
  try {
    return formatter(Intl.DisplayNames, { type: "region" }).of(code);
  } catch {
    return code;
  }
}

export const countries = () =>
  COUNTRIES.split(" ")
    .map(code => [code, country(code)])
    .sort(([, a], [, b]) => a.localeCompare(b, language()));

// As functions/orders/src/number.rs says.
export function orderNumber(id) {
  const bits = BigInt(`0x${id.replaceAll("-", "")}`),
    half = 0xfffffn,
    all = (((bits >> 95n) & half) << 20n) | (bits & half);
  const digits = [35n, 30n, 25n, 20n, 15n, 10n, 5n, 0n].map(
    at => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[(all >> at) & 31n],
  );
  return `C-${digits.slice(0, 4).join("")}-${digits.slice(4).join("")}`;
}
