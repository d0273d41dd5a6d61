// What the pages say, in the language of whoever reads them. A language is a file beside this one.
//
//   await speak(more?)   chooses the language and loads its words; call it once, before anything is shown.
//                        more: { en: () => import("…"), de: () => import("…") }, words of one page alone; each module
//                        exports `words`
//   t(name, values?)     the words: t("cart.pieces", { n: 3 }). "{n}" in them is the value; where they are
//                        { one: …, other: … }, `n` chooses (Intl.PluralRules)
//   has(name)            whether there are such words, for codes that may be new
//   language()           "en", "de"
//   LANGUAGES            [["en", "English"], …]
//   choose(language)     keeps it for this browser, and shows the page anew
//
// Another language: copy words.en.js (and shop/words.en.js), translate what is right of the colons, and name it in
// LANGUAGES and FILES. What it leaves out is said in English.

import { words as english } from "./words.en.js";

export const LANGUAGES = [
  ["en", "English"],
  ["de", "Deutsch"],
];
const FILES = { de: () => import("./words.de.js") };
const KEPT = "cartwright.language";

let chosen = "en",
  words = english,
  plural = new Intl.PluralRules("en");
let spare = english;

export const language = () => chosen;

function wanted() {
  const known = LANGUAGES.map(([code]) => code);
  const asked = [localStorage.getItem(KEPT), ...navigator.languages].filter(Boolean);
  return asked.map(one => one.slice(0, 2).toLowerCase()).find(one => known.includes(one)) ?? "en";
}

export async function speak(more = {}) {
  chosen = wanted();
  plural = new Intl.PluralRules(chosen);
  document.documentElement.lang = chosen;
  const [theirs, own, ownEnglish] = await Promise.all([FILES[chosen]?.(), more[chosen]?.(), more.en?.()]);
  spare = { ...english, ...ownEnglish?.words };
  words = { ...spare, ...theirs?.words, ...own?.words };
}

export const has = name => name in words;

export function t(name, values = {}) {
  let text = words[name] ?? spare[name] ?? name;
  if (typeof text === "object") text = text[plural.select(values.n ?? 0)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

export function choose(code) {
  localStorage.setItem(KEPT, code);
  location.reload();
}
