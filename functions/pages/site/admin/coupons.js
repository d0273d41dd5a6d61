// Coupons: all of them, a new one, and one to change.

import { $ } from "../common/dom.js";
import { get } from "../common/api.js";
import { field } from "../common/form.js";
import { money, number, percent } from "../common/format.js";
import { badge, empty, table, toast } from "../common/ui.js";
import { go } from "../common/router.js";
import { t } from "../common/words.js";
import { a, asking, change, done, facts, head, pager, saving, when } from "./kit.js";

const KINDS = ["percent", "amount", "free_shipping"];
// So many pages are looked through for one coupon at most.
const PAGES = 10;

// What belongs together stands beside each other.
const layout = fields => {
  const named = Object.fromEntries(fields.map(field => [field.name, field.element]));
  const beside = (...names) =>
    $(
      "div.grid-2",
      names.map(name => named[name]),
    );
  return [
    named.code,
    beside("kind", "value"),
    named.minimum,
    beside("startsAt", "endsAt"),
    beside("limit", "perCustomer"),
    named.categories,
    named.productIds,
    named.isActive,
  ];
};

const worth = ({ kind, value, currency }) =>
  kind === "percent" ? percent(value) : kind === "amount" ? money(value, currency) : t("admin.coupon.free_shipping");

function standing({ isActive, startsAt, endsAt, limit, used }) {
  if (!isActive) return badge("", t("admin.coupon.ended"));
  if (endsAt && Date.parse(endsAt) < Date.now()) return badge("", t("admin.coupon.over"));
  if (startsAt && Date.parse(startsAt) > Date.now()) return badge("info", t("admin.coupon.later"));
  return limit && used >= limit ? badge("warn", t("admin.coupon.usedUp")) : badge("good", t("admin.coupon.valid"));
}

export async function coupons({ query, signal }) {
  const asked = { cursor: query.get("cursor") };
  const page = await get("/coupons", { query: asked, signal });
  return {
    title: t("admin.coupons"),
    element: $(
      "div",
      head(t("admin.coupons"), $("a.primary", { href: "#/coupons/new" }, t("admin.newCoupon"))),
      table({
        caption: t("admin.coupons"),
        rows: page.coupons,
        empty: t("admin.noCoupons"),
        columns: [
          { title: t("admin.code"), value: coupon => a(`/coupons/${coupon.code}`, coupon.code) },
          { title: t("admin.status"), value: standing },
          { title: t("admin.worth"), value: worth },
          {
            title: t("admin.used"),
            value: coupon =>
              coupon.limit
                ? t("admin.usedOf", { used: number(coupon.used), limit: number(coupon.limit) })
                : number(coupon.used),
            kind: "number",
          },
          { title: t("admin.endsAt"), value: coupon => (coupon.endsAt ? when(coupon.endsAt) : "–") },
        ],
      }),
      pager("/coupons", asked, page.nextCursor),
    ),
  };
}

// What an <input type="datetime-local"> shows is the time here, without a zone.
const local = time =>
  time && new Date(Date.parse(time) - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
const lines = text =>
  text
    ? text
        .split(/\n/)
        .map(line => line.trim())
        .filter(Boolean)
    : null;

function fieldsOf(coupon = {}) {
  const kind = field({
    name: "kind",
    label: t("admin.coupon.kind"),
    kind: "select",
    value: coupon.kind ?? "percent",
    optional: false,
    options: KINDS.map(kind => [kind, t(`admin.coupon.${kind}`)]),
  });
  const value = field({
    name: "value",
    label: t("admin.coupon.value"),
    kind: "money",
    value: coupon.value,
    optional: false,
    hint: t("admin.coupon.value.hint"),
  });
  const shown = () => {
    value.element.hidden = kind.value() === "free_shipping";
  };
  kind.input.addEventListener("change", shown);
  shown();
  const date = (name, label) => field({ name, label, kind: "datetime-local", value: local(coupon[name]) });
  const whole = (name, label, hint, max) =>
    field({ name, label, kind: "number", value: coupon[name], min: 1, max, hint });
  return [
    kind,
    value,
    field({
      name: "minimum",
      label: t("admin.coupon.minimum"),
      kind: "money",
      value: coupon.minimum,
      min: 0,
      hint: t("admin.coupon.minimum.hint"),
    }),
    date("startsAt", t("admin.startsAt")),
    date("endsAt", t("admin.endsAt")),
    whole("limit", t("admin.coupon.limit"), t("admin.coupon.limit.hint"), 1e9),
    whole("perCustomer", t("admin.coupon.perCustomer"), null, 1000),
    field({
      name: "categories",
      label: t("admin.categories"),
      kind: "textarea",
      rows: 2,
      value: coupon.categories?.join("\n"),
      hint: t("admin.coupon.categories.hint"),
    }),
    field({
      name: "productIds",
      label: t("admin.coupon.products"),
      kind: "textarea",
      rows: 2,
      value: coupon.productIds?.join("\n"),
      hint: t("admin.coupon.products.hint"),
    }),
    field({ name: "isActive", label: t("admin.coupon.isActive"), kind: "checkbox", value: coupon.isActive ?? true }),
  ];
}

function bodyOf({ code, ...values }) {
  const said = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === "" ? null : value]));
  const time = text => (text ? new Date(text).toISOString() : null);
  return {
    ...said,
    ...(code && { code }),
    value: values.kind === "free_shipping" ? null : said.value,
    startsAt: time(said.startsAt),
    endsAt: time(said.endsAt),
    categories: lines(said.categories),
    productIds: lines(said.productIds),
  };
}

export async function newCoupon() {
  const code = field({
    name: "code",
    label: t("admin.code"),
    required: true,
    minLength: 3,
    maxLength: 32,
    autocapitalize: "characters",
    autocomplete: "off",
    hint: t("admin.code.hint"),
  });
  const form = saving({
    label: t("admin.newCoupon"),
    fields: [code, ...fieldsOf()],
    layout,
    yes: t("admin.makeCoupon"),
    send: async values => {
      const made = await change("POST", "/coupons", bodyOf(values));
      go("/coupons");
      toast(t("admin.makeCoupon.done", { code: made.code }));
    },
  });
  return {
    title: t("admin.newCoupon"),
    element: $("div.narrow", $("p.back", a("/coupons", t("admin.coupons"))), head(t("admin.newCoupon")), form),
  };
}

// The API has a list of coupons and none alone.
async function find(code, signal) {
  for (let page = 0, cursor; page < PAGES; page++) {
    const list = await get("/coupons", { query: { limit: 100, cursor }, signal });
    const found = list.coupons.find(coupon => coupon.code === code);
    if (found || !list.nextCursor) return found;
    cursor = list.nextCursor;
  }
  return undefined;
}

export async function coupon({ params, signal }) {
  const coupon = await find(params.code, signal),
    back = $("p.back", a("/coupons", t("admin.coupons")));
  if (!coupon)
    return { title: params.code, element: $("div", back, head(params.code), empty(t("admin.noSuchCoupon"))) };
  const path = `/coupons/${coupon.code}`,
    ifMatch = coupon.version;
  const end =
    coupon.isActive &&
    asking(
      t("admin.endCoupon"),
      {
        title: t("admin.endCoupon.title", coupon),
        text: t("admin.endCoupon.text"),
        yes: t("admin.endCoupon"),
        send: () => change("DELETE", path, undefined, { ifMatch }),
      },
      () => done(t("admin.endCoupon.done", coupon)),
    );
  const form = saving({
    label: coupon.code,
    fields: fieldsOf(coupon),
    layout,
    yes: t("button.save"),
    send: async values => {
      await change("PUT", path, bodyOf(values), { ifMatch });
      await done(t("form.saved"));
    },
  });
  return {
    title: coupon.code,
    element: $(
      "div.narrow",
      back,
      head(coupon.code, end),
      facts([
        [t("admin.status"), standing(coupon)],
        [t("admin.worth"), worth(coupon)],
        [t("admin.used"), number(coupon.used)],
        [t("admin.made"), when(coupon.createdAt)],
        [t("admin.changed"), when(coupon.updatedAt)],
      ]),
      form,
    ),
  };
}
