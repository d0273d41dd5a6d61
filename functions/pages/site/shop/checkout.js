// Ordering what is in the cart: who and where to, how it is sent and paid, and a last look. What it comes to is always
// the API's word; a total that changed meanwhile is explained, and ordered only once it was seen.

import { $, busyWhile, fill, icon } from "../common/dom.js";
import { get, newKey, send, Problem } from "../common/api.js";
import { field, form } from "../common/form.js";
import { list, minor, money } from "../common/format.js";
import { go, link } from "../common/router.js";
import { isSignedIn, person } from "../common/session.js";
import { explain, notice, say } from "../common/ui.js";
import { t } from "../common/words.js";
import { checkOut, choose, load } from "./basket.js";
import { problemText } from "./cart.js";
import { addressFields, addressGrid, addressLines, addressOf } from "./address.js";
import { amounts, page } from "./parts.js";
import { settings } from "./settings.js";

// What a guest wrote stays for a reload, in this tab alone.
const DRAFT = "cartwright.checkout";
const draft = () => {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT) ?? "{}");
  } catch {
    return {};
  }
};

export default async function checkout({ signal }) {
  const [cart, profile] = await Promise.all([
    load(signal),
    isSignedIn() ? get("/users/me", { signal }).catch(() => null) : null,
  ]);
  if (!cart?.items.length || (!cart.canCheckOut && cart.items.some(item => item.problem)))
    return go("/cart", { replace: true });
  const state = { cart, profile, key: newKey(), contact: draft() };
  const first = $("section.card.step", { "aria-labelledby": "step-1" });
  const second = $("section.card.step", { "aria-labelledby": "step-2" });
  const summary = $("aside.card.sticky", { "aria-label": t("cart.summary") });
  const all = { state, first, second, summary, signal };
  showSummary(all);
  const hasAddress = Boolean(cart.shippingAddress) && (isSignedIn() || state.contact.email);
  if (hasAddress) {
    showContact(all);
    await showChoices(all);
  } else editContact(all);
  return {
    title: t("checkout.title"),
    element: page(t("checkout.title"), $("div.split", $("div.stack", first, second), summary)),
  };
}

function showSummary({ state: { cart }, summary }) {
  fill(
    summary,
    $("h2", t("cart.summary")),
    $(
      "ul.mini-lines",
      cart.items.map(item =>
        $(
          "li",
          $("span", `${item.quantity} × `, $("span", { dir: "auto" }, item.productName)),
          $("span.number", money(item.total, cart.currency)),
        ),
      ),
    ),
    amounts(cart.amounts, cart.currency, { couponCode: cart.couponCode }),
    cart.amounts.estimated && $("p.small.soft", t("cart.estimated")),
    $("a.small", { href: link("/cart") }, t("checkout.changeCart")),
  );
}

const title = (number, id, words) =>
  $("h2.step-title", { id }, $("span.step-number", { "aria-hidden": "true" }, number), words);

// ── Who, and where to ────────────────────────────────────────────────────────────────────────────────────────────────

function editContact(all, focus = false) {
  const { state, first, second } = all;
  const { cart, profile, contact } = state;
  const saved = profile?.addresses ?? [];
  const before = cart.shippingAddress ??
    saved.find(one => one.isDefault) ??
    saved[0] ?? { name: contact.fullName ?? profile?.fullName };
  const who = isSignedIn()
    ? []
    : [
        field({
          name: "email",
          kind: "email",
          label: t("sign.email"),
          autocomplete: "email",
          required: true,
          maxLength: 254,
          value: contact.email,
          hint: t("checkout.emailHint"),
        }),
        field({
          name: "fullName",
          label: t("sign.fullName"),
          autocomplete: "name",
          required: true,
          maxLength: 100,
          value: contact.fullName,
        }),
      ];
  const where = addressFields(before, "shippingAddress.");
  const bare = one => one.name.replace("shippingAddress.", "");
  // Who buys is mostly who gets it.
  if (who.length && !before.name) {
    who[1].input.addEventListener("change", () => {
      if (!where[0].value()) where[0].set(who[1].value());
    });
  }
  const chooser =
    saved.length > 0 &&
    $(
      "label.field",
      $("span", t("checkout.saved")),
      $(
        "select",
        {
          onchange: event => {
            const chosen = saved[event.target.value];
            for (const one of where) {
              one.set(chosen?.[bare(one)] ?? (bare(one) === "country" ? settings.country : ""));
              one.clear();
            }
          },
        },
        saved.map((one, at) =>
          $("option", { value: at, selected: one.line1 === before.line1 }, list([one.name, one.line1, one.city])),
        ),
        $("option", { value: "" }, t("checkout.other")),
      ),
    );
  const element = form({
    fields: [...who, ...where],
    yes: t("checkout.toPayment"),
    label: t("checkout.contact"),
    layout: () => [
      who.length > 0 &&
        $(
          "div.stack",
          who.map(one => one.element),
        ),
      chooser,
      addressGrid(where),
    ],
    onsubmit: async values => {
      state.contact = { email: values.email, fullName: values.fullName };
      if (!isSignedIn()) sessionStorage.setItem(DRAFT, JSON.stringify(state.contact));
      await choose({ shippingAddress: addressOf(values.shippingAddress), shippingMethod: null });
      state.cart = await load();
      showSummary(all);
      showContact(all);
      await showChoices(all);
      second.querySelector("h2").tabIndex = -1;
      second.querySelector("h2").focus();
    },
  });
  fill(
    first,
    title(1, "step-1", t("checkout.contact")),
    !isSignedIn() &&
      $("p.small.soft", t("checkout.guest"), " ", $("a", { href: link("/sign-in?to=/checkout") }, t("sign.in"))),
    element,
  );
  fill(second, $("div.soft", title(2, "step-2", t("checkout.choices"))));
  if (focus) element.querySelector("input, select").focus();
}

function showContact(all) {
  const {
    first,
    state: { cart, contact },
  } = all;
  fill(
    first,
    $(
      "div.row.apart",
      title(1, "step-1", t("checkout.contact")),
      $(
        "button.link",
        { type: "button", "aria-label": t("checkout.changeContact"), onclick: () => editContact(all, true) },
        t("button.change"),
      ),
    ),
    $(
      "div.grid-2",
      $("div", $("p.small.soft", t("checkout.mailTo")), $("p", isSignedIn() ? person().email : contact.email)),
      $("div", $("p.small.soft", t("checkout.sendTo")), addressLines(cart.shippingAddress)),
    ),
  );
}

// ── How it is sent and paid ──────────────────────────────────────────────────────────────────────────────────────────

async function showChoices(all) {
  const { state, second, signal } = all;
  const { cart } = state;
  const afterDiscount = (minor(cart.amounts.items) - minor(cart.amounts.discount)) / 100;
  const { methods, currency } = await get("/shipping-methods", {
    query: { country: cart.shippingAddress.country, total: afterDiscount },
    signal,
  });
  const cheapest = [...methods].sort((a, b) => a.price - b.price)[0];
  const shipping =
    methods.length > 0 &&
    field({
      name: "",
      kind: "radio",
      label: t("checkout.shipping"),
      required: true,
      value: cart.shippingMethod ?? cheapest.id,
      options: methods.map(({ id, name, price }) => [
        id,
        name,
        minor(price) ? money(price, currency) : t("amounts.free"),
      ]),
    });
  shipping?.element?.addEventListener("change", async () => {
    await choose({ shippingMethod: shipping.value() });
    state.cart = await load();
    showSummary(all);
    button();
    say(t("checkout.totalNow", { total: money(state.cart.amounts.total, state.cart.currency) }));
  });
  const ways = [(isSignedIn() || settings.guestCash) && "cash_on_delivery", settings.cards && "card"].filter(Boolean);
  const isFree = minor(cart.amounts.total) === 0;
  const payment =
    !isFree &&
    field({
      name: "",
      kind: "radio",
      label: t("checkout.payment"),
      required: true,
      value: state.way ?? (ways.includes("card") ? "card" : ways[0]),
      options: ways.map(way => [way, t(`checkout.${way}`), $("span.below.small.soft", t(`checkout.${way}Text`))]),
    });
  const consent = field({
    name: "",
    kind: "checkbox",
    required: true,
    label: t("checkout.consent"),
    hint: $(
      "span",
      $("a", { href: link("/terms"), target: "_blank" }, t("text.terms")),
      " · ",
      $("a", { href: link("/withdrawal"), target: "_blank" }, t("text.withdrawal")),
      " · ",
      $("a", { href: link("/privacy"), target: "_blank" }, t("text.privacy")),
    ),
  });
  const told = $("div", { "aria-live": "polite" });
  const fields = [shipping, payment, consent].filter(Boolean);
  const nobody = !isFree && !ways.length;
  const element = form({
    fields,
    yes: t("checkout.order"),
    label: t("checkout.choices"),
    layout: () => [
      shipping && shipping.element,
      !shipping &&
        cart.problems.includes("shipping-not-available") &&
        notice("warn", $("p", problemText("shipping-not-available"))),
      payment && payment.element,
      nobody && notice("warn", $("p", t("checkout.noWay"))),
      consent.element,
      told,
    ],
    onsubmit: () => order(all, payment ? payment.value() : undefined, told, button),
  });
  function button() {
    element
      .querySelector("button[type=submit]")
      .replaceChildren(
        icon("lock"),
        t("checkout.orderFor", { total: money(state.cart.amounts.total, state.cart.currency) }),
      );
  }
  button();
  if (nobody) element.querySelector("button[type=submit]").disabled = true;
  fill(second, title(2, "step-2", t("checkout.choices")), element);
}

async function order(all, way, told, button) {
  const { state } = all;
  fill(told);
  const { cart, contact } = state;
  const body = {
    expectedTotal: cart.amounts.total,
    cartVersion: cart.version,
    ...(way && { paymentMethod: way }),
    ...(!isSignedIn() && { email: contact.email, fullName: contact.fullName }),
  };
  let placed;
  try {
    placed = await checkOut(body, state.key);
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.status !== 409) throw problem;
    // Nothing was ordered. What is so now is shown, and whoever still wants it presses again.
    state.key = newKey();
    state.way = way;
    const before = cart.amounts.total;
    state.cart = await load();
    if (!state.cart?.items.length) return go("/cart");
    showSummary(all);
    button();
    fill(told, explained(problem, state.cart, before));
    told.firstChild.scrollIntoView({ block: "center" });
    return;
  }
  if (placed.payment?.url && placed.payment.status !== "not-needed") return location.assign(placed.payment.url);
  sessionStorage.removeItem(DRAFT);
  return isSignedIn()
    ? go(`/orders/${placed.orderId}?placed=1`)
    : go(`/guest-orders/${placed.orderId}?placed=1#${placed.orderToken}`);
}

function explained(problem, cart, before) {
  const names = new Map(cart.items.map(item => [item.id, item]));
  const lines = (problem.body.lines ?? []).map(line => {
    const item = names.get(line.productId);
    if (!item) return null;
    return $(
      "li",
      $("b", { dir: "auto" }, item.productName),
      ": ",
      line.problem
        ? problemText(line.problem, line)
        : t("checkout.priceNow", {
            before: money(line.priceWhenAdded, cart.currency),
            now: money(line.productPrice, cart.currency),
          }),
    );
  });
  const isTotal =
    problem.code === "total-changed" ||
    (problem.code === "cart-changed" && minor(before) !== minor(cart.amounts.total));
  return notice(
    "warn",
    $("p", $("b", t("checkout.notYet"))),
    $(
      "p",
      isTotal
        ? t("checkout.totalChanged", {
            before: money(before, cart.currency),
            now: money(cart.amounts.total, cart.currency),
          })
        : explain(problem),
    ),
    lines.length > 0 && $("ul", lines),
    cart.canCheckOut
      ? $("p", t("checkout.pressAgain"))
      : $("p", $("a", { href: link("/cart") }, t("checkout.changeCart"))),
  );
}
