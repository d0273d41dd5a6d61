import { SendEmailCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { DeleteCommand, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { randomUUID } from "node:crypto";
import { consumer, count, dynamodb } from "./shared.js";

// The claim in the Guards table is what keeps a repeated send from happening, so the SDK must not repeat by itself.
const ses = new SESv2Client({ maxAttempts: 1 });
const { EMAIL_SENDER, GUARDS_TABLE, ORDERS_TABLE, USERS_TABLE } = process.env;

const EMAILS = {
  order_confirmed: { subject: "Order confirmed", text: "Thank you for your order.", when: ["pending", "shipping"] },
  order_shipping: { subject: "%s now shipping", text: "Your order is on its way.", when: ["shipping"], settles: "shipping" },
  order_cancelled: { subject: "Order cancelled", text: "Your order was cancelled.", when: ["cancelled"], settles: "cancelled" },
};

export const handler = consumer(async ({ kind, orderId }) => {
  const { Item: order } = await dynamodb.send(new GetCommand({ TableName: ORDERS_TABLE, Key: { orderId }, ConsistentRead: true }));
  if (!order) throw new Error("there is no such order");
  const { Item: reader } = await dynamodb.send(new GetCommand({ TableName: USERS_TABLE, Key: { userId: order.userId } }));
  if (!reader) throw new Error("the buyer has no profile");
  const email = EMAILS[kind];
  if (!email.when.includes(order.status)) return;
  const claim = { TableName: GUARDS_TABLE, Key: { guardId: `email#${orderId}#${kind}` } };
  const holder = randomUUID();
  if (await claimed(claim, holder)) {
    try {
      await ses.send(message(email, order, reader));
    } catch (error) {
      if (error.$metadata?.httpStatusCode >= 400 && error.$metadata.httpStatusCode < 500) {
        await dynamodb.send(new DeleteCommand({ ...claim, ConditionExpression: "holder = :me", ExpressionAttributeValues: { ":me": holder } }));
      }
      throw error;
    }
    await dynamodb.send(
      new UpdateCommand({ ...claim, UpdateExpression: "SET sentAt = :now", ExpressionAttributeValues: { ":now": new Date().toISOString() } }),
    );
    count("EmailSent");
  }
  if (email.settles) await settle(orderId, email.settles);
});

async function claimed(claim, holder) {
  const now = Date.now();
  try {
    await dynamodb.send(
      new UpdateCommand({
        ...claim,
        UpdateExpression: "SET holder = :me, leaseUntil = :until, expiresAt = :expires",
        ConditionExpression: "attribute_not_exists(guardId) OR (attribute_not_exists(sentAt) AND leaseUntil <= :now)",
        ExpressionAttributeValues: { ":me": holder, ":until": now + 60_000, ":expires": Math.floor(now / 1000) + 90 * 86_400, ":now": now },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    return true;
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
    if (error.Item?.sentAt) return false;
    throw new Error("another sender holds the claim");
  }
}

function message(email, order, reader) {
  const lines = order.lines.map((line) => `${line.quantity} × ${line.productName}: ${(line.unitPrice / 100).toFixed(2)} ${order.currency}`);
  const text = `Hello ${reader.fullName},\n\n${email.text}\n\n${lines.join("\n")}\n\nTotal: ${(order.total / 100).toFixed(2)} ${order.currency}\nOrder ${order.orderId}\n`;
  return new SendEmailCommand({
    FromEmailAddress: EMAIL_SENDER,
    Destination: { ToAddresses: [reader.email] },
    Content: {
      Simple: {
        Subject: { Data: email.subject.replace("%s", order.lines[0].productName), Charset: "UTF-8" },
        Body: { Text: { Data: text, Charset: "UTF-8" } },
      },
    },
  });
}

async function settle(orderId, status) {
  try {
    await dynamodb.send(
      new UpdateCommand({
        TableName: ORDERS_TABLE,
        Key: { orderId },
        UpdateExpression: "REMOVE due, dueAt",
        ConditionExpression: "#status = :status",
        ExpressionAttributeNames: { "#status": "status" },
        ExpressionAttributeValues: { ":status": status },
      }),
    );
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
  }
}
