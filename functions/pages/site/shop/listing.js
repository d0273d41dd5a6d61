// A category, and what a search finds: the same list with facets beside it. What is chosen stands in the address, so
// that back, reload and a link that is passed on show the same.

import { $, fill, icon } from "../common/dom.js";
import { isAborted, pages } from "../common/api.js";
import { decimal, number } from "../common/format.js";
import { current, link, query as setQuery } from "../common/router.js";
import { empty, problemBox, say } from "../common/ui.js";
import { t } from "../common/words.js";
import { countText, crumbs, grid, card } from "./parts.js";

const SORTS = ["relevance", "newest", "price", "-price", "rating"];
const CHOICES = ["category", "store", "minPrice", "maxPrice", "inStock", "minRating", "sort"];

export function category({ params, query, signal }) {
  return listing({
    title: params.name,
    fixed: { category: params.name },
    query,
    signal,
    steps: [[t("crumbs.shop"), "/"], [params.name]],
  });
}

export function search({ query, signal }) {
  const q = query.get("q") ?? "";
  return listing({ title: q ? t("search.for", { q }) : t("search.all"), fixed: { q }, query, signal });
}

async function listing({ title, fixed, query, signal, steps }) {
  const chosen = Object.fromEntries(CHOICES.map(name => [name, query.get(name) ?? ""]));
  const status = $("p.soft", { role: "status" });
  const list = $("div");
  const side = $("div.facets");
  let asking;

  // Only the answer to what was chosen last is shown.
  async function show() {
    asking?.abort();
    const mine = (asking = new AbortController());
    const both = AbortSignal.any([mine.signal, signal]);
    const asked = { ...chosen, ...fixed, limit: 24 };
    if (!asked.q && asked.sort === "relevance") asked.sort = "";
    const reader = pages("/search", "products", { query: asked, signal: both });
    list.setAttribute("aria-busy", "true");
    try {
      const { items, isLast, body } = await reader.next();
      if (both.aborted) return;
      status.textContent = countText(body.total);
      facets(body.facets);
      fill(list, items.length ? results(items, isLast, reader, both) : nothing());
    } catch (error) {
      if (!isAborted(error) && !both.aborted) fill(list, problemBox(error, show));
    } finally {
      if (asking === mine) list.removeAttribute("aria-busy");
    }
  }

  function results(items, isLast, reader, both) {
    const products = grid(items, { eager: true });
    const more = $("div.more");
    const next = async () => {
      try {
        const { items: further, isLast } = await reader.next();
        const first = products.children.length;
        products.append(...further.map(product => card(product)));
        products.children[first]?.querySelector("a")?.focus({ preventScroll: true });
        fill(more, !isLast && button());
      } catch (error) {
        if (!both.aborted) fill(more, problemBox(error, next));
      }
    };
    const button = () => $("button.secondary", { type: "button", onclick: next }, t("list.more"));
    fill(more, !isLast && button());
    return [products, more];
  }

  function nothing() {
    const isFiltered = CHOICES.some(name => name !== "sort" && chosen[name] && !fixed[name]);
    return empty(
      isFiltered ? t("search.nothingSo") : t("search.nothing"),
      isFiltered
        ? $("button.secondary", { type: "button", onclick: clear }, t("search.clear"))
        : $("a.secondary", { href: link("/search?sort=newest") }, t("home.look")),
    );
  }

  function choose(changes) {
    Object.assign(chosen, changes);
    setQuery(changes);
    show().then(() => say(status.textContent));
  }
  const clear = () => choose(Object.fromEntries(CHOICES.filter(name => name !== "sort").map(name => [name, ""])));

  const sorts = $(
    "select",
    {
      "aria-label": t("search.sort"),
      value: chosen.sort || (fixed.q ? "relevance" : "newest"),
      onchange: event => choose({ sort: event.target.value }),
    },
    SORTS.filter(sort => fixed.q || sort !== "relevance").map(sort => $("option", { value: sort }, t(`sort.${sort}`))),
  );

  const within = { min: priceInput("minPrice"), max: priceInput("maxPrice") };
  function priceInput(name) {
    return $("input", {
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      value: chosen[name],
      "aria-label": t(`search.${name}`),
      placeholder: t(`search.${name}Short`),
      onchange: event => {
        const value = decimal(event.target.value);
        event.target.value = Number.isNaN(value) ? "" : value;
        choose({ [name]: Number.isNaN(value) ? "" : String(value) });
      },
    });
  }
  const categories = $("div.facet"),
    stores = $("div.facet");
  const option = (name, value, words, count) =>
    $(
      "label.choice",
      $("input", {
        type: "radio",
        name,
        checked: (chosen[name] ?? "") === value,
        onchange: () => choose({ [name]: value }),
      }),
      $("span", { dir: "auto" }, words),
      count != null && $("span.beside.soft", number(count)),
    );

  function facets(found) {
    // Whoever chooses by keyboard stays at the choice.
    const at =
      side.contains(document.activeElement) && document.activeElement.name ? [document.activeElement.name] : null;
    const group = (place, name, title, options) =>
      fill(place, options.length > 0 && $("fieldset", $("legend", title), option(name, "", t("search.any")), options));
    if (!fixed.category) {
      group(
        categories,
        "category",
        t("search.category"),
        found.categories.map(one => option("category", one.name, one.name, one.count)),
      );
    }
    group(
      stores,
      "store",
      t("search.store"),
      found.stores.map(one => option("store", one.id, one.name, one.count)),
    );
    if (at) side.querySelector(`input[name="${at[0]}"]:checked`)?.focus();
  }

  fill(
    side,
    categories,
    $("fieldset", $("legend", t("search.price")), $("div.between", within.min, $("span", "–"), within.max)),
    $(
      "fieldset",
      $("legend", t("search.rating")),
      option("minRating", "", t("search.any")),
      ["4", "3"].map(least => option("minRating", least, t("search.stars", { n: Number(least) }))),
    ),
    $(
      "label.choice",
      $("input", {
        type: "checkbox",
        checked: chosen.inStock === "true",
        onchange: event => choose({ inStock: event.target.checked ? "true" : "" }),
      }),
      $("span", t("search.inStock")),
    ),
    stores,
  );

  const filters = $(
    "details.filters",
    { open: matchMedia("(min-width: 60rem)").matches },
    $("summary", icon("filter"), t("search.filters")),
    side,
  );
  await show();
  return {
    title,
    element: $(
      "div.wrap.view",
      steps && crumbs(steps),
      $(
        "div.row.apart",
        $("div", $("h1", { dir: "auto" }, title), status),
        $("label.sorts", $("span.soft", t("search.sort")), sorts),
      ),
      $("div.listing", filters, list),
    ),
  };
}

export const searchText = () => current().query.get("q") ?? "";
