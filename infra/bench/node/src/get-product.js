import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { cacheable, dynamodb, Problem, route, view } from "./shared.js";

const Id = z.uuid();

export const handler = route(async (event) => {
  const id = Id.safeParse(event.pathParameters?.id);
  if (!id.success) throw new Problem(404, "There is no such thing");
  const { Item: product } = await dynamodb.send(
    new GetCommand({ TableName: process.env.PRODUCTS_TABLE, Key: { id: id.data } }),
  );
  if (!product?.isApproved) throw new Problem(404, "There is no such product");
  return cacheable(event, view(product));
});
