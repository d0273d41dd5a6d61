// What happens to whoever is signed in, told at once, where the shop has WebSockets (settings.live). A hint may be
// lost: so the inbox is asked whenever a socket opens, and views that wait for something ask now and then all the same.
//
//   listen()          once; opens a socket whenever somebody is signed in
//   changes           an EventTarget: "told", whose detail is { kind, subject }

import { send } from "../common/api.js";
import { changes as session, isSignedIn } from "../common/session.js";
import { look } from "./unread.js";
import { settings } from "./settings.js";

export const changes = new EventTarget();
const PING = 8 * 60_000;
let socket = null,
  waiting = null,
  isOpening = false;

export function listen() {
  if (!settings.live) return;
  session.addEventListener("changed", () => {
    if (isSignedIn()) open();
    else socket?.close();
  });
  if (isSignedIn()) open();
}

async function open() {
  // A ticket's request may renew the sign-in, which is a change of it.
  if (socket || waiting || isOpening) return;
  isOpening = true;
  try {
    const { url, ticket } = await send("POST", "/socket-tickets", undefined, { tries: 1 });
    socket = new WebSocket(`${url}?${new URLSearchParams({ ticket })}`);
  } catch {
    return later();
  } finally {
    isOpening = false;
  }
  const opened = socket;
  const ping = setInterval(() => opened.readyState === WebSocket.OPEN && opened.send('{"action":"ping"}'), PING);
  opened.addEventListener("open", () => look().catch(() => {}));
  opened.addEventListener("message", event => {
    try {
      const { kind, subject } = JSON.parse(event.data);
      look().catch(() => {});
      changes.dispatchEvent(new CustomEvent("told", { detail: { kind, subject } }));
    } catch {
      /* Nothing that this page knows. */
    }
  });
  opened.addEventListener("close", () => {
    clearInterval(ping);
    socket = null;
    if (isSignedIn()) later();
  });
}

// Not all at once, where all sockets of the shop have closed together.
function later() {
  waiting = setTimeout(
    () => {
      waiting = null;
      if (isSignedIn()) open();
    },
    5_000 + Math.random() * 55_000,
  );
}
