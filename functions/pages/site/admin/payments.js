// The attempts to pay an order, what was given back of each, and how more is.

import { $ } from "../common/dom.js";
import { get } from "../common/api.js";
import { field, group } from "../common/form.js";
import { money } from "../common/format.js";
import { notice, problemBox, table } from "../common/ui.js";
import { t } from "../common/words.js";
import { asking, change, done, facts, state, when } from "./kit.js";

const REASONS = ["requested_by_customer", "duplicate", "fraudulent"];

function refunding(order, payment) {
  const left = money(payment.refundable, payment.currency),
    isCash = payment.kind === "cash";
  // A sum or pieces that nobody named would be all of it.
  const isNothing = kind => kind === "lines" && !shipping.value() && !lines.some(([, one]) => one.value() > 0);
  const how = field({
    name: "how",
    check: kind => (isNothing(kind) ? t("admin.refund.nothing") : null),
    label: t("admin.refund.how"),
    kind: "radio",
    value: "all",
    required: true,
    options: [
      ["all", t("admin.refund.all", { left })],
      ["amount", t("admin.refund.some")],
      ["lines", t("admin.refund.lines")],
    ],
  });
  const amount = field({
    name: "amount",
    label: t("admin.refund.amount", { currency: payment.currency }),
    kind: "money",
    min: 0.01,
    max: payment.refundable,
    optional: false,
    check: value => (how.value() === "amount" && value === "" ? t("form.required") : null),
  });
  const lines = order.items
    .map(item => [item, item.quantity - (item.refundedQuantity ?? 0)])
    .filter(([, most]) => most > 0)
    .map(([item, most]) => [
      item,
      field({
        name: `line-${item.id}`,
        label: t("admin.refund.line", { name: item.productName, n: most }),
        kind: "number",
        min: 0,
        max: most,
        value: 0,
        optional: false,
      }),
    ]);
  const shipping = field({ name: "shipping", label: t("admin.refund.shipping"), kind: "checkbox" });
  const reason = field({
    name: "reason",
    label: t("admin.reason"),
    kind: "select",
    value: "requested_by_customer",
    optional: false,
    options: REASONS.map(reason => [reason, t(`admin.refundReason.${reason}`)]),
  });
  const outside = field({
    name: "outside",
    label: t("admin.refund.outside"),
    kind: "checkbox",
    value: isCash,
    hint: isCash && t("admin.refund.cash"),
  });
  const some = $("div", amount.element),
    pieces = group(
      t("admin.refund.lines"),
      lines.map(([, one]) => one),
      shipping,
    );
  const shown = () => {
    some.hidden = how.value() !== "amount";
    pieces.hidden = how.value() !== "lines";
  };
  how.element.addEventListener("change", shown);
  shown();
  const body = values => {
    const chosen = lines
      .map(([item]) => ({ id: item.id, quantity: values[`line-${item.id}`] || 0 }))
      .filter(({ quantity }) => quantity > 0);
    const what = {
      all: {},
      amount: { amount: values.amount },
      lines: { lines: chosen, shipping: values.shipping || null },
    }[values.how];
    return { ...what, reason: values.reason, outside: values.outside || null };
  };
  return asking(
    t("admin.refund"),
    {
      title: t("admin.refund.title", { number: order.number }),
      yes: t("admin.refund"),
      text: t("admin.refund.text", { left, name: order.buyer.fullName }),
      fields: [how, amount, ...lines.map(([, one]) => one), shipping, reason, outside],
      layout: () => [how.element, some, pieces, reason.element, outside.element],
      send: values => change("POST", `/payments/${payment.paymentId}/refund`, body(values)),
    },
    given => done(t("admin.refund.done", { amount: money(given.amount, payment.currency) })),
  );
}

function one(order, payment) {
  const price = amount => money(amount, payment.currency);
  const refunds = payment.refunds ?? [],
    disputes = payment.disputes ?? [],
    ledger = payment.ledger ?? [];
  return $(
    "article.stack",
    $(
      "div.head.minor",
      $("h3", t(`admin.payKind.${payment.kind}`), " ", price(payment.amount)),
      payment.refundable > 0 && $("div.buttons", refunding(order, payment)),
    ),
    payment.disputed && notice("warn", t("admin.disputed")),
    facts([
      [t("admin.status"), state("payment", payment.status)],
      [t("admin.begun"), when(payment.createdAt)],
      [t("admin.refunded"), payment.refunded > 0 && price(payment.refunded)],
      [t("admin.refundable"), payment.refundable > 0 && price(payment.refundable)],
    ]),
    refunds.length > 0 &&
      table({
        caption: t("admin.refunds"),
        rows: refunds,
        columns: [
          {
            title: t("admin.refund"),
            value: refund => $("span", price(refund.amount), refund.outside && $("span.beside", t("admin.outside"))),
            kind: "number",
          },
          { title: t("admin.status"), value: refund => state("refundStatus", refund.status) },
          { title: t("admin.reason"), value: refund => t(`admin.refundReason.${refund.reason}`) },
          { title: t("admin.at"), value: refund => when(refund.createdAt) },
        ],
      }),
    disputes.length > 0 &&
      table({
        caption: t("admin.disputes"),
        rows: disputes,
        columns: [
          { title: t("admin.dispute"), value: dispute => $("code", dispute.disputeId) },
          { title: t("admin.status"), value: dispute => state("dispute", dispute.status) },
          { title: t("admin.amount"), value: dispute => price(dispute.amount), kind: "number" },
          { title: t("admin.since"), value: dispute => when(dispute.since) },
        ],
      }),
    ledger.length > 0 &&
      $(
        "details",
        $("summary", t("admin.ledger")),
        table({
          caption: t("admin.ledger"),
          rows: ledger,
          columns: [
            { title: t("admin.fact"), value: entry => $("code", entry.fact) },
            {
              title: t("admin.amount"),
              value: entry => price(entry.direction === "out" ? -entry.amount : entry.amount),
              kind: "number",
            },
            { title: t("admin.at"), value: entry => when(entry.at) },
          ],
        }),
      ),
  );
}

// At most three attempts; each is asked for its refunds and its ledger.
export async function payments(order, attempts, signal) {
  if (!attempts.length) return $("p.soft", t(`admin.noPayments.${order.paymentMethod}`));
  const all = await Promise.all(
    attempts.map(attempt => get(`/payments/${attempt.paymentId}`, { signal }).catch(error => ({ error }))),
  );
  return all.map(payment => (payment.error ? problemBox(payment.error) : one(order, payment)));
}
