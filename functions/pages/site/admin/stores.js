// The stores of the shop's sellers.

import { $, picture } from "../common/dom.js";
import { get } from "../common/api.js";
import { field } from "../common/form.js";
import { money } from "../common/format.js";
import { notice, section, stars, table } from "../common/ui.js";
import { t } from "../common/words.js";
import { a, asking, change, done, facts, fresh, head, pager, saving, thumb, when } from "./kit.js";
import { stockOf } from "./products.js";

export async function stores({ query, signal }) {
  const asked = { cursor: query.get("cursor") };
  const { body: page } = await fresh("/stores", { query: asked, signal });
  return {
    title: t("admin.stores"),
    element: $(
      "div",
      head(t("admin.stores")),
      $("p.lead", t("admin.stores.lead")),
      table({
        caption: t("admin.stores"),
        rows: page.stores,
        empty: t("admin.noStores"),
        columns: [
          {
            title: t("admin.picture"),
            kind: "picture",
            value: store => thumb({ images: store.logoImages, imageUrl: store.logoUrl }),
          },
          { title: t("admin.store"), value: store => a(`/stores/${store.id}`, store.name) },
          {
            title: t("admin.rating"),
            value: store => (store.rating.count ? stars(store.rating.average, store.rating.count) : "–"),
          },
          { title: t("admin.supportEmail"), value: store => store.supportEmail ?? "–" },
          { title: t("admin.opened"), value: store => when(store.createdAt) },
        ],
      }),
      pager("/stores", asked, page.nextCursor),
    ),
  };
}

const setStatus = (id, body, ifMatch) => change("PUT", `/stores/${encodeURIComponent(id)}/status`, body, { ifMatch });

// A store that is not published is shown to its owner alone; an admin may still publish it.
function hidden(id) {
  const publish = asking(
    t("admin.publish"),
    {
      title: t("admin.publish.title"),
      text: t("admin.publish.text"),
      yes: t("admin.publish"),
      danger: false,
      send: () => setStatus(id, { status: "published" }),
    },
    store => done(t("admin.publish.done", { name: store.name })),
    "primary",
  );
  return {
    title: t("admin.store"),
    element: $(
      "div",
      $("p.back", a("/stores", t("admin.stores"))),
      head(t("admin.store"), publish),
      notice("info", t("admin.storeHidden")),
    ),
  };
}

export async function store({ params, signal }) {
  const path = `/stores/${encodeURIComponent(params.id)}`;
  let read;
  try {
    read = await fresh(path, { signal });
  } catch (problem) {
    if (problem.status === 404) return hidden(params.id);
    throw problem;
  }
  const { body: store, etag } = read,
    named = { name: store.name };
  const sold = await get(`${path}/products`, { signal, query: { limit: 10 } }).catch(() => ({ products: [] }));
  const close = asking(
    t("admin.deactivate"),
    {
      title: t("admin.deactivate.title", named),
      text: t("admin.deactivate.text"),
      yes: t("admin.deactivate"),
      fields: [field({ name: "reason", label: t("admin.reason"), kind: "textarea", required: true, maxLength: 500 })],
      send: ({ reason }) => setStatus(store.id, { status: "deactivated", reason }, etag),
    },
    () => done(t("admin.deactivate.done", named)),
  );
  const fields = [
    field({ name: "name", label: t("admin.name"), required: true, value: store.name, maxLength: 100 }),
    field({
      name: "supportEmail",
      label: t("admin.supportEmail"),
      kind: "email",
      value: store.supportEmail,
      maxLength: 254,
    }),
    field({
      name: "description",
      label: t("admin.description"),
      kind: "textarea",
      value: store.description,
      rows: 5,
      maxLength: 2000,
    }),
  ];
  return {
    title: store.name,
    element: $(
      "div",
      $("p.back", a("/stores", t("admin.stores"))),
      head(store.name, close),
      store.bannerUrl &&
        $("div.banner", picture({ images: store.bannerImages, imageUrl: store.bannerUrl, alt: "", sizes: "60rem" })),
      facts([
        [
          t("admin.rating"),
          store.rating.count ? stars(store.rating.average, store.rating.count) : t("admin.noReviews"),
        ],
        [t("admin.opened"), when(store.createdAt)],
        [t("admin.inShop"), $("a", { href: `/shop/stores/${store.id}` }, t("admin.look"))],
      ]),
      section(
        t("admin.sells"),
        table({
          caption: t("admin.sells"),
          rows: sold.products,
          empty: t("admin.nothingFound"),
          columns: [
            { title: t("admin.picture"), kind: "picture", value: product => thumb(product) },
            { title: t("admin.product"), value: product => a(`/products/${product.id}`, product.productName) },
            {
              title: t("admin.price"),
              value: product => money(product.productPrice, product.currency),
              kind: "number",
            },
            { title: t("admin.stock"), value: stockOf, kind: "number" },
          ],
        }),
      ),
      section(
        t("admin.editStore"),
        saving({
          label: t("admin.editStore"),
          fields,
          yes: t("button.save"),
          send: async ({ name, supportEmail, description }) => {
            await change(
              "PUT",
              path,
              { name, supportEmail: supportEmail || null, description: description || null },
              { ifMatch: etag },
            );
            await done(t("form.saved"));
          },
        }),
      ),
    ),
  };
}
