// How the shop sends and how it taxes. Each is one document, which is replaced as a whole if nobody else has changed
// it.

import { $, id } from "../common/dom.js";
import { get } from "../common/api.js";
import { field } from "../common/form.js";
import { t } from "../common/words.js";
import { change, done, facts, head, places, saving, to, when } from "./kit.js";

const lists = chosen =>
  places(t("admin.settings"), [
    [t("admin.shippingSettings"), to("/settings/shipping"), chosen === "shipping"],
    [t("admin.taxSettings"), to("/settings/tax"), chosen === "tax"],
  ]);
const orNull = value => (value === "" || value == null ? null : value);

// Rows that come and go. `make` gives { element, fields, name(at), body() }; the names of their fields are where they
// stand in the body when it is sent, so that what the API says of one finds it.
function rows(fields, values, make, { add, into }) {
  const all = [];
  const append = (value, focus) => {
    const row = make(value);
    const remove = $(
      "button.link.bad",
      {
        type: "button",
        onclick: () => {
          all.splice(all.indexOf(row), 1);
          for (const gone of row.fields) fields.splice(fields.indexOf(gone), 1);
          row.element.remove();
          more.focus();
        },
      },
      t("button.remove"),
    );
    row.end.append(remove);
    all.push(row);
    fields.push(...row.fields);
    into.append(row.element);
    if (focus) row.fields[0].input.focus();
  };
  const more = $("button.secondary.compact", { type: "button", onclick: () => append(undefined, true) }, add);
  for (const value of values) append(value);
  return {
    more,
    all,
    bodies: name =>
      all.map((row, at) => {
        row.name(`${name}.${at}`);
        return row.body();
      }),
  };
}

const named = (fields, prefix) =>
  Object.entries(fields).forEach(([name, one]) => {
    one.name = `${prefix}.${name}`;
  });

// ── Shipping ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function price(value = {}) {
  const own = {
    from: field({ label: t("admin.priceFrom"), kind: "money", required: true, value: value.from ?? 0, min: 0 }),
    price: field({ label: t("admin.price"), kind: "money", required: true, value: value.price, min: 0 }),
  };
  const end = $("div.end");
  return {
    end,
    fields: Object.values(own),
    element: $("div.line", own.from.element, own.price.element, end),
    name: prefix => named(own, prefix),
    body: () => ({ from: own.from.value(), price: own.price.value() }),
  };
}

const method =
  fields =>
  (value = { countries: "*", prices: [{ from: 0, price: 0 }] }) => {
    const own = {
      name: field({ label: t("admin.name"), required: true, value: value.name, maxLength: 80 }),
      id: field({
        label: t("admin.methodId"),
        required: true,
        value: value.id,
        maxLength: 40,
        hint: t("admin.methodId.hint"),
        autocapitalize: "off",
        spellcheck: "false",
      }),
      countries: field({
        label: t("admin.countries"),
        required: true,
        value: value.countries === "*" ? "*" : value.countries.join(", "),
        hint: t("admin.countries.hint"),
        autocapitalize: "characters",
      }),
      taxRate: field({
        label: t("admin.taxRate"),
        kind: "money",
        value: value.taxRate,
        min: 0,
        max: 100,
        hint: t("admin.taxRate.hint"),
      }),
    };
    const into = $("div.lines"),
      prices = rows(fields, value.prices, price, { add: t("admin.addPrice"), into });
    const countries = () =>
      own.countries.value().trim() === "*"
        ? "*"
        : own.countries
            .value()
            .split(/[\s,;]+/)
            .filter(Boolean)
            .map(code => code.toUpperCase());
    const end = $("div.end"),
      heading = id();
    let at = "";
    return {
      end,
      fields: Object.values(own),
      name: prefix => {
        at = prefix;
        named(own, prefix);
      },
      element: $(
        "div.card",
        { role: "group", "aria-labelledby": heading },
        $("div.row.apart", $("h2.small-heading", { id: heading }, value.name ?? t("admin.newMethod")), end),
        $("div.grid-2", own.name.element, own.id.element, own.countries.element, own.taxRate.element),
        $("div", $("h3", t("admin.prices")), $("p.hint", t("admin.prices.hint"))),
        into,
        $("div", prices.more),
      ),
      body: () => ({
        id: own.id.value(),
        name: own.name.value(),
        countries: countries(),
        prices: prices.bodies(`${at}.prices`),
        taxRate: orNull(own.taxRate.value()),
      }),
    };
  };

export async function shipping({ signal }) {
  const before = await get("/settings/shipping", { signal }),
    fields = [],
    into = $("div.stack");
  const methods = rows(fields, before.methods, method(fields), { add: t("admin.addMethod"), into });
  const form = saving({
    label: t("admin.shippingSettings"),
    fields,
    yes: t("button.save"),
    layout: () => [into, $("div", methods.more)],
    send: async () => {
      await change("PUT", "/settings/shipping", { methods: methods.bodies("methods") }, { ifMatch: before.version });
      await done(t("admin.shipping.done"));
    },
  });
  return {
    title: t("admin.shippingSettings"),
    element: $(
      "div",
      head(t("admin.settings")),
      lists("shipping"),
      $("p.lead", t(before.methods.length ? "admin.shipping.lead" : "admin.shipping.none")),
      before.updatedAt && facts([[t("admin.changed"), when(before.updatedAt)]]),
      form,
    ),
  };
}

// ── Taxes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function rate(value = {}) {
  const own = {
    country: field({
      label: t("admin.country"),
      required: true,
      value: value.country,
      maxLength: 2,
      minLength: 2,
      autocapitalize: "characters",
      placeholder: "DE",
    }),
    region: field({ label: t("admin.region"), value: value.region, maxLength: 100 }),
    category: field({ label: t("admin.category"), value: value.category, maxLength: 100 }),
    percent: field({
      label: t("admin.percent"),
      kind: "money",
      required: true,
      value: value.percent,
      min: 0,
      max: 100,
    }),
  };
  const end = $("div.end");
  return {
    end,
    fields: Object.values(own),
    element: $(
      "div.line",
      Object.values(own).map(one => one.element),
      end,
    ),
    name: prefix => named(own, prefix),
    body: () => ({
      country: own.country.value().toUpperCase(),
      region: orNull(own.region.value()),
      category: orNull(own.category.value()),
      percent: own.percent.value(),
    }),
  };
}

export async function tax({ signal }) {
  const before = await get("/settings/tax", { signal });
  const own = [
    field({
      name: "pricesIncludeTax",
      label: t("admin.pricesIncludeTax"),
      kind: "checkbox",
      value: before.pricesIncludeTax,
    }),
    field({
      name: "shippingIncludesTax",
      label: t("admin.shippingIncludesTax"),
      kind: "checkbox",
      value: before.shippingIncludesTax,
    }),
    field({
      name: "default",
      label: t("admin.defaultRate"),
      kind: "money",
      required: true,
      value: before.default,
      min: 0,
      max: 100,
      hint: t("admin.defaultRate.hint"),
    }),
  ];
  const fields = [...own],
    into = $("div.lines"),
    rates = rows(fields, before.rates, rate, { add: t("admin.addRate"), into });
  const form = saving({
    label: t("admin.taxSettings"),
    fields,
    yes: t("button.save"),
    layout: () => [
      own.map(one => one.element),
      $("div", $("h2.small-heading", t("admin.rates")), $("p.hint", t("admin.rates.hint"))),
      into,
      $("div", rates.more),
    ],
    send: async values => {
      await change(
        "PUT",
        "/settings/tax",
        {
          pricesIncludeTax: values.pricesIncludeTax,
          shippingIncludesTax: values.shippingIncludesTax,
          default: values.default,
          rates: rates.bodies("rates"),
        },
        { ifMatch: before.version },
      );
      await done(t("admin.tax.done"));
    },
  });
  return {
    title: t("admin.taxSettings"),
    element: $(
      "div",
      head(t("admin.settings")),
      lists("tax"),
      $("p.lead", t("admin.tax.lead")),
      before.updatedAt && facts([[t("admin.changed"), when(before.updatedAt)]]),
      form,
    ),
  };
}
