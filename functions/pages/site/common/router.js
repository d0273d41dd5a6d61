// Which view is shown, by the page's address; the browser's back button, reload and links work as on any page.
//
//   beginsAt(base, { hash }?)  "/shop": views are at paths below it. With `hash: true` they are behind a #, as
//                /admin#/orders, since /admin/orders is the API's. Before the first link is made
//   start({ outlet, routes, title, missing, failed })
//       outlet   the element that views are shown in
//       routes   [["/", view], ["/products/:id", view], …]; the first that fits
//       view     async ({ params, query, path, signal }) → an element, or { title, element, done }
//                `signal` ends when another view is shown; `done()` is called then. One h1 in it gets the focus
//       title    "Cartwright": what stands behind a view's title
//       missing, failed   views for no such page, and for an error: failed({ error, again })
//   go(path, { replace }?)   shows another view: go("/cart")
//   link(path) → what an <a href> to a view is
//   query(changes)           changes the address's query in place, without showing anew (filters)
//   reload()                 shows the view anew
//   current() → { path, params, query }
//   navigation  an EventTarget: "begins", "shown"

import { $, fill } from "./dom.js";
import { t } from "./words.js";

export const navigation = new EventTarget();
let shownAt = "";
let base = "",
  isBehindHash = false,
  settings,
  showing,
  now = { path: "/", params: {}, query: new URLSearchParams() },
  ended = () => {};
const places = new Map();
let place = 0;

export const current = () => now;
export const link = path => (isBehindHash ? `#${path}` : `${base}${path === "/" ? "" : path}`);

export function beginsAt(path, { hash = false } = {}) {
  base = path;
  isBehindHash = hash;
}

function here() {
  if (isBehindHash) {
    const [path, query] = (location.hash.slice(1) || "/").split("?");
    return { path, query: new URLSearchParams(query) };
  }
  const path = location.pathname.slice(base.length).replace(/\/+$/, "") || "/";
  return { path, query: new URLSearchParams(location.search) };
}

function match(path) {
  for (const [pattern, view] of settings.routes) {
    const names = [];
    const shape = pattern.replace(/:(\w+)/g, (_, name) => {
      names.push(name);
      return "([^/]+)";
    });
    const found = new RegExp(`^${shape}$`).exec(path);
    if (!found) continue;
    try {
      return { view, params: Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(found[at + 1])])) };
    } catch {
      /* A % that encodes nothing is no page. */
    }
  }
  return { view: settings.missing, params: {} };
}

async function show({ focus = true, scroll = 0 } = {}) {
  showing?.abort(new DOMException("Another view", "AbortError"));
  ended();
  ended = () => {};
  const mine = (showing = new AbortController());
  const { path, query } = here();
  const { view, params } = match(path);
  shownAt = location.pathname + location.search;
  now = { path, params, query };
  navigation.dispatchEvent(new Event("begins"));
  settings.outlet.setAttribute("aria-busy", "true");
  // What comes at once flickers less than what says that it will.
  const slow = setTimeout(() => {
    fill(settings.outlet, waiting());
    scrollTo(0, 0);
  }, 250);
  let shown;
  try {
    shown = await view({ params, query, path, signal: mine.signal });
  } catch (error) {
    if (mine.signal.aborted) return;
    console.warn(error);
    shown = settings.failed({ error, again: () => show() });
  } finally {
    clearTimeout(slow);
  }
  if (mine.signal.aborted) return;
  const { element = shown, title, done } = shown instanceof Node ? {} : shown;
  if (done) mine.signal.addEventListener("abort", done, { once: true });
  fill(settings.outlet, element);
  settings.outlet.removeAttribute("aria-busy");
  const heading = settings.outlet.querySelector("h1");
  const named = title ?? heading?.textContent;
  document.title = named ? `${named} · ${settings.title}` : settings.title;
  // Whoever reads with a screen reader or by keyboard goes on at the top of what is new.
  if (focus && heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
  scrollTo({ top: scroll, behavior: "instant" });
  navigation.dispatchEvent(new Event("shown"));
}

const waiting = () =>
  $("div.waiting", { role: "status" }, $("span.spinner"), $("span.visually-hidden", t("page.loading")));

export function go(path, { replace = false } = {}) {
  places.set(place, scrollY);
  if (replace) history.replaceState({ place }, "", link(path));
  else history.pushState({ place: ++place }, "", link(path));
  return show();
}

export const reload = () => show({ focus: false, scroll: scrollY });

export function query(changes) {
  const { path, query } = here();
  for (const [key, value] of Object.entries(changes)) {
    if (value == null || value === "") query.delete(key);
    else query.set(key, value);
  }
  now = { ...now, query };
  const text = query.toString();
  history.replaceState(history.state, "", `${link(path)}${text ? `?${text}` : ""}`);
  shownAt = location.pathname + location.search;
}

// A click that opens a view of ours and nothing else: no new tab, no download.
function follow(event) {
  const anchor = event.target.closest?.("a[href]");
  if (
    !anchor ||
    event.defaultPrevented ||
    event.button ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  )
    return;
  if (anchor.target || anchor.hasAttribute("download") || anchor.origin !== location.origin) return;
  if (isBehindHash) return;
  const isOurs = anchor.pathname === base || anchor.pathname.startsWith(`${base}/`);
  if (!isOurs || (anchor.hash && anchor.pathname === location.pathname && anchor.search === location.search)) return;
  if (anchor.dataset.whole != null) return;
  event.preventDefault();
  go((anchor.pathname.slice(base.length) || "/") + anchor.search + anchor.hash);
}

export function start(given) {
  settings = given;
  history.scrollRestoration = "manual";
  place = history.state?.place ?? 0;
  history.replaceState({ place }, "");
  document.addEventListener("click", follow);
  addEventListener("popstate", event => {
    // A link to a part of this page shows nothing else.
    const isHere = !isBehindHash && location.pathname + location.search === shownAt;
    if (isHere && event.state?.place == null) return history.replaceState({ place }, "");
    const to = event.state?.place ?? ++place;
    if (event.state?.place == null) history.replaceState({ place: to }, "");
    places.set(place, scrollY);
    place = to;
    show({ scroll: places.get(to) ?? 0 });
  });
  return show({ focus: false });
}
