// A client in another language, as an official one reaches the sandbox: by the
// https host names of the real servers, which it has built in. What a line in
// the hosts file does for those is done here by `lookup`.
//
//   NODE_EXTRA_CA_CERTS=ca.pem node tls_client.mjs sandbox.json HOST...
//
// Prints one JSON object: what each host answered, or why it was not reached.

import { createSign } from "node:crypto";
import { readFileSync } from "node:fs";
import https from "node:https";

const [file, ...hosts] = process.argv.slice(2);
const sandbox = JSON.parse(readFileSync(file));
const { port } = new URL(sandbox.baseUrl);
const partner = sandbox.partners[0];

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = Math.floor(Date.now() / 1000);
const message = [
  base64url({ alg: "RS256", typ: "JWT", kid: partner.id }),
  base64url({ roles: ["intp"], intp_id: partner.id, iat: now, exp: now + 600 }),
].join(".");
const signature = createSign("RSA-SHA256").update(message).sign(readFileSync(partner.privateKeyFile), "base64url");

const lookup = (_host, options, done) =>
  options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);

const get = (host) =>
  new Promise((resolve) => {
    const options = {
      host,
      port,
      lookup,
      path: "/v2/3as/company-details",
      headers: { authorization: `Bearer ${message}.${signature}` },
    };
    const request = https.get(options, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode, id: JSON.parse(body).payload?.id }));
    });
    request.on("error", (error) => resolve({ error: error.code }));
  });

const responses = {};
for (const host of hosts) responses[host] = await get(host);
console.log(JSON.stringify(responses));
