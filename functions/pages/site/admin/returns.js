// What people want to send back, and what becomes of it.

import { $ } from "../common/dom.js";
import { get } from "../common/api.js";
import { field } from "../common/form.js";
import { money } from "../common/format.js";
import { empty } from "../common/ui.js";
import { t } from "../common/words.js";
import { a, asking, change, done, facts, head, pager, state, when } from "./kit.js";

const decide = (one, body) => change("PUT", `/returns/${one.returnId}`, body);

function actions(one) {
  const named = { number: one.number };
  const refuse = asking(
    t("admin.refuseReturn"),
    {
      title: t("admin.refuseReturn.title", named),
      text: t("admin.refuseReturn.text"),
      yes: t("admin.refuseReturn"),
      fields: [field({ name: "reason", label: t("admin.reason"), kind: "textarea", required: true, maxLength: 500 })],
      send: ({ reason }) => decide(one, { status: "refused", reason }),
    },
    () => done(t("admin.refuseReturn.done", named)),
  );
  if (one.status === "requested") {
    return [
      asking(
        t("admin.acceptReturn"),
        {
          title: t("admin.acceptReturn.title", named),
          text: t("admin.acceptReturn.text"),
          yes: t("admin.acceptReturn"),
          danger: false,
          send: () => decide(one, { status: "accepted" }),
        },
        () => done(t("admin.acceptReturn.done", named)),
        "primary",
      ),
      refuse,
    ];
  }
  if (one.status !== "accepted") return [];
  return [
    asking(
      t("admin.receiveReturn"),
      {
        title: t("admin.receiveReturn.title", named),
        text: t("admin.receiveReturn.text"),
        yes: t("admin.receiveReturn"),
        fields: [
          field({ name: "restock", label: t("admin.restock"), kind: "checkbox", value: true }),
          field({ name: "shipping", label: t("admin.refund.shipping"), kind: "checkbox" }),
          field({
            name: "outside",
            label: t("admin.refund.outside"),
            kind: "checkbox",
            hint: t("admin.refund.outsideHint"),
          }),
        ],
        send: values => decide(one, { status: "received", ...values }),
      },
      () => done(t("admin.receiveReturn.done", named)),
      "primary",
    ),
    refuse,
  ];
}

export function returned(one, { currency, isInList = false } = {}) {
  return $(
    "li.card",
    $(
      "div.head.minor",
      $(
        isInList ? "h2" : "h3",
        isInList ? a(`/orders/${one.orderId}`, one.number) : when(one.createdAt),
        " ",
        state("return", one.status),
      ),
      $("div.buttons", actions(one)),
    ),
    $(
      "ul.plain",
      one.items.map(item => $("li", `${item.quantity} × ${item.productName}`)),
    ),
    facts([
      [t("admin.why"), one.reason],
      [t("admin.refusal"), one.refusal],
      isInList && [t("admin.askedAt"), when(one.createdAt)],
      [t("admin.changed"), one.updatedAt !== one.createdAt && when(one.updatedAt)],
      [
        t("admin.refunded"),
        one.refund && (currency ? money(one.refund.amount, currency) : one.refund.amount.toFixed(2)),
      ],
    ]),
  );
}

export async function returns({ query, signal }) {
  const asked = { cursor: query.get("cursor") };
  const page = await get("/admin/returns", { query: asked, signal });
  return {
    title: t("admin.returns"),
    element: $(
      "div",
      head(t("admin.returns")),
      $("p.lead", t("admin.returns.lead")),
      page.returns.length
        ? $(
            "ul.cards",
            page.returns.map(one => returned(one, { isInList: true })),
          )
        : empty(t("admin.noReturns")),
      pager("/returns", asked, page.nextCursor),
    ),
  };
}
