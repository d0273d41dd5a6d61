// What waits, first what somebody waits for; then the latest orders; then how business goes.

import { $, icon } from "../common/dom.js";
import { get } from "../common/api.js";
import { ago, money, number, percent } from "../common/format.js";
import { problemBox, section, table } from "../common/ui.js";
import { reload } from "../common/router.js";
import { t } from "../common/words.js";
import { settings } from "../shop/settings.js";
import { a, act, head, state, thumb, to, when } from "./kit.js";
import { chart } from "./chart.js";

const HOUR = 3_600_000,
  DAY = 24 * HOUR;
// An order that nobody has sent for so long is late.
const LATE = 2 * DAY;
// An index that is so many seconds behind shows people what is no longer so.
const SLOW_SEARCH = 60;
const MOST = 100;

export async function home({ signal }) {
  const read = (path, query) => get(path, { query, signal });
  const [overview, pending, latest, open, returns, webhooks] = await Promise.allSettled([
    read("/admin/overview"),
    read("/products/pending", { limit: 4 }),
    read("/admin/orders", { limit: MOST }),
    read("/admin/orders", { status: "pending", limit: MOST }),
    read("/admin/returns", { limit: MOST }),
    read("/webhooks"),
  ]);
  if (overview.status === "rejected") throw overview.reason;
  const failed = [pending, latest, open, returns, webhooks].find(({ status }) => status === "rejected");
  const shop = overview.value,
    orders = latest.value?.orders ?? [];
  const waiting = waits(shop, pending.value, open.value, returns.value, webhooks.value);
  return {
    title: t("admin.home"),
    element: $(
      "div.home",
      head(
        t("admin.home"),
        act(t("admin.refresh"), () => reload()),
      ),
      failed && problemBox(failed.reason, reload),
      queue(waiting),
      section(
        t("admin.latestOrders"),
        table({
          caption: t("admin.latestOrders"),
          rows: orders.slice(0, 8),
          empty: t("admin.noOrders"),
          columns: [
            { title: t("admin.order"), value: order => a(`/orders/${order.orderId}`, $("span.nowrap", order.number)) },
            { title: t("admin.status"), value: order => state("order", order.status) },
            { title: t("admin.buyer"), value: order => order.buyer.fullName },
            { title: t("admin.total"), value: order => money(order.total, order.currency), kind: "number" },
            { title: t("admin.placed"), value: order => when(order.createdAt) },
          ],
        }),
        orders.length > 8 && $("p.after", a("/orders", t("admin.allOrders"))),
      ),
      section(t("admin.business"), business(shop, latest.value)),
    ),
  };
}

// ── What waits ───────────────────────────────────────────────────────────────────────────────────────────────────────

const count = (items, cursor) => `${number(items.length)}${cursor ? "+" : ""}`;

// Each has what there is to do, how many of it, and where; what is nothing is named at the end.
function waits(shop, pending, open, returns, webhooks) {
  const late = open?.orders.filter(order => Date.now() - Date.parse(order.createdAt) > LATE) ?? [];
  const oldest = open && !open.nextCursor && open.orders.at(-1);
  const asked = returns?.returns.filter(one => one.status === "requested") ?? [];
  const onTheWay = returns?.returns.filter(one => one.status === "accepted") ?? [];
  const stopped = webhooks?.webhooks.filter(one => !one.isActive && one.offBecause !== "by_admin") ?? [];
  const depth = name => shop.queues.find(queue => queue.name === name)?.waiting ?? 0;
  const lag = shop.search?.lagSeconds ?? 0;
  return [
    {
      name: "approve",
      n: shop.toApprove,
      path: to("/products"),
      does: t("admin.decide"),
      pictures: pending?.products.map(
        product => product.waitingPicture ?? product.pictures?.[0]?.waitingPicture ?? product,
      ),
    },
    {
      name: "send",
      n: shop.toSend,
      path: to("/orders", { status: "pending" }),
      does: t("admin.look"),
      isBad: late.length > 0,
      text: [
        late.length &&
          t("admin.waits.late", {
            n: late.length,
            late: count(late, open.nextCursor && late.length === open.orders.length),
          }),
        oldest && t("admin.waits.oldest", { ago: ago(oldest.createdAt) }),
      ]
        .filter(Boolean)
        .join(" "),
    },
    {
      name: "returns",
      n: asked.length,
      count: count(asked, returns?.nextCursor),
      path: to("/returns"),
      does: t("admin.decide"),
    },
    {
      name: "arriving",
      n: onTheWay.length,
      count: count(onTheWay, returns?.nextCursor),
      path: to("/returns"),
      does: t("admin.look"),
    },
    { name: "webhooks", n: stopped.length, path: to("/webhooks"), does: t("admin.look"), isBad: true },
    { name: "lowStock", n: shop.lowStock, path: to("/products", { list: "sale" }), does: t("admin.look") },
    { name: "orderQueue", n: depth("orders"), path: to("/orders", { status: "pending" }), does: t("admin.look") },
    { name: "emailQueue", n: depth("emails") },
    {
      name: "search",
      n: lag > SLOW_SEARCH ? lag : 0,
      path: to("/products", { list: "sale" }),
      does: t("admin.look"),
      isBad: true,
      text:
        shop.search &&
        t("admin.waits.searchOf", {
          n: shop.search.products,
          products: number(shop.search.products),
          ago: ago(shop.search.updatedAt),
        }),
    },
  ];
}

function queue(all) {
  const there = all.filter(({ n }) => n > 0),
    none = all.filter(({ n }) => !n);
  const entry = ({ name, n, count = number(n), path, does, text, pictures, isBad }) =>
    $(
      `li.waits${isBad ? ".urgent" : ""}`,
      $("span.count", count),
      $(
        "div.what",
        $("strong", t(`admin.waits.${name}`, { n })),
        $("p", text || t(`admin.waits.${name}.why`)),
        pictures?.length > 0 &&
          $(
            "div.thumbs",
            pictures.map(picture => thumb(picture)),
          ),
      ),
      path && $("a.primary.compact", { href: path, "aria-label": `${does}: ${t(`admin.waits.${name}`, { n })}` }, does),
    );
  const list = there.length
    ? $("ul.queue", there.map(entry))
    : $("div.all-done", icon("check"), $("p", $("strong", t("admin.nothingWaits")), " ", t("admin.nothingWaits.why")));
  return $(
    "section",
    { "aria-label": t("admin.queue") },
    list,
    none.length > 0 &&
      $("p.small.none", t("admin.none"), " ", none.map(({ name }) => t(`admin.waits.${name}.none`)).join(" · ")),
  );
}

// ── How business goes ────────────────────────────────────────────────────────────────────────────────────────────────

const dayOf = time => time.slice(0, 10);
const daysAgo = days => dayOf(new Date(Date.now() - days * DAY).toISOString());

// The latest orders by days of UTC, as far back as all orders of a day are among them, and 30 days at most.
function byDay({ orders, nextCursor }) {
  const oldest = orders.at(-1);
  const whole = !nextCursor
    ? 30
    : Math.min(
        30,
        Math.floor((Date.parse(`${daysAgo(0)}T00:00:00Z`) - Date.parse(`${dayOf(oldest.createdAt)}T00:00:00Z`)) / DAY),
      );
  const counted = orders.filter(order => order.status !== "awaiting_payment" && order.status !== "cancelled");
  return Array.from({ length: whole }, (_, at) => {
    const day = daysAgo(whole - 1 - at),
      its = counted.filter(order => dayOf(order.createdAt) === day);
    const cents = its.reduce((sum, order) => sum + Math.round(order.total * 100), 0);
    return { day, value: its.length, revenue: cents / 100 };
  });
}

function change(now, before) {
  if (!before || now === before) return null;
  const by = Math.round((now / before - 1) * 100);
  return t(by >= 0 ? "admin.more" : "admin.less", { by: percent(Math.abs(by)) });
}

function business(shop, latest) {
  const days = latest ? byDay(latest) : [],
    yesterday = days.at(-2),
    currency = shop.currency ?? settings.currency;
  const { today, last30Days: month } = shop;
  const tile = (title, value, beside) =>
    $("div.tile", $("span.name", title), $("strong", value), beside && $("span.beside", beside));
  const tiles = $(
    "div.tiles",
    tile(
      t("admin.ordersToday"),
      number(today.orders),
      yesterday && [
        t("admin.yesterday", { value: number(yesterday.value) }),
        " ",
        change(today.orders, yesterday.value),
      ],
    ),
    tile(
      t("admin.revenueToday"),
      money(today.revenue, currency),
      yesterday && [
        t("admin.yesterday", { value: money(yesterday.revenue, currency) }),
        " ",
        change(today.revenue, yesterday.revenue),
      ],
    ),
    tile(t("admin.orders30"), number(month.orders), t("admin.aDay", { value: number(month.orders / 30) })),
    tile(
      t("admin.revenue30"),
      money(month.revenue, currency),
      month.orders > 0 && t("admin.anOrder", { value: money(month.revenue / month.orders, currency) }),
    ),
  );
  if (days.length < 2) return $("div", tiles, latest && $("p.small", t("admin.tooMany", { n: MOST })));
  return $(
    "div",
    tiles,
    chart({
      caption: t("admin.chart", { n: days.length }),
      columns: [t("admin.day"), t("admin.orders"), t("admin.revenue")],
      days: days.map(({ day, value, revenue }) => ({ day, value, more: money(revenue, currency) })),
    }),
  );
}
