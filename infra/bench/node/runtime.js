// What Lambda's Node.js runtime does, and no more: loads a handler, asks for events, gives answers back.
//
// Lambda's own, aws-lambda-ric, builds native code with CMake and autotools when it is installed, and its current
// version wants a newer Node.js than many have. This does less than it, so it flatters Node.js a little.

const http = require("node:http");

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1, noDelay: true });

function request(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sent = http.request({ host, port, method, path: `/2018-06-01/runtime${path}`, agent, headers }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(parts) }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function main() {
  let handler;
  try {
    ({ handler } = require(process.argv[2]));
  } catch (error) {
    await request("POST", "/init/error", JSON.stringify({ errorType: error.name, errorMessage: error.message }));
    throw error;
  }
  for (;;) {
    const { headers, body } = await request("GET", "/invocation/next");
    const id = headers["lambda-runtime-aws-request-id"];
    process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
    const context = { awsRequestId: id, callbackWaitsForEmptyEventLoop: true };
    try {
      const result = await handler(JSON.parse(body), context);
      await request("POST", `/invocation/${id}/response`, JSON.stringify(result ?? null));
    } catch (error) {
      console.error(error);
      await request("POST", `/invocation/${id}/error`, JSON.stringify({ errorType: error.name, errorMessage: error.message }));
    }
  }
}

main();
