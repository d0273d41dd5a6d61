// The front of the shop: its banners, its categories, what is new and what people like.

import { $, picture } from "../common/dom.js";
import { get } from "../common/api.js";
import { link } from "../common/router.js";
import { empty } from "../common/ui.js";
import { t } from "../common/words.js";
import { isSignedIn } from "../common/session.js";
import { settings } from "./settings.js";
import { shelf } from "./parts.js";

// What does not come leaves the rest of the page as it is.
const orNothing = (promise, nothing) =>
  promise.catch(error => {
    if (error.name === "AbortError") throw error;
    return nothing;
  });

export default async function home({ signal }) {
  const ask = (path, query) => get(path, { query, signal });
  const [newest, best, categories, banners, seen] = await Promise.all([
    ask("/search", { sort: "newest", limit: 8 }),
    orNothing(ask("/search", { sort: "rating", minRating: 1, inStock: true, limit: 8 }), { products: [] }),
    orNothing(ask("/categories", { limit: 24 }), []),
    orNothing(ask("/banners", { limit: 5 }), { banners: [] }),
    isSignedIn() ? orNothing(ask("/users/me/recently-viewed"), { products: [] }) : { products: [] },
  ]);
  const element = $(
    "div.home",
    hero(banners.banners),
    $(
      "div.wrap.stack.wide",
      categories.length > 0 &&
        $(
          "section",
          { "aria-labelledby": "categories" },
          $("h2", { id: "categories" }, t("home.categories")),
          $("ul.categories", categories.map(category)),
        ),
      newest.products.length
        ? shelf(t("home.newest"), [t("home.all"), "/search?sort=newest"], newest.products)
        : empty(t("home.nothing")),
      shelf(t("home.best"), [t("home.all"), "/search?sort=rating"], best.products),
      shelf(t("home.seen"), null, seen.products.slice(0, 4)),
      promises(),
    ),
  );
  return { element, title: t("home.title") };
}

function hero(banners) {
  const first = banners[0];
  return $(
    "section.hero",
    { "aria-label": settings.name },
    first && $("div.hero-picture", picture({ images: first.images, imageUrl: first.imageUrl, alt: "", eager: true })),
    $(
      "div.wrap",
      $(
        "div.hero-words",
        $("h1", t("home.headline", { shop: settings.name })),
        $("p", t("home.lead")),
        $(
          "div.row",
          $("a.primary", { href: link("/search?sort=newest") }, t("home.look")),
          $("a.secondary", { href: link("/stores") }, t("home.stores")),
        ),
      ),
    ),
  );
}

function category({ categoryName, images, imageUrl }) {
  return $(
    "li",
    $(
      "a.category",
      { href: link(`/categories/${encodeURIComponent(categoryName)}`) },
      $("span.category-picture", picture({ images, imageUrl, alt: "", sizes: "9rem" })),
      $("span", { dir: "auto" }, categoryName),
    ),
  );
}

function promises() {
  return $(
    "ul.promises",
    ["guests", "checked", "returns"].map(name =>
      $("li", $("b", t(`promise.${name}`)), $("span", t(`promise.${name}Text`))),
    ),
  );
}
