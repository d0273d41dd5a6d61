import { z } from "zod";
import { kept, keyed, offersIn, place, wantedPrices, wantedRecord, write } from "./orders.js";
import { queueOrLeave } from "./queue.js";
import { caller, count, counter, limit, parse, Problem, read, route } from "./shared.js";

const { GUARDS_TABLE, LIMIT_PER_DAY, LIMIT_PER_PERSON, USERS_TABLE } = process.env;

const Line = z.strictObject({ id: z.uuid(), quantity: z.int().min(1).max(10_000) });
const payment = { paymentMethod: z.enum(["cash_on_delivery"]).default("cash_on_delivery") };
const NewOrder = z.union([
  z.strictObject({ ...Line.shape, ...payment }).transform(({ id, quantity, ...rest }) => ({ items: [{ id, quantity }], ...rest })),
  z.strictObject({ items: z.array(Line).min(1).max(50), ...payment }),
]);

export const handler = route(async (event) => {
  const buyer = caller(event);
  const order = parse(NewOrder, event);
  const request = keyed("create-order", buyer, event, order);
  const counted = limit(counter("create-order", `person ${buyer.id}`), [LIMIT_PER_PERSON, LIMIT_PER_DAY]);
  const [{ offers, profile, record }] = await Promise.all([basis(order, buyer, request), counted]);
  const before = kept(record, request);
  if (before) return replayed(before);

  if (!profile) throw new Problem(403, "Confirm your address first");
  const placed = place(order.items, offers, buyer, profile);
  const answer = { message: "order placed successfully", orderId: placed.orderId };
  const refused = await write(placed, request, answer);
  if (refused) {
    const { record } = await basis(order, buyer, request);
    const before = kept(record, request);
    if (before) return replayed(before);
    throw new Problem(409, "A product is no longer to be had", { errors: [{ pointer: `/items/${refused.line}` }] });
  }
  count("OrderPlaced");
  await queueOrLeave(placed.orderId);
  return { status: 201, body: answer, headers: { location: `/orders/${placed.orderId}` } };
});

async function basis(order, buyer, request) {
  const found = await read({
    ...wantedPrices(order.items.map(({ id }) => id)),
    [USERS_TABLE]: { Keys: [{ userId: buyer.id }], ConsistentRead: true },
    ...wantedRecord(request),
  });
  return { offers: offersIn(found), profile: found[USERS_TABLE]?.[0], record: found[GUARDS_TABLE]?.[0] };
}

function replayed(answer) {
  return { status: 201, body: answer, headers: { location: `/orders/${answer.orderId}`, "idempotent-replayed": "true" } };
}
