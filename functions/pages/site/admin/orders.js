// All orders, and one with all that is known of it.

import { $ } from "../common/dom.js";
import { get } from "../common/api.js";
import { country, money, percent } from "../common/format.js";
import { field } from "../common/form.js";
import { notice, problemBox, section, table } from "../common/ui.js";
import { reload } from "../common/router.js";
import { has, t } from "../common/words.js";
import { a, asking, away, change, done, facts, filter, head, pager, state, when } from "./kit.js";
import { returned } from "./returns.js";
import { payments } from "./payments.js";

const STATUSES = ["awaiting_payment", "pending", "shipping", "delivered", "cancelled"];

export async function orders({ query, signal }) {
  const asked = Object.fromEntries(["status", "number", "cursor"].map(name => [name, query.get(name)]));
  const fields = [
    field({
      name: "number",
      label: t("admin.orderNumber"),
      kind: "search",
      value: asked.number,
      optional: false,
      autocomplete: "off",
      placeholder: "C-XXXX-XXXX",
    }),
    field({
      name: "status",
      label: t("admin.status"),
      kind: "select",
      value: asked.status,
      optional: false,
      options: [["", t("admin.any")], ...STATUSES.map(status => [status, t(`admin.order.${status}`)])],
    }),
  ];
  // A number that is none is told beside its field, and the list stays away.
  let page = { orders: [], nextCursor: null },
    problem;
  try {
    page = await get("/admin/orders", { query: asked, signal });
  } catch (error) {
    if (error.status !== 422) throw error;
    for (const { field: name, detail } of error.errors)
      fields.find(one => one.name === name)?.fail(`${detail.charAt(0).toUpperCase()}${detail.slice(1)}`);
    if (!error.errors.some(({ field: name }) => fields.some(one => one.name === name))) problem = error;
  }
  return {
    title: t("admin.orders"),
    element: $(
      "div",
      head(t("admin.orders")),
      filter("/orders", fields),
      problem && problemBox(problem),
      table({
        caption: t("admin.orders"),
        rows: page.orders,
        empty: page.nextCursor ? t("admin.emptyPage") : t("admin.noSuchOrders"),
        columns: [
          { title: t("admin.order"), value: order => a(`/orders/${order.orderId}`, $("span.nowrap", order.number)) },
          { title: t("admin.status"), value: order => state("order", order.status) },
          {
            title: t("admin.buyer"),
            value: order => $("span", order.buyer.fullName, $("span.beside", order.buyer.email)),
          },
          { title: t("admin.total"), value: order => money(order.total, order.currency), kind: "number" },
          { title: t("admin.placed"), value: order => when(order.createdAt) },
        ],
      }),
      pager("/orders", asked, page.nextCursor),
    ),
  };
}

// ── One order ────────────────────────────────────────────────────────────────────────────────────────────────────────

const pathOf = order => `/orders/${order.orderId}/status`;

function sending(order) {
  const fields = [
    field({ name: "carrier", label: t("admin.carrier"), maxLength: 100 }),
    field({ name: "trackingNumber", label: t("admin.trackingNumber"), maxLength: 60, autocomplete: "off" }),
    field({
      name: "trackingUrl",
      label: t("admin.trackingUrl"),
      kind: "url",
      maxLength: 500,
      hint: t("admin.trackingUrl.hint"),
    }),
  ];
  return asking(
    t("admin.markSent"),
    {
      title: t("admin.markSent.title", order),
      text: t("admin.markSent.text"),
      yes: t("admin.markSent"),
      danger: false,
      fields,
      send: ({ carrier, trackingNumber, trackingUrl }) =>
        change("PUT", pathOf(order), {
          status: "shipped",
          carrier: carrier || null,
          trackingNumber: trackingNumber || null,
          trackingUrl: trackingUrl || null,
        }),
    },
    () => done(t("admin.markSent.done", order)),
    "primary",
  );
}

const arriving = order =>
  asking(
    t("admin.markArrived"),
    {
      title: t("admin.markArrived.title", order),
      yes: t("admin.markArrived"),
      danger: false,
      text: [t("admin.markArrived.text"), order.paymentMethod === "cash_on_delivery" && t("admin.markArrived.cash")],
      send: () => change("PUT", pathOf(order), { status: "delivered" }),
    },
    () => done(t("admin.markArrived.done", order)),
    "primary",
  );

const cancelling = order =>
  asking(
    t("admin.cancelOrder"),
    {
      title: t("admin.cancelOrder.title", order),
      yes: t("admin.cancelOrder"),
      text: [
        t("admin.cancelOrder.text", { total: money(order.total, order.currency), name: order.buyer.fullName }),
        order.paymentStatus === "paid" && t("admin.cancelOrder.paid"),
      ],
      send: () => change("POST", `/admin/orders/${order.orderId}/cancel`),
    },
    () => done(t("admin.cancelOrder.done", order)),
  );

// Whose parcel it is: an order says no names of its sellers, so these are asked for.
async function refusing(order, signal) {
  const fields = [
    field({ name: "reason", label: t("admin.reason"), required: true, maxLength: 500, hint: t("admin.refuse.hint") }),
  ];
  if (order.sellers.length > 1) {
    const people = await Promise.all(
      order.sellers.map(id =>
        get(`/users/${encodeURIComponent(id)}`, { signal }).catch(() => ({ userId: id, fullName: id })),
      ),
    );
    fields.unshift(
      field({
        name: "sellerId",
        label: t("admin.whoseParcel"),
        kind: "select",
        required: true,
        options: people.map(person => [person.userId, person.fullName]),
        value: people[0].userId,
      }),
    );
  }
  return asking(
    t("admin.refuse"),
    {
      title: t("admin.refuse.title", order),
      text: t("admin.refuse.text"),
      yes: t("admin.refuse"),
      fields,
      send: ({ reason, sellerId = order.sellers[0] }) =>
        change("PUT", `/seller/orders/${order.orderId}/status`, { status: "refused", reason, sellerId }),
    },
    () => done(t("admin.refuse.done", order)),
  );
}

const isToSend = order =>
  order.parcels ? order.parcels.some(parcel => parcel.status === "to_send") : order.status === "pending";

const address = to =>
  to &&
  $(
    "address",
    [
      to.name,
      to.line1,
      to.line2,
      [to.postalCode, to.city].filter(Boolean).join(" "),
      to.region,
      country(to.country),
      to.phone,
    ]
      .filter(Boolean)
      .flatMap(line => [line, $("br")]),
  );

function items(order) {
  const price = amount => money(amount, order.currency),
    { amounts } = order;
  const sums = [
    [t("admin.itemsSum"), amounts.items],
    amounts.discount && [[t("admin.discount"), order.couponCode && ` ${order.couponCode}`], -amounts.discount],
    [[t("admin.shipping"), order.shippingMethod && ` ${order.shippingMethod}`], amounts.shipping],
    amounts.tax && [t("admin.tax"), amounts.tax],
    amounts.taxIncluded && [t("admin.taxIncluded"), amounts.taxIncluded],
  ];
  const back = item =>
    [
      item.refundedQuantity && t("admin.refundedPieces", { n: item.refundedQuantity }),
      item.returnedQuantity && t("admin.returnedPieces", { n: item.returnedQuantity }),
    ]
      .filter(Boolean)
      .join(", ");
  return [
    table({
      caption: t("admin.items"),
      rows: order.items,
      columns: [
        {
          title: t("admin.product"),
          value: item =>
            $("span", a(`/products/${item.id}`, item.productName), back(item) && $("span.beside", back(item))),
        },
        { title: t("admin.pieces"), value: item => item.quantity, kind: "number" },
        { title: t("admin.price"), value: item => price(item.productPrice), kind: "number" },
        {
          title: t("admin.tax"),
          value: item => (item.tax ? $("span", price(item.tax), $("span.beside", percent(item.taxRate))) : "–"),
          kind: "number",
        },
        { title: t("admin.total"), value: item => price(item.total), kind: "number" },
      ],
    }),
    $(
      "dl.sums",
      sums.filter(Boolean).map(([name, amount]) => $("div", $("dt", name), $("dd", price(amount)))),
      $("div.total", $("dt", t("admin.total")), $("dd", price(order.total))),
    ),
  ];
}

const shipment = ({ carrier, trackingNumber, trackingUrl } = {}) => [
  carrier,
  " ",
  trackingUrl ? away(trackingUrl, trackingNumber ?? t("admin.track")) : trackingNumber,
];

function parcels(order) {
  const named = id => order.items.find(item => item.id === id)?.productName ?? id;
  const all =
    order.parcels ??
    (order.shipment
      ? [{ status: order.status, items: order.items.map(item => item.id), shipment: order.shipment }]
      : []);
  return (
    all.length > 0 &&
    section(
      t("admin.parcels"),
      $(
        "ul.plain",
        all.map(parcel =>
          $(
            "li",
            state("parcel", parcel.status),
            " ",
            parcel.items.map(named).join(", "),
            $("span.beside", shipment(parcel.shipment), parcel.reason),
          ),
        ),
      ),
    )
  );
}

// Ids of guests are no ids of people.
const isPerson = id => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id ?? "");
const BY = ["buyer", "seller", "admin", "shop"];

function history(order) {
  const by = ({ by, userId }) => {
    const words = t(BY.includes(by) ? `admin.by.${by}` : "admin.by.shop");
    return by !== "shop" && isPerson(userId) ? a(`/people/${userId}`, words) : words;
  };
  const step = entry =>
    $(
      "li",
      when(entry.at),
      " ",
      state("order", entry.status),
      " ",
      by(entry),
      entry.reason && $("span.beside", entry.reason),
    );
  return section(t("admin.history"), $("ol.steps", order.history.map(step)));
}

const kindOf = (what, kind) => (has(`admin.${what}.${kind}`) ? t(`admin.${what}.${kind}`) : kind);

function told(order) {
  const events = $(
    "ol.steps",
    order.events.map(event => $("li", when(event.at), " ", $("code", event.kind))),
  );
  const emails = order.emails.length
    ? $(
        "ol.steps",
        order.emails.map(email =>
          $(
            "li",
            email.sentAt && when(email.sentAt),
            " ",
            kindOf("letter", email.kind),
            " ",
            state("sending", email.status),
          ),
        ),
      )
    : $("p.soft", t("admin.noEmails"));
  return [section(t("admin.emails"), emails), section(t("admin.events"), events)];
}

export async function order({ params, signal }) {
  const path = `/orders/${encodeURIComponent(params.id)}`,
    later = what => what.catch(error => ({ error }));
  const [order, paid, back] = await Promise.all([
    get(`/admin${path}`, { signal }),
    later(get(`/payments/order/${encodeURIComponent(params.id)}`, { signal })),
    later(get(`${path}/returns`, { signal })),
  ]);
  const isOpen = order.status === "pending" || order.status === "awaiting_payment";
  const actions = [
    order.status === "pending" && sending(order),
    order.status === "shipping" && arriving(order),
    isToSend(order) && (await refusing(order, signal)),
    isOpen && cancelling(order),
  ];
  const name = isPerson(order.buyer.userId)
    ? a(`/people/${order.buyer.userId}`, order.buyer.fullName)
    : order.buyer.fullName;
  return {
    title: order.number,
    element: $(
      "div.order",
      $("p.back", a("/orders", t("admin.orders"))),
      head(order.number, actions),
      order.paymentStatus === "charged_back" && notice("bad", t("admin.chargedBack")),
      $(
        "div.card.across",
        facts([
          [t("admin.status"), state("order", order.status)],
          [t("admin.payment"), [t(`admin.method.${order.paymentMethod}`), " ", state("paid", order.paymentStatus)]],
          [t("admin.placed"), when(order.createdAt)],
          [t("admin.changed"), when(order.updatedAt)],
          [t("admin.buyer"), [name, $("span.beside", order.buyer.email)]],
          [t("admin.sendTo"), address(order.shippingAddress)],
        ]),
      ),
      $(
        "div.two-sides",
        $(
          "div.stack.wide",
          section(t("admin.items"), items(order)),
          parcels(order),
          section(
            t("admin.payments"),
            paid.error ? problemBox(paid.error, reload) : await payments(order, paid.payments, signal),
          ),
          back.error
            ? section(t("admin.returns"), problemBox(back.error, reload))
            : back.returns.length > 0 &&
                section(
                  t("admin.returns"),
                  $(
                    "ul.cards",
                    back.returns.map(one => returned(one, { currency: order.currency })),
                  ),
                ),
        ),
        $("div.stack.wide", history(order), told(order)),
      ),
    ),
  };
}
