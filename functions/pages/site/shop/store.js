// A store and what it sells; and all stores.

import { $, picture } from "../common/dom.js";
import { get, pages } from "../common/api.js";
import { link } from "../common/router.js";
import { empty, more, stars } from "../common/ui.js";
import { t } from "../common/words.js";
import { card, crumbs, page } from "./parts.js";

export default async function store({ params, signal }) {
  const one = await get(`/stores/${encodeURIComponent(params.id)}`, { signal });
  const list = $("ul.products");
  const reader = pages(`/stores/${one.id}/products`, "products", { query: { limit: 24 }, signal });
  const products = more(reader, items => items.map(product => card(product)), {
    into: list,
    empty: t("store.nothing"),
    signal,
  });
  await products.ready;
  return {
    title: one.name,
    element: $(
      "div.store",
      $(
        "div.store-banner",
        one.bannerUrl && picture({ images: one.bannerImages, imageUrl: one.bannerUrl, alt: "", eager: true }),
      ),
      $(
        "div.wrap.view",
        crumbs([[t("crumbs.shop"), "/"], [t("stores.title"), "/stores"], [one.name]]),
        $(
          "div.store-head",
          logo(one),
          $(
            "div.stack.tight",
            $("h1", { dir: "auto" }, one.name),
            one.rating.count > 0 && stars(one.rating.average, one.rating.count),
            one.description && $("p", { dir: "auto" }, one.description),
            one.supportEmail && $("p.small", $("a", { href: `mailto:${one.supportEmail}` }, t("store.write"))),
          ),
        ),
        products,
      ),
    ),
  };
}

const logo = one =>
  $("div.store-logo", picture({ images: one.logoImages, imageUrl: one.logoUrl, alt: "", sizes: "6rem", eager: true }));

export async function stores({ signal }) {
  const list = $("ul.store-cards");
  const element = more(
    pages("/stores", "stores", { query: { limit: 24 }, signal }),
    items =>
      items.map(one =>
        $(
          "li",
          $(
            "a.store-card",
            { href: link(`/stores/${one.id}`) },
            logo(one),
            $(
              "span.stack.tight",
              $("b", { dir: "auto" }, one.name),
              one.description && $("span.small.soft.clamp", { dir: "auto" }, one.description),
              one.rating.count > 0 && stars(one.rating.average, one.rating.count),
            ),
          ),
        ),
      ),
    { into: list, empty: empty(t("stores.none")), signal },
  );
  await element.ready;
  return { title: t("stores.title"), element: page(t("stores.title"), element) };
}
