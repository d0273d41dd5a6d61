import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { caller, dynamodb, open, pageSize, route, seal } from "./shared.js";

export const handler = route(async (event) => {
  const { id: userId } = caller(event);
  const size = pageSize(event);
  const { Items: items, LastEvaluatedKey: last } = await dynamodb.send(
    new QueryCommand({
      TableName: process.env.ORDERS_TABLE,
      IndexName: "customer",
      KeyConditionExpression: "userId = :of",
      ExpressionAttributeValues: { ":of": userId },
      ScanIndexForward: false,
      Limit: size + 1,
      ExclusiveStartKey: open(`customer ${userId}`, event.queryStringParameters?.cursor),
    }),
  );
  const orders = items.slice(0, size).map(({ orderId, status, paymentMethod, lines, total, currency, createdAt, updatedAt, history }) => ({
    orderId,
    status,
    paymentMethod,
    items: lines.map((line) => ({ id: line.productId, productName: line.productName, productPrice: line.unitPrice / 100, quantity: line.quantity })),
    total: total / 100,
    currency,
    createdAt,
    updatedAt,
    history,
  }));
  const end = items.slice(0, size).at(-1);
  const more = items.length > size || last;
  const nextCursor = more && end ? seal(`customer ${userId}`, { orderId: end.orderId, createdAt: end.createdAt, userId }) : undefined;
  return { body: { orders, nextCursor } };
});
