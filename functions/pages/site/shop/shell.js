// What is around every view: the search with its suggestions, the ways to the cart and the account, and the foot.

import { $, debounce, fill, icon, id } from "../common/dom.js";
import { connection, get, isAborted } from "../common/api.js";
import { current, go, link, navigation } from "../common/router.js";
import { changes as session, isSignedIn, person } from "../common/session.js";
import { choose, language, LANGUAGES, t } from "../common/words.js";
import { changes as basket, count } from "./basket.js";
import { changes as inbox, unreadCount } from "./unread.js";
import { settings } from "./settings.js";
import { leave } from "./leave.js";

const TEXTS = ["terms", "privacy", "withdrawal", "imprint"];

export function header() {
  const tools = $("nav.tools", { "aria-label": t("shell.you") });
  const cart = $("a.bare", { href: link("/cart") });
  const drawCart = () => {
    fill(
      cart,
      icon("cart"),
      $("span.visually-hidden", t("shell.cart", { n: count() })),
      count() > 0 && $("span.count-badge", { "aria-hidden": "true" }, count()),
    );
  };
  const bell = $("a.bare", { href: link("/inbox") });
  const drawBell = () =>
    fill(
      bell,
      icon("bell"),
      $("span.visually-hidden", t("shell.inbox", { n: unreadCount() })),
      unreadCount() > 0 && $("span.count-badge", { "aria-hidden": "true" }, unreadCount()),
    );
  const draw = () =>
    fill(
      tools,
      isSignedIn()
        ? [bell, menu()]
        : $("a.bare.labelled", { href: link("/sign-in") }, icon("person"), $("span", t("sign.in"))),
      cart,
    );
  drawCart();
  drawBell();
  draw();
  basket.addEventListener("changed", drawCart);
  inbox.addEventListener("changed", drawBell);
  session.addEventListener("changed", draw);
  return $(
    "header.shop-head.no-print",
    offline(),
    $("div.wrap.head-row", $("a.brand", { href: link("/") }, mark(), $("span", settings.name)), searchBox(), tools),
  );
}

// The shop's mark: a wheel, as a cartwright makes. Another logo is another drawing here, or a picture in site/shop.
function mark() {
  return $("span.brand-mark", { "aria-hidden": "true" });
}

function offline() {
  const bar = $("div.offline", { role: "status", hidden: true }, t("page.offline"));
  connection.addEventListener("lost", () => {
    bar.hidden = false;
  });
  connection.addEventListener("back", () => {
    bar.hidden = true;
  });
  return bar;
}

// A disclosure: a button, and links below it. Escape and leaving it close it.
function menu() {
  const list = id();
  const button = $(
    "button.bare.labelled",
    {
      type: "button",
      "aria-expanded": "false",
      "aria-controls": list,
      onclick: () => set(button.getAttribute("aria-expanded") !== "true"),
    },
    icon("person"),
    $("span.menu-name", { dir: "auto" }, person()?.fullName.split(" ")[0] || t("account.title")),
  );
  const items = $(
    "ul.menu-list",
    { id: list, hidden: true },
    [
      ["/orders", "orders.title"],
      ["/account", "account.title"],
      ["/sell", "sell.title"],
    ].map(([path, words]) => $("li", $("a", { href: link(path), onclick: () => set(false) }, t(words)))),
    person()?.isAdmin && $("li", $("a", { href: "/admin", data: { whole: "" } }, t("shell.admin"))),
    $(
      "li",
      $(
        "button",
        {
          type: "button",
          onclick: () => {
            set(false);
            leave();
          },
        },
        t("sign.out"),
      ),
    ),
  );
  function set(isOpen) {
    button.setAttribute("aria-expanded", String(isOpen));
    items.hidden = !isOpen;
  }
  const element = $("div.menu", button, items);
  element.addEventListener("keydown", event => {
    if (event.key === "Escape") {
      set(false);
      button.focus();
    }
  });
  element.addEventListener("focusout", event => {
    if (event.relatedTarget && !element.contains(event.relatedTarget)) set(false);
  });
  document.addEventListener("pointerdown", event => {
    if (!element.contains(event.target)) set(false);
  });
  return element;
}

// ── The search ───────────────────────────────────────────────────────────────────────────────────────────────────────

// A combobox with a list, by ARIA's Authoring Practices: the focus stays in the field, the arrows choose.
function searchBox() {
  const listId = id(),
    labelId = id();
  const input = $("input", {
    type: "search",
    name: "q",
    role: "combobox",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-label": t("shell.search"),
    placeholder: t("shell.searchShort"),
    enterkeyhint: "search",
    maxlength: 100,
  });
  const list = $("ul.suggestions", { id: listId, role: "listbox", "aria-label": t("shell.suggestions"), hidden: true });
  const status = $("span.visually-hidden", { role: "status", id: labelId });
  let at = -1,
    asking = null,
    typed = "";

  const options = () => [...list.children];
  function close() {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
  function mark(next) {
    const all = options();
    if (!all.length) return;
    at = (next + all.length + 1) % (all.length + 1);
    if (at === all.length) at = -1;
    all.forEach((one, index) => one.setAttribute("aria-selected", String(index === at)));
    if (at < 0) {
      input.removeAttribute("aria-activedescendant");
      input.value = typed;
      return;
    }
    input.setAttribute("aria-activedescendant", all[at].id);
    input.value = all[at].dataset.text;
    all[at].scrollIntoView({ block: "nearest" });
  }
  // An answer that comes late is of no use: only that to what stands in the field now is shown.
  const suggest = debounce(120, async () => {
    asking?.abort();
    const q = input.value.trim();
    if (!q) return close();
    const mine = (asking = new AbortController());
    try {
      const { suggestions } = await get("/search/suggest", {
        query: { q },
        signal: mine.signal,
        tries: 1,
        anonymous: true,
      });
      if (mine.signal.aborted || input.value.trim() !== q || document.activeElement !== input) return;
      show(suggestions);
    } catch (error) {
      if (!isAborted(error)) close();
    }
  });
  function show(suggestions) {
    fill(
      list,
      suggestions.map(({ text, productId }) =>
        $(
          "li",
          {
            role: "option",
            id: id(),
            "aria-selected": "false",
            dir: "auto",
            data: { text },
            onpointerdown: event => {
              event.preventDefault();
              open(productId);
            },
          },
          icon("search"),
          $("span", text),
        ),
      ),
    );
    options().forEach((one, index) => {
      one.productId = suggestions[index].productId;
    });
    at = -1;
    list.hidden = !suggestions.length;
    input.setAttribute("aria-expanded", String(suggestions.length > 0));
    input.removeAttribute("aria-activedescendant");
    status.textContent = t("shell.found", { n: suggestions.length });
  }
  function open(productId) {
    close();
    input.blur();
    go(`/products/${productId}`);
  }
  input.addEventListener("input", () => {
    typed = input.value;
    suggest();
  });
  input.addEventListener("keydown", event => {
    if (event.isComposing) return;
    const isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) return void suggest();
      mark(event.key === "ArrowDown" ? at + 1 : at < 0 ? options().length - 1 : at - 1);
    } else if (event.key === "Escape") {
      if (isOpen) {
        event.preventDefault();
        input.value = typed;
        close();
      } else input.value = typed = "";
    } else if (event.key === "Enter" && isOpen && at >= 0) {
      event.preventDefault();
      open(options()[at].productId);
    } else if (event.key === "Tab") close();
  });
  input.addEventListener("blur", close);
  const form = $(
    "form.search",
    {
      role: "search",
      action: link("/search"),
      onsubmit: event => {
        event.preventDefault();
        asking?.abort();
        close();
        input.blur();
        const q = input.value.trim();
        go(q ? `/search?${new URLSearchParams({ q })}` : "/search?sort=newest");
      },
    },
    input,
    $("button.bare", { type: "submit", "aria-label": t("shell.searchDo") }, icon("search")),
    list,
    status,
  );
  navigation.addEventListener("shown", () => {
    if (document.activeElement === input) return;
    input.value = typed = current().path === "/search" ? (current().query.get("q") ?? "") : "";
  });
  return form;
}

export function footer() {
  const languages = $(
    "select",
    { "aria-label": t("page.language"), value: language(), onchange: event => choose(event.target.value) },
    LANGUAGES.map(([code, name]) => $("option", { value: code, lang: code }, name)),
  );
  const column = (title, links) =>
    $(
      "div",
      $("h2", title),
      $(
        "ul",
        links.map(([path, words]) => $("li", $("a", { href: link(path) }, words))),
      ),
    );
  return $(
    "footer.shop-foot.no-print",
    $(
      "div.wrap.foot-row",
      column(t("foot.shop"), [
        ["/search?sort=newest", t("home.newest")],
        ["/stores", t("stores.title")],
        ["/cart", t("cart.title")],
      ]),
      column(t("foot.you"), [
        ["/orders", t("orders.title")],
        ["/find-order", t("guest.title")],
        ["/account", t("account.title")],
        ["/sell", t("sell.title")],
      ]),
      column(
        t("foot.legal"),
        TEXTS.map(name => [`/${name}`, t(`text.${name}`)]),
      ),
      $("div", $("h2", t("page.language")), languages),
    ),
    $("p.wrap.small.foot-end", settings.name, " · ", t("foot.prices", { currency: settings.currency })),
  );
}
