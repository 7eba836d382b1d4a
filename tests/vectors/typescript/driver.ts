// A binding in one file, as an example of a driver for the wire vectors: `fetch`, and `jose` for tokens.
//
// Paths, methods and credentials come from the contract. A driver of a real binding calls that instead.
// `.ci/vectors` installs what it needs, compiles it and runs it.

import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { SignJWT } from "jose";

type Json = null | boolean | number | string | Json[] | JsonObject;
type JsonObject = { [name: string]: Json };

type Kind =
  | "auth"
  | "not_found"
  | "conflict"
  | "rate_limited"
  | "rejected"
  | "server"
  | "decode"
  | "invalid_input";

/** What a driver is told to call, in the terms of the contract. */
interface Call {
  operation: string;
  path?: Record<string, string>;
  query?: Record<string, string>;
  body?: Json;
  apiKey?: string;
}

interface Dashboard {
  customer?: string;
  website?: string;
  refreshToken?: string;
  allowUpgrade?: boolean;
  [parameter: string]: string | boolean | undefined;
}

/** What the driver reads of the contract. */
interface Operation {
  operationId: string;
  security?: Record<string, unknown>[];
  responses: Record<string, { content?: unknown }>;
}

interface Contract {
  security: Record<string, unknown>[];
  paths: Record<string, Record<string, Operation>>;
}

interface Endpoint {
  method: string;
  path: string;
  /** Whether a call has the token of the partner, the key for data, or neither. */
  credential: "token" | "key" | "none";
  hasBody: boolean;
}

interface Reply {
  status: number;
  text: string;
}

class Failure extends Error {
  constructor(
    readonly kind: Kind,
    message?: string,
    readonly more: { status?: number; code?: string | number; retryAfter?: number } = {},
  ) {
    super(message ?? "");
  }

  told(): object {
    return { kind: this.kind, ...(this.message && { message: this.message }), ...this.more };
  }
}

const PAGE_SIZE = 100;
const MOST_ATTEMPTS = 3;
/** In seconds. A longer `Retry-After` is told to the caller, not slept through. */
const LONGEST_WAIT = 5;
const IDEMPOTENT = ["GET", "PUT", "DELETE"];
/** A gateway lost the request or its response. Not 500: so this API refuses a change. */
const GATEWAY_FAILURES = [502, 503, 504];

const BASE_URL = environment("TWIPLA_BASE_URL");
const DATA_URL = environment("TWIPLA_DATA_URL");
const DASHBOARD_URL = environment("TWIPLA_DASHBOARD_URL");
const PARTNER = environment("TWIPLA_PARTNER_ID");
const KEY: KeyObject = createPrivateKey(readFileSync(environment("TWIPLA_PRIVATE_KEY_FILE")));
const ENDPOINTS = endpoints();

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`${name} is not set`);
  }
  return value;
}

function endpoints(): Map<string, Endpoint> {
  const file = join(environment("TWIPLA_VECTORS"), "../../openapi/twipla-3as.json");
  const contract = JSON.parse(readFileSync(file, "utf8")) as Contract;
  const found = new Map<string, Endpoint>();
  for (const [path, item] of Object.entries(contract.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (!operation?.operationId) {
        continue;
      }
      const schemes = (operation.security ?? contract.security).flatMap((need) => Object.keys(need));
      const successes = Object.entries(operation.responses).filter(([status]) => status.startsWith("2"));
      found.set(operation.operationId, {
        method: method.toUpperCase(),
        path,
        credential: schemes.includes("partnerToken") ? "token" : schemes.includes("apiKey") ? "key" : "none",
        hasBody: successes.some(([, response]) => response.content !== undefined),
      });
    }
  }
  return found;
}

// Tokens.

async function sign(customer?: string): Promise<string> {
  if (customer === "") {
    throw new Failure("invalid_input", 'invalid customer "": expected an id');
  }
  const claims =
    customer === undefined
      ? { roles: ["intp"], intp_id: PARTNER }
      : { roles: ["intpc"], intp_id: PARTNER, intpc_id: customer };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: PARTNER })
    .setIssuedAt()
    .setExpirationTime("10 minutes")
    .sign(KEY);
}

/** One token for all calls, for half of its life. */
let partnerToken: { text: string; until: number } | undefined;

async function currentToken(): Promise<string> {
  if (partnerToken === undefined || Date.now() > partnerToken.until) {
    partnerToken = { text: await sign(), until: Date.now() + 5 * 60_000 };
  }
  return partnerToken.text;
}

// Requests.

function pathOf(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    // They would address the collection or a parent, even if percent-encoded.
    if (value === undefined || ["", ".", ".."].includes(value)) {
      throw new Failure("invalid_input", `invalid ${name} ${JSON.stringify(value)}: expected an id`);
    }
    return encodeURIComponent(value);
  });
}

async function sendOnce(call: Call, endpoint: Endpoint): Promise<Response> {
  const path = pathOf(endpoint.path, call.path ?? {});
  for (const [name, value] of Object.entries(call.query ?? {})) {
    // Some servers would return everything.
    if (value === "") {
      throw new Failure("invalid_input", `invalid ${name} "": expected a value`);
    }
  }
  const query = call.query && Object.keys(call.query).length > 0 ? `?${new URLSearchParams(call.query)}` : "";
  const headers = new Headers({ accept: "application/json" });
  if (endpoint.credential === "token") {
    headers.set("authorization", `Bearer ${await currentToken()}`);
  } else if (endpoint.credential === "key") {
    headers.set("x-api-key", call.apiKey ?? "");
  }
  if (call.body !== undefined) {
    headers.set("content-type", "application/json");
  }
  // Not `new URL(path, base)`: that would drop the path of the base URL.
  return fetch((endpoint.credential === "key" ? DATA_URL : BASE_URL) + path + query, {
    method: endpoint.method,
    headers,
    body: call.body === undefined ? null : JSON.stringify(call.body),
    // The credential is only for this host.
    redirect: "manual",
  });
}

function retryAfter(headers: Headers): number | undefined {
  const after = headers.get("retry-after");
  if (after === null) {
    return undefined;
  }
  const seconds = /^\d+$/.test(after) ? Number(after) : (Date.parse(after) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** Seconds before the next attempt, or nothing where the request must not be sent again. */
function delay(attempt: number, method: string, status: number, after?: number): number | undefined {
  // The server did not accept the request.
  const refused = status === 429 || (status === 503 && after !== undefined);
  const lost = GATEWAY_FAILURES.includes(status) && IDEMPOTENT.includes(method);
  if (attempt >= MOST_ATTEMPTS || !(refused || lost)) {
    return undefined;
  }
  const seconds = after ?? 0.1 * 2 ** attempt;
  return seconds <= LONGEST_WAIT ? seconds : undefined;
}

/** Sends a call until there is an answer, which is a success. */
async function send(call: Call): Promise<Reply> {
  const endpoint = endpointOf(call);
  for (let attempt = 1; ; attempt += 1) {
    const response = await sendOnce(call, endpoint);
    const { status } = response;
    const text = await response.text();
    if (response.ok) {
      return { status, text };
    }
    const after = retryAfter(response.headers);
    let seconds = delay(attempt, endpoint.method, status, after);
    if (status === 401 && attempt === 1 && endpoint.credential === "token") {
      // A new token may be accepted.
      partnerToken = undefined;
      seconds = 0;
    }
    if (seconds === undefined) {
      throw failure(status, text, after);
    }
    // A timer may fire a millisecond early.
    await sleep(seconds * 1000 + 2);
  }
}

function endpointOf(call: Call): Endpoint {
  const endpoint = ENDPOINTS.get(call.operation);
  if (endpoint === undefined) {
    throw new Failure("invalid_input", `invalid operation ${call.operation}: expected one of the contract`);
  }
  return endpoint;
}

// Responses.

function kindOf(status: number): Kind {
  switch (status) {
    case 401:
    case 403:
      return "auth";
    case 404:
    case 410:
      return "not_found";
    case 409:
      return "conflict";
    case 429:
      return "rate_limited";
    default:
      return status >= 500 ? "server" : "rejected";
  }
}

function failure(status: number, body: string, after?: number): Failure {
  const kind = kindOf(status);
  const more = { status, ...(after !== undefined && { retryAfter: after }) };
  const text = body.trim();
  if (text.startsWith("<")) {
    // An HTML page comes from something in front of the server, which does not know resources.
    return new Failure(kind === "not_found" ? "rejected" : kind, undefined, more);
  }
  const value = parsed(text);
  if (value === undefined) {
    return new Failure(kind, text, more);
  }
  const outer = isObject(value) ? value : {};
  const told = isObject(outer.payload) ? outer.payload : outer;
  const inner = isObject(told.error) ? told.error : { message: told.error ?? null };
  const message = [told.message, inner.message, told.detail, told.description].find(isText);
  const code = [told.code, inner.code].find((code) => isText(code) || typeof code === "number");
  return new Failure(kind, message, { ...more, ...(code !== undefined && { code }) });
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string" && value !== "";
}

function payloadOf(call: Call, reply: Reply): { payload: Json; meta: JsonObject } {
  const value = parsed(reply.text);
  if (value === undefined) {
    throw new Failure("decode", "the reply is not JSON", { status: reply.status });
  }
  // The only response without an envelope.
  if (call.operation === "query_traffic_share") {
    return { payload: value, meta: {} };
  }
  if (!isObject(value) || value.payload === undefined) {
    throw new Failure("decode", "the reply has no payload", { status: reply.status });
  }
  return { payload: counted(value.payload), meta: isObject(value.meta) ? value.meta : {} };
}

/** `touchpoints` may arrive as text. */
function counted(payload: Json): Json {
  if (Array.isArray(payload)) {
    return payload.map(counted);
  }
  if (isObject(payload) && typeof payload.touchpoints === "string") {
    return { ...payload, touchpoints: Number(payload.touchpoints) };
  }
  return payload;
}

// The cases of a driver.

async function call(wanted: Call): Promise<Json> {
  const reply = await send(wanted);
  if (reply.status === 204 || !endpointOf(wanted).hasBody) {
    return null;
  }
  return payloadOf(wanted, reply).payload;
}

async function listAll(wanted: Call): Promise<Json> {
  const size = Number(wanted.query?.pageSize ?? PAGE_SIZE);
  // An entry that moved meanwhile is returned twice.
  const items = new Map<string, Json>();
  let total = 0;
  for (let page = 0; ; ) {
    const query = { ...wanted.query, page: String(page), pageSize: String(size) };
    const reply = await send({ ...wanted, query });
    const { payload, meta } = payloadOf(wanted, reply);
    if (!Array.isArray(payload)) {
      throw new Failure("decode", "the payload is not a list", { status: reply.status });
    }
    const before = total;
    total = typeof meta.total === "number" ? meta.total : total;
    if (total < before) {
      // Something was deleted: the next entries moved to the previous page.
      page -= 1;
      continue;
    }
    for (const item of payload) {
      items.set(JSON.stringify(item), item);
    }
    page += 1;
    const isLast = typeof meta.pageTotal === "number" ? page >= meta.pageTotal : payload.length < size;
    if (isLast || payload.length === 0) {
      return [...items.values()];
    }
  }
}

async function dashboardUrl(wanted: Dashboard): Promise<string> {
  const query = new URLSearchParams();
  if (wanted.refreshToken !== undefined) {
    query.set("websiteToken", wanted.refreshToken);
  } else {
    query.set("intpc_token", await sign(wanted.customer ?? ""));
    query.set("externalWebsiteId", wanted.website ?? "");
  }
  for (const name of ["locale", "timezone", "startDate", "endDate", "upgradePackageId"]) {
    const value = wanted[name];
    if (typeof value === "string") {
      query.set(name, value);
    }
  }
  if (wanted.allowUpgrade === true) {
    query.set("allowUpgrade", "true");
  }
  return `${DASHBOARD_URL}/?${query}`;
}

type Task =
  | { do: "call" | "list_all"; call: Call }
  | { do: "token"; call: { customer?: string } }
  | { do: "dashboard_url"; call: Dashboard };

function perform(task: Task): Promise<Json> {
  switch (task.do) {
    case "call":
      return call(task.call);
    case "list_all":
      return listAll(task.call);
    case "token":
      return sign(task.call.customer);
    case "dashboard_url":
      return dashboardUrl(task.call);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer: object;
  try {
    answer = { ok: await perform(JSON.parse(line) as Task) };
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    answer = { error: error.told() };
  }
  console.log(JSON.stringify(answer));
}
