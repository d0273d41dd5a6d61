import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});

/** Queues an order, to be sent. */
export function queue(orderId) {
  return sqs.send(new SendMessageCommand({ QueueUrl: process.env.ORDERS_QUEUE_URL, MessageBody: JSON.stringify({ orderId }) }));
}

/** The same; an order that cannot be queued is due, and is found by the sweep. */
export async function queueOrLeave(orderId) {
  try {
    await queue(orderId);
  } catch (error) {
    console.error(JSON.stringify({ level: "ERROR", order_id: orderId, error: String(error) }));
  }
}
