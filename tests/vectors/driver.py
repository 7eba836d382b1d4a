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
BASE = os.environ["TWIPLA_BASE_URL"]

OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
    if isinstance(operation, dict) and "operationId" in operation
}
KINDS = {401: "auth", 403: "auth", 404: "not_found", 409: "conflict", 410: "not_found", 429: "rate_limited"}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def numbers(data):
    """The integers of a private key, however deep PKCS#1 or PKCS#8 nest them."""
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


def token(customer=None):
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


def send(call):
    """Sends one call; gives the status, the headers and the body."""
    method, path, operation = OPERATIONS[call["operation"]]
    for name, value in call.get("path", {}).items():
        path = path.replace("{" + name + "}", quote(value, safe=""))
    if call.get("query"):
        path += "?" + urlencode(call["query"])
    headers, body = {"accept": "application/json"}, None
    schemes = [name for need in operation.get("security", CONTRACT["security"]) for name in need]
    if "partnerToken" in schemes:
        headers["authorization"] = f"Bearer {token()}"
    elif "apiKey" in schemes:
        headers["x-api-key"] = call["apiKey"]
    if "body" in call:
        headers["content-type"] = "application/json"
        body = json.dumps(call["body"])
    connection = http.client.HTTPConnection(urlsplit(BASE).netloc)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read(), operation


def first(*values):
    return next((value for value in values if value not in (None, "", {})), None)


def failure(status, headers, body):
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    told = told.get("payload", told)
    error = told.get("error")
    inner = error if isinstance(error, dict) else {}
    result = {
        "kind": KINDS.get(status, "server" if status >= 500 else "rejected"),
        "status": status,
        "message": first(told.get("message"), error if isinstance(error, str) else None),
        "code": first(told.get("code"), inner.get("code")),
    }
    if headers["retry-after"]:
        after = headers["retry-after"]
        seconds = float(after) if after.isdigit() else email.utils.parsedate_to_datetime(after).timestamp() - time.time()
        result["retryAfter"] = seconds
    return {"error": result}


def call(wanted):
    status, headers, body, operation = send(wanted)
    if status >= 400:
        return failure(status, headers, body)
    schema = next((r for s, r in operation["responses"].items() if s[0] == "2" and "content" in r), None)
    if status == 204 or schema is None:
        return {"ok": None}
    enveloped = wanted["operation"] != "query_traffic_share"
    try:
        reply = json.loads(body)
        payload = reply["payload"] if enveloped else reply
    except (ValueError, KeyError) as error:
        return {"error": {"kind": "decode", "status": status, "message": str(error)}}
    return {"ok": counted(payload)}


def counted(payload):
    """`touchpoints` may arrive as text."""
    if isinstance(payload, dict) and isinstance(payload.get("touchpoints"), str):
        return {**payload, "touchpoints": float(payload["touchpoints"])}
    return payload


def list_all(wanted):
    items, page, pages, total = [], 0, 1, 0
    while page < pages:
        query = {**wanted["query"], "page": str(page)}
        status, headers, body, _ = send({**wanted, "query": query})
        if status >= 400:
            return failure(status, headers, body)
        reply = json.loads(body)
        before, total = total, reply["meta"]["total"]
        if page > 0 and total < before:
            # Something was deleted: what comes next moved to the page before.
            page -= 1
            continue
        if not reply["payload"]:
            break
        items += [item for item in reply["payload"] if item not in items]
        page, pages = page + 1, reply["meta"]["pageTotal"]
    return {"ok": items}


def dashboard_url(wanted):
    if "refreshToken" in wanted:
        query = {"websiteToken": wanted["refreshToken"]}
    else:
        query = {"intpc_token": token(wanted["customer"]), "externalWebsiteId": wanted["website"]}
    for name in ("locale", "timezone", "startDate", "endDate", "upgradePackageId"):
        if name in wanted:
            query[name] = wanted[name]
    if wanted.get("allowUpgrade"):
        query["allowUpgrade"] = "true"
    return {"ok": os.environ["TWIPLA_DASHBOARD_URL"] + "/?" + urlencode(query)}


ACTIONS = {
    "call": call,
    "list_all": list_all,
    "token": lambda wanted: {"ok": token(wanted.get("customer"))},
    "dashboard_url": dashboard_url,
}

for line in sys.stdin:
    task = json.loads(line)
    print(json.dumps(ACTIONS[task["do"]](task["call"])), flush=True)
