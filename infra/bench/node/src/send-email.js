import { SendEmailCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { DeleteCommand, GetCommand, TransactWriteCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { randomUUID } from "node:crypto";
import { consumer, count, dynamodb } from "./shared.js";

// The claim in the Guards table is what keeps a repeated send from happening, so the SDK must not repeat by itself.
const ses = new SESv2Client({ maxAttempts: 1 });
const { EMAIL_SENDER, GUARDS_TABLE, ORDERS_TABLE } = process.env;

const LETTERS = {
  "order.confirmed": { subject: "Your order of %s is confirmed", text: "Thank you for your order.", when: ["pending", "shipping"] },
  "order.shipping": { subject: "%s now shipping", text: "Your order is on its way.", when: ["shipping"], settles: "shipping" },
  "order.cancelled": { subject: "Your order of %s is cancelled", text: "Your order is cancelled.", when: ["cancelled"], settles: "cancelled" },
};

export const handler = consumer(async ({ kind, id }) => {
  const letter = LETTERS[kind];
  const claim = { TableName: GUARDS_TABLE, Key: { guardId: `claim#email#${kind}#${id}` } };
  const holder = randomUUID();
  const [claimed, { Item: order }] = await Promise.all([
    claimFor(holder, claim),
    dynamodb.send(new GetCommand({ TableName: ORDERS_TABLE, Key: { orderId: id }, ConsistentRead: true })),
  ]);
  if (!order || !letter.when.includes(order.status)) {
    if (claimed === "ours") await giveBack(holder, claim);
    if (!order) throw new Error("there is no such order");
    return;
  }
  if (claimed === "busy") throw new Error("another try is at it");
  if (claimed === "ours") {
    try {
      await ses.send(message(letter, order));
    } catch (error) {
      if (error.$metadata?.httpStatusCode >= 400 && error.$metadata.httpStatusCode < 500) await giveBack(holder, claim);
      throw error;
    }
    count("EmailSent");
  }
  await record(claim, letter.settles, id);
});

async function claimFor(holder, claim) {
  const now = Date.now();
  try {
    await dynamodb.send(
      new UpdateCommand({
        ...claim,
        UpdateExpression: "SET holder = :me, leaseUntil = :until, expiresAt = :expires",
        ConditionExpression: "attribute_not_exists(guardId) OR (attribute_not_exists(doneAt) AND leaseUntil <= :now)",
        ExpressionAttributeValues: { ":me": holder, ":until": now + 60_000, ":expires": Math.floor(now / 1000) + 90 * 86_400, ":now": now },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    return "ours";
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
    return error.Item?.doneAt ? "done" : "busy";
  }
}

async function giveBack(holder, claim) {
  await dynamodb.send(new DeleteCommand({ ...claim, ConditionExpression: "holder = :me", ExpressionAttributeValues: { ":me": holder } }));
}

async function record(claim, status, orderId) {
  const done = { ...claim, UpdateExpression: "SET doneAt = :now", ExpressionAttributeValues: { ":now": new Date().toISOString() } };
  if (status) {
    const settled = {
      TableName: ORDERS_TABLE,
      Key: { orderId },
      UpdateExpression: "REMOVE due, dueAt",
      ConditionExpression: "#status = :status",
      ExpressionAttributeNames: { "#status": "status" },
      ExpressionAttributeValues: { ":status": status },
    };
    try {
      await dynamodb.send(new TransactWriteCommand({ TransactItems: [{ Update: done }, { Update: settled }] }));
      return;
    } catch (error) {
      if (error.name !== "TransactionCanceledException") throw error;
    }
  }
  await dynamodb.send(new UpdateCommand(done));
}

function message(letter, order) {
  const lines = order.lines.map((line) => `${line.quantity} × ${line.productName}: ${(line.unitPrice / 100).toFixed(2)} ${order.currency}`);
  const text = `Hello ${order.contact.fullName},\n\n${letter.text}\n\n${lines.join("\n")}\n\nTotal: ${(order.total / 100).toFixed(2)} ${order.currency}\nOrder ${order.orderId}\n`;
  return new SendEmailCommand({
    FromEmailAddress: EMAIL_SENDER,
    Destination: { ToAddresses: [order.contact.email] },
    Content: {
      Simple: {
        Subject: { Data: letter.subject.replace("%s", order.lines[0].productName), Charset: "UTF-8" },
        Body: { Text: { Data: text, Charset: "UTF-8" } },
      },
    },
  });
}
