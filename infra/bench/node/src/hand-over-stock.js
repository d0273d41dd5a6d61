import { GetCommand, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { consumer, dynamodb } from "./shared.js";

const { OFFERS_TABLE, ORDERS_TABLE } = process.env;
const OrderShipped = z.object({ data: z.object({ orderId: z.uuid() }) });

export const handler = consumer(async (body) => {
  const { orderId } = OrderShipped.parse(body).data;
  const key = { TableName: ORDERS_TABLE, Key: { orderId } };
  const { Item: order } = await dynamodb.send(new GetCommand({ ...key, ConsistentRead: true }));
  if (!order) throw new Error("there is no such order");
  await handOver(key, order.lines);
});

/** Once; an offer that was deleted meanwhile is left out. */
async function handOver(key, lines) {
  const own = {
    ...key,
    UpdateExpression: "SET handedOver = :yes",
    ConditionExpression: "attribute_exists(orderId) AND attribute_not_exists(handedOver)",
    ExpressionAttributeValues: { ":yes": true },
  };
  const offers = lines.map(({ offerId, quantity }) => ({
    TableName: OFFERS_TABLE,
    Key: { offerId },
    UpdateExpression: "SET promised = promised - :quantity",
    ConditionExpression: "attribute_exists(offerId)",
    ExpressionAttributeValues: { ":quantity": quantity },
  }));
  try {
    await dynamodb.send(new TransactWriteCommand({ TransactItems: [own, ...offers].map((Update) => ({ Update })) }));
  } catch (error) {
    if (error.name !== "TransactionCanceledException") throw error;
    const failed = error.CancellationReasons?.map((reason) => reason.Code === "ConditionalCheckFailed") ?? [];
    if (failed[0]) return;
    if (!failed.includes(true)) throw error;
    await handOver(key, lines.filter((_, index) => !failed[index + 1]));
  }
}
