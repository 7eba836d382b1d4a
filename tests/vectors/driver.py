#!/usr/bin/env python3
"""A binding in one file, as an example of a driver for the wire vectors.

It needs nothing but Python's standard library: paths, methods and credentials
come from the contract, tokens are signed with plain numbers. A driver of a
real binding calls that instead. Run it with

    cargo run -p twipla-tests --bin vectors -- python3 tests/vectors/driver.py
"""

import base64
import email.utils
import hashlib
import http.client
import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

ROOT = Path(os.environ["TWIPLA_VECTORS"]).parent.parent
CONTRACT = json.loads((ROOT / "openapi" / "twipla-3as.json").read_text(encoding="utf-8"))
PARTNER = os.environ["TWIPLA_PARTNER_ID"]
BASE_URL = os.environ["TWIPLA_BASE_URL"]
DATA_URL = os.environ["TWIPLA_DATA_URL"]

OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
    if isinstance(operation, dict) and "operationId" in operation
}
KINDS = {401: "auth", 403: "auth", 404: "not_found", 409: "conflict", 410: "not_found", 429: "rate_limited"}

PAGE_SIZE = 100
MOST_ATTEMPTS = 3
# Seconds. A longer Retry-After is reported to the caller instead of waiting.
LONGEST_WAIT = 5
IDEMPOTENT = ("GET", "PUT", "DELETE")
# A gateway lost the request or its response. Not 500, with which this API rejects a change.
GATEWAY_FAILURES = (502, 503, 504)


class Failure(Exception):
    """The failure of a call."""

    def __init__(self, kind, message=None, **more):
        super().__init__(message)
        told = {"kind": kind, "message": message, **more}
        self.told = {name: value for name, value in told.items() if value is not None}


# Tokens: RS256 is a padded SHA-256 to the power of the private exponent.


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def numbers(data):
    """Returns the integers of a private key, at any depth of PKCS#1 or PKCS#8."""
    found, at = [], 0
    while at + 2 <= len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            width = length & 0x7F
            length, at = int.from_bytes(data[at : at + width], "big"), at + width
        value, at = data[at : at + length], at + length
        if tag == 0x02:
            found.append(int.from_bytes(value, "big"))
        elif tag in (0x30, 0x04):
            found += numbers(value)
    return found


def private_key():
    pem = Path(os.environ["TWIPLA_PRIVATE_KEY_FILE"]).read_text()
    lines = [line for line in pem.splitlines() if "-----" not in line]
    found = numbers(base64.b64decode("".join(lines)))
    # version, modulus, public exponent, private exponent, …; PKCS#8 has a version before it.
    start = next(index for index, number in enumerate(found) if number.bit_length() >= 2048)
    return found[start], found[start + 2]


MODULUS, EXPONENT = private_key()


def sign(customer=None):
    if customer == "":
        raise Failure("invalid_input", "invalid customer '': expected an id")
    now = int(time.time())
    header = {"alg": "RS256", "typ": "JWT", "kid": PARTNER}
    claims = {"roles": ["intp"], "intp_id": PARTNER, "iat": now, "exp": now + 600}
    if customer is not None:
        claims.update(roles=["intpc"], intpc_id=customer)
    message = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    size = (MODULUS.bit_length() + 7) // 8
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(message.encode()).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    signature = pow(int.from_bytes(padded, "big"), EXPONENT, MODULUS).to_bytes(size, "big")
    return f"{message}.{b64(signature)}"


class PartnerToken:
    """Returns one token for all calls, for half of its lifetime."""

    text, signed_at = None, 0

    @classmethod
    def get(cls):
        if cls.text is None or time.time() > cls.signed_at + 300:
            cls.text, cls.signed_at = sign(), time.time()
        return cls.text


# Requests.


def path_of(template, values):
    for name, value in values.items():
        # They would address the collection or a parent, even if percent-encoded.
        if value in ("", ".", ".."):
            raise Failure("invalid_input", f"invalid {name} {value!r}: expected an id")
        template = template.replace("{" + name + "}", quote(value, safe=""))
    return template


def schemes(operation):
    return [name for need in operation.get("security", CONTRACT["security"]) for name in need]


def send_once(wanted):
    method, path, operation = OPERATIONS[wanted["operation"]]
    base = BASE_URL
    target = path_of(path, wanted.get("path", {}))
    for name, value in wanted.get("query", {}).items():
        # Some servers would return everything.
        if value == "":
            raise Failure("invalid_input", f"invalid {name} '': expected a value")
    if wanted.get("query"):
        target += "?" + urlencode(wanted["query"])
    headers, body = {"accept": "application/json"}, None
    if "partnerToken" in schemes(operation):
        headers["authorization"] = f"Bearer {PartnerToken.get()}"
    elif "apiKey" in schemes(operation):
        headers["x-api-key"] = wanted["apiKey"]
        base = DATA_URL
    if "body" in wanted:
        headers["content-type"] = "application/json"
        body = json.dumps(wanted["body"])
    base = urlsplit(base)
    connection = http.client.HTTPConnection(base.netloc)
    # Redirects are not followed, because the token is only for this host.
    connection.request(method, base.path + target, body, headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def retry_after(headers):
    after = headers["retry-after"]
    if after is None:
        return None
    if after.isdigit():
        return float(after)
    return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time())


def delay(attempt, method, status, after):
    """Returns the seconds before the next attempt, or None if the request must not be retried."""
    # The server did not accept the request.
    refused = status == 429 or (status == 503 and after is not None)
    if attempt == MOST_ATTEMPTS:
        return None
    if refused or (status in GATEWAY_FAILURES and method in IDEMPOTENT):
        seconds = 0.1 * 2**attempt if after is None else after
        return seconds if seconds <= LONGEST_WAIT else None
    return None


def send(wanted):
    """Sends a call with retries; returns a 2xx status and the body."""
    method, _, operation = OPERATIONS[wanted["operation"]]
    attempt = 1
    while True:
        status, headers, body = send_once(wanted)
        if 200 <= status < 300:
            return status, body
        after = retry_after(headers)
        if status == 401 and attempt == 1 and "partnerToken" in schemes(operation):
            # A new token may be accepted.
            PartnerToken.text, seconds = None, 0
        else:
            seconds = delay(attempt, method, status, after)
        if seconds is None:
            raise failure(status, body, after)
        time.sleep(seconds)
        attempt += 1


# Responses.


def first(*values):
    return next((value for value in values if value not in (None, "", {})), None)


def failure(status, body, after):
    kind = KINDS.get(status, "server" if status >= 500 else "rejected")
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("<"):
        # An HTML page comes from something in front of the server, which does not know resources.
        kind = "rejected" if kind == "not_found" else kind
        return Failure(kind, status=status, retryAfter=after)
    try:
        told = json.loads(text)
    except ValueError:
        return Failure(kind, first(text), status=status, retryAfter=after)
    told = told if isinstance(told, dict) else {}
    told = told.get("payload", told)
    error = told.get("error")
    inner = error if isinstance(error, dict) else {"message": error}
    message = first(told.get("message"), inner.get("message"), told.get("detail"), told.get("description"))
    code = first(told.get("code"), inner.get("code"))
    return Failure(kind, message, status=status, code=code, retryAfter=after)


def has_body(operation):
    return any(status[0] == "2" and "content" in response for status, response in operation["responses"].items())


def reply_of(wanted, status, body):
    try:
        reply = json.loads(body)
        # The only response without an envelope.
        return {"payload": reply} if wanted["operation"] == "query_traffic_share" else reply
    except ValueError as error:
        raise Failure("decode", str(error), status=status) from error


def payload_of(reply, status):
    if not isinstance(reply, dict) or "payload" not in reply:
        raise Failure("decode", "the reply has no payload", status=status)
    return counted(reply["payload"])


def counted(payload):
    """`touchpoints` may arrive as text."""
    if isinstance(payload, list):
        return [counted(item) for item in payload]
    if isinstance(payload, dict) and isinstance(payload.get("touchpoints"), str):
        return {**payload, "touchpoints": float(payload["touchpoints"])}
    return payload


# The cases of a driver.


def call(wanted):
    status, body = send(wanted)
    if status == 204 or not has_body(OPERATIONS[wanted["operation"]][2]):
        return None
    return payload_of(reply_of(wanted, status, body), status)


def list_all(wanted):
    query = {"pageSize": str(PAGE_SIZE), **wanted.get("query", {})}
    items, page, total = [], 0, 0
    while True:
        status, body = send({**wanted, "query": {**query, "page": str(page)}})
        reply = reply_of(wanted, status, body)
        found = payload_of(reply, status)
        meta = reply.get("meta") or {}
        before, total = total, meta.get("total", total)
        if total < before:
            # Something was deleted: the next entries moved to the previous page.
            page -= 1
            continue
        items += [item for item in found if item not in items]
        page += 1
        pages = meta.get("pageTotal")
        is_last = len(found) < int(query["pageSize"]) if pages is None else page >= pages
        if is_last or not found:
            return items


def dashboard_url(wanted):
    if "refreshToken" in wanted:
        query = {"websiteToken": wanted["refreshToken"]}
    else:
        query = {"intpc_token": sign(wanted["customer"]), "externalWebsiteId": wanted["website"]}
    for name in ("locale", "timezone", "startDate", "endDate", "upgradePackageId"):
        if name in wanted:
            query[name] = wanted[name]
    if wanted.get("allowUpgrade"):
        query["allowUpgrade"] = "true"
    return os.environ["TWIPLA_DASHBOARD_URL"] + "/?" + urlencode(query)


ACTIONS = {
    "call": call,
    "list_all": list_all,
    "token": lambda wanted: sign(wanted.get("customer")),
    "dashboard_url": dashboard_url,
}

for line in sys.stdin:
    task = json.loads(line)
    try:
        answer = {"ok": ACTIONS[task["do"]](task["call"])}
    except Failure as problem:
        answer = {"error": problem.told}
    print(json.dumps(answer), flush=True)
