// The shop: what each address shows. A view's module is loaded when it is wanted first.

import { $, icon } from "../common/dom.js";
import { start as startSession, changes as session, endSocial, isSignedIn, person } from "../common/session.js";
import { beginsAt, link, start } from "../common/router.js";
import { notice, problemBox, toast } from "../common/ui.js";
import { speak, t } from "../common/words.js";
import { load } from "./basket.js";
import { listen } from "./live.js";
import { look } from "./unread.js";
import { settings } from "./settings.js";
import { footer, header } from "./shell.js";

const from =
  (file, name = "default") =>
  async given =>
    (await import(file))[name](given);

const routes = [
  ["/", from("./home.js")],
  ["/categories/:name", from("./listing.js", "category")],
  ["/search", from("./listing.js", "search")],
  ["/products/:id", from("./product.js")],
  ["/stores", from("./store.js", "stores")],
  ["/stores/mine", from("./sell.js", "store")],
  ["/stores/:id", from("./store.js")],
  ["/cart", from("./cart.js")],
  ["/checkout", from("./checkout.js")],
  ["/orders", from("./orders.js", "orders")],
  ["/orders/:id", from("./orders.js", "order")],
  ["/guest-orders/:id", from("./orders.js", "guestOrder")],
  ["/find-order", from("./orders.js", "findOrder")],
  ["/sign-in", from("./sign.js", "signIn")],
  ["/sign-up", from("./sign.js", "signUp")],
  ["/confirm", from("./sign.js", "confirm")],
  ["/forgot-password", from("./sign.js", "forgotPassword")],
  ["/inbox", from("./inbox.js")],
  ["/account", from("./account.js")],
  ["/account/:part", from("./account.js")],
  ["/sell", from("./sell.js", "summary")],
  ["/sell/products", from("./sell.js", "products")],
  ["/sell/products/new", from("./sell.js", "newProduct")],
  ["/sell/products/:id", from("./sell.js", "product")],
  ["/sell/orders", from("./sell.js", "sellerOrders")],
  ["/sell/orders/:id", from("./sell.js", "sellerOrder")],
  ["/sell/store", from("./sell.js", "store")],
  ...["terms", "privacy", "withdrawal", "imprint"].map(name => [`/${name}`, from("./text.js")]),
];

const missing = () => ({
  title: t("missing.title"),
  element: $(
    "div.wrap.view",
    $(
      "div.empty",
      icon("search"),
      $("h1", t("missing.title")),
      $("p", t("missing.text")),
      $("a.primary", { href: link("/") }, t("missing.home")),
    ),
  ),
});

function failed({ error, again }) {
  if (error?.status === 404) return missing();
  if (error?.status === 401)
    return {
      element: $(
        "div.wrap.view",
        $("h1", t("signFirst.title")),
        notice("warn", $("p", t("problem.signIn"))),
        $(
          "p",
          $(
            "a.primary",
            { href: link(`/sign-in?to=${encodeURIComponent(location.pathname.slice(5) || "/")}`) },
            t("sign.in"),
          ),
        ),
      ),
    };
  return {
    title: t("failed.title"),
    element: $("div.wrap.view", $("h1", t("failed.title")), problemBox(error, again)),
  };
}

async function begin() {
  beginsAt("/shop");
  await speak({ en: () => import("./words.en.js"), de: () => import("./words.de.js") });
  const social = endSocial();
  await startSession();
  const cameBy = await social;
  const outlet = $("main", { id: "main" });
  document.body.replaceChildren($("a.skip", { href: "#main" }, t("page.skip")), header(), outlet, footer());
  if (cameBy) {
    const { arrived, refuse } = await import("./sign.js");
    if (!cameBy.refused) setTimeout(() => arrived("/"));
    else if (isSignedIn()) toast(t("social.stays"), { kind: "bad" });
    else {
      // Told where one begins again.
      refuse(cameBy.refused);
      history.replaceState(null, "", "/shop/sign-in");
    }
    if (person()) toast(t("sign.isIn", { name: person().fullName, email: person().email }));
  }
  // How many things are in the cart and in the inbox is told beside the page, not before it.
  const counts = () => {
    load().catch(() => {});
    look().catch(() => {});
  };
  session.addEventListener("changed", () => look().catch(() => {}));
  setInterval(() => {
    if (!document.hidden && isSignedIn()) look().catch(() => {});
  }, 60_000);
  listen();
  await start({ outlet, routes, title: settings.name, missing, failed });
  counts();
}

begin().catch(error => {
  console.error(error);
  const words = document.getElementById("failed");
  if (words) words.hidden = false;
});
