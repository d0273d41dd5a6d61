// One product: its pictures, what it costs, whether it is there, and what buyers say.

import { $, busyWhile, fill, icon, picture } from "../common/dom.js";
import { get, newKey, pages, Problem, send } from "../common/api.js";
import { ago, number } from "../common/format.js";
import { field, form } from "../common/form.js";
import { go, link, reload } from "../common/router.js";
import { isSignedIn, person } from "../common/session.js";
import { ask, badge, explain, more, notice, stars, toast } from "../common/ui.js";
import { t } from "../common/words.js";
import { add } from "./basket.js";
import { crumbs, price, quantity, stockBadge, shelf } from "./parts.js";

export default async function product({ params, signal }) {
  const found = await look(params.id, signal);
  if (!found) return go(`/sell/products/${params.id}`, { replace: true });
  const [store, others] = await Promise.all([
    found.storeId ? get(`/stores/${found.storeId}`, { signal }).catch(() => null) : null,
    get("/search", { query: { category: found.category, inStock: true, limit: 5 }, signal }).catch(() => ({
      products: [],
    })),
  ]);
  if (isSignedIn()) send("PUT", `/users/me/recently-viewed/${found.id}`, undefined, { tries: 1 }).catch(() => {});
  const element = $(
    "div.wrap.view",
    crumbs([
      [t("crumbs.shop"), "/"],
      [found.category, `/categories/${encodeURIComponent(found.category)}`],
      [found.productName],
    ]),
    $("div.product-page", gallery(found), $("div.stack", about(found, store), buy(found), description(found, store))),
    reviews(found, signal),
    shelf(t("product.similar"), null, others.products.filter(one => one.id !== found.id).slice(0, 4)),
  );
  return { title: found.productName, element };
}

// A link in an email to its seller leads here too, also where it is not for sale.
async function look(id, signal) {
  try {
    return await get(`/products/${encodeURIComponent(id)}`, { signal });
  } catch (problem) {
    if (problem.status !== 404 || !isSignedIn()) throw problem;
    const own = await get(`/users/me/products/${encodeURIComponent(id)}`, { signal }).catch(() => null);
    if (own) return null;
    throw problem;
  }
}

function gallery(product) {
  const all = product.pictures?.length ? product.pictures : [product];
  const main = $("div.gallery-main");
  const show = (one, eager) =>
    fill(
      main,
      picture({
        images: one.images,
        imageUrl: one.imageUrl,
        alt: product.productName,
        eager,
        sizes: "(min-width: 60rem) 38rem, 100vw",
      }),
    );
  show(all[0], true);
  const thumbs =
    all.length > 1 &&
    $(
      "div.thumbs",
      { role: "group", "aria-label": t("product.pictures") },
      all.map((one, at) =>
        $(
          "button.thumb",
          {
            type: "button",
            "aria-label": t("product.picture", { n: at + 1, of: all.length }),
            "aria-pressed": String(at === 0),
            onclick: event => {
              for (const each of event.currentTarget.parentNode.children)
                each.setAttribute("aria-pressed", String(each === event.currentTarget));
              show(one, true);
            },
          },
          picture({ images: one.images, imageUrl: one.imageUrl, alt: "", sizes: "5rem" }),
        ),
      ),
    );
  return $("div.gallery", main, thumbs);
}

function about(product, store) {
  return $(
    "div.stack.tight",
    store && $("a.maker", { href: link(`/stores/${store.id}`), dir: "auto" }, store.name),
    $("h1", { dir: "auto" }, product.productName),
    $(
      "a.rating-link",
      { href: "#reviews" },
      product.rating?.count ? stars(product.rating.average, product.rating.count) : t("product.unrated"),
    ),
    $("p.big-price", price(product)),
  );
}

function buy(product) {
  if (product.quantity < 1) return notice("warn", $("p", t("stock.noneLong")));
  const pieces = quantity(1, { most: Math.min(product.quantity, 100), label: t("quantity") });
  let key = newKey();
  const press = async event =>
    busyWhile(event.currentTarget, async () => {
      try {
        await add(product.id, pieces.value(), key);
        key = newKey();
        toast(t("cart.added", { n: pieces.value(), name: product.productName }), {
          action: [t("cart.see"), () => go("/cart")],
        });
      } catch (problem) {
        if (problem instanceof Problem && problem.status) key = newKey();
        toast(explain(problem), { kind: "bad" });
      }
    });
  return $(
    "div.buy",
    pieces.element,
    $("button.primary", { type: "button", onclick: press }, icon("cart"), t("cart.add")),
    $("p.stock", stockBadge(product) ?? badge("good", t("stock.there"))),
  );
}

function description(product, store) {
  return $(
    "div.stack.tight",
    $("p.pre", { dir: "auto" }, product.description),
    $(
      "dl.facts",
      product.sku && [$("dt", t("product.sku")), $("dd.code", product.sku)],
      store && [
        $("dt", t("product.store")),
        $("dd", $("a", { href: link(`/stores/${store.id}`), dir: "auto" }, store.name)),
      ],
    ),
  );
}

// ── Reviews ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function reviews(product, signal) {
  const list = $("div");
  const head = $("div.stack");
  const place = $(
    "section.reviews",
    { id: "reviews", "aria-labelledby": "reviews-title" },
    $("h2", { id: "reviews-title" }, t("reviews.title")),
    $("div.reviews-body", head, list),
  );
  let sort = "newest",
    only = "",
    hasHead = false;
  function show() {
    const reader = pages(`/products/${product.id}/reviews`, "reviews", {
      query: { sort, stars: only, limit: 5 },
      signal,
    });
    const first = reader.next;
    reader.next = async () => {
      const page = await first.call(reader);
      if (!hasHead) {
        hasHead = true;
        summary(page.body.summary);
      }
      return page;
    };
    fill(
      list,
      more(reader, items => items.map(one => review(one, product)), { empty: t("reviews.none"), signal }),
    );
  }
  function summary({ average, count, stars: by }) {
    fill(
      head,
      count > 0 && [
        $("p.average", $("b", number(average)), stars(average, count)),
        $(
          "ul.bars",
          [5, 4, 3, 2, 1].map(n =>
            $(
              "li",
              $(
                "button.bar",
                {
                  type: "button",
                  "aria-pressed": String(only === String(n)),
                  onclick: event => {
                    only = only === String(n) ? "" : String(n);
                    for (const each of head.querySelectorAll(".bar")) {
                      each.setAttribute("aria-pressed", String(each === event.currentTarget && only !== ""));
                    }
                    show();
                  },
                },
                $("span", `${n} ★`),
                $("span.track", $("span.fill", { style: { width: `${count ? (by[n] / count) * 100 : 0}%` } })),
                $("span.soft", number(by[n])),
                $("span.visually-hidden", t("reviews.bar", { n: by[n] })),
              ),
            ),
          ),
        ),
        $(
          "label.sorts",
          $("span.soft", t("search.sort")),
          $(
            "select",
            {
              value: sort,
              onchange: event => {
                sort = event.target.value;
                show();
              },
            },
            ["newest", "highest", "lowest"].map(one => $("option", { value: one }, t(`reviews.${one}`))),
          ),
        ),
      ],
      isSignedIn() && $("button.secondary", { type: "button", onclick: () => write(product) }, t("reviews.write")),
    );
  }
  show();
  return place;
}

function review(one, product) {
  const isOwn = person()?.userId === one.userId;
  return $(
    "article.review",
    $("div.row.apart", stars(one.stars), $("span.small.soft", ago(one.createdAt))),
    one.title && $("h3", { dir: "auto" }, one.title),
    one.text && $("p.pre", { dir: "auto" }, one.text),
    $(
      "p.small.soft",
      $("span", { dir: "auto" }, one.name ?? t(one.formerCustomer ? "reviews.former" : "reviews.someone")),
      one.verified && [" · ", t("reviews.verified")],
    ),
    one.hidden && badge("warn", t("reviews.hidden")),
    one.reply && $("div.reply", $("p.small", $("b", t("reviews.reply"))), $("p.pre", { dir: "auto" }, one.reply.text)),
    isOwn &&
      $(
        "div.row",
        $("button.link", { type: "button", onclick: () => write(product, one) }, t("button.edit")),
        $(
          "button.link.bad",
          {
            type: "button",
            onclick: async () => {
              if (
                !(await ask({
                  title: t("reviews.deleteTitle"),
                  text: t("reviews.deleteText"),
                  yes: t("reviews.delete"),
                  danger: true,
                }))
              )
                return;
              try {
                await send("DELETE", `/reviews/${product.id}`);
                toast(t("reviews.deleted"));
                reload();
              } catch (problem) {
                toast(explain(problem), { kind: "bad" });
              }
            },
          },
          t("button.delete"),
        ),
      ),
  );
}

// In the page and not in a dialog of ask(): what the API says of a field has to stand at the field.
function write(product, before) {
  const rating = field({
    name: "stars",
    kind: "radio",
    label: t("reviews.stars"),
    required: true,
    value: before && String(before.stars),
    options: [5, 4, 3, 2, 1].map(n => [String(n), "★".repeat(n) + "☆".repeat(5 - n), t(`reviews.star${n}`)]),
  });
  const fields = [
    rating,
    field({ name: "title", label: t("reviews.headline"), maxLength: 120, value: before?.title }),
    field({ name: "text", kind: "textarea", label: t("reviews.text"), maxLength: 4000, value: before?.text }),
    field({ name: "name", label: t("reviews.name"), hint: t("reviews.nameHint"), maxLength: 60, value: before?.name }),
  ];
  const element = form({
    fields,
    yes: t("reviews.send"),
    no: [t("button.cancel"), () => dialog.close()],
    onsubmit: async values => {
      const body = { stars: Number(values.stars) };
      for (const name of ["title", "text", "name"]) if (values[name]) body[name] = values[name];
      if (before) await send("PUT", `/reviews/${product.id}`, body);
      else await send("POST", `/products/${product.id}/reviews`, body);
      dialog.close();
      toast(t("reviews.thanks"));
      reload();
    },
  });
  const dialog = $(
    "dialog.dialog",
    { "aria-label": t("reviews.write"), onclose: () => dialog.remove() },
    $("h2", t("reviews.write")),
    element,
  );
  document.body.append(dialog);
  dialog.showModal();
  rating.input.focus();
}
