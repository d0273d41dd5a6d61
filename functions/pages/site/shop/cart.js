// The cart: what is in it, what it comes to, and what is in the way of ordering it, told at the line.

import { $, busyWhile, fill, icon, picture } from "../common/dom.js";
import { field, form } from "../common/form.js";
import { minor, money } from "../common/format.js";
import { go, link } from "../common/router.js";
import { isSignedIn } from "../common/session.js";
import { explain, notice, say, toast } from "../common/ui.js";
import { has, t } from "../common/words.js";
import { add, choose, load, remove, set } from "./basket.js";
import { newKey } from "../common/api.js";
import { amounts, page, quantity } from "./parts.js";

export default async function cart({ signal }) {
  const place = $("div");
  const show = cart => fill(place, cart?.items.length ? full(cart, refresh) : nothing());
  async function refresh() {
    show(await load(signal));
  }
  await refresh();
  return { title: t("cart.title"), element: page(t("cart.title"), place) };
}

const nothing = () =>
  $(
    "div.empty",
    icon("cart"),
    $("p", t("cart.empty")),
    $("a.primary", { href: link("/search?sort=newest") }, t("home.look")),
  );

// A change is made at once and can be made undone; what failed is told and shown as it is.
async function change(task, refresh) {
  try {
    await task();
  } catch (problem) {
    toast(explain(problem), { kind: "bad" });
  }
  await refresh().catch(problem => toast(explain(problem), { kind: "bad" }));
}

function full(cart, refresh) {
  return $(
    "div.split",
    $(
      "div.stack",
      $(
        "ul.lines-list",
        cart.items.map(item => line(item, cart, refresh)),
      ),
    ),
    $(
      "aside.card.sticky",
      $("h2", t("cart.summary")),
      amounts(cart.amounts, cart.currency, { couponCode: cart.couponCode }),
      cart.amounts.estimated && $("p.small.soft", t("cart.estimated")),
      coupon(cart, refresh),
      problems(cart),
      cart.canCheckOut
        ? $("a.primary.wide-button", { href: link("/checkout") }, icon("lock"), t("cart.checkOut"))
        : $("p.small.soft", t("cart.mend")),
      !isSignedIn() &&
        $("p.small.soft", t("cart.signIn"), " ", $("a", { href: link("/sign-in?to=/cart") }, t("sign.in"))),
    ),
  );
}

function line(item, cart, refresh) {
  const href = link(`/products/${item.id}`);
  const pieces = quantity(item.quantity, {
    most: 10000,
    label: t("quantity.of", { name: item.productName }),
    changed: value =>
      change(async () => {
        await set(item.id, value);
        say(t("cart.changed", { n: value, name: item.productName }));
      }, refresh),
  });
  const takeOut = event =>
    busyWhile(event.currentTarget, () =>
      change(async () => {
        await remove(item.id);
        toast(t("cart.removed", { name: item.productName }), {
          action: [t("button.undo"), () => change(() => add(item.id, item.quantity, newKey()), refresh)],
        });
      }, refresh),
    );
  const isDearer = item.productPrice != null && minor(item.productPrice) !== minor(item.priceWhenAdded);
  return $(
    "li.line",
    $("a.line-picture", { href, tabindex: -1, "aria-hidden": "true" }, picture({ imageUrl: item.imageUrl, alt: "" })),
    $(
      "div.line-words",
      $("a.line-name", { href, dir: "auto" }, item.productName),
      $(
        "span.soft",
        item.productPrice == null ? "" : t("cart.each", { price: money(item.productPrice, cart.currency) }),
      ),
      isDearer &&
        !item.problem &&
        $("span.small.warn-text", t("cart.priceWas", { price: money(item.priceWhenAdded, cart.currency) })),
      item.problem &&
        notice(
          "warn",
          $("p", problemText(item.problem, item)),
          item.problem === "out-of-stock" &&
            item.available > 0 &&
            $(
              "button.link",
              { type: "button", onclick: () => change(() => set(item.id, item.available), refresh) },
              t("cart.take", { n: item.available }),
            ),
        ),
    ),
    $(
      "div.line-ends",
      pieces.element,
      $("b.number", item.total == null ? "" : money(item.total, cart.currency)),
      $(
        "button.bare",
        { type: "button", "aria-label": t("cart.remove", { name: item.productName }), onclick: takeOut },
        icon("bin"),
      ),
    ),
  );
}

export function problemText(code, item = {}) {
  if (code === "out-of-stock" && item.available != null) {
    return item.available ? t("cartProblem.fewer", { n: item.available }) : t("cartProblem.gone");
  }
  return has(`cartProblem.${code}`) ? t(`cartProblem.${code}`) : t("cartProblem.other");
}

function problems(cart) {
  const ofLines = new Set(cart.items.map(item => item.problem));
  const others = cart.problems.filter(problem => !ofLines.has(problem));
  return (
    others.length > 0 &&
    notice(
      "warn",
      others.map(problem => $("p", problemText(problem))),
    )
  );
}

function coupon(cart, refresh) {
  if (cart.couponCode) {
    return $(
      "p.row.apart.small",
      $("span", t("cart.coupon"), " ", $("b.code", cart.couponCode)),
      $(
        "button.link",
        {
          type: "button",
          onclick: event => busyWhile(event.currentTarget, () => change(() => choose({ couponCode: null }), refresh)),
        },
        t("button.remove"),
      ),
    );
  }
  const code = field({
    name: "couponCode",
    label: t("cart.couponCode"),
    autocomplete: "off",
    autocapitalize: "characters",
    required: true,
    spellcheck: "false",
    maxLength: 40,
  });
  const element = form({
    fields: [code],
    yes: t("cart.useCoupon"),
    onsubmit: async ({ couponCode }) => {
      await choose({ couponCode });
      await refresh();
      say(t("cart.couponUsed"));
    },
  });
  element.classList.add("inline");
  return $("details.coupon", $("summary", t("cart.haveCoupon")), element);
}
