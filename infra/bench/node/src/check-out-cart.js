import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { kept, keyed, offersIn, place, uuidv7, wantedPrices, wantedRecord, write } from "./orders.js";
import { queueOrLeave } from "./queue.js";
import { caller, count, counter, dynamodb, limit, parse, Problem, read, route } from "./shared.js";
import { stripe } from "./stripe.js";

const { CARTS_TABLE, GUARDS_TABLE, PAYMENTS_TABLE, USERS_TABLE } = process.env;
const { CARDS_PER_HOUR, LIMIT_PER_DAY, LIMIT_PER_PERSON, PAYMENT_MINUTES, SHOP_NAME, SHOP_URL } = process.env;
const CART_KEPT = 60 * 86_400;
/** What Stripe takes of a card at least and at most, in cents. */
const [LEAST, MOST] = [50, 99_999_999];

// Carts of people with an account alone; what may be chosen besides in a cart is not written out.
const CheckOut = z.strictObject({
  expectedTotal: z.number().min(0),
  paymentMethod: z.enum(["cash_on_delivery", "card"]).default("cash_on_delivery"),
  cartVersion: z.int().min(0).optional(),
});

export const handler = route(async (event) => {
  const buyer = caller(event);
  const asked = parse(CheckOut, event);
  const request = keyed("check-out-cart", buyer, event, asked);
  const rates = [LIMIT_PER_PERSON, LIMIT_PER_DAY, ...(asked.paymentMethod === "card" ? [`${CARDS_PER_HOUR}/3600`] : [])];
  const counted = limit(counter("create-order", `person ${buyer.id}`), rates);
  const [{ cart, profile, record }] = await Promise.all([basis(buyer, request), counted]);
  const before = kept(record, request) ?? became(cart, asked);
  if (before) return placed(before, await find(before.paymentId), true);

  orderable(cart, asked);
  if (!profile) throw new Problem(403, "Confirm your address first");
  const found = await read(wantedPrices(cart.lines.map(({ offerId }) => offerId)));
  const lines = cart.lines.map(({ offerId: id, quantity }) => ({ id, quantity }));
  const order = place(lines, offersIn(found), buyer, profile);
  if (order.total !== Math.round(asked.expectedTotal * 100)) {
    throw new Problem(409, "The cart costs something else by now", { errors: [{ total: order.total / 100 }] });
  }
  const attempt = asked.paymentMethod === "card" && order.total > 0 ? toBePaid(order) : undefined;
  const answer = { orderId: order.orderId, total: order.total, currency: order.currency, paymentId: attempt?.paymentId };
  const refused = await write(order, request, answer, [emptied(cart, answer), ...(attempt ? [begun(attempt)] : [])]);
  if (refused) return again(buyer, asked, cart, request, refused);

  count("OrderPlaced");
  if (!attempt) {
    await queueOrLeave(order.orderId);
    return placed(answer);
  }
  count("CardOrderPlaced");
  return placed(answer, await opened(attempt, order));
});

async function basis(buyer, request) {
  const found = await read({
    [CARTS_TABLE]: { Keys: [{ cartId: `user#${buyer.id}` }], ConsistentRead: true },
    [USERS_TABLE]: { Keys: [{ userId: buyer.id }], ConsistentRead: true },
    ...wantedRecord(request),
  });
  const [cart] = found[CARTS_TABLE] ?? [];
  const isThere = cart?.expiresAt > Date.now() / 1000;
  return { cart: isThere ? cart : { version: 0, lines: [] }, profile: found[USERS_TABLE]?.[0], record: found[GUARDS_TABLE]?.[0] };
}

/** The order that the cart has become, if this request is about the version that it became it of. */
function became({ lines, version, lastOrder }, { cartVersion, expectedTotal }) {
  if (!lastOrder || lastOrder.total !== Math.round(expectedTotal * 100)) return undefined;
  const { cartVersion: of, ...order } = lastOrder;
  const isOfIt = cartVersion === undefined ? lines.length === 0 && version === of + 1 : cartVersion === of;
  return isOfIt ? order : undefined;
}

function orderable({ lines, version }, { cartVersion }) {
  if (cartVersion !== undefined && cartVersion !== version) throw new Problem(409, "The cart is not the one that you saw");
  if (lines.length === 0) throw new Problem(409, "There is nothing in the cart");
}

/** What is answered where the transaction was refused: another request may have ordered the cart meanwhile. */
async function again(buyer, asked, { version }, request, { isLine, line }) {
  const { cart, record } = await basis(buyer, request);
  const before = kept(record, request) ?? became(cart, { ...asked, cartVersion: version });
  if (before) return placed(before, await find(before.paymentId), true);
  if (isLine) throw new Problem(409, "A product is no longer to be had", { errors: [{ pointer: `/lines/${line}` }] });
  throw new Problem(409, "The cart is not the one that you saw");
}

/** Has an order wait for its payment, and gives the first attempt of that. */
function toBePaid(order) {
  if (order.total < LEAST || order.total > MOST) throw new Problem(409, "This cannot be paid by card");
  const now = new Date();
  const paymentId = uuidv7(now);
  const until = new Date(now.getTime() + Number(PAYMENT_MINUTES) * 60_000);
  order.status = "awaiting_payment";
  order.paymentMethod = "card";
  order.payment = { paid: 0, refunding: 0, refunded: 0, processing: false, paymentId, attempts: [paymentId] };
  order.history = [{ status: "awaiting_payment", at: order.createdAt }];
  order.dueAt = new Date(until.getTime() + 120_000).toISOString();
  delete order.open;
  return {
    paymentId,
    entry: "payment",
    orderId: order.orderId,
    userId: order.userId,
    kind: "checkout_session",
    attempt: 1,
    amount: order.total,
    currency: order.currency,
    status: "creating",
    shop: SHOP_NAME,
    urlBase: SHOP_URL,
    methods: ["card"],
    expiresAt: until.toISOString(),
    captured: 0,
    refundable: 0,
    refunding: 0,
    refunded: 0,
    createdAt: now.toISOString(),
    updatedAt: now.toISOString(),
    schemaVersion: 1,
  };
}

function begun(attempt) {
  return { Put: { TableName: PAYMENTS_TABLE, Item: attempt, ConditionExpression: "attribute_not_exists(paymentId)" } };
}

/** Empties the cart, which remembers what it became. */
function emptied(cart, answer) {
  const now = new Date();
  return {
    Update: {
      TableName: CARTS_TABLE,
      Key: { cartId: cart.cartId },
      UpdateExpression: "SET #lines = :none, choices = :choices, version = :next, lastOrder = :order, updatedAt = :now, expiresAt = :expires",
      ConditionExpression: "version = :read",
      ExpressionAttributeNames: { "#lines": "lines" },
      ExpressionAttributeValues: {
        ":none": [],
        ":choices": {},
        ":read": cart.version,
        ":next": cart.version + 1,
        ":order": { cartVersion: cart.version, ...answer },
        ":now": now.toISOString(),
        ":expires": Math.floor(now.getTime() / 1000) + CART_KEPT,
      },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    },
  };
}

/** Has Stripe make the page of an attempt, and notes it. What is not clear is left to the sweep. */
async function opened(attempt, order) {
  try {
    const { checkout } = await stripe();
    const session = await checkout.sessions.create(wanted(attempt, order), { idempotencyKey: `pay-${attempt.paymentId}` });
    const { Attributes: noted } = await dynamodb.send(
      new UpdateCommand({
        TableName: PAYMENTS_TABLE,
        Key: { paymentId: attempt.paymentId, entry: "payment" },
        UpdateExpression: "SET #status = :open, updatedAt = :now, sessionId = :session, #url = :url",
        ConditionExpression: "#status = :creating",
        ExpressionAttributeNames: { "#status": "status", "#url": "url" },
        ExpressionAttributeValues: {
          ":open": "open",
          ":creating": "creating",
          ":now": new Date().toISOString(),
          ":session": session.id,
          ":url": session.url,
        },
        ReturnValues: "ALL_NEW",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    return noted;
  } catch (error) {
    console.error(JSON.stringify({ level: "ERROR", payment_id: attempt.paymentId, error: String(error), message: "a session is left to the sweep" }));
    count("SessionLeftToSweep");
    return attempt;
  }
}

/** What Stripe is asked for. The session and its intent say whose they are, whichever is heard of first. */
function wanted({ paymentId, shop, urlBase, methods, expiresAt }, { orderId, lines, currency }) {
  const metadata = { order_id: orderId, payment_id: paymentId, shop };
  const page = `${urlBase}/orders/${orderId}?payment=${paymentId}`;
  return {
    mode: "payment",
    locale: "auto",
    submit_type: "pay",
    client_reference_id: orderId,
    adaptive_pricing: { enabled: false },
    expires_at: Math.floor(Date.parse(expiresAt) / 1000),
    success_url: page,
    cancel_url: `${page}&cancelled=1`,
    metadata,
    payment_intent_data: { metadata },
    line_items: lines.map(({ productName, quantity, unitPrice }) => ({
      quantity: 1,
      price_data: {
        currency: currency.toLowerCase(),
        unit_amount: unitPrice * quantity,
        product_data: { name: `${quantity} × ${productName}` },
      },
    })),
    payment_method_types: methods,
  };
}

/** The attempt of an order that was placed before. */
async function find(paymentId) {
  if (!paymentId) return undefined;
  const found = await read({ [PAYMENTS_TABLE]: { Keys: [{ paymentId, entry: "payment" }], ConsistentRead: true } });
  return found[PAYMENTS_TABLE]?.[0];
}

function placed({ orderId, total, currency }, attempt, isReplayed = false) {
  const payment = attempt && {
    paymentId: attempt.paymentId,
    status: attempt.status,
    url: attempt.status === "open" ? attempt.url : undefined,
    expiresAt: attempt.expiresAt,
  };
  const body = { message: "order placed successfully", orderId, total: total / 100, currency, payment };
  return { status: 201, body, headers: { location: `/orders/${orderId}`, ...(isReplayed && { "idempotent-replayed": "true" }) } };
}
