// What is said of products: those that are hidden, and those of one product.

import { $ } from "../common/dom.js";
import { get } from "../common/api.js";
import { field } from "../common/form.js";
import { empty, stars, table } from "../common/ui.js";
import { t } from "../common/words.js";
import { a, act, asking, change, done, facts, filter, fresh, head, pager, places, thumb, to, when } from "./kit.js";
import { chooser } from "./products.js";

const lists = chosen =>
  places(t("admin.reviews"), [
    [t("admin.ofProduct"), to("/reviews"), chosen === "product"],
    [t("admin.hiddenOnes"), to("/reviews", { list: "hidden" }), chosen === "hidden"],
  ]);

function review(one, isInList) {
  const path = `/reviews/${one.productId}/${encodeURIComponent(one.userId)}`,
    ifMatch = { ifMatch: one.version };
  const hide =
    !one.hidden &&
    asking(
      t("admin.hide"),
      {
        title: t("admin.hide.title"),
        text: t("admin.hide.text"),
        yes: t("admin.hide"),
        fields: [field({ name: "reason", label: t("admin.reason"), kind: "textarea", required: true, maxLength: 500 })],
        send: ({ reason }) => change("PUT", `${path}/visibility`, { visible: false, reason }, ifMatch),
      },
      () => done(t("admin.hide.done")),
      "secondary",
    );
  const show =
    one.hidden &&
    act(t("admin.showAgain"), async () => {
      await change("PUT", `${path}/visibility`, { visible: true }, ifMatch);
      await done(t("admin.showAgain.done"));
    });
  const remove = asking(
    t("button.delete"),
    {
      title: t("admin.deleteReview.title"),
      text: t("admin.deleteReview.text"),
      yes: t("admin.deleteReview"),
      send: () => change("DELETE", path, undefined, ifMatch),
    },
    () => done(t("admin.deleteReview.done")),
  );
  return $(
    "li.card",
    $("div.head.minor", $("h2", one.title || t("admin.noTitle")), $("div.buttons", hide, show, remove)),
    stars(one.stars),
    $("p.pre", one.text),
    facts([
      [t("admin.author"), one.name ?? t("admin.noName")],
      [t("admin.person"), !one.formerCustomer && a(`/people/${one.userId}`, t("admin.look"))],
      [t("admin.product"), isInList && a(`/products/${one.productId}`, t("admin.look"))],
      [t("admin.bought"), one.verified && t("admin.yes")],
      [t("admin.posted"), when(one.createdAt)],
      [t("admin.reply"), one.reply?.text],
      [t("admin.hiddenFor"), one.hidden && [one.hidden.reason ?? "–", $("span.beside", when(one.hidden.at))]],
    ]),
  );
}

async function hidden({ query, signal }) {
  const asked = { list: "hidden", cursor: query.get("cursor") };
  const page = await get("/reviews/hidden", { query: { cursor: asked.cursor }, signal });
  return {
    title: t("admin.hiddenOnes"),
    element: $(
      "div",
      head(t("admin.reviews")),
      lists("hidden"),
      page.reviews.length
        ? $(
            "ul.cards",
            page.reviews.map(one => review(one, true)),
          )
        : empty(t("admin.noneHidden")),
      pager("/reviews", asked, page.nextCursor),
    ),
  };
}

async function ofProduct({ query, signal }) {
  const asked = Object.fromEntries(["product", "stars", "sort", "cursor"].map(name => [name, query.get(name)]));
  const path = `/products/${encodeURIComponent(asked.product)}`,
    { product: _, ...page } = asked;
  const [{ body: product }, { body: said }] = await Promise.all([
    fresh(path, { signal }),
    fresh(`${path}/reviews`, { query: page, signal }),
  ]);
  const kept = { name: "product", value: () => asked.product, element: null, input: {} };
  const fields = [
    kept,
    field({
      name: "stars",
      label: t("admin.stars"),
      kind: "select",
      value: asked.stars,
      optional: false,
      options: [["", t("admin.any")], ...[5, 4, 3, 2, 1].map(n => [String(n), `${n} (${said.summary.stars[n]})`])],
    }),
    field({
      name: "sort",
      label: t("admin.sort"),
      kind: "select",
      value: asked.sort ?? "newest",
      optional: false,
      options: ["newest", "lowest", "highest"].map(sort => [sort, t(`admin.sort.${sort}`)]),
    }),
  ];
  return {
    title: product.productName,
    element: $(
      "div",
      $("p.back", a("/reviews", t("admin.reviews"))),
      head(t("admin.reviewsOf", { name: product.productName })),
      $(
        "p.row",
        thumb(product),
        stars(said.summary.average, said.summary.count),
        a(`/products/${product.id}`, t("admin.product")),
      ),
      filter("/reviews", fields),
      said.reviews.length
        ? $(
            "ul.cards",
            said.reviews.map(one => review(one, false)),
          )
        : empty(t("admin.noReviews")),
      pager("/reviews", asked, said.nextCursor),
    ),
  };
}

async function choose({ query, signal }) {
  const found = await chooser({ query, signal, path: "/reviews" });
  return {
    title: t("admin.reviews"),
    element: $(
      "div",
      head(t("admin.reviews")),
      lists("product"),
      $("p.lead", t("admin.reviews.lead")),
      found.filter,
      table({
        caption: t("admin.products"),
        rows: found.page.products,
        empty: t("admin.nothingFound"),
        columns: [
          { title: t("admin.picture"), kind: "picture", value: product => thumb(product) },
          {
            title: t("admin.product"),
            value: product => $("a", { href: to("/reviews", { product: product.id }) }, product.productName),
          },
          {
            title: t("admin.rating"),
            value: product => (product.rating?.count ? stars(product.rating.average, product.rating.count) : "–"),
          },
          { title: t("admin.category"), value: product => product.category },
        ],
      }),
      found.pager,
    ),
  };
}

export const reviews = given =>
  given.query.get("list") === "hidden" ? hidden(given) : given.query.get("product") ? ofProduct(given) : choose(given);
