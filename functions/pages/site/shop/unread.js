// How many notifications nobody has read yet, told beside every view.
//
//   unreadCount(), now(count), await look() asks;  changes  an EventTarget: "changed"

import { get } from "../common/api.js";
import { isSignedIn } from "../common/session.js";
import { language } from "../common/words.js";

export const changes = new EventTarget();
let unread = 0;
export const unreadCount = () => unread;
export function now(count) {
  unread = count ?? 0;
  changes.dispatchEvent(new Event("changed"));
}

export async function look() {
  if (!isSignedIn()) return now(0);
  const answer = await get("/notifications", { query: { limit: 1, locale: language() }, tries: 1 });
  now(answer.unread);
}
