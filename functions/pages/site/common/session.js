// Who is signed in, in this tab. The access and the ID token are in memory alone; the refresh token is in
// sessionStorage, so that a reload keeps the sign-in and closing the tab ends it.
//
//   await start({ idleMinutes }?)  takes up a sign-in that a reload interrupted; call it once, first.
//                                  With idleMinutes the sign-in ends when nobody touched the page for so long.
//   person() → null, or { userId, email, fullName, username, isAdmin, isSeller, signedInAt }
//   isSignedIn()
//   await signIn({ name, password }) → null when done, or { session, username }: a second factor is wanted
//   await answerChallenge({ username, session, code })
//   await signOut()             everywhere, and here in any case
//   take(tokens)                tokens of another way in (a social sign-in)
//   forget()                    here alone
//   accessToken() → for POST /sign-out and what else wants it by name
//   changes  an EventTarget: "changed" when somebody came or went
//   beginSocial(provider, returnTo)
//   await endSocial() → null: none was begun; or { refused }: null when signed in, else the reason's code

import { authorize, request, send, isOffline } from "./api.js";

const KEPT = "cartwright.session";
const VERIFIER = "cartwright.verifier";
// Renewed before it is over, so that no request has to fail first.
const EARLY = 60_000;

export const changes = new EventTarget();
let tokens = null,
  kept = null,
  renewing = null,
  trouble = null,
  who = null;

const said = () => changes.dispatchEvent(new Event("changed"));

function claims(token) {
  try {
    const bytes = Uint8Array.from(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), c =>
      c.charCodeAt(0),
    );
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

function personOf(idToken) {
  const of = claims(idToken);
  if (!of.sub) return null;
  const groups = of["cognito:groups"] ?? [];
  return {
    userId: of.sub,
    email: of.email ?? "",
    fullName: of.name ?? "",
    username: of["cognito:username"] ?? "",
    isAdmin: groups.includes("admin"),
    isSeller: groups.includes("seller"),
    signedInAt: of.auth_time ? new Date(of.auth_time * 1000) : null,
  };
}

export const person = () => who;
export const isSignedIn = () => Boolean(kept);
export const accessToken = () => tokens?.access ?? null;

export function take(given) {
  const refresh = given.RefreshToken ?? kept?.refresh;
  tokens = { access: given.AccessToken, id: given.IdToken, until: Date.now() + given.ExpiresIn * 1000 };
  who = personOf(given.IdToken);
  kept = refresh ? { refresh, username: who?.username || kept?.username } : null;
  if (kept) sessionStorage.setItem(KEPT, JSON.stringify(kept));
  said();
}

export function forget() {
  const was = kept;
  tokens = kept = who = null;
  sessionStorage.removeItem(KEPT);
  if (was) said();
}

// One renewal at a time: whoever needs it waits for the same.
function renew() {
  renewing ??= (async () => {
    if (!kept) return false;
    try {
      const body = { refreshToken: kept.refresh, ...(kept.username && { username: kept.username }) };
      const answer = await request("POST", "/refresh-token", { body, anonymous: true, tries: 3 });
      take(answer.body.tokens);
      trouble = null;
      return true;
    } catch (problem) {
      // A shop that does not answer has not ended the sign-in.
      const isOver = !isOffline(problem) && problem.status < 500 && problem.status !== 429;
      if (isOver) forget();
      trouble = isOver ? null : problem;
      return false;
    }
  })().finally(() => {
    renewing = null;
  });
  return renewing;
}

authorize({
  async token(access) {
    if (!kept) return null;
    if (!tokens || tokens.until - EARLY < Date.now()) await renew();
    // Whoever is signed in is told that the shop does not answer, and not to sign in.
    if (kept && !tokens && trouble) throw trouble;
    return (access ? tokens?.access : tokens?.id) ?? null;
  },
  async refused(token) {
    if (!kept) return false;
    return (tokens && ![tokens.id, tokens.access].includes(token)) || renew();
  },
});

export async function start({ idleMinutes } = {}) {
  try {
    kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  } catch {
    kept = null;
  }
  if (kept) await renew();
  if (!idleMinutes) return;
  let touched = Date.now();
  for (const type of ["pointerdown", "keydown"])
    addEventListener(
      type,
      () => {
        touched = Date.now();
      },
      { passive: true },
    );
  setInterval(() => {
    if (kept && Date.now() - touched > idleMinutes * 60_000) forget();
  }, 15_000);
}

export async function signIn({ name, password }) {
  // What has an @ is an address, what has a space a full name; everything else is a username.
  const kind = name.includes("@") ? "email" : /\s/.test(name) ? "fullName" : "username";
  const body = { [kind]: name, password };
  const answer = await send("POST", "/sign-in", body, { anonymous: true });
  if (!answer.tokens) return { session: answer.session, username: answer.username, challenge: answer.challenge };
  take(answer.tokens);
  return null;
}

export async function answerChallenge({ username, session, code }) {
  const answer = await send("POST", "/sign-in/challenge", { username, session, code }, { anonymous: true });
  take(answer.tokens);
}

export async function signOut() {
  const token = accessToken();
  try {
    if (token) await send("POST", "/sign-out", { accessToken: token }, { anonymous: true });
  } finally {
    forget();
  }
}

const base64url = bytes =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

export async function beginSocial(provider, returnTo) {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  sessionStorage.setItem(VERIFIER, verifier);
  location.assign(`/auth/${provider}?${new URLSearchParams({ challenge, return: returnTo })}`);
}

// The page that a provider leads back to has a code behind its #, which is good once.
export async function endSocial() {
  const [, what, is] = /^#(signed-in|not-signed-in)=(.*)$/.exec(location.hash) ?? [];
  if (!what) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  const verifier = sessionStorage.getItem(VERIFIER) ?? "";
  sessionStorage.removeItem(VERIFIER);
  if (what !== "signed-in") return { refused: is };
  try {
    const body = { code: decodeURIComponent(is), verifier };
    take((await send("POST", "/auth/exchange", body, { anonymous: true })).tokens);
    return { refused: null };
  } catch (problem) {
    // Whoever was made an admin, or turned a second factor on, is refused here and not before.
    return { refused: problem.code ?? "failed" };
  }
}
