// Talking to the shop's API, which is where these pages come from.
//
//   get(path, options?) → what is answered           for what is only read
//   send(method, path, body?, options?) → the same   for what changes something
//   request(method, path, options?) → { status, body, etag, headers }
//       options  body      becomes JSON
//                query     { cursor: "…", limit: 20 }; null, undefined and "" are left out
//                key       an Idempotency-Key: the request is then tried again after a lost answer
//                ifMatch   an ETag, or a version as a number
//                headers   { "Cart-Token": "…" }
//                signal    an AbortSignal
//                anonymous true: without the token, even if somebody is signed in
//                access    true: with the access token, which the account's own routes ask for, not the ID token
//                tries     how often at most; 3 for what may be repeated, otherwise 1
//   newKey() → an Idempotency-Key. One is made for each thing a person means to do, not for each try
//   upload(url, file, told?) → puts a file to its presigned URL; told(part) with 0 to 1
//   pages(path, member, options?) → a reader of lists: await next() gives { items, isLast, body }
//   class Problem extends Error   what came instead of an answer:
//       code       "out-of-stock": the end of its type (RFC 9457); "offline" where nobody answered, "gateway" where
//                  API Gateway answered by itself
//       status     of HTTP, 0 where nobody answered
//       message    for a person
//       errors     [{ field, detail }], field "shippingAddress.city" or ""
//       body       the whole document, which may say more (available, productId …)
//       requestId  to quote
//   isOffline(problem), isAborted(error)
//   authorize({ token, refused })  session.js says how requests get their token
//   connection  an EventTarget: "lost" and "back"

import { t } from "./words.js";

const REPEATABLE = new Set(["GET", "HEAD", "PUT", "DELETE"]);
const SECONDS_TO_WAIT = [0.4, 1.6];
const LONGEST_WAIT = 8;
const LONGEST_ANSWER = 30_000;

export class Problem extends Error {
  constructor(status, body, { requestId, retryAfter } = {}) {
    super(body?.detail ?? t(messageOf(status)));
    this.name = "Problem";
    this.status = status;
    this.code = body?.type?.replace(/^.*:/, "") ?? (status === 0 ? "offline" : "gateway");
    this.title = body?.title ?? "";
    this.errors = (body?.errors ?? []).map(error => ({ field: fieldOf(error), detail: error.detail }));
    this.body = body ?? {};
    this.requestId = requestId ?? null;
    this.retryAfter = retryAfter ?? null;
  }
}

function messageOf(status) {
  if (status === 0) return "problem.offline";
  if (status === 401) return "problem.signIn";
  if (status === 403) return "problem.forbidden";
  if (status === 404) return "problem.notFound";
  if (status === 429) return "problem.slowDown";
  return status >= 500 ? "problem.ours" : "problem.other";
}

// "#/shippingAddress/city" is the field "shippingAddress.city" (RFC 6901, section 6).
function fieldOf({ pointer, parameter }) {
  if (parameter != null) return parameter;
  return (pointer ?? "#")
    .slice(1)
    .split("/")
    .slice(1)
    .map(part => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"))
    .join(".");
}

export const isOffline = problem => problem instanceof Problem && problem.status === 0;
export const isAborted = error => error?.name === "AbortError";
export const newKey = () => crypto.randomUUID();

export const connection = new EventTarget();
let isLost = false;
function connectionIs(lost) {
  if (lost === isLost) return;
  isLost = lost;
  connection.dispatchEvent(new Event(lost ? "lost" : "back"));
}

let authorizer = { token: async () => null, refused: async () => false };
export function authorize(by) {
  authorizer = by;
}

function target(path, query) {
  const asked = Object.entries(query ?? {}).filter(([, value]) => value != null && value !== "");
  return asked.length ? `${path}${path.includes("?") ? "&" : "?"}${new URLSearchParams(asked)}` : path;
}

const wait = (seconds, signal) =>
  new Promise((done, ended) => {
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        ended(signal.reason);
      },
      { once: true },
    );
  });

async function once(method, path, options, token) {
  const headers = { accept: "application/json, application/problem+json", ...options.headers };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  if (token) headers.authorization = `Bearer ${token}`;
  if (options.key) headers["idempotency-key"] = options.key;
  if (options.ifMatch != null) {
    headers["if-match"] = typeof options.ifMatch === "number" ? `"${options.ifMatch}"` : options.ifMatch;
  }
  const late = AbortSignal.timeout(LONGEST_ANSWER);
  const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
  let answer;
  try {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    answer = await fetch(target(path, options.query), { method, headers, body, signal, credentials: "same-origin" });
    const text = await answer.text();
    connectionIs(false);
    return { answer, body: parsed(text, answer) };
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason ?? error;
    connectionIs(true);
    throw new Problem(0, null);
  }
}

function parsed(text, answer) {
  if (!text) return null;
  if (!/json/.test(answer.headers.get("content-type") ?? "")) return text;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function problemOf(answer, body) {
  const isProblem = body && typeof body === "object" && typeof body.type === "string";
  const retryAfter = Number(answer.headers.get("retry-after") ?? NaN);
  return new Problem(answer.status, isProblem ? body : null, {
    requestId: answer.headers.get("x-request-id"),
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
  });
}

const passes = problem => problem.status === 0 || problem.status === 429 || problem.status >= 500;

export async function request(method, path, options = {}) {
  const mayRepeat = REPEATABLE.has(method) || Boolean(options.key);
  const tries = options.tries ?? (mayRepeat ? SECONDS_TO_WAIT.length + 1 : 1);
  let hasRefreshed = false;
  for (let tried = 1; ; tried++) {
    const token = options.anonymous ? null : await authorizer.token(options.access);
    try {
      const { answer, body } = await once(method, path, options, token);
      if (answer.ok) return { status: answer.status, body, etag: answer.headers.get("etag"), headers: answer.headers };
      const problem = problemOf(answer, body);
      // API Gateway refuses a token that is over; a function asks for another sign-in, which no refresh gives.
      const isOver = problem.status === 401 && (problem.code === "gateway" || problem.code === "unauthenticated");
      if (isOver && token && !hasRefreshed && (await authorizer.refused(token))) {
        hasRefreshed = true;
        tried--;
        continue;
      }
      throw problem;
    } catch (problem) {
      if (!(problem instanceof Problem) || !passes(problem) || tried >= tries) throw problem;
      await wait(Math.min(problem.retryAfter ?? SECONDS_TO_WAIT[tried - 1] ?? 2, LONGEST_WAIT), options.signal);
    }
  }
}

export const get = async (path, options) => (await request("GET", path, options)).body;
export const send = async (method, path, body, options) => (await request(method, path, { ...options, body })).body;

export function pages(path, member, options = {}) {
  let cursor,
    isLast = false;
  return {
    get isLast() {
      return isLast;
    },
    async next() {
      const body = await get(path, { ...options, query: { ...options.query, cursor } });
      cursor = body?.nextCursor;
      isLast = !cursor;
      return { items: member ? (body[member] ?? []) : (body ?? []), isLast, body };
    },
  };
}

// XMLHttpRequest, since fetch does not say how far an upload is.
export function upload(url, file, told = () => {}) {
  return new Promise((done, failed) => {
    const sending = new XMLHttpRequest();
    sending.open("PUT", url);
    sending.setRequestHeader("content-type", file.type);
    sending.upload.addEventListener("progress", event => event.lengthComputable && told(event.loaded / event.total));
    sending.addEventListener("load", () =>
      sending.status < 300 ? (told(1), done()) : failed(new Problem(sending.status, { detail: t("problem.upload") })),
    );
    for (const end of ["error", "timeout", "abort"]) sending.addEventListener(end, () => failed(new Problem(0, null)));
    sending.timeout = 120_000;
    sending.send(file);
  });
}
