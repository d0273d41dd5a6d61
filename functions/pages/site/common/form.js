// Forms whose errors stand beside their fields: the browser's rules first, then what the API says of each.
//
//   field({ name, label, kind, value, hint, required, autocomplete, options, … }) → a field
//       name    as in the API's body, with dots inside objects: "shippingAddress.city"
//       kind    "text" (the default), "email", "password", "number", "money", "search", "tel", "textarea", "select",
//               "checkbox", "radio", "file", "date"
//       options [[value, words], …] of a select; radios may have a third: a text beside it, or an element below
//       and     minLength, maxLength, min, max, step, pattern, inputmode, accept, placeholder, rows, disabled
//       check   value → words of what is wrong, or null
//       a field has { name, element, input, value(), set(value), check(), fail(text), clear() }. A number or money is
//       a number, NaN where it is none; a checkbox a boolean; what is empty is ""
//   authenticatorCode(maxLength) → the field for what an authenticator app shows
//   form({ fields, submit, yes, no, onsubmit, done, layout, danger }) → a <form>
//       onsubmit(values, { form }) → a promise; its Problem is shown: field errors at the fields, the rest above.
//                values are nested by the dots of the names
//       yes     the words of its button; `no` [words, task] a second one
//       layout  fields => nodes, where they are not simply below each other
//   group(legend, ...fields) → a fieldset
//   nested({ "a.b": 1 }) → { a: { b: 1 } };  present(values) → without what is ""

import { $, busyWhile, fill, icon, id } from "./dom.js";
import { Problem, isAborted } from "./api.js";
import { decimal } from "./format.js";
import { explain, notice, say } from "./ui.js";
import { t } from "./words.js";

const ATTRIBUTES = [
  "autocomplete",
  "minLength",
  "maxLength",
  "min",
  "max",
  "step",
  "pattern",
  "inputmode",
  "accept",
  "placeholder",
  "rows",
  "autocapitalize",
  "spellcheck",
  "enterkeyhint",
  "multiple",
];

function control(given, ids) {
  const { kind = "text", name, value, options = [], required, disabled } = given;
  const properties = { id: ids.input, name, required, disabled, "aria-describedby": `${ids.hint} ${ids.error}` };
  for (const one of ATTRIBUTES) if (given[one] != null) properties[one.toLowerCase()] = given[one];
  if (kind === "textarea") return $("textarea", { rows: 4, ...properties, value: value ?? "" });
  if (kind === "select") {
    return $(
      "select",
      { ...properties, value: value ?? "" },
      options.map(([code, words]) => $("option", { value: code, selected: code === (value ?? "") }, words)),
    );
  }
  if (kind === "checkbox") return $("input", { type: "checkbox", ...properties, checked: Boolean(value) });
  if (kind === "money" || kind === "number") {
    return $("input", {
      type: "text",
      inputmode: kind === "money" ? "decimal" : "numeric",
      autocomplete: "off",
      ...properties,
      value: value == null || Number.isNaN(value) ? "" : kind === "money" ? Number(value).toFixed(2) : value,
    });
  }
  return $("input", { type: kind, ...properties, value: kind === "file" ? null : (value ?? "") });
}

export function field(given) {
  const { kind = "text", name, label, hint, required, check } = given;
  const ids = { input: id(), hint: id(), error: id() };
  const error = $("p.field-error", { id: ids.error });
  const hinted = $("p.hint", { id: ids.hint }, hint);
  const marked = [
    label,
    !required &&
      kind !== "checkbox" &&
      kind !== "radio" &&
      given.optional !== false &&
      $("span.optional", ` ${t("form.optional")}`),
  ];
  let input, element;
  if (kind === "radio") {
    const radios = given.options.map(([code, words, beside]) =>
      $(
        "label.choice",
        $("input", { type: "radio", name: ids.input, value: code, checked: code === given.value, required }),
        $("span", words, beside instanceof Node && beside),
        beside && !(beside instanceof Node) && $("span.beside", beside),
      ),
    );
    input = radios[0]?.querySelector("input");
    element = $(
      "fieldset.field.radios",
      { "aria-describedby": `${ids.hint} ${ids.error}` },
      $("legend", label),
      hint && hinted,
      $("div.choices", radios),
      error,
    );
  } else {
    input = control(given, ids);
    element =
      kind === "checkbox"
        ? $("div.field.checkbox", $("label.choice", input, $("span", label)), hint && hinted, error)
        : $(
            "div.field",
            $("label", { for: ids.input }, marked),
            hint && hinted,
            kind === "password" ? $("div.with-button", input, shower(input)) : input,
            error,
          );
  }
  const all = () => [...element.querySelectorAll("input, select, textarea")];
  const one = {
    name,
    element,
    input,
    value() {
      if (kind === "radio") return all().find(radio => radio.checked)?.value ?? "";
      if (kind === "checkbox") return input.checked;
      if (kind === "file") return input.files;
      if (kind === "number" || kind === "money") return input.value.trim() === "" ? "" : decimal(input.value);
      return kind === "password" ? input.value : input.value.trim();
    },
    set(value) {
      if (kind === "radio") for (const radio of all()) radio.checked = radio.value === value;
      else if (kind === "checkbox") input.checked = Boolean(value);
      else input.value = kind === "money" && value !== "" ? Number(value).toFixed(2) : value;
    },
    fail(text) {
      fill(error, icon("warning"), text);
      element.classList.add("failed");
      for (const each of all()) each.setAttribute("aria-invalid", "true");
    },
    clear() {
      fill(error);
      element.classList.remove("failed");
      for (const each of all()) each.removeAttribute("aria-invalid");
    },
    check() {
      one.clear();
      const wrong = fault(one, given) ?? check?.(one.value());
      if (wrong) one.fail(wrong);
      return !wrong;
    },
  };
  element.addEventListener("input", () => element.classList.contains("failed") && one.check());
  return one;
}

// A password may be looked at by whoever types it.
function shower(input) {
  const button = $(
    "button.link",
    {
      type: "button",
      "aria-pressed": "false",
      onclick: () => {
        const isShown = input.type === "text";
        input.type = isShown ? "password" : "text";
        button.setAttribute("aria-pressed", String(!isShown));
        button.textContent = t(isShown ? "form.show" : "form.hide");
      },
    },
    t("form.show"),
  );
  return button;
}

function fault(one, { kind, required, min, max, label }) {
  const value = one.value();
  const isEmpty = value === "" || value === false || (kind === "file" && !value.length);
  if (isEmpty) return required ? t(kind === "checkbox" ? "form.tick" : "form.required") : null;
  if (kind === "number" || kind === "money") {
    if (Number.isNaN(value)) return t("form.number");
    if (kind === "number" && !Number.isInteger(value)) return t("form.whole");
    if (kind === "money" && Math.abs(value * 100 - Math.round(value * 100)) > 1e-6) return t("form.cents");
    if (min != null && value < min) return t("form.least", { min });
    if (max != null && value > max) return t("form.most", { max });
    return null;
  }
  const { validity } = one.input;
  if (validity.typeMismatch) return t(kind === "email" ? "form.email" : "form.format");
  if (validity.tooShort) return t("form.short", { n: one.input.minLength });
  if (validity.tooLong) return t("form.long", { n: one.input.maxLength });
  if (validity.patternMismatch || validity.badInput) return t("form.format");
  return null;
}

export function nested(flat) {
  const whole = {};
  for (const [name, value] of Object.entries(flat)) {
    const path = name.split(".");
    let into = whole;
    for (const part of path.slice(0, -1)) into = into[part] ??= {};
    into[path.at(-1)] = value;
  }
  return whole;
}

export const present = values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value != null));
export const group = (legend, ...fields) =>
  $(
    "fieldset.group",
    $("legend", legend),
    fields.flat().map(one => one?.element ?? one),
  );

export const authenticatorCode = maxLength =>
  field({
    name: "code",
    label: t("sign.code"),
    hint: t("sign.codeHint"),
    autocomplete: "one-time-code",
    inputmode: "numeric",
    required: true,
    maxLength,
  });

export function form({ fields, onsubmit, yes, no, layout, danger = false, label }) {
  const above = $("div.form-problem");
  const button = $(`button.${danger ? "danger" : "primary"}`, { type: "submit" }, yes);
  const element = $(
    "form.form",
    {
      novalidate: true,
      "aria-label": label,
      onsubmit: event => {
        event.preventDefault();
        busyWhile(button, submit);
      },
    },
    above,
    layout ? layout(fields) : fields.map(one => one.element),
    $("div.buttons", button, no && $("button.secondary", { type: "button", onclick: no[1] }, no[0])),
  );

  async function submit() {
    fill(above);
    const wrong = fields.filter(one => one.element.isConnected && !one.check());
    if (wrong.length) {
      wrong[0].input.focus();
      return say(t("form.mend", { n: wrong.length }));
    }
    const values = nested(Object.fromEntries(fields.filter(one => one.name).map(one => [one.name, one.value()])));
    try {
      await onsubmit(values, { form: element });
    } catch (error) {
      if (!isAborted(error)) failed(error);
    }
  }

  // What the API says of a field stands at the field; of what is no field here, above.
  function failed(error) {
    const others = [];
    let first;
    for (const { field: name, detail } of error instanceof Problem ? error.errors : []) {
      const one = fields.find(each => each.name === name && each.element.isConnected);
      if (!one) {
        others.push(`${name}: ${detail}`);
        continue;
      }
      one.fail(capital(detail));
      first ??= one;
    }
    if (first && !others.length) {
      first.input.focus();
      return say(t("form.mend", { n: error.errors.length }));
    }
    fill(
      above,
      notice(
        "bad",
        $("p", explain(error)),
        others.length > 0 &&
          $(
            "ul",
            others.map(text => $("li", text)),
          ),
        error.status >= 500 && error.requestId && $("p.small", t("problem.quote", { id: error.requestId })),
      ),
    );
    above.scrollIntoView({ block: "center" });
    first?.input.focus();
  }

  element.fail = failed;
  return element;
}

const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
