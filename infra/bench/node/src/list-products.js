import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { cacheable, dynamodb, open, pageSize, route, seal, view } from "./shared.js";

export const handler = route(async (event) => {
  const category = event.queryStringParameters?.category;
  const [index, partition, of] = category ? ["category", "approvedCategory", category] : ["approved", "approved", "approved"];
  const size = pageSize(event);
  const { Items: items, LastEvaluatedKey: last } = await dynamodb.send(
    new QueryCommand({
      TableName: process.env.PRODUCTS_TABLE,
      IndexName: index,
      KeyConditionExpression: "#partition = :of",
      ExpressionAttributeNames: { "#partition": partition },
      ExpressionAttributeValues: { ":of": of },
      ScanIndexForward: false,
      Limit: size + 1,
      ExclusiveStartKey: open(`${index} ${of}`, event.queryStringParameters?.cursor),
    }),
  );
  const products = items.slice(0, size);
  const more = items.length > size || last;
  const end = products.at(-1);
  const nextCursor = more && end ? seal(`${index} ${of}`, { id: end.id, createdAt: end.createdAt, [partition]: of }) : undefined;
  return cacheable(event, { products: products.map(view), nextCursor });
});
