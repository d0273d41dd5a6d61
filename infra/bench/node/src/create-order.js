import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { caller, count, counter, dynamodb, limit, list, parse, Problem, read, route, shard } from "./shared.js";

const sqs = new SQSClient({});
const { GUARDS_TABLE, OFFERS_TABLE, ORDERS_QUEUE_URL, ORDERS_TABLE, USERS_TABLE } = process.env;
const DAY = 24 * 60 * 60;

const Line = z.strictObject({ id: z.uuid(), quantity: z.int().min(1).max(10_000) });
const payment = { paymentMethod: z.enum(["cash_on_delivery"]).default("cash_on_delivery") };
const NewOrder = z.union([
  z.strictObject({ ...Line.shape, ...payment }).transform(({ id, quantity, ...rest }) => ({ items: [{ id, quantity }], ...rest })),
  z.strictObject({ items: z.array(Line).min(1).max(50), ...payment }),
]);

export const handler = route(async (event) => {
  const buyer = caller(event);
  const order = parse(NewOrder, event);
  const key = event.headers["idempotency-key"];
  const guardId = key && `idempotency#create-order#${buyer.id}#${key}`;
  const fingerprint = createHash("sha256").update(JSON.stringify(order)).digest("base64url");
  const counted = limit(counter("create-order", `person ${buyer.id}`), process.env.LIMIT_PER_PERSON);
  const [{ offers, profile, record }] = await Promise.all([basis(order, buyer, guardId), counted]);
  const replayed = replay(record, fingerprint);
  if (replayed) return replayed;

  if (!profile) throw new Problem(403, "Confirm your address first");
  const placed = place(order, offers, buyer, profile);
  const answer = { message: "order placed successfully", orderId: placed.orderId };
  const items = [
    { Put: { TableName: ORDERS_TABLE, Item: placed, ConditionExpression: "attribute_not_exists(orderId)" } },
    ...placed.lines.map((line) => ({
      Update: {
        TableName: OFFERS_TABLE,
        Key: { offerId: line.offerId },
        UpdateExpression: "SET quantity = quantity - :quantity ADD promised :quantity",
        ConditionExpression: "forSale = :yes AND price = :price AND quantity >= :quantity",
        ExpressionAttributeValues: { ":yes": true, ":price": line.unitPrice, ":quantity": line.quantity },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      },
    })),
  ];
  if (guardId) {
    const now = Math.floor(Date.now() / 1000);
    items.push({
      Put: {
        TableName: GUARDS_TABLE,
        Item: { guardId, fingerprint, answer: JSON.stringify(answer), expiresAt: now + DAY },
        ConditionExpression: "attribute_not_exists(guardId) OR expiresAt <= :now",
        ExpressionAttributeValues: { ":now": now },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      },
    });
  }
  try {
    await dynamodb.send(new TransactWriteCommand({ TransactItems: items }));
  } catch (error) {
    if (error.name !== "TransactionCanceledException") throw error;
    const failed = error.CancellationReasons?.findIndex((reason) => reason.Code === "ConditionalCheckFailed");
    if (guardId && failed === items.length - 1) {
      const { record } = await basis(order, buyer, guardId);
      const replayed = replay(record, fingerprint);
      if (replayed) return replayed;
    }
    throw new Problem(409, "A product is no longer to be had", { errors: [{ pointer: `/items/${failed - 1}` }] });
  }
  count("OrderPlaced");
  try {
    await sqs.send(new SendMessageCommand({ QueueUrl: ORDERS_QUEUE_URL, MessageBody: JSON.stringify({ orderId: placed.orderId }) }));
  } catch (error) {
    console.error(JSON.stringify({ level: "ERROR", order_id: placed.orderId, error: String(error) }));
  }
  return { status: 201, body: answer, headers: { location: `/orders/${placed.orderId}` } };
});

async function basis(order, buyer, guardId) {
  const wanted = {
    [OFFERS_TABLE]: { Keys: order.items.map(({ id }) => ({ offerId: id })), ConsistentRead: true },
    [USERS_TABLE]: { Keys: [{ userId: buyer.id }], ConsistentRead: true },
  };
  if (guardId) wanted[GUARDS_TABLE] = { Keys: [{ guardId }], ConsistentRead: true };
  const found = await read(wanted);
  return { offers: found[OFFERS_TABLE] ?? [], profile: found[USERS_TABLE]?.[0], record: found[GUARDS_TABLE]?.[0] };
}

function replay(record, fingerprint) {
  if (!record || record.expiresAt <= Date.now() / 1000) return undefined;
  if (record.fingerprint !== fingerprint) throw new Problem(422, "This Idempotency-Key came before with another request");
  return { status: 201, body: JSON.parse(record.answer), headers: { "idempotent-replayed": "true" } };
}

function place(order, offers, buyer, profile) {
  const lines = order.items.map(({ id, quantity }) => {
    const offer = offers.find((offer) => offer.offerId === id && offer.forSale);
    if (!offer) throw new Problem(409, "A product is not for sale", { errors: [{ id }] });
    if (offer.quantity < quantity) throw new Problem(409, "There are not enough pieces", { errors: [{ id, available: offer.quantity }] });
    const { productId, productName, price, sellerId } = offer;
    return { offerId: id, productId, productName, unitPrice: price, quantity, sellerId };
  });
  const now = new Date();
  const orderId = uuidv7(now);
  return {
    orderId,
    userId: buyer.id,
    contact: { email: profile.email, fullName: profile.fullName },
    status: "pending",
    paymentMethod: order.paymentMethod,
    lines,
    total: lines.reduce((sum, line) => sum + line.unitPrice * line.quantity, 0),
    currency: offers[0].currency,
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

function uuidv7(now) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now.getTime(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}
