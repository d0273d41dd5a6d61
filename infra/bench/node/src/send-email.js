import { SendEmailCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { DeleteCommand, GetCommand, TransactWriteCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { createHmac, randomUUID } from "node:crypto";
import { consumer, count, dynamodb } from "./shared.js";

// The claim in the Guards table is what keeps a repeated send from happening, so the SDK must not repeat by itself.
const ses = new SESv2Client({ maxAttempts: 1 });
const { EMAIL_CONFIGURATION_SET, EMAIL_SENDER, GUARDS_TABLE, MAIL_TABLE, ORDER_TOKEN_KEY, ORDERS_TABLE } = process.env;
const REMEMBERED = 90 * 86_400;

const LETTERS = {
  "order.confirmed": { subject: "Your order of %s is confirmed", headline: "Thank you for your order", when: ["pending", "shipping"] },
  "order.shipping": { subject: "%s now shipping", headline: "Your order is on its way", when: ["shipping"], settles: "shipping" },
  "order.cancelled": { subject: "Your order of %s is cancelled", headline: "Your order is cancelled", when: ["cancelled"], settles: "cancelled" },
};

export const handler = consumer(async ({ kind, id }) => {
  const letter = LETTERS[kind];
  if (!letter) throw new Error("there are no letters of this kind");
  const claim = { TableName: GUARDS_TABLE, Key: { guardId: `claim#email#${kind}#${id}` } };
  const holder = randomUUID();
  const get = new GetCommand({ TableName: ORDERS_TABLE, Key: { orderId: id }, ConsistentRead: true });
  const [claimed, { Item: order }] = await Promise.all([takeClaim(claim, holder), dynamodb.send(get)]);
  if (!order || !letter.when.includes(order.status)) {
    if (claimed) await giveBack(claim, holder);
    if (!order) throw new Error("there is no such order");
    return;
  }
  if (claimed && !(await isSuppressed(order.contact.email))) {
    try {
      await ses.send(message(letter, order));
    } catch (error) {
      if (error.$metadata?.httpStatusCode >= 400 && error.$metadata.httpStatusCode < 500) await giveBack(claim, holder);
      throw error;
    }
    count("EmailSent");
  }
  await record(claim, letter, id);
});

/** Whether mail to this address came back, or was called spam. */
async function isSuppressed(email) {
  const address = createHmac("sha256", ORDER_TOKEN_KEY).update(`mail-address#${email}`).digest("base64url");
  const { Item: found } = await dynamodb.send(new GetCommand({ TableName: MAIL_TABLE, Key: { about: `address#${address}`, entry: "suppressed" } }));
  return found !== undefined && found.expiresAt > Date.now() / 1000;
}

async function takeClaim(claim, holder) {
  const now = Date.now();
  try {
    await dynamodb.send(
      new UpdateCommand({
        ...claim,
        UpdateExpression: "SET holder = :me, leaseUntil = :until, expiresAt = :expires ADD tries :one",
        ConditionExpression: "attribute_not_exists(guardId) OR (attribute_not_exists(doneAt) AND leaseUntil <= :now)",
        ExpressionAttributeValues: {
          ":me": holder,
          ":until": now + 60_000,
          ":expires": Math.floor(now / 1000) + REMEMBERED,
          ":now": now,
          ":one": 1,
        },
        ReturnValues: "ALL_OLD",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    return true;
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
    if (error.Item?.doneAt) return false;
    throw new Error("another sender holds the claim");
  }
}

function giveBack(claim, holder) {
  const ours = { ConditionExpression: "holder = :me AND attribute_not_exists(doneAt)", ExpressionAttributeValues: { ":me": holder } };
  return dynamodb.send(new DeleteCommand({ ...claim, ...ours }));
}

/** Records that the letter went out and, where it says the last of an order, that the order is owed nothing more. */
async function record(claim, letter, orderId) {
  const now = new Date();
  const done = {
    ...claim,
    UpdateExpression: "SET doneAt = if_not_exists(doneAt, :now), expiresAt = :expires",
    ExpressionAttributeValues: { ":now": now.toISOString(), ":expires": Math.floor(now.getTime() / 1000) + REMEMBERED },
  };
  if (letter.settles) {
    const settled = {
      TableName: ORDERS_TABLE,
      Key: { orderId },
      UpdateExpression: "REMOVE due, dueAt",
      ConditionExpression: "#status = :status",
      ExpressionAttributeNames: { "#status": "status" },
      ExpressionAttributeValues: { ":status": letter.settles },
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
  const money = (minor) => `${(minor / 100).toFixed(2)} ${order.currency}`;
  const rows = order.lines.map(({ quantity, productName, unitPrice }) => [`${quantity} × ${productName}`, money(quantity * unitPrice)]);
  const { email, fullName } = order.contact;
  const end = `Order ${order.orderId}, placed on ${order.createdAt}`;
  const text = `Hello ${fullName},\n\n${letter.headline}.\n\n${rows.map((row) => row.join(": ")).join("\n")}\n\nTotal: ${money(order.total)}\n${end}\n`;
  return new SendEmailCommand({
    FromEmailAddress: EMAIL_SENDER,
    ConfigurationSetName: EMAIL_CONFIGURATION_SET,
    Destination: { ToAddresses: [email] },
    Content: {
      Simple: {
        Subject: { Data: letter.subject.replace("%s", () => order.lines[0].productName), Charset: "UTF-8" },
        Body: { Text: { Data: text, Charset: "UTF-8" }, Html: { Data: page(letter, fullName, rows, money(order.total), end), Charset: "UTF-8" } },
      },
    },
  });
}

const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

function page(letter, name, rows, total, end) {
  const cell = (text, align) => `<td style="padding:8px 0;border-bottom:1px solid #e5e5e5;text-align:${align}">${escaped(text)}</td>`;
  const row = ([what, amount]) => `<tr>${cell(what, "left")}${cell(amount, "right")}</tr>`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(letter.headline)}</title></head>
<body style="margin:0;background:#f4f4f4;font-family:Helvetica,Arial,sans-serif;color:#222">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:24px">
<table role="presentation" width="600" cellpadding="0" cellspacing="0" style="background:#fff;border-radius:8px;padding:32px">
<tr><td><h1 style="font-size:22px;margin:0 0 16px">${escaped(letter.headline)}</h1><p>Hello ${escaped(name)},</p>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0">${[...rows, ["Total", total]].map(row).join("\n")}</table>
<p style="color:#777;font-size:13px">${escaped(end)}</p></td></tr></table></td></tr></table>
</body>
</html>`;
}
