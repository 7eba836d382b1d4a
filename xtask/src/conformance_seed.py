"""Makes a customer with a website and some API keys, and prints their ids as JSON."""

import json
import os
import sys
import urllib.error
import urllib.request

base, model = sys.argv[1:3]
token = os.environ["TWIPLA_TOKEN"]


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, method=method)
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            text = reply.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}")
    return json.loads(text)["payload"] if text else None


customer, website = f"conformance-{model}", f"conformance-{model}-site"
body = {"intpCustomerId": customer, "email": f"{customer}@example.com"}
body["website"] = {"intpWebsiteId": website, "domain": f"{customer}.example.com"}
call("POST", "/v2/3as/customers", body)
keys = [call("POST", f"/v2/3as/websites/{website}/api-keys", {"name": f"key {n}"}) for n in range(8)]
print(
    json.dumps(
        {
            "customer": customer,
            "website": website,
            "websiteId": call("GET", f"/v2/3as/websites/{website}")["id"],
            "packages": [package["id"] for package in call("GET", "/v2/3as/packages")],
            # The first one opens the data endpoints; the others may be deleted.
            "apiKey": keys[0]["apiKey"],
            "apiKeyIds": [key["id"] for key in keys[1:]],
        }
    )
)
