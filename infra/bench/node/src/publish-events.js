import { PublishBatchCommand, SNSClient } from "@aws-sdk/client-sns";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { createHash } from "node:crypto";

const sns = new SNSClient({});
const { EVENTS_TOPIC_ARN, ORDERS_TABLE, STAGE } = process.env;
const KINDS = { pending: "order.placed", shipping: "order.shipped", cancelled: "order.cancelled" };

// Of the three tables whose streams tell of something, only what happens to orders is written out here.
export const handler = async ({ Records: records }) => {
  const events = records.flatMap((record) => (tableOf(record) === ORDERS_TABLE ? happened(record) : []));
  for (let first = 0; first < events.length; first += 10) {
    const entries = events.slice(first, first + 10).map(({ event }, position) => ({
      Id: String(position),
      Message: JSON.stringify(event),
      MessageAttributes: { type: { DataType: "String", StringValue: event.type } },
    }));
    const { Failed: failed } = await sns.send(new PublishBatchCommand({ TopicArn: EVENTS_TOPIC_ARN, PublishBatchRequestEntries: entries }));
    if (failed?.length) {
      const position = Math.min(...failed.map(({ Id }) => Number(Id)));
      return { batchItemFailures: [{ itemIdentifier: events[first + position].sequenceNumber }] };
    }
  }
  console.log(JSON.stringify({ timestamp: new Date().toISOString(), level: "INFO", count: events.length, message: "events published" }));
  return { batchItemFailures: [] };
};

const tableOf = (record) => record.eventSourceARN.split("/")[1];

function happened(record) {
  const { OldImage, NewImage, SequenceNumber: sequenceNumber } = record.dynamodb;
  if (!NewImage) return [];
  const order = unmarshall(NewImage);
  const known = OldImage ? unmarshall(OldImage).history.length : 0;
  return order.history.slice(known).map((entry, index) => ({ sequenceNumber, event: envelope(record, order, entry, index) }));
}

function envelope(record, order, entry, index) {
  const type = KINDS[entry.status];
  const facts = {
    "order.placed": { total: order.total / 100, currency: order.currency },
    "order.cancelled": { why: entry.reason },
  };
  return {
    specversion: "1.0",
    id: uuidv5(`${tableOf(record)} ${record.eventID} ${index}`),
    source: `/cartwright/${STAGE}/orders`,
    type,
    subject: order.orderId,
    time: entry.at,
    datacontenttype: "application/json",
    dataschema: `urn:cartwright:event:${type}:1`,
    data: { orderId: order.orderId, userId: order.userId, ...facts[type] },
  };
}

function uuidv5(name) {
  const namespace = Buffer.from("5d1b36b18b1f4f0e9c683fd12c0b7a94", "hex");
  const bytes = createHash("sha1").update(namespace).update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}
