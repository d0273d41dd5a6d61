// Addresses: writing one and showing it.
//
//   addressFields(address, prefix?) → fields of form.js;  addressGrid(fields) → how they stand
//   addressOf(values) → as the API takes it;  addressLines(address) → its lines

import { $ } from "../common/dom.js";
import { field } from "../common/form.js";
import { countries, country } from "../common/format.js";
import { t } from "../common/words.js";
import { settings } from "./settings.js";

// The tokens of HTML's autocomplete: browsers fill these in.
export function addressFields(address = {}, prefix = "") {
  const of = (name, autocomplete, options = {}) =>
    field({
      name: prefix + name,
      label: t(`address.${name}`),
      autocomplete,
      value: address[name],
      maxLength: 120,
      ...options,
    });
  return [
    of("name", "shipping name", { required: true }),
    of("line1", "shipping address-line1", { required: true }),
    of("line2", "shipping address-line2"),
    of("postalCode", "shipping postal-code", { maxLength: 40 }),
    of("city", "shipping address-level2", { required: true }),
    of("region", "shipping address-level1", { maxLength: 40 }),
    of("country", "shipping country", {
      kind: "select",
      required: true,
      value: address.country ?? settings.country,
      options: countries(),
    }),
    of("phone", "shipping tel", { kind: "tel", maxLength: 40, hint: t("address.phoneHint") }),
  ];
}

export const addressGrid = fields =>
  $(
    "div.address-grid",
    fields.map(one => one.element),
  );

const ADDRESS = ["name", "line1", "line2", "postalCode", "city", "region", "country", "phone"];
export const addressOf = values =>
  Object.fromEntries(
    ADDRESS.map(name => [name, values[name] || null]).filter(
      ([name, value]) => value || ["name", "line1", "city", "country"].includes(name),
    ),
  );

export function addressLines(address) {
  const { name, line1, line2, postalCode, city, region, country: code, phone } = address;
  const lines = [name, line1, line2, [postalCode, city, region].filter(Boolean).join(" "), country(code), phone].filter(
    Boolean,
  );
  return $(
    "address.lines",
    lines.map(line => $("span", { dir: "auto" }, line)),
  );
}
