import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import Stripe from "stripe";

export { Stripe };

const secrets = new SecretsManagerClient({});
const KEPT = 5 * 60_000;
const known = new Map();

/** A secret that is JSON, read again after five minutes. */
export async function secret(arn) {
  const { value, until = 0 } = known.get(arn) ?? {};
  if (Date.now() < until) return value;
  const { SecretString: text } = await secrets.send(new GetSecretValueCommand({ SecretId: arn }));
  known.set(arn, { value: JSON.parse(text), until: Date.now() + KEPT });
  return known.get(arn).value;
}

let client;

/** The client of Stripe's API, made for the key as it is. */
export async function stripe() {
  const { key } = await secret(process.env.STRIPE_API_SECRET);
  if (client?.key !== key) {
    const { protocol, hostname: host, port } = new URL(process.env.STRIPE_URL);
    const options = { protocol: protocol.slice(0, -1), host, ...(port && { port: Number(port) }) };
    client = { key, api: new Stripe(key, { apiVersion: "2026-09-30.endive", maxNetworkRetries: 2, timeout: 10_000, ...options }) };
  }
  return client.api;
}
