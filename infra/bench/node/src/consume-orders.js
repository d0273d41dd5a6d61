import { SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { z } from "zod";
import { consumer } from "./shared.js";

const workflows = new SFNClient({});
const OrderQueued = z.object({ orderId: z.uuid() });

export const handler = consumer(async (body, record) => {
  const { orderId } = OrderQueued.parse(body);
  try {
    await workflows.send(
      new StartExecutionCommand({
        stateMachineArn: process.env.WORKFLOW_ARN,
        name: `${orderId}-${record.messageId}`.slice(0, 80),
        input: JSON.stringify({ orderId }),
      }),
    );
  } catch (error) {
    if (error.name !== "ExecutionAlreadyExists") throw error;
  }
  console.log(JSON.stringify({ level: "INFO", order_id: orderId, message: "fulfilment started" }));
});
