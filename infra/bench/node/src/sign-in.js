import { CognitoIdentityProviderClient, InitiateAuthCommand } from "@aws-sdk/client-cognito-identity-provider";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { createHmac } from "node:crypto";
import { z } from "zod";
import { counter, dynamodb, limit, parse, Problem, route } from "./shared.js";

const cognito = new CognitoIdentityProviderClient({});
const secrets = new SecretsManagerClient({});
let secret;

const KNOWN_FOR = 90 * 24 * 60 * 60;

const SignIn = z
  .strictObject({
    username: z.string().min(1).max(128).optional(),
    fullName: z.string().min(1).max(100).optional(),
    email: z.email().optional(),
    password: z.string().min(1).max(256),
  })
  .refine((person) => person.username ?? person.fullName ?? person.email, "needs a username, a fullName or an email");

export const handler = route(async (event) => {
  const { username, fullName, email, password } = parse(SignIn, event);
  const account = username ?? fullName?.replaceAll(" ", "_") ?? email;
  const address = event.requestContext.http.sourceIp;
  const now = Date.now();
  const { LIMIT_PER_ADDRESS, LIMIT_PER_ACCOUNT, LIMIT_PER_ACCOUNT_IN_ALL } = process.env;
  const here = counter("sign-in", `account ${account.toLowerCase()} ${address}`);
  const inAll = counter("sign-in", `account ${account.toLowerCase()}`);
  await limit(counter("sign-in", `address ${address}`), [LIMIT_PER_ADDRESS], now);
  const { knownUntil = 0 } = await limit(here, [LIMIT_PER_ACCOUNT], now);
  const isKnown = knownUntil > now / 1000;
  if (!isKnown) await limit(inAll, [LIMIT_PER_ACCOUNT_IN_ALL], now);
  const tokens = await signIn(account, password);
  const takenBack = async () => {
    await takeBack(here, LIMIT_PER_ACCOUNT, now, Math.floor(now / 1000) + KNOWN_FOR);
    if (!isKnown) await takeBack(inAll, LIMIT_PER_ACCOUNT_IN_ALL, now);
  };
  await Promise.all([note(tokens), takenBack()]);
  return { body: { msg: "User successfully signed in!", tokens } };
});

/** What proves to Cognito that a call is ours. The secret is read once. */
async function secretHash(account) {
  secret ??= secrets.send(new GetSecretValueCommand({ SecretId: process.env.APP_CLIENT_SECRET }));
  const key = (await secret).SecretString;
  return createHmac("sha256", key).update(account).update(process.env.USER_POOL_CLIENT_ID).digest("base64");
}

async function signIn(account, password) {
  const hash = await secretHash(account);
  try {
    const { AuthenticationResult: tokens } = await cognito.send(
      new InitiateAuthCommand({
        ClientId: process.env.USER_POOL_CLIENT_ID,
        AuthFlow: "USER_PASSWORD_AUTH",
        AuthParameters: { USERNAME: account, PASSWORD: password, SECRET_HASH: hash },
      }),
    );
    return tokens;
  } catch (error) {
    if (["NotAuthorizedException", "UserNotConfirmedException", "UserNotFoundException"].includes(error.name)) {
      throw new Problem(401, "The name or the password is wrong");
    }
    throw error;
  }
}

/** Takes a try back that was no failure; a counter that knows addresses remembers this one until `knownUntil`. */
async function takeBack(key, rate, now, knownUntil) {
  const window = `c${Math.floor(now / 1000 / rate.split("/")[1])}`;
  await dynamodb.send(
    new UpdateCommand({
      TableName: process.env.GUARDS_TABLE,
      Key: key,
      UpdateExpression: `${knownUntil ? "SET knownUntil = :until, expiresAt = :until " : ""}ADD #window :less`,
      ConditionExpression: "#window > :none",
      ExpressionAttributeNames: { "#window": window },
      ExpressionAttributeValues: { ":less": -1, ":none": 0, ...(knownUntil && { ":until": knownUntil }) },
    }),
  );
}

/** Notes the time in the profile; a sign-in that cannot be noted succeeds all the same. */
async function note(tokens) {
  const { sub } = JSON.parse(Buffer.from(tokens.IdToken.split(".")[1], "base64url"));
  try {
    await dynamodb.send(
      new UpdateCommand({
        TableName: process.env.USERS_TABLE,
        Key: { userId: sub },
        UpdateExpression: "SET lastSignInAt = :now",
        ConditionExpression: "attribute_exists(userId)",
        ExpressionAttributeValues: { ":now": new Date().toISOString() },
      }),
    );
  } catch (error) {
    console.warn(JSON.stringify({ level: "WARN", error: String(error), message: "the profile was not updated" }));
  }
}
