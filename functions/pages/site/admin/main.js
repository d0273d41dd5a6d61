// The admin page: who is let in, the way around, and which view is shown. Views are behind the #, since /admin/orders
// is the API's.

import { $, fill, icon, on } from "../common/dom.js";
import { connection, Problem } from "../common/api.js";
import { empty, problemBox } from "../common/ui.js";
import { changes, forget, isSignedIn, person, signOut, start as resume } from "../common/session.js";
import { beginsAt, link, navigation, start } from "../common/router.js";
import { choose, language, LANGUAGES, speak, t } from "../common/words.js";
import { settings } from "../shop/settings.js";
import { a, head, toHeading } from "./kit.js";
import { signing } from "./signin.js";

const brand = () => t("admin.brand", settings);
const IDLE_MINUTES = 30;
const TOUCHED = "cartwright.admin.touched";

// A view is loaded when it is first shown. A browser remembers that a module did not come, and asks for it under
// another name alone.
let failures = 0;
async function load(file) {
  try {
    return await import(`./${file}.js${failures ? `?${failures}` : ""}`);
  } catch (error) {
    if (!/fetch|import|load/i.test(error.message)) throw error;
    failures++;
    throw new Problem(0, null);
  }
}

const from = (file, name) => async given => (await load(file))[name](given);

const ROUTES = [
  ["/", from("home", "home")],
  ["/orders", from("orders", "orders")],
  ["/orders/:id", from("orders", "order")],
  ["/returns", from("returns", "returns")],
  ["/products", from("products", "products")],
  ["/products/:id", from("products", "product")],
  ["/people", from("people", "people")],
  ["/people/:id", from("people", "person")],
  ["/stores", from("stores", "stores")],
  ["/stores/:id", from("stores", "store")],
  ["/reviews", from("reviews", "reviews")],
  ["/pictures", from("pictures", "pictures")],
  ["/coupons", from("coupons", "coupons")],
  ["/coupons/new", from("coupons", "newCoupon")],
  ["/coupons/:code", from("coupons", "coupon")],
  ["/settings/shipping", from("settings", "shipping")],
  ["/settings/tax", from("settings", "tax")],
  ["/webhooks", from("webhooks", "webhooks")],
  ["/webhooks/new", from("webhooks", "newWebhook")],
  ["/webhooks/:id", from("webhooks", "webhook")],
  ["/security", from("security", "security")],
];

const PLACES = [
  ["/", "home", "bell"],
  ["/orders", "orders", "box"],
  ["/returns", "returns", "left"],
  ["/products", "products", "picture"],
  ["/people", "people", "person"],
  ["/stores", "stores", "store"],
  ["/reviews", "reviews", "star"],
  ["/pictures", "pictures", "filter"],
  ["/coupons", "coupons", "cart"],
  ["/settings/shipping", "settings", "truck"],
  ["/webhooks", "webhooks", "out"],
];

const missing = async () => ({
  title: t("admin.missing"),
  element: $("div", head(t("admin.missing")), empty(t("admin.missing.text"), $("p", a("/", t("admin.home"))))),
});

function failed({ error, again }) {
  const heading = t(error.status === 404 ? "admin.missing" : "admin.failed");
  return { title: heading, element: $("div", head(heading), problemBox(error, again)) };
}

// ── The frame ────────────────────────────────────────────────────────────────────────────────────────────────────────

function frame() {
  const outlet = $("main#main.outlet", { tabindex: "-1" });
  const entries = PLACES.map(([path, name, drawn]) => [
    path,
    $("a", { href: link(path) }, icon(drawn), t(`admin.${name}`)),
  ]);
  const menu = $(
    "button.bare.menu",
    {
      type: "button",
      "aria-expanded": "false",
      "aria-controls": "places",
      "aria-label": t("admin.menu"),
      onclick: () => open(menu.getAttribute("aria-expanded") !== "true"),
    },
    icon("menu"),
  );
  const open = isOpen => {
    menu.setAttribute("aria-expanded", String(isOpen));
    way.classList.toggle("open", isOpen);
  };
  const languages = $(
    "select",
    { "aria-label": t("page.language"), value: language(), onchange: event => choose(event.target.value) },
    LANGUAGES.map(([code, name]) => $("option", { value: code, selected: code === language() }, name)),
  );
  const way = $(
    "nav#places.way",
    { "aria-label": t("admin.way") },
    $(
      "ul",
      entries.map(([, entry]) => $("li", entry)),
    ),
    $(
      "div.at-the-end",
      $("p.small.soft", person()?.email),
      $("a", { href: link("/security") }, icon("lock"), t("admin.security")),
      $("a", { href: "/shop" }, icon("store"), t("admin.toShop")),
      languages,
      $("button.secondary.compact", { type: "button", onclick: leave }, t("sign.out")),
    ),
  );
  const offline = $("div.offline", { role: "status", hidden: true }, t("page.offline"));
  on(connection, "lost", () => {
    offline.hidden = false;
  });
  on(connection, "back", () => {
    offline.hidden = true;
  });
  on(way, "keydown", event => {
    if (event.key === "Escape") {
      open(false);
      menu.focus();
    }
  });
  on(navigation, "shown", () => {
    open(false);
    const path = location.hash.slice(1).split("?")[0] || "/";
    for (const [to, entry] of entries) {
      const isHere = to === "/" ? path === "/" : path.startsWith(to.replace(/\/shipping$/, ""));
      if (isHere) entry.setAttribute("aria-current", "page");
      else entry.removeAttribute("aria-current");
    }
  });
  // An address of #main would be another view.
  const skip = $(
    "a.skip",
    {
      href: "#main",
      onclick: event => {
        event.preventDefault();
        outlet.focus();
      },
    },
    t("page.skip"),
  );
  fill(
    document.body,
    skip,
    offline,
    $("header.top", menu, $("a.brand", { href: link("/") }, icon("store"), $("span", brand()))),
    $("div.frame", way, outlet),
  );
  return outlet;
}

// ── Who is let in ────────────────────────────────────────────────────────────────────────────────────────────────────

let isLeaving = false;

async function leave() {
  isLeaving = true;
  await signOut().catch(() => {});
  location.hash = "";
  location.reload();
}

function greet() {
  const inside = signing(async () => {
    who = person().userId;
    await enter();
    toHeading();
  });
  document.title = t("admin.signIn");
  fill(
    document.body,
    $(
      "main.greeting",
      $(
        "div.card",
        $("p.brand", icon("store"), brand()),
        $("h1", t("admin.signIn")),
        inside,
        $("p.small", $("a", { href: "/shop" }, t("admin.toShop"))),
      ),
    ),
  );
}

// After 30 minutes without a touch, and when the shop ends the sign-in, whoever sits here is asked again. What was
// typed stays, and nobody reads it meanwhile.
function lock() {
  if (document.querySelector("dialog.lock")) return;
  document.body.classList.add("locked");
  const inside = signing(() => {
    // Somebody else begins anew.
    if (person().userId !== who) return location.reload();
    document.body.classList.remove("locked");
    dialog.close();
    dialog.remove();
    return undefined;
  });
  const dialog = $(
    "dialog.dialog.lock",
    {
      "aria-labelledby": "locked",
      oncancel: event => event.preventDefault(),
      // A browser may close it all the same.
      onclose: () => dialog.isConnected && document.body.classList.contains("locked") && dialog.showModal(),
    },
    $("h2#locked", t("admin.again")),
    $("p", t("admin.again.text")),
    inside,
  );
  document.body.append(dialog);
  dialog.showModal();
}

let who = null;

async function enter() {
  on(changes, "changed", () => {
    if (!isSignedIn() && !isLeaving && person() === null) lock();
  });
  beginsAt("/admin", { hash: true });
  const outlet = frame();
  await start({ outlet, routes: ROUTES, title: brand(), missing, failed });
}

// A tab that slept, or was closed and restored, has no timer that went off.
function keepTouched() {
  const touched = Number(sessionStorage.getItem(TOUCHED) ?? Date.now());
  if (Date.now() - touched > IDLE_MINUTES * 60_000) forget();
  const touch = () => sessionStorage.setItem(TOUCHED, String(Date.now()));
  touch();
  for (const type of ["pointerdown", "keydown"]) addEventListener(type, touch, { passive: true });
}

async function begin() {
  // The German words are all there are, so the English ones are not loaded beside them.
  const english = () => (language() === "de" ? null : import("./words.en.js"));
  await speak({ en: english, de: () => import("./words.de.js") });
  keepTouched();
  await resume({ idleMinutes: IDLE_MINUTES });
  if (!person()?.isAdmin) return greet();
  who = person().userId;
  return enter();
}

begin().catch(error => {
  console.error(error);
  const words = document.getElementById("failed");
  if (words) words.hidden = false;
});
