// What all pages are made of: messages, questions, tables, lists that go on.
//
//   toast(text, { kind: "good" | "bad", action: [words, task] }?)   a message at the edge, said aloud (role=status)
//   say(text)                     said aloud alone
//   explain(error) → the words for a person, of whatever was thrown
//   notice(kind, ...children) → a box in the page: "bad", "good", "info", "warn"
//   problemBox(error, again?) → a notice of it, with a button to try again and the request's id
//   ask({ title, text, yes, no, danger, fields }?) → true or false; with `fields` (of form.js) their values or null.
//                                 A dialog that asks once; `yes` says what it will do: "Delete the store"
//   table({ caption, columns, rows, empty }) → a table that is cards on a narrow screen
//       columns  [{ title, value: row => …, kind: "number" | "actions" | "", isBare }]; the title of a bare one, such
//                as that of pictures, is for screen readers alone
//   more(reader, draw, { empty, signal }) → an element that shows a reader's pages (api.js) with a button for more;
//                                 draw(items, isFirst) → nodes, appended to `into`
//   stars(average, count?) → stars with words for screen readers
//   badge(kind, text) → "good", "bad", "warn", "info", ""
//   chip, empty(text, ...children), section(title, ...children)
//   tabs([{ name, title, open: () => element }], chosen) → tabs by ARIA's pattern

import { $, busyWhile, fill, icon, id } from "./dom.js";
import { isAborted, Problem } from "./api.js";
import { number } from "./format.js";
import { t } from "./words.js";

let toasts, voice;
function places() {
  toasts ??= document.body.appendChild($("div.toasts", { role: "status", "aria-live": "polite" }));
  voice ??= document.body.appendChild($("div.visually-hidden", { role: "status", "aria-live": "polite" }));
}

export function say(text) {
  places();
  voice.textContent = "";
  setTimeout(() => {
    voice.textContent = text;
  }, 60);
}

export function toast(text, { kind = "good", action, seconds = 6 } = {}) {
  places();
  const close = () => one.remove();
  const one = $(
    `div.toast.${kind}`,
    icon(kind === "bad" ? "warning" : "check"),
    $("span", text),
    action &&
      $(
        "button.link",
        {
          type: "button",
          onclick: () => {
            close();
            action[1]();
          },
        },
        action[0],
      ),
    $("button.bare", { type: "button", "aria-label": t("button.close"), onclick: close }, icon("close")),
  );
  toasts.append(one);
  while (toasts.children.length > 3) toasts.firstChild.remove();
  if (kind !== "bad") {
    // It stays while somebody points at it or has the focus in it.
    const end = () => (one.matches(":hover, :focus-within") ? setTimeout(end, 2000) : close());
    setTimeout(end, seconds * 1000);
  }
  return close;
}

export function explain(error) {
  if (error instanceof Problem) return error.message;
  console.warn(error);
  return t("problem.page");
}

export const notice = (kind, ...children) =>
  $(
    `div.notice.${kind}`,
    { role: kind === "bad" ? "alert" : null },
    icon(kind === "good" ? "check" : "warning"),
    $("div", children),
  );

export function problemBox(error, again) {
  return notice(
    "bad",
    $("p", explain(error)),
    again &&
      $(
        "p",
        $(
          "button.secondary",
          { type: "button", onclick: event => busyWhile(event.currentTarget, again) },
          t("button.again"),
        ),
      ),
    error.status >= 500 && error.requestId && $("p.small", t("problem.quote", { id: error.requestId })),
  );
}

export const badge = (kind, text) => $(`span.badge${kind ? `.${kind}` : ""}`, text);
export const empty = (text, ...children) => $("div.empty", $("p", text), children);
export const section = (title, ...children) => $("section.card", $("h2", title), children);

// A dialog of the browser's: it keeps the focus, Escape closes it, and the focus goes back to where it was.
export function ask({ title, text, yes, no, danger = false, fields = [] }) {
  return new Promise(done => {
    const heading = id();
    let answer = fields.length ? null : false;
    const form = $(
      "form",
      {
        method: "dialog",
        novalidate: true,
        onsubmit: event => {
          event.preventDefault();
          if (!fields.every(field => field.check())) return;
          answer = fields.length ? Object.fromEntries(fields.map(field => [field.name, field.value()])) : true;
          dialog.close();
        },
      },
      $("h2", { id: heading }, title),
      text && $("p", text),
      fields.map(field => field.element),
      $(
        "div.buttons",
        $("button.secondary", { type: "button", onclick: () => dialog.close() }, no ?? t("button.cancel")),
        $(`button.${danger ? "danger" : "primary"}`, { type: "submit" }, yes),
      ),
    );
    const dialog = $(
      "dialog.dialog",
      {
        "aria-labelledby": heading,
        onclose: () => {
          dialog.remove();
          done(answer);
        },
      },
      form,
    );
    document.body.append(dialog);
    dialog.showModal();
    (fields[0]?.input ?? form.querySelector("button.secondary")).focus();
  });
}

export function table({ caption, columns, rows, empty: none }) {
  if (!rows.length) return empty(none ?? t("list.empty"));
  return $(
    "div.table-frame",
    $(
      "table.table",
      { role: "table" },
      caption && $("caption.visually-hidden", caption),
      $(
        "thead",
        { role: "rowgroup" },
        $(
          "tr",
          { role: "row" },
          columns.map(({ title, kind, isBare }) =>
            $(
              `th${kind ? `.${kind}` : ""}`,
              { scope: "col", role: "columnheader" },
              isBare ? $("span.visually-hidden", title) : title,
            ),
          ),
        ),
      ),
      $(
        "tbody",
        { role: "rowgroup" },
        rows.map(row =>
          $(
            "tr",
            { role: "row" },
            columns.map(({ title, value, kind, isBare }) =>
              // The column's title is shown beside the value where the table is cards.
              $(`td${kind ? `.${kind}` : ""}`, { role: "cell", data: { title: isBare ? "" : title } }, value(row)),
            ),
          ),
        ),
      ),
    ),
  );
}

export function more(reader, draw, { into = $("div"), empty: none, signal } = {}) {
  const end = $("div.more");
  let isFirst = true;
  async function next() {
    try {
      const { items, isLast } = await reader.next();
      if (signal?.aborted) return;
      if (isFirst && !items.length && isLast) return void fill(end, typeof none === "string" ? empty(none) : none);
      into.append(...[draw(items, isFirst)].flat());
      isFirst = false;
      fill(
        end,
        !isLast &&
          $(
            "button.secondary",
            { type: "button", onclick: event => busyWhile(event.currentTarget, next) },
            t("list.more"),
          ),
      );
    } catch (error) {
      if (!isAborted(error)) fill(end, problemBox(error, next));
    }
  }
  const element = $("div", into, end);
  element.ready = next();
  return element;
}

export function stars(average, count) {
  const rounded = Math.round((average ?? 0) * 2) / 2;
  return $(
    "span.stars",
    { role: "img", "aria-label": t("stars.label", { average: number(average ?? 0), n: count ?? 0 }) },
    [1, 2, 3, 4, 5].map(at =>
      $(`span.star.${rounded >= at ? "full" : rounded + 0.5 >= at ? "half" : "none"}`, icon("star")),
    ),
    count != null && $("span.count", { "aria-hidden": "true" }, `(${number(count)})`),
  );
}

export function tabs(all, chosen = all[0].name, changed = () => {}) {
  const panel = $("div.tab-panel", { role: "tabpanel", id: id(), tabindex: 0 });
  const buttons = all.map(({ name, title }) =>
    $(
      "button.tab",
      {
        type: "button",
        role: "tab",
        id: id(),
        "aria-controls": panel.id,
        data: { name },
        onclick: () => open(name),
        onkeydown: move,
      },
      title,
    ),
  );
  function open(name, focus) {
    for (const button of buttons) {
      const isOpen = button.dataset.name === name;
      button.setAttribute("aria-selected", String(isOpen));
      button.tabIndex = isOpen ? 0 : -1;
      if (!isOpen) continue;
      panel.setAttribute("aria-labelledby", button.id);
      if (focus) button.focus();
    }
    fill(panel, all.find(one => one.name === name).open());
    changed(name);
  }
  function move(event) {
    const at = buttons.indexOf(event.currentTarget),
      last = buttons.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[
      event.key
    ];
    if (to == null) return;
    event.preventDefault();
    open(buttons[to].dataset.name, true);
  }
  const element = $("div.tabs", $("div.tab-list", { role: "tablist" }, buttons), panel);
  open(chosen);
  return element;
}
