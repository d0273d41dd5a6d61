import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { consumer, dynamodb } from "./shared.js";

const KEPT = 400 * 86_400;
const Told = z.object({
  id: z.uuid(),
  type: z.string(),
  subject: z.string(),
  time: z.iso.datetime(),
  data: z.union([z.object({ userId: z.string() }), z.object({ sellerId: z.string() })]),
});

export const handler = consumer(async (body) => {
  const { id, type, subject, time, data } = Told.parse(body);
  const userId = data.userId ?? data.sellerId;
  const Item = {
    userId,
    at: `${time}#${id}`,
    time,
    kind: type,
    subject: subject === userId ? undefined : subject,
    expiresAt: Math.floor(Date.parse(time) / 1000) + KEPT,
    schemaVersion: 1,
  };
  await dynamodb.send(new PutCommand({ TableName: process.env.ACTIVITY_TABLE, Item }));
});
