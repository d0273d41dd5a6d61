import { TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { createHash, randomBytes } from "node:crypto";
import { dynamodb, list, Problem, shard } from "./shared.js";

const { GUARDS_TABLE, OFFERS_TABLE, ORDERS_TABLE, SELLER_ORDERS_TABLE, SETTINGS_TABLE } = process.env;
const DAY = 24 * 60 * 60;

/** By what an order of these costs. Coupons, shipping and taxes are not written out: the bench's shop has none. */
export function wantedPrices(ids) {
  return {
    [OFFERS_TABLE]: { Keys: ids.map((offerId) => ({ offerId })), ConsistentRead: true },
    [SETTINGS_TABLE]: { Keys: ["shipping", "tax"].map((setting) => ({ setting })) },
  };
}

/** The offers that were read. */
export function offersIn(found) {
  if (found[SETTINGS_TABLE]?.length) throw new Error("shipping and taxes are not counted here");
  return new Map(found[OFFERS_TABLE]?.map((offer) => [offer.offerId, offer]));
}

/** A request that carries a key: where its answer is kept, and what it asked for; undefined where it has none. */
export function keyed(name, buyer, event, input) {
  const key = event.headers["idempotency-key"];
  if (!key) return undefined;
  const fingerprint = createHash("sha256").update(JSON.stringify(input)).digest("base64url");
  return { guardId: `idempotency#${name}#${buyer.id}#${key}`, fingerprint };
}

/** The record of a key, to be read with other things. */
export function wantedRecord(request) {
  return request ? { [GUARDS_TABLE]: { Keys: [{ guardId: request.guardId }], ConsistentRead: true } } : {};
}

/** The answer that the record has, if it has one. */
export function kept(record, request) {
  if (!record || record.expiresAt <= Date.now() / 1000) return undefined;
  if (record.fingerprint !== request.fingerprint) throw new Problem(422, "This Idempotency-Key came before with another request");
  return JSON.parse(record.answer);
}

/** An order of these lines by their offers, of a person with this profile, which is paid at the door. */
export function place(wanted, offers, buyer, profile) {
  const lines = wanted.map(({ id, quantity }) => {
    const offer = offers.get(id);
    if (!offer?.forSale) throw new Problem(409, "A product is not for sale", { errors: [{ id }] });
    if (offer.quantity < quantity) throw new Problem(409, "There are not enough pieces", { errors: [{ id, available: offer.quantity }] });
    const { productId, productName, price, sellerId } = offer;
    return { offerId: id, productId, productName, unitPrice: price, quantity, sellerId };
  });
  const currencies = new Set(wanted.map(({ id }) => offers.get(id).currency));
  if (currencies.size > 1) throw new Problem(409, "The products have prices in several currencies");
  const now = new Date();
  const orderId = uuidv7(now);
  return {
    orderId,
    userId: buyer.id,
    contact: { email: profile.email, fullName: profile.fullName },
    status: "pending",
    paymentMethod: "cash_on_delivery",
    lines,
    total: lines.reduce((sum, line) => sum + line.unitPrice * line.quantity, 0),
    currency: [...currencies][0],
    createdAt: now.toISOString(),
    updatedAt: now.toISOString(),
    history: [{ status: "pending", at: now.toISOString() }],
    due: shard(orderId),
    all: list(orderId),
    open: list(orderId),
    dueAt: new Date(now.getTime() + 120_000).toISOString(),
    attempts: 0,
    schemaVersion: 1,
  };
}

/**
 * Writes an order with its reservations, the record of its answer and what else belongs to it; undefined, or which
 * parts were refused.
 */
export async function write(order, request, answer, besides = []) {
  const reservations = order.lines.map((line) => ({
    Update: {
      TableName: OFFERS_TABLE,
      Key: { offerId: line.offerId },
      UpdateExpression: "SET quantity = quantity - :quantity ADD promised :quantity",
      ConditionExpression: "forSale = :yes AND price = :price AND quantity >= :quantity",
      ExpressionAttributeValues: { ":yes": true, ":price": line.unitPrice, ":quantity": line.quantity },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    },
  }));
  const own = { Put: { TableName: ORDERS_TABLE, Item: order, ConditionExpression: "attribute_not_exists(orderId)" } };
  const items = [own, ...reservations, ...ofSellers(order), ...besides, ...(request ? [record(request, answer)] : [])];
  try {
    await dynamodb.send(new TransactWriteCommand({ TransactItems: items }));
    return undefined;
  } catch (error) {
    if (error.name !== "TransactionCanceledException") throw error;
    const failed = error.CancellationReasons?.map((reason) => reason.Code === "ConditionalCheckFailed") ?? [];
    if (!failed.includes(true)) throw error;
    return { isLine: failed.slice(1, reservations.length + 1).includes(true), line: failed.indexOf(true) - 1 };
  }
}

/** What each seller has of an order. */
function ofSellers({ orderId, currency, createdAt, lines }) {
  return [...new Set(lines.map((line) => line.sellerId))].map((sellerId) => {
    const own = lines.filter((line) => line.sellerId === sellerId);
    const sold = own.map(({ offerId, productId, productName, unitPrice, quantity }) => {
      return { offerId, productId, productName, unitPrice, quantity, total: unitPrice * quantity };
    });
    const total = sold.reduce((sum, line) => sum + line.total, 0);
    const Item = { sellerId, orderId, lines: sold, total, currency, createdAt, schemaVersion: 1 };
    return { Put: { TableName: SELLER_ORDERS_TABLE, Item } };
  });
}

function record({ guardId, fingerprint }, answer) {
  const now = Math.floor(Date.now() / 1000);
  return {
    Put: {
      TableName: GUARDS_TABLE,
      Item: { guardId, fingerprint, answer: JSON.stringify(answer), expiresAt: now + DAY },
      ConditionExpression: "attribute_not_exists(guardId) OR expiresAt <= :now",
      ExpressionAttributeValues: { ":now": now },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    },
  };
}

export function uuidv7(now) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now.getTime(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}
