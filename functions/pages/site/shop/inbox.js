// What the account was told, newest first.

import { $, busyWhile, icon } from "../common/dom.js";
import { pages, send } from "../common/api.js";
import { ago } from "../common/format.js";
import { link } from "../common/router.js";
import { isSignedIn } from "../common/session.js";
import { explain, more, toast } from "../common/ui.js";
import { language, t } from "../common/words.js";
import { page, signInFirst } from "./parts.js";
import { now } from "./unread.js";

// Where what is told of can be seen.
function target({ kind, subject }) {
  if (!subject) return null;
  if (kind.startsWith("order.")) return `/orders/${subject}`;
  if (kind.startsWith("sale.")) return `/sell/orders/${subject}`;
  if (kind.startsWith("product.")) return `/sell/products/${subject}`;
  if (kind.startsWith("review.")) return `/products/${subject}`;
  if (kind.startsWith("store.")) return "/sell/store";
  return null;
}
const ICON = { order: "box", sale: "store", product: "picture", review: "star", store: "store", user: "person" };

export default async function inbox({ signal, path }) {
  if (!isSignedIn()) return signInFirst(path);
  const list = $("ul.notes");
  let newest = null;
  const reader = pages("/notifications", "notifications", { query: { limit: 20, locale: language() }, signal });
  const element = more(
    reader,
    items => {
      newest ??= items[0]?.id;
      return items.map(one => note(one));
    },
    { into: list, empty: $("div.empty", icon("bell"), $("p", t("inbox.none"))), signal },
  );
  const all = $(
    "button.secondary.compact",
    {
      type: "button",
      onclick: event =>
        busyWhile(event.currentTarget, async () => {
          if (!newest) return;
          try {
            const { unread } = await send("PUT", "/notifications/read", { upTo: newest });
            now(unread);
            for (const each of list.querySelectorAll(".unread")) each.classList.remove("unread");
            for (const each of list.querySelectorAll(".is-new")) each.remove();
          } catch (problem) {
            toast(explain(problem), { kind: "bad" });
          }
        }),
    },
    t("inbox.readAll"),
  );
  await element.ready;
  const title = t("inbox.title");
  return { title, element: $("div.wrap.view.narrow", $("div.row.apart", $("h1", title), all), element) };
}

function note(one) {
  const to = target(one);
  const read = () => {
    if (one.read) return;
    one.read = true;
    send("PUT", `/notifications/${one.id}/read`)
      .then(({ unread }) => now(unread))
      .catch(() => {
        one.read = false;
      });
  };
  const words = [
    $("span.note-icon", icon(ICON[one.kind.split(".")[0]] ?? "bell")),
    $(
      "span.stack.tight",
      $("span", { dir: "auto" }, one.text),
      $("span.small.soft", ago(one.at), !one.read && $("span.is-new", ` · ${t("inbox.new")}`)),
    ),
  ];
  return $(
    `li.note${one.read ? "" : ".unread"}`,
    to ? $("a", { href: link(to), onclick: read }, words) : $("div", { onclick: read }, words),
  );
}
