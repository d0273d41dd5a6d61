// Products that wait for a decision, with their pictures, and those for sale.

import { $, picture } from "../common/dom.js";
import { get } from "../common/api.js";
import { field } from "../common/form.js";
import { money, number } from "../common/format.js";
import { badge, empty, section, stars, table, toast } from "../common/ui.js";
import { go, reload } from "../common/router.js";
import { t } from "../common/words.js";
import {
  a,
  act,
  asking,
  change,
  done,
  facts,
  filter,
  fresh,
  head,
  pager,
  places,
  saving,
  thumb,
  to,
  when,
} from "./kit.js";

// As the shop's counters say it.
const LOW = 5;

const lists = chosen =>
  places(t("admin.products"), [
    [t("admin.toDecide"), to("/products"), chosen === "pending"],
    [t("admin.forSale"), to("/products", { list: "sale" }), chosen === "sale"],
  ]);

export const products = given => (given.query.get("list") === "sale" ? forSale(given) : pending(given));

// ── Decisions ────────────────────────────────────────────────────────────────────────────────────────────────────────

const rejecting = (product, decided) =>
  asking(
    t("admin.reject"),
    {
      title: t("admin.reject.title", { name: product.productName }),
      text: t("admin.reject.text"),
      yes: t("admin.reject"),
      fields: [
        field({
          name: "reason",
          label: t("admin.reason"),
          kind: "textarea",
          required: true,
          maxLength: 500,
          hint: t("admin.reject.hint"),
        }),
      ],
      send: ({ reason }) =>
        change(
          "PUT",
          `/products/${product.id}/approval`,
          { approved: false, reason },
          { ifMatch: product.version ?? product.etag },
        ),
    },
    decided,
  );

// What an admin looks at is what waits: of each picture the new one, where there is one.
function pictures(product) {
  const all = product.pictures?.length ? product.pictures : [product];
  return all
    .map(one => ({ ...(one.waitingPicture ?? one), isNew: Boolean(one.waitingPicture) }))
    .filter(one => one.imageUrl || one.images);
}

function card(product) {
  const named = { name: product.productName },
    price = money(product.productPrice, product.currency),
    shown = pictures(product);
  const decided = words => {
    const next = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    toast(words);
    if (next) next.querySelector("button").focus();
    else reload();
  };
  const approve = act(
    t("admin.approve"),
    async () => {
      await change("PUT", `/products/${product.id}/approval`, { approved: true }, { ifMatch: product.version });
      decided(t("admin.approve.done", named));
    },
    "primary",
  );
  approve.setAttribute("aria-label", `${t("admin.approve")}: ${product.productName}`);
  const reject = rejecting(product, () => decided(t("admin.reject.done", named)));
  reject.setAttribute("aria-label", `${t("admin.reject")}: ${product.productName}`);
  const element = $(
    "li.card.product",
    $(
      "div.pictures",
      shown.length
        ? shown.map((one, at) =>
            $(
              "a",
              {
                href: one.images?.large ?? one.imageUrl,
                target: "_blank",
                rel: "noopener",
                "aria-label": t("admin.pictureOf", { ...named, n: at + 1 }),
              },
              picture({
                images: one.images,
                imageUrl: one.imageUrl,
                sizes: "(max-width: 40rem) 90vw, 20rem",
              }),
              one.isNew && product.isApproved && badge("info", t("admin.newPicture")),
            ),
          )
        : $("p.empty", t("admin.noPicture")),
    ),
    $(
      "div.what",
      $("h2", product.productName),
      product.isApproved && badge("good", t("admin.isForSale")),
      $("p.pre", product.description),
      facts([
        [t("admin.price"), price],
        [t("admin.stock"), number(product.quantity)],
        [t("admin.category"), product.category],
        [t("admin.sku"), product.sku],
        [t("admin.seller"), product.email],
        [t("admin.store"), product.storeId && a(`/stores/${product.storeId}`, t("admin.look"))],
        [t("admin.listed"), when(product.createdAt)],
        [t("admin.rejectedBefore"), product.rejectionReason],
        [t("admin.pictureFault"), product.imageRejection],
      ]),
      $("div.buttons", approve, reject),
    ),
  );
  return element;
}

async function pending({ query, signal }) {
  const asked = { cursor: query.get("cursor") };
  const page = await get("/products/pending", { query: asked, signal });
  return {
    title: t("admin.toDecide"),
    element: $(
      "div",
      head(t("admin.products")),
      lists("pending"),
      page.products.length ? $("ul.cards.wide", page.products.map(card)) : empty(t("admin.noneToDecide")),
      pager("/products", asked, page.nextCursor),
    ),
  };
}

// ── For sale ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export const stockOf = product =>
  $(
    "span",
    number(product.quantity),
    " ",
    product.quantity === 0 ? badge("bad", t("admin.soldOut")) : product.quantity < LOW && badge("warn", t("admin.low")),
  );

export async function chooser({ query, signal, path, more = {} }) {
  const asked = { q: query.get("q"), category: query.get("category"), cursor: query.get("cursor") };
  const page = await get("/search", { query: { ...asked, limit: 30 }, signal });
  const known = page.facets.categories.map(({ name, count }) => [name, `${name} (${number(count)})`]);
  if (asked.category && !known.some(([name]) => name === asked.category)) known.push([asked.category, asked.category]);
  const fields = [
    field({ name: "q", label: t("admin.find"), kind: "search", value: asked.q, optional: false, maxLength: 200 }),
    field({
      name: "category",
      label: t("admin.category"),
      kind: "select",
      value: asked.category,
      optional: false,
      options: [["", t("admin.any")], ...known],
    }),
  ];
  const kept = Object.entries(more).map(([name, value]) => ({ name, value: () => value, element: null, input: {} }));
  return {
    page,
    filter: filter(path, [...kept, ...fields]),
    pager: pager(path, { ...more, ...asked }, page.nextCursor),
  };
}

async function forSale({ query, signal }) {
  const found = await chooser({ query, signal, path: "/products", more: { list: "sale" } });
  return {
    title: t("admin.forSale"),
    element: $(
      "div",
      head(t("admin.products")),
      lists("sale"),
      found.filter,
      $("p.small", { role: "status" }, t("admin.found", { n: found.page.total, total: number(found.page.total) })),
      table({
        caption: t("admin.forSale"),
        rows: found.page.products,
        empty: t("admin.nothingFound"),
        columns: [
          { title: t("admin.picture"), kind: "picture", value: product => thumb(product) },
          { title: t("admin.product"), value: product => a(`/products/${product.id}`, product.productName) },
          { title: t("admin.price"), value: product => money(product.productPrice, product.currency), kind: "number" },
          { title: t("admin.stock"), value: stockOf, kind: "number" },
          { title: t("admin.category"), value: product => product.category },
          {
            title: t("admin.rating"),
            value: product => (product.rating?.count ? stars(product.rating.average, product.rating.count) : "–"),
          },
        ],
      }),
      found.pager,
    ),
  };
}

// ── One product ──────────────────────────────────────────────────────────────────────────────────────────────────────

function stock(product) {
  const how = field({
    name: "how",
    label: t("admin.stock.how"),
    kind: "select",
    value: "set",
    optional: false,
    options: [
      ["set", t("admin.stock.set")],
      ["add", t("admin.stock.add")],
    ],
  });
  const n = field({
    name: "n",
    label: t("admin.pieces"),
    required: true,
    value: product.quantity,
    inputmode: "numeric",
    check: text => (/^[-+]?\d+$/.test(text) ? null : t("form.whole")),
  });
  return saving({
    label: t("admin.stock"),
    fields: [how, n],
    yes: t("admin.stock.save"),
    send: async values => {
      const pieces = Number(values.n),
        body = values.how === "add" ? { add: pieces } : { set: pieces, expected: product.quantity };
      await change("PUT", `/products/${product.id}/stock`, body);
      await done(t("admin.stock.done", { name: product.productName }));
    },
  });
}

function editing(product, etag) {
  const fields = [
    field({ name: "productName", label: t("admin.name"), required: true, value: product.productName, maxLength: 200 }),
    field({
      name: "productPrice",
      label: `${t("admin.price")} (${product.currency})`,
      kind: "money",
      required: true,
      value: product.productPrice,
      min: 0.01,
    }),
    field({ name: "category", label: t("admin.category"), required: true, value: product.category, maxLength: 100 }),
    field({ name: "sku", label: t("admin.sku"), value: product.sku, maxLength: 100 }),
    field({
      name: "description",
      label: t("admin.description"),
      kind: "textarea",
      required: true,
      value: product.description,
      rows: 7,
      maxLength: 5000,
    }),
  ];
  return saving({
    label: t("admin.editProduct"),
    fields,
    yes: t("button.save"),
    send: async values => {
      // What is not named stays as it is.
      const changed = Object.fromEntries(
        Object.entries(values).filter(([name, value]) => value !== (product[name] ?? "")),
      );
      if (Object.keys(changed).length) await change("PUT", `/products/${product.id}`, changed, { ifMatch: etag });
      await done(t("form.saved"));
    },
  });
}

export async function product({ params, signal }) {
  const path = `/products/${encodeURIComponent(params.id)}`;
  let read;
  try {
    read = await fresh(path, { signal });
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    return {
      title: t("admin.product"),
      element: $(
        "div",
        head(t("admin.product")),
        empty(t("admin.notForSale"), $("p", a("/products", t("admin.toDecide")))),
      ),
    };
  }
  const { body: product, etag } = read,
    named = { name: product.productName };
  const reject = rejecting({ ...product, etag }, () => {
    go("/products?list=sale");
    toast(t("admin.reject.done", named));
  });
  reject.textContent = t("admin.takeOff");
  const remove = asking(
    t("button.delete"),
    {
      title: t("admin.deleteProduct.title", named),
      text: t("admin.deleteProduct.text"),
      yes: t("admin.deleteProduct"),
      send: () => change("DELETE", path, undefined, { ifMatch: etag }),
    },
    () => {
      go("/products?list=sale");
      toast(t("admin.deleteProduct.done", named));
    },
  );
  return {
    title: product.productName,
    element: $(
      "div",
      $("p.back", a("/products?list=sale", t("admin.forSale"))),
      head(product.productName, reject, remove),
      $(
        "div.beside-each-other",
        $(
          "div",
          $(
            "div.pictures",
            product.pictures.map((one, at) =>
              picture({
                images: one.images,
                imageUrl: one.imageUrl,
                alt: t("admin.pictureOf", { ...named, n: at + 1 }),
                sizes: "20rem",
              }),
            ),
          ),
          facts([
            [t("admin.stock"), stockOf(product)],
            [t("admin.store"), product.storeId && a(`/stores/${product.storeId}`, t("admin.look"))],
            [t("admin.listed"), when(product.createdAt)],
            [t("admin.inShop"), $("a", { href: `/shop/products/${product.id}` }, t("admin.look"))],
            [
              t("admin.reviews"),
              product.rating?.count
                ? $(
                    "a",
                    { href: to("/reviews", { product: product.id }) },
                    stars(product.rating.average, product.rating.count),
                  )
                : t("admin.noReviews"),
            ],
          ]),
          section(t("admin.stock"), stock(product)),
        ),
        section(t("admin.editProduct"), editing(product, etag)),
      ),
    ),
  };
}
