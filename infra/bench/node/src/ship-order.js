import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { count, dynamodb, shard } from "./shared.js";

const OUTCOMES = { shipping: "already_shipping", cancelled: "cancelled" };

export const handler = async ({ orderId }) => {
  const now = new Date().toISOString();
  try {
    await dynamodb.send(
      new UpdateCommand({
        TableName: process.env.ORDERS_TABLE,
        Key: { orderId },
        UpdateExpression:
          "SET #status = :new, updatedAt = :now, due = :shard, dueAt = :due, attempts = :none, history = list_append(history, :entry) REMOVE #open",
        ConditionExpression: "#status = :old",
        ExpressionAttributeNames: { "#status": "status", "#open": "open" },
        ExpressionAttributeValues: {
          ":new": "shipping",
          ":old": "pending",
          ":now": now,
          ":shard": shard(orderId),
          ":due": new Date(Date.now() + 120_000).toISOString(),
          ":none": 0,
          ":entry": [{ status: "shipping", at: now }],
        },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
    return { outcome: OUTCOMES[error.Item?.status?.S] };
  }
  count("OrderShipped");
  console.log(JSON.stringify({ level: "INFO", order_id: orderId, message: "asked to ship" }));
  return { outcome: "shipped" };
};
