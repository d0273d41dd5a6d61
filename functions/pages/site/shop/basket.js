// The cart of whoever is here: that of the account, or a guest's, which this browser has the token of.
//
//   count() → how many pieces there are, as far as is known
//   load(signal?) → the cart as the API shows it, or null where there is none
//   add(id, quantity, key), set(id, quantity), remove(id)
//   choose({ couponCode, shippingMethod, shippingAddress })
//   checkOut(body, key)  → { orderId, orderToken?, payment? … }
//   takeAlong() → notes, after a sign-in: the guest's cart goes into the account's
//   changes  an EventTarget: "changed"
//   orderToken(orderId), keepOrderToken(orderId, token), forgetOrderToken(orderId)

import { get, Problem, send } from "../common/api.js";
import { isSignedIn, changes as session } from "../common/session.js";

const TOKEN = "cartwright.cart";
const ORDERS = "cartwright.orders";
const KEPT_ORDERS = 30;

export const changes = new EventTarget();
let pieces = 0;

const token = () => localStorage.getItem(TOKEN);
const base = () => (isSignedIn() ? "/cart" : "/guest-cart");
const headers = () => (isSignedIn() || !token() ? {} : { "Cart-Token": token() });

export const count = () => pieces;

function counted(items) {
  const now = (items ?? []).reduce((sum, item) => sum + item.quantity, 0);
  if (now === pieces) return;
  pieces = now;
  changes.dispatchEvent(new Event("changed"));
}

function changed(answer) {
  if (answer?.cartToken) localStorage.setItem(TOKEN, answer.cartToken);
  counted(answer?.items);
  return answer;
}

// A cart that nobody touched for long is gone, and its token opens nothing.
function isGone(problem) {
  return !isSignedIn() && problem instanceof Problem && [401, 404].includes(problem.status);
}

export async function load(signal) {
  if (!isSignedIn() && !token()) {
    counted([]);
    return null;
  }
  try {
    const cart = await get(base(), { headers: headers(), signal });
    counted(cart.items);
    return cart;
  } catch (problem) {
    if (!isGone(problem)) throw problem;
    localStorage.removeItem(TOKEN);
    counted([]);
    return null;
  }
}

export async function add(id, quantity, key) {
  const ask = () => send("POST", `${base()}/items`, { id, quantity }, { headers: headers(), key });
  try {
    return changed(await ask());
  } catch (problem) {
    if (!isGone(problem) || !token()) throw problem;
    localStorage.removeItem(TOKEN);
    return changed(await ask());
  }
}

export const set = async (id, quantity) =>
  changed(await send("PUT", `${base()}/items/${id}`, { quantity }, { headers: headers() }));
export const remove = async id =>
  changed(await send("DELETE", `${base()}/items/${id}`, undefined, { headers: headers() }));
export const choose = async choices => changed(await send("PUT", base(), choices, { headers: headers() }));

export async function checkOut(body, key) {
  const placed = await send("POST", `${base()}/checkout`, body, { headers: headers(), key });
  if (placed.orderToken) keepOrderToken(placed.orderId, placed.orderToken);
  if (!isSignedIn()) localStorage.removeItem(TOKEN);
  counted([]);
  return placed;
}

export async function takeAlong() {
  const kept = token();
  if (!kept || !isSignedIn()) return [];
  try {
    const merged = await send("POST", "/cart/merge", { cartToken: kept }, { tries: 3 });
    localStorage.removeItem(TOKEN);
    counted(merged.items);
    return merged.notes ?? [];
  } catch (problem) {
    if (problem.status === 404 || problem.status === 422) localStorage.removeItem(TOKEN);
    return [];
  }
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(ORDERS) ?? "[]");
  } catch {
    return [];
  }
}

// Where a guest comes back from paying, the address has no token: it is not for the provider to know.
export const orderToken = id => kept().find(([one]) => one === id)?.[1] ?? null;
export function keepOrderToken(id, token) {
  const others = kept().filter(([one]) => one !== id);
  localStorage.setItem(ORDERS, JSON.stringify([[id, token], ...others].slice(0, KEPT_ORDERS)));
}
export function forgetOrderToken(id) {
  localStorage.setItem(ORDERS, JSON.stringify(kept().filter(([one]) => one !== id)));
}

session.addEventListener("changed", () => load().catch(() => {}));
