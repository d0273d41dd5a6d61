// Orders of the account, and one order: that of the account, or a guest's by its link. Whoever has paid comes back to
// the same page.

import { $, busyWhile, fill, icon, on } from "../common/dom.js";
import { get, isAborted, newKey, pages, send } from "../common/api.js";
import { field, form } from "../common/form.js";
import { date, dateTime, minor, money } from "../common/format.js";
import { go, link } from "../common/router.js";
import { isSignedIn } from "../common/session.js";
import { ask, badge, explain, more, notice, say, table, toast } from "../common/ui.js";
import { t } from "../common/words.js";
import { forgetOrderToken, keepOrderToken, load, orderToken } from "./basket.js";
import { changes as told } from "./live.js";
import { addressLines } from "./address.js";
import { amounts, crumbs, page, signInFirst } from "./parts.js";
import { settings } from "./settings.js";

const KIND = { delivered: "good", shipping: "info", pending: "info", awaiting_payment: "warn", cancelled: "bad" };
export const statusBadge = status => badge(KIND[status] ?? "", t(`order.${status}`));

export async function orders({ signal, path }) {
  if (!isSignedIn()) return signInFirst(path);
  const list = $("ul.order-cards");
  const element = more(pages("/orders", "orders", { query: { limit: 20 }, signal }), items => items.map(orderCard), {
    into: list,
    empty: $(
      "div.empty",
      icon("box"),
      $("p", t("orders.none")),
      $("a.primary", { href: link("/search?sort=newest") }, t("home.look")),
    ),
    signal,
  });
  await element.ready;
  return { title: t("orders.title"), element: page(t("orders.title"), element) };
}

function orderCard(order) {
  const names = order.items.map(item => `${item.quantity} × ${item.productName}`);
  return $(
    "li",
    $(
      "a.order-card",
      { href: link(`/orders/${order.orderId}`) },
      $("span.row.apart", $("b.code", order.number), statusBadge(order.status)),
      $("span.clamp", { dir: "auto" }, names.join(", ")),
      $("span.row.apart.soft.small", date(order.createdAt), $("b.number", money(order.total, order.currency))),
    ),
  );
}

// ── One order ────────────────────────────────────────────────────────────────────────────────────────────────────────

// How an order is asked for: by who is signed in, or by what opens a guest's.
function ways(id, token) {
  if (!token)
    return { read: `/orders/${id}`, act: `/orders/${id}`, headers: {}, refresh: `/payments/`, pay: `/payments/${id}` };
  return {
    read: `/guest-orders/${id}`,
    act: `/guest-orders/${id}`,
    headers: { "Order-Token": token },
    pay: `/guest-orders/${id}/payments`,
  };
}

export async function order({ params, query, signal, path }) {
  if (!isSignedIn()) return signInFirst(`${path}?${query}`);
  return shown(params.id, null, query, signal);
}

export async function guestOrder({ params, query, signal }) {
  const token = location.hash.slice(1) || orderToken(params.id);
  if (!token) return findOrder({ note: t("guest.noToken") });
  keepOrderToken(params.id, token);
  try {
    return await shown(params.id, token, query, signal);
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    forgetOrderToken(params.id);
    return findOrder({ note: t("guest.gone") });
  }
}

async function shown(id, token, query, signal) {
  const by = ways(id, token);
  const place = $("div.stack"),
    news = $("div", { role: "status" });
  const read = () => get(by.read, { headers: by.headers, signal });
  let last = await read();
  // Drawn anew only when something is new: whoever is at a button stays there.
  const again = async () => {
    const before = JSON.stringify(last);
    last = await read();
    if (JSON.stringify(last) !== before) draw();
    return last;
  };
  const draw = () => fill(place, body(last, by, token, again, signal));
  draw();
  if (query.get("placed")) fill(news, notice("good", $("p", $("b", t("order.thanks"))), $("p", t("order.thanksText"))));
  const payment = query.get("payment");
  if (payment) cameBack(payment, query.get("paid") === "no", by, token, news, again, signal);
  follow(() => last, again, signal);
  on(told, "told", ({ detail }) => detail.subject === id && again().catch(() => {}), signal);
  load().catch(() => {});
  return {
    title: t("order.titled", { number: last.number }),
    element: $(
      "div.wrap.view",
      $("p.print-only", settings.name),
      crumbs([[t("crumbs.shop"), "/"], ...(token ? [] : [[t("orders.title"), "/orders"]]), [last.number]]),
      $(
        "div.row.apart",
        $("h1", t("order.titled", { number: last.number })),
        $("button.secondary.compact.no-print", { type: "button", onclick: () => print() }, t("order.receipt")),
      ),
      news,
      place,
    ),
  };
}

const pause = (seconds, signal) =>
  new Promise((done, ended) => {
    const timer = setTimeout(done, seconds * 1000);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        ended(signal.reason);
      },
      { once: true },
    );
  });

// The provider is asked once a second, five times at most; then it comes by email.
async function cameBack(payment, isUnpaid, by, token, news, again, signal) {
  const path = token ? `${by.act}/refresh` : `/payments/${payment}/refresh`;
  try {
    if (!isUnpaid) fill(news, notice("info", $("p", t("payment.asking"))));
    for (let tried = 1; tried <= 5; tried++) {
      const { paymentStatus } = await send("POST", path, undefined, { headers: by.headers, signal, tries: 1 });
      if (["paid", "processing", "partially_refunded", "refunded"].includes(paymentStatus)) {
        fill(
          news,
          notice(
            "good",
            $("p", $("b", t(paymentStatus === "processing" ? "payment.onItsWay" : "payment.thanks"))),
            $("p", t("order.thanksText")),
          ),
        );
        return void (await again());
      }
      if (isUnpaid) return void fill(news, notice("warn", $("p", t("payment.notPaid"))));
      await pause(1, signal);
    }
    fill(news, notice("info", $("p", t("payment.later"))));
    await again();
  } catch (problem) {
    if (!isAborted(problem)) fill(news, notice("info", $("p", t("payment.later"))));
  }
}

// As long as something is about to happen the order is looked at again, seldom once it was looked at for long.
async function follow(last, again, signal) {
  try {
    for (let looked = 0; !signal.aborted; looked++) {
      await pause(looked < 12 ? 5 : 30, signal);
      const before = last();
      if (
        ["delivered", "cancelled"].includes(before.status) ||
        document.hidden ||
        document.querySelector("dialog[open]")
      )
        continue;
      const after = await again().catch(problem => {
        if (isAborted(problem)) throw problem;
        return before;
      });
      if (after.status !== before.status) say(t("order.now", { status: t(`order.${after.status}`) }));
    }
  } catch {
    /* Another view is shown. */
  }
}

function body(order, by, token, again, signal) {
  const canCancel = ["awaiting_payment", "pending"].includes(order.status);
  const canPay =
    order.status === "awaiting_payment" && ["unpaid", "void"].includes(order.paymentStatus) && settings.cards;
  const canReturn = ["shipping", "delivered"].includes(order.status);
  return [
    steps(order),
    canPay &&
      notice(
        "warn",
        $("p", t("order.unpaid")),
        $(
          "p",
          button("primary", t("order.pay"), () => pay(by)),
        ),
      ),
    $(
      "div.split",
      $(
        "div.stack",
        $("section.card", { "aria-labelledby": "lines" }, $("h2", { id: "lines" }, t("order.items")), lines(order)),
        parcels(order),
        returns(order, by, signal),
      ),
      $(
        "aside.stack",
        $(
          "section.card",
          $("h2", t("cart.summary")),
          amounts(order.amounts && { ...order.amounts, total: order.total }, order.currency, {
            couponCode: order.couponCode,
          }),
          $(
            "dl.facts.small",
            $("dt", t("order.placed")),
            $("dd", dateTime(order.createdAt)),
            $("dt", t("order.payment")),
            $(
              "dd",
              t(`method.${order.paymentMethod}`),
              order.paymentMethod !== "none" && [", ", t(`payment.${order.paymentStatus}`)],
            ),
          ),
          $(
            "div.stack.tight.no-print",
            canCancel && button("secondary", t("order.cancel"), () => cancel(order, by, again)),
            canReturn && button("secondary", t("order.return"), () => sendBack(order, by, again)),
            token && isSignedIn() && button("secondary", t("guest.claim"), () => claim(order, token)),
          ),
        ),
        order.shippingAddress && $("section.card", $("h2", t("checkout.sendTo")), addressLines(order.shippingAddress)),
      ),
    ),
  ];
}

const button = (kind, words, task) =>
  $(
    `button.${kind}`,
    {
      type: "button",
      onclick: event =>
        busyWhile(event.currentTarget, async () => {
          try {
            await task();
          } catch (problem) {
            toast(explain(problem), { kind: "bad" });
          }
        }),
    },
    words,
  );

const STEPS = ["pending", "shipping", "delivered"];
function steps(order) {
  if (order.status === "cancelled") {
    const { at, reason } = order.history.findLast(entry => entry.status === "cancelled") ?? {};
    return notice(
      "bad",
      $("p", $("b", t("order.cancelled")), at && `, ${dateTime(at)}`),
      reason && $("p", { dir: "auto" }, reason),
    );
  }
  const at = STEPS.indexOf(order.status);
  const when = status => order.history.find(entry => entry.status === status)?.at;
  return $(
    "ol.steps",
    { "aria-label": t("order.progress") },
    STEPS.map((status, index) =>
      $(
        `li.step-of${index <= at ? ".done" : ""}`,
        { "aria-current": index === at ? "step" : null },
        $("span.step-dot", icon(["box", "truck", "check"][index])),
        $("span", t(`order.${status}`)),
        index <= at && when(status) && $("span.small.soft", date(when(status))),
      ),
    ),
  );
}

function lines(order) {
  return table({
    caption: t("order.items"),
    rows: order.items,
    columns: [
      {
        title: t("order.product"),
        value: item => $("a", { href: link(`/products/${item.id}`), dir: "auto" }, item.productName),
      },
      { title: t("order.price"), kind: "number", value: item => money(item.productPrice, order.currency) },
      {
        title: t("quantity"),
        kind: "number",
        value: item => [
          item.quantity,
          item.refundedQuantity > 0 && $("div.small.soft", t("order.refunded", { n: item.refundedQuantity })),
        ],
      },
      {
        title: t("amounts.tax"),
        kind: "number",
        value: item =>
          minor(item.tax)
            ? $(
                "span",
                money(item.tax, order.currency),
                item.taxRate > 0 && $("span.soft.small", ` (${item.taxRate} %)`),
              )
            : "–",
      },
      { title: t("amounts.total"), kind: "number", value: item => $("b", money(item.total, order.currency)) },
    ],
  });
}

const tracking = shipment =>
  shipment &&
  $(
    "p",
    [shipment.carrier, shipment.trackingNumber].filter(Boolean).join(" "),
    " ",
    shipment.trackingUrl &&
      $("a", { href: shipment.trackingUrl, rel: "noreferrer", target: "_blank" }, t("order.track")),
  );

function parcels(order) {
  const names = new Map(order.items.map(item => [item.id, `${item.quantity} × ${item.productName}`]));
  const all =
    order.parcels ??
    (order.shipment ? [{ status: "shipped", items: order.items.map(item => item.id), shipment: order.shipment }] : []);
  if (!all.length) return null;
  return $(
    "section.card",
    $("h2", t("order.parcels", { n: all.length })),
    $(
      "ul.parcels",
      all.map((parcel, at) =>
        $(
          "li",
          $(
            "div.row.apart",
            $("b", t("order.parcel", { n: at + 1 })),
            badge(
              parcel.status === "refused" ? "bad" : parcel.status === "to_send" ? "" : "good",
              t(`parcel.${parcel.status}`),
            ),
          ),
          $("p.small", { dir: "auto" }, parcel.items.map(id => names.get(id)).join(", ")),
          tracking(parcel.shipment),
          parcel.reason && $("p.small.soft", { dir: "auto" }, parcel.reason),
        ),
      ),
    ),
  );
}

function returns(order, by, signal) {
  if (!order.items.some(item => item.returnedQuantity)) return null;
  const list = $("ul.parcels");
  return $(
    "section.card",
    $("h2", t("order.returns")),
    more(
      pages(`${by.act}/returns`, "returns", { headers: by.headers, signal }),
      items =>
        items.map(one =>
          $(
            "li",
            $(
              "div.row.apart",
              $("b", date(one.createdAt)),
              badge(one.status === "refused" ? "bad" : "info", t(`return.${one.status}`)),
            ),
            $("p.small", { dir: "auto" }, one.items.map(item => `${item.quantity} × ${item.productName}`).join(", ")),
            one.refund && $("p.small", t("order.backTo", { amount: money(one.refund.amount, order.currency) })),
            one.refusal && $("p.small.soft", { dir: "auto" }, one.refusal),
          ),
        ),
      { into: list, empty: t("order.noReturns"), signal },
    ),
  );
}

async function pay(by) {
  const { url } = await send("POST", by.pay, {}, { headers: by.headers });
  location.assign(url);
}

async function cancel(order, by, again) {
  const isPaid = ["paid", "processing"].includes(order.paymentStatus);
  if (
    !(await ask({
      title: t("order.cancelTitle"),
      text: t(isPaid ? "order.cancelPaid" : "order.cancelText"),
      yes: t("order.cancel"),
      no: t("order.keep"),
      danger: true,
    }))
  )
    return;
  await send("POST", `${by.act}/cancel`, undefined, { headers: by.headers, tries: 3 });
  await again();
  toast(t("order.isCancelled"));
}

function sendBack(order, by, again) {
  const left = order.items.filter(item => item.quantity > (item.returnedQuantity ?? 0));
  if (!left.length) return toast(t("order.nothingLeft"), { kind: "bad" });
  const key = newKey();
  const fields = left.map(item =>
    field({
      name: item.id,
      kind: "select",
      label: item.productName,
      value: "0",
      optional: false,
      options: Array.from({ length: item.quantity - (item.returnedQuantity ?? 0) + 1 }, (_, n) => [
        String(n),
        String(n),
      ]),
    }),
  );
  const reason = field({ name: "reason", label: t("order.returnReason"), maxLength: 500 });
  const element = form({
    fields: [...fields, reason],
    yes: t("order.returnAsk"),
    no: [t("button.cancel"), () => dialog.close()],
    onsubmit: async () => {
      const items = fields
        .filter(one => one.value() !== "0")
        .map(one => ({ id: one.name, quantity: Number(one.value()) }));
      if (!items.length) return fields[0].fail(t("order.returnNone"));
      await send(
        "POST",
        `${by.act}/returns`,
        { items, ...(reason.value() && { reason: reason.value() }) },
        { headers: by.headers, key },
      );
      dialog.close();
      toast(t("order.returnAsked"));
      await again();
    },
  });
  const dialog = $(
    "dialog.dialog",
    { "aria-label": t("order.return"), onclose: () => dialog.remove() },
    $("h2", t("order.return")),
    $("p.soft", t("order.returnText")),
    element,
  );
  document.body.append(dialog);
  dialog.showModal();
}

async function claim(order, token) {
  await send("POST", "/orders/claim", { orderId: order.orderId, orderToken: token }, { tries: 3 });
  forgetOrderToken(order.orderId);
  toast(t("guest.claimed"));
  return go(`/orders/${order.orderId}`, { replace: true });
}

// ── A guest who has lost the link ────────────────────────────────────────────────────────────────────────────────────

export function findOrder({ note } = {}) {
  const place = $("div.narrow.stack");
  const email = field({
    name: "email",
    kind: "email",
    label: t("sign.email"),
    autocomplete: "email",
    required: true,
    maxLength: 254,
  });
  const element = form({
    fields: [email],
    yes: t("guest.mail"),
    onsubmit: async values => {
      await send("POST", "/guest-orders/links", values, { tries: 2 });
      fill(place, notice("good", $("p", t("guest.mailed", { email: values.email }))));
    },
  });
  fill(place, note && notice("warn", $("p", note)), $("p.soft", t("guest.lost")), element);
  return { title: t("guest.title"), element: page(t("guest.title"), place) };
}
