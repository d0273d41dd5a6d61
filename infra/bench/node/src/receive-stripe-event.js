import { TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { queue } from "./queue.js";
import { count, dynamodb, list, Problem, read, route, shard } from "./shared.js";
import { secret, Stripe } from "./stripe.js";

const { ORDERS_TABLE, PAYMENTS_TABLE, SHOP_NAME, STAGE, STRIPE_WEBHOOK_SECRET } = process.env;
const LIVE = STAGE === "production";

// Of what Stripe tells, only that a session was paid is written out here.
const PAID = ["checkout.session.completed", "checkout.session.async_payment_succeeded"];
const Session = z.object({
  id: z.string().min(1),
  payment_status: z.string(),
  payment_intent: z.string().min(1),
  amount_total: z.int().min(0),
  currency: z.string().length(3),
  metadata: z.object({ order_id: z.uuid(), payment_id: z.uuid(), shop: z.string() }),
});

export const handler = route(async (event) => {
  const { secrets } = await secret(STRIPE_WEBHOOK_SECRET);
  const told = verified(event, secrets);
  if (told.livemode !== LIVE) return ignored("livemode");
  if (!PAID.includes(told.type)) return ignored("type");
  const { metadata } = told.data.object;
  if (metadata?.shop !== SHOP_NAME) return ignored("shop");
  const session = Session.safeParse(told.data.object);
  if (!session.success) return ignored("unreadable");
  if (session.data.payment_status !== "paid") return ignored("type");
  if (!(await capture(told.id, session.data)) && !(await isRecorded(session.data))) {
    throw new Error("money that its order does not take is not sent back here");
  }
  console.log(JSON.stringify({ level: "INFO", order_id: metadata.order_id, payment_id: metadata.payment_id, message: "order paid" }));
  count("OrderPaid");
  await queue(metadata.order_id);
  return { body: { received: true } };
});

const ignored = (why) => ({ body: { received: true, ignored: why } });

/** The event, if one of our secrets has signed it, not long ago. */
function verified(event, secrets) {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64") : event.body;
  for (const one of secrets) {
    try {
      return Stripe.webhooks.constructEvent(body, event.headers["stripe-signature"] ?? "", one);
    } catch (error) {
      if (error.type !== "StripeSignatureVerificationError") throw error;
    }
  }
  count("BadStripeSignature");
  throw new Problem(400, "The signature is not one of this shop's, or not of now");
}

/**
 * The money pays the order: it is to be sent, the attempt is captured, and the ledger has it. False where that is not
 * so any more.
 */
async function capture(eventId, session) {
  const { order_id: orderId, payment_id: paymentId } = session.metadata;
  const { payment_intent: intent, amount_total: amount } = session;
  const currency = session.currency.toUpperCase();
  const now = new Date().toISOString();
  const put = (Item, rest = {}) => ({ Put: { TableName: PAYMENTS_TABLE, Item: { ...Item, schemaVersion: 1 }, ...rest } });
  const fact = `charge:${intent}`;
  const entry = { paymentId, entry: `ledger#${fact}`, amount, at: now, objectId: intent, eventId };
  const items = [
    paid(orderId, paymentId, amount, currency, now),
    captured(session, amount, currency, now),
    put(entry, { ConditionExpression: "attribute_not_exists(entry)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
    put({ paymentId: `intent#${intent}`, entry: "pointer", ownerId: paymentId, orderId }),
  ];
  try {
    await dynamodb.send(new TransactWriteCommand({ TransactItems: items }));
    return true;
  } catch (error) {
    if (error.name !== "TransactionCanceledException") throw error;
    const isRefused = error.CancellationReasons?.some((reason) => reason.Code === "ConditionalCheckFailed");
    if (!isRefused) throw error;
    return false;
  }
}

function paid(orderId, paymentId, amount, currency, now) {
  return {
    Update: {
      TableName: ORDERS_TABLE,
      Key: { orderId },
      UpdateExpression:
        "SET #status = :to, updatedAt = :now, due = :shard, dueAt = :due, attempts = :none, history = list_append(history, :entry), " +
        "payment.paid = payment.paid + :amount, payment.paymentId = :payment, payment.processing = :no, #open = :open",
      ConditionExpression: "#status = :from AND updatedAt < :now AND #total = :amount AND currency = :currency",
      ExpressionAttributeNames: { "#status": "status", "#open": "open", "#total": "total" },
      ExpressionAttributeValues: {
        ":to": "pending",
        ":from": "awaiting_payment",
        ":now": now,
        ":shard": shard(orderId),
        ":due": new Date(Date.parse(now) + 120_000).toISOString(),
        ":none": 0,
        ":entry": [{ status: "pending", at: now }],
        ":amount": amount,
        ":payment": paymentId,
        ":no": false,
        ":open": list(orderId),
        ":currency": currency,
      },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    },
  };
}

function captured({ id, payment_intent: intent, metadata }, amount, currency, now) {
  return {
    Update: {
      TableName: PAYMENTS_TABLE,
      Key: { paymentId: metadata.payment_id, entry: "payment" },
      UpdateExpression:
        "SET #status = :to, updatedAt = :now, intentId = :intent, captured = :amount, refundable = :amount, refunding = :none, refunded = :none REMOVE #url",
      ConditionExpression:
        "#status IN (:creating, :open, :processing, :dead) AND orderId = :order AND amount = :amount AND currency = :currency " +
        "AND (attribute_not_exists(intentId) OR intentId = :intent) AND (attribute_not_exists(sessionId) OR sessionId = :session)",
      ExpressionAttributeNames: { "#status": "status", "#url": "url" },
      ExpressionAttributeValues: {
        ":to": "captured",
        ":creating": "creating",
        ":open": "open",
        ":processing": "processing",
        ":dead": "dead",
        ":now": now,
        ":intent": intent,
        ":amount": amount,
        ":none": 0,
        ":order": metadata.order_id,
        ":currency": currency,
        ":session": id,
      },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    },
  };
}

/** Whether the money was heard of before: whoever wrote it down may have died before the order was queued. */
async function isRecorded({ metadata, payment_intent: intent }) {
  const key = { paymentId: metadata.payment_id, entry: `ledger#charge:${intent}` };
  const found = await read({ [PAYMENTS_TABLE]: { Keys: [key], ConsistentRead: true } });
  return Boolean(found[PAYMENTS_TABLE]?.length);
}
