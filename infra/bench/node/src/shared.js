import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});

const HEADERS = {
  "content-type": "application/json",
  "strict-transport-security": "max-age=63072000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};

export class Problem extends Error {
  constructor(status, title, extra = {}) {
    super(title);
    this.status = status;
    this.extra = extra;
  }
}

/** Wraps a route: errors become problems, every answer gets its headers and a line in the log. */
export function route(handle) {
  return async (event) => {
    const requestId = event.requestContext.requestId;
    let status, body, headers;
    try {
      ({ status = 200, body, headers = {} } = await handle(event));
    } catch (error) {
      const known = error instanceof Problem;
      if (!known) console.error(JSON.stringify({ level: "ERROR", request_id: requestId, error: String(error) }));
      status = known ? error.status : 500;
      headers = { "content-type": "application/problem+json", ...(known ? error.extra.headers : {}) };
      body = { type: "about:blank", title: known ? error.message : "Internal server error", status, errors: error.extra?.errors };
    }
    console.log(JSON.stringify({ timestamp: new Date().toISOString(), level: "INFO", request_id: requestId, status, message: "answered" }));
    return {
      statusCode: status,
      headers: { "cache-control": "no-store", ...HEADERS, "x-request-id": requestId, ...headers },
      body: JSON.stringify(body),
    };
  };
}

/** The JSON body, valid by a zod schema, or all its faults at once. */
export function parse(schema, event) {
  let json;
  try {
    json = JSON.parse(event.body ?? "");
  } catch {
    throw new Problem(400, "The body is not JSON");
  }
  const result = schema.safeParse(json);
  if (!result.success) {
    const errors = result.error.issues.map((issue) => ({ pointer: `/${issue.path.join("/")}`, detail: issue.message }));
    throw new Problem(422, "The input is invalid", { errors });
  }
  return result.data;
}

/** Who is signed in. */
export function caller(event) {
  const claims = event.requestContext.authorizer?.jwt?.claims;
  if (!claims?.sub) throw new Problem(401, "Sign in first");
  return { id: claims.sub, email: claims.email };
}

/** 200, or 304 to who has it already. */
export function cacheable(event, body) {
  const etag = `"${createHash("sha256").update(JSON.stringify(body)).digest("base64url").slice(0, 22)}"`;
  const headers = { etag, "cache-control": "public, max-age=30, stale-while-revalidate=60" };
  return event.headers["if-none-match"] === etag ? { status: 304, headers } : { body, headers };
}

/** The key of a limit's counter for `who`, whom nobody can tell from it without ours. */
export function counter(name, who) {
  const id = createHmac("sha256", process.env.LIMIT_KEY).update(who).digest("base64url");
  return { guardId: `node-rate#${name}#${id}` };
}

/** What the counters of an item are called by its first rate, its second and its third, before the window's number. */
const LETTERS = ["c", "d", "k"];

/**
 * Counts the request in the windows of `now` by all rates of an item, or by none; refuses it above one. The item as it
 * is then.
 */
export async function limit(key, rates, now = Date.now()) {
  const windows = rates.map((rate, index) => {
    const [requests, seconds] = rate.split("/").map(Number);
    const window = Math.floor(now / 1000 / seconds);
    return { name: `#window${index}`, limit: `:limit${index}`, attribute: `${LETTERS[index]}${window}`, requests, until: (window + 2) * seconds };
  });
  const each = (of) => windows.map(of);
  try {
    const { Attributes } = await dynamodb.send(
      new UpdateCommand({
        TableName: process.env.GUARDS_TABLE,
        Key: key,
        UpdateExpression: `SET expiresAt = if_not_exists(knownUntil, :expires) ADD ${each(({ name }) => `${name} :one`).join(", ")}`,
        ConditionExpression: each(({ name, limit }) => `(attribute_not_exists(${name}) OR ${name} < ${limit})`).join(" AND "),
        ExpressionAttributeNames: Object.fromEntries(each(({ name, attribute }) => [name, attribute])),
        ExpressionAttributeValues: {
          ":one": 1,
          ":expires": Math.max(...each(({ until }) => until)),
          ...Object.fromEntries(each(({ limit, requests }) => [limit, requests])),
        },
        ReturnValues: "ALL_NEW",
      }),
    );
    return Attributes;
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
    throw new Problem(429, "That was too often", { headers: { "retry-after": "60" } });
  }
}

const mac = (list, position) => createHmac("sha256", process.env.CURSOR_KEY).update(list).update("\0").update(position).digest();

export function seal(list, key) {
  const position = JSON.stringify(key);
  return Buffer.concat([mac(list, position), Buffer.from(position)]).toString("base64url");
}

export function open(list, cursor) {
  if (!cursor) return undefined;
  const sealed = Buffer.from(cursor, "base64url");
  const position = sealed.subarray(32);
  if (sealed.length < 33 || !timingSafeEqual(mac(list, position), sealed.subarray(0, 32))) {
    throw new Problem(422, "The input is invalid", { errors: [{ parameter: "cursor", detail: "is not a cursor of this list" }] });
  }
  return JSON.parse(position);
}

export function pageSize(event) {
  const size = Number(event.queryStringParameters?.limit ?? 20);
  if (!Number.isInteger(size) || size < 1 || size > 100) {
    throw new Problem(422, "The input is invalid", { errors: [{ parameter: "limit", detail: "must be a whole number from 1 to 100" }] });
  }
  return size;
}

/** A queue's consumer: the messages of a batch at the same time, and only those that failed come again. */
export function consumer(handle) {
  return async (event) => {
    const results = await Promise.allSettled(event.Records.map((record) => handle(JSON.parse(record.body), record)));
    const batchItemFailures = [];
    results.forEach((result, index) => {
      if (result.status === "rejected") {
        console.error(JSON.stringify({ level: "ERROR", message_id: event.Records[index].messageId, error: String(result.reason) }));
        batchItemFailures.push({ itemIdentifier: event.Records[index].messageId });
      }
    });
    console.log(JSON.stringify({ timestamp: new Date().toISOString(), level: "INFO", message: "done" }));
    return { batchItemFailures };
  };
}

/** The items of several tables by their keys, in one call. */
export async function read(wanted) {
  const { Responses: found } = await dynamodb.send(new BatchGetCommand({ RequestItems: wanted }));
  return found;
}

/** Which of the sixteen keys of the index `due` an order has. */
export function shard(orderId) {
  return String(parseInt(orderId.at(-1), 16)).padStart(2, "0");
}

/** Which of the eight keys of the indexes `all` and `open` an order has. */
export function list(orderId) {
  return String(parseInt(orderId.at(-1), 16) % 8);
}

/** A metric in CloudWatch's embedded format. */
export function count(metric) {
  console.log(
    JSON.stringify({
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [{ Namespace: "Cartwright", Dimensions: [["function"]], Metrics: [{ Name: metric, Unit: "Count" }] }],
      },
      function: process.env.AWS_LAMBDA_FUNCTION_NAME,
      [metric]: 1,
    }),
  );
}

/** What everyone may see of a product that is sold by this offer. */
export function view(product, offer) {
  const { id, fileName, productName, description, category, imageUrl, images, isApproved, createdAt } = product;
  const { price, currency, quantity } = offer;
  return { id, fileName, productName, productPrice: price / 100, currency, description, quantity, category, imageUrl, images, isApproved, createdAt };
}
