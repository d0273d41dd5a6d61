import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { cacheable, dynamodb, open, pageSize, read, route, seal, view } from "./shared.js";

const { OFFERS_TABLE, PRODUCTS_TABLE } = process.env;

export const handler = route(async (event) => {
  const category = event.queryStringParameters?.category;
  const [index, partition, of] = category ? ["category", "approvedCategory", category] : ["approved", "approved", "approved"];
  const size = pageSize(event);
  const { Items: items, LastEvaluatedKey: last } = await dynamodb.send(
    new QueryCommand({
      TableName: PRODUCTS_TABLE,
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
  return cacheable(event, { products: await withOffers(products), nextCursor });
});

async function withOffers(products) {
  if (products.length === 0) return [];
  const found = await read({ [OFFERS_TABLE]: { Keys: products.map(({ id }) => ({ offerId: id })) } });
  const offers = new Map(found[OFFERS_TABLE]?.map((offer) => [offer.productId, offer]));
  return products.flatMap((product) => (offers.has(product.id) ? [view(product, offers.get(product.id))] : []));
}
