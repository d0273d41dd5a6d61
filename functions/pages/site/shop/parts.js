// What several of the shop's views show.
//
//   card(product, { eager }?) → a product in a list;  grid(products) → <ul>
//   shelf(title, more, products) → a row of them under a heading
//   price(product), stockBadge(product)
//   quantity(value, { most, changed, label }) → minus, a number, plus: { element, value() }
//   crumbs([[words, path], …])
//   amounts(amounts, currency) → <dl> of what it comes to
//   signInFirst(path) → a view for whoever has to sign in
//   page(title, ...children) → a view's usual frame

import { $, icon, picture } from "../common/dom.js";
import { minor, money, number } from "../common/format.js";
import { link } from "../common/router.js";
import { badge, stars } from "../common/ui.js";
import { t } from "../common/words.js";

const FEW = 5;

export const page = (title, ...children) => $("div.wrap.view", $("h1", title), children);

export const price = product => $("span.price", money(product.productPrice, product.currency));

export function stockBadge(product) {
  if (product.quantity < 1) return badge("bad", t("stock.none"));
  if (product.quantity <= FEW) return badge("warn", t("stock.few", { n: product.quantity }));
  return null;
}

export function card(product, { eager = false } = {}) {
  const { images, imageUrl, productName } = product;
  return $(
    "li.product-card",
    $(
      "a.product-link",
      { href: link(`/products/${product.id}`) },
      $(
        "span.product-picture",
        picture({ images, imageUrl, alt: "", eager, sizes: "(min-width: 60rem) 18rem, (min-width: 40rem) 33vw, 50vw" }),
      ),
      $("span.product-name", { dir: "auto" }, productName),
    ),
    $(
      "span.product-foot",
      price(product),
      product.rating?.count > 0 && stars(product.rating.average, product.rating.count),
    ),
    stockBadge(product),
  );
}

export const grid = (products, options) =>
  $(
    "ul.products",
    products.map((product, at) => card(product, { eager: options?.eager && at < 4 })),
  );

export function shelf(title, more, products, options) {
  if (!products.length) return null;
  return $(
    "section.shelf",
    $("div.row.apart", $("h2", title), more && $("a", { href: link(more[1]) }, more[0])),
    grid(products, options),
  );
}

export function quantity(value, { most = 100, changed = () => {}, label } = {}) {
  const input = $("input", { type: "text", inputmode: "numeric", "aria-label": label, value, maxlength: 5 });
  const read = () => Math.min(Math.max(parseInt(input.value, 10) || 1, 1), Math.max(most, 1));
  const move = by => {
    const before = read();
    input.value = Math.min(Math.max(before + by, 1), Math.max(most, 1));
    if (read() !== before) changed(read());
  };
  input.addEventListener("change", () => {
    input.value = read();
    changed(read());
  });
  const element = $(
    "div.quantity",
    { role: "group", "aria-label": label },
    $("button.bare", { type: "button", "aria-label": t("quantity.less"), onclick: () => move(-1) }, icon("minus")),
    input,
    $("button.bare", { type: "button", "aria-label": t("quantity.more"), onclick: () => move(1) }, icon("plus")),
  );
  return { element, value: read };
}

export const crumbs = steps =>
  $(
    "nav.crumbs",
    { "aria-label": t("crumbs") },
    $(
      "ol",
      steps.map(([words, path], at) =>
        $(
          "li",
          path
            ? $("a", { href: link(path) }, words)
            : $("span", { "aria-current": at === steps.length - 1 ? "page" : null }, words),
        ),
      ),
    ),
  );

export function amounts(of, currency, { couponCode, label } = {}) {
  const row = (words, amount, kind = "") => [$(`dt${kind}`, words), $(`dd${kind}`, amount)];
  const extra = minor(of.tax) - minor(of.taxIncluded);
  return $(
    "dl.amounts",
    { "aria-label": label ?? t("amounts") },
    row(t("amounts.items"), money(of.items, currency)),
    minor(of.discount) > 0 &&
      row(
        couponCode ? t("amounts.discountBy", { code: couponCode }) : t("amounts.discount"),
        `−${money(of.discount, currency)}`,
      ),
    row(t("amounts.shipping"), minor(of.shipping) ? money(of.shipping, currency) : t("amounts.free")),
    extra > 0 && row(t("amounts.tax"), money(extra / 100, currency)),
    row(t("amounts.total"), money(of.total, currency), ".total"),
    minor(of.taxIncluded) > 0 && row(t("amounts.taxIncluded"), money(of.taxIncluded, currency), ".soft"),
  );
}

export function signInFirst(path) {
  return page(
    t("signFirst.title"),
    $(
      "div.empty",
      icon("person"),
      $("p", t("signFirst.text")),
      $(
        "div.buttons",
        $("a.primary", { href: link(`/sign-in?to=${encodeURIComponent(path)}`) }, t("sign.in")),
        $("a.secondary", { href: link(`/sign-up?to=${encodeURIComponent(path)}`) }, t("sign.up")),
      ),
    ),
  );
}

export const countText = n => t("products.count", { n, count: number(n) });
