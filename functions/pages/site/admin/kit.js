// What the admin's views are made of besides what all pages share: changes that are made once, questions that send,
// and lists behind addresses.
//
//   to(path, query?) → what an <a href> to a view is: to("/orders", { status: "pending" })
//   a(path, ...children) → a link to a view;  away(url, words?) → one to another site, or its text where it is no https
//   change(method, path, body?, options?) → what is answered. What was not answered keeps its Idempotency-Key, so that
//                                           a person who presses the button again does it once
//   asks({ title, text, yes, danger, fields, send }) → what `send(values)` gave, or null; what the shop says of a field
//                                           stands beside it, in the question
//   asking(words, question, done)  a button that asks so, and then does `done(given)`
//   act(words, task, kind?)        a button that does at once what can be taken back; a problem stands beside it
//   saving({ fields, yes, send, done, … }) → a form of form.js whose problems can be got out of
//   toHeading()    puts the focus on the view's heading
//   done(words)   shows the view anew, as the shop has it now, and says what was done
//   head(title, ...actions), facts([[name, value], …]), pager(path, query, nextCursor), filter(path, fields, query)
//   when(time), state(kind, code), thumb(of, alt?)
//   fresh(path, options?) → { body, etag } of what is public, past the browser's copy: a page that changes something
//                                           shows what is there now
//   sent(path, files, more, isThere) → announces a picture, sends it, and waits until the shop has looked at it

import { $, busyWhile, picture } from "../common/dom.js";
import { Problem, isAborted, newKey, request, upload } from "../common/api.js";
import { ago, dateTime } from "../common/format.js";
import { form } from "../common/form.js";
import { go, link, reload } from "../common/router.js";
import { badge, problemBox, toast } from "../common/ui.js";
import { has, t } from "../common/words.js";

const at = (path, query = {}) => {
  const asked = Object.entries(query).filter(([, value]) => value != null && value !== "");
  return asked.length ? `${path}?${new URLSearchParams(asked)}` : path;
};
export const to = (path, query) => link(at(path, query));

export const a = (path, ...children) => $("a", { href: link(path) }, children);

export const away = (url, words = url) =>
  /^https:\/\//.test(url) ? $("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, words) : words;

// A request with such a header is answered by the shop (https://fetch.spec.whatwg.org/#http-network-or-cache-fetch).
export const fresh = (path, options) => request("GET", path, { ...options, headers: { "if-none-match": '"none"' } });

// ── Changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const unanswered = new Map();

export async function change(method, path, body, options = {}) {
  const what = JSON.stringify([method, path, body, options.ifMatch]);
  const key = unanswered.get(what) ?? newKey();
  unanswered.set(what, key);
  try {
    const answer = await request(method, path, { ...options, body, key });
    unanswered.delete(what);
    return answer.body;
  } catch (problem) {
    if (problem instanceof Problem && problem.status >= 400 && problem.status < 500 && problem.status !== 429)
      unanswered.delete(what);
    throw problem;
  }
}

// Whoever reads with a screen reader or by keyboard goes on at the top of the view.
export function toHeading() {
  const heading = document.querySelector("main h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

export async function done(words) {
  await reload();
  toast(words);
  if (document.activeElement === document.body) toHeading();
}

const LOST = new Set(["precondition-failed", "conflict", "stock-changed"]);

// What a person can do about a problem, below its words. What the API says of versions is for programs.
function wayOut(problem, leave = () => {}) {
  if (problem.code === "second-factor-needed") return $("p", a("/security", t("admin.secondFactor")));
  if (!LOST.has(problem.code)) return null;
  const latest = () => {
    leave();
    reload();
  };
  const isOfVersions = problem.code === "precondition-failed";
  return [
    !isOfVersions && $("p", t("admin.lost")),
    $("p", $("button.secondary", { type: "button", onclick: latest }, t("admin.latest"))),
  ].filter(Boolean);
}

function inWords(problem) {
  if (problem.code === "precondition-failed") problem.message = t("admin.lost");
  return problem;
}

// What the API says of a part of a field, such as of one country of many, stands at the field.
function nearest(fields, name) {
  const isField = at => fields.some(field => field.name === at);
  let at = name;
  while (!isField(at) && at.includes(".")) at = at.slice(0, at.lastIndexOf("."));
  return isField(at) ? at : name;
}

const careful =
  (send, fields) =>
  async (values, { form: element }) => {
    try {
      await send(values, element);
    } catch (problem) {
      if (isAborted(problem)) return;
      for (const error of problem.errors ?? []) error.field = nearest(fields, error.field);
      element.fail(inWords(problem));
      const out = wayOut(problem, () => element.closest("dialog")?.close());
      if (out) element.querySelector(".form-problem .notice > div")?.append(...[out].flat());
    }
  };

export const saving = ({ send, ...given }) => form({ ...given, onsubmit: careful(send, given.fields) });

export function asks({ title, text = [], yes, danger = true, fields = [], layout, send }) {
  return new Promise(answered => {
    let given = null;
    const close = () => dialog.close();
    const asked = saving({
      fields,
      yes,
      danger,
      layout,
      no: [t("button.back"), close],
      send: async values => {
        given = (await send(values)) ?? true;
        close();
      },
    });
    const heading = $("h2", { id: `question-${newKey()}` }, title);
    const dialog = $(
      "dialog.dialog",
      {
        "aria-labelledby": heading.id,
        onclose: () => {
          dialog.remove();
          answered(given);
        },
      },
      heading,
      [text]
        .flat()
        .filter(Boolean)
        .map(words => $("p", words)),
      asked,
    );
    document.body.append(dialog);
    dialog.showModal();
    (fields[0]?.input ?? asked.querySelector("button.secondary")).focus();
  });
}

export const asking = (words, question, then, kind = question.danger === false ? "secondary" : "secondary.bad") =>
  $(
    `button.${kind}`,
    {
      type: "button",
      onclick: async () => {
        const given = await asks(question);
        if (given) await then(given);
      },
    },
    words,
  );

export function act(words, task, kind = "secondary") {
  const button = $(
    `button.${kind}`,
    {
      type: "button",
      onclick: () =>
        busyWhile(button, async () => {
          const place = button.closest(".buttons, td, .actions") ?? button.parentElement;
          place.parentElement.querySelector(":scope > .told-here")?.remove();
          try {
            await task(button);
          } catch (problem) {
            if (isAborted(problem)) return;
            const box = problemBox(inWords(problem));
            box.querySelector("div").append(...[wayOut(problem)].flat().filter(Boolean));
            place.after($("div.told-here", box));
          }
        }),
    },
    words,
  );
  return button;
}

// ── What is shown ────────────────────────────────────────────────────────────────────────────────────────────────────

export const head = (title, ...actions) =>
  $("div.head", $("h1", title), actions.flat().some(Boolean) && $("div.buttons", actions));

export const facts = pairs =>
  $(
    "dl.facts",
    pairs
      .filter(Boolean)
      .filter(([, value]) => value != null && value !== "" && value !== false)
      .map(([name, value]) => $("div", $("dt", name), $("dd", value))),
  );

export function pager(path, query, nextCursor, name = "cursor") {
  if (!nextCursor && !query[name]) return null;
  return $(
    "nav.pager",
    { "aria-label": t("admin.pages") },
    query[name] && $("a.secondary", { href: to(path, { ...query, [name]: null }) }, t("admin.firstPage")),
    nextCursor && $("a.secondary", { href: to(path, { ...query, [name]: nextCursor }) }, t("admin.nextPage")),
  );
}

// What is chosen becomes the view's address, so that it can be kept, sent and gone back to.
export function filter(path, fields) {
  const element = $(
    "form.filters",
    {
      role: "search",
      novalidate: true,
      onsubmit: event => {
        event.preventDefault();
        go(at(path, Object.fromEntries(fields.map(field => [field.name, field.value()]))));
      },
    },
    fields.map(field => field.element),
    $("button.secondary", { type: "submit" }, t("admin.show")),
  );
  for (const { input } of fields)
    if (input.tagName === "SELECT") input.addEventListener("change", () => element.requestSubmit());
  return element;
}

export const places = (label, entries) =>
  $(
    "nav.places",
    { "aria-label": label },
    entries.map(([words, href, isHere]) => $("a", { href, "aria-current": isHere ? "page" : null }, words)),
  );

export const when = time => (time ? $("time", { datetime: time, title: ago(time) }, dateTime(time)) : "");

const KINDS = {
  good: ["delivered", "captured", "paid", "active", "published", "received", "sent", "accepted", "won", "not-needed"],
  warn: [
    "pending",
    "to_send",
    "requested",
    "awaiting_payment",
    "unpaid",
    "refunding",
    "open",
    "creating",
    "inquiry",
    "draft",
    "low",
  ],
  bad: ["refused", "charged_back", "disabled", "deactivated", "failed", "dead", "lost", "stopped", "sold_out"],
  info: ["shipping", "shipped", "processing", "sending", "admin", "seller"],
};
// What a code means, in words and in a colour; a code that is new here is shown as it is.
export function state(kind, code) {
  const colour = Object.entries(KINDS).find(([, codes]) => codes.includes(code))?.[0] ?? "";
  return badge(colour, has(`admin.${kind}.${code}`) ? t(`admin.${kind}.${code}`) : code.replaceAll(/[_-]/g, " "));
}

export const thumb = (of, alt = "") =>
  $("span.thumb", picture({ images: of?.images, imageUrl: of?.imageUrl, alt, sizes: "80px" }));

// ── Pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export const PICTURES = "image/png,image/jpeg,image/webp,image/gif,image/avif";

export async function sent(path, [file], more, isThere) {
  const announced = await change("POST", path, {
    fileName: file.name,
    fileType: file.type,
    fileSize: file.size,
    ...more,
  });
  await upload(announced.uploadUrl ?? announced.uploadURL, file);
  for (let tries = 0; tries < 12; tries++) {
    await new Promise(over => setTimeout(over, 400 + 200 * tries));
    if (await isThere(announced)) return true;
  }
  return false;
}
