#!/usr/bin/env python3
"""The Python driver with one mistake, to check that the vectors catch it.

    python3 mistakes.py --list    names the mistakes
    python3 mistakes.py NAME      is the driver with this mistake

`cargo run -p twipla-tests --bin vectors -- --mutants` runs them all.
"""

import sys
from pathlib import Path

DRIVER = Path(__file__).with_name("driver.py")

RETURN = "    return response.status, response.headers, response.read()"
FOLLOW = """    if response.status // 100 == 3:
        response.read()
        to = urlsplit(response.headers["location"])
        connection = http.client.HTTPConnection(to.netloc or base.netloc)
        connection.request(method, to.path, body, headers)
        response = connection.getresponse()
""" + RETURN

# A name, the behaviour of the binding, a text of the driver, and its replacement.
# Each text occurs exactly once.
MISTAKES = [
    # Retries.
    ("retry_post_after_500", "sends any request again after a 500", "status in GATEWAY_FAILURES and method in IDEMPOTENT", "(status in GATEWAY_FAILURES and method in IDEMPOTENT) or status == 500"),
    ("retry_post_after_502", "sends a POST again after a gateway failed", 'IDEMPOTENT = ("GET", "PUT", "DELETE")', 'IDEMPOTENT = ("GET", "PUT", "DELETE", "POST")'),
    ("retry_patch_after_502", "sends a PATCH again after a gateway failed", 'IDEMPOTENT = ("GET", "PUT", "DELETE")', 'IDEMPOTENT = ("GET", "PUT", "DELETE", "PATCH")'),
    ("retry_after_400", "sends again what was refused", "GATEWAY_FAILURES = (", "GATEWAY_FAILURES = (400, "),
    ("retry_post_after_400", "sends a change again that was refused", "if refused or (", 'if refused or (status == 400 and method == "POST") or ('),
    ("retry_after_404", "sends again what is not found", "GATEWAY_FAILURES = (", "GATEWAY_FAILURES = (404, "),
    ("retry_delete_after_400", "sends a DELETE again that was refused", "if refused or (", 'if refused or (status == 400 and method == "DELETE") or ('),
    ("retry_post_after_409", "sends a create again where the id is in use", "if refused or (", "if refused or status == 409 or ("),
    ("retry_post_after_503", "takes every 503 for a refusal", "(status == 503 and after is not None)", "status == 503"),
    ("retry_post_after_520", "sends a POST again after a failure of a gateway that HTTP does not name", "status == 429 or (", "status in (429, 520) or ("),
    ("retry_post_after_408", "sends a POST again that took too long", "    if refused or (", '    if refused or (status == 408 and method == "POST") or ('),
    ("retry_post_after_524", "sends a POST again that took a gateway too long", "    if refused or (", '    if refused or (status == 524 and method == "POST") or ('),
    ("retry_patch_after_408", "sends a PATCH again that took too long", "    if refused or (", '    if refused or (status == 408 and method == "PATCH") or ('),
    ("retry_patch_after_500", "sends a PATCH again after a 500", "    if refused or (", '    if refused or (status == 500 and method == "PATCH") or ('),
    ("retry_put_after_500", "sends a PUT again after a 500", "    if refused or (", '    if refused or (status == 500 and method == "PUT") or ('),
    ("retry_delete_after_500", "sends a DELETE again after a 500", "    if refused or (", '    if refused or (status == 500 and method == "DELETE") or ('),
    ("retry_delete_after_409", "sends a DELETE again that there is something against", "    if refused or (", '    if refused or (status == 409 and method == "DELETE") or ('),
    ("retry_put_after_404", "sends a PUT again that names nothing", "    if refused or (", '    if refused or (status == 404 and method == "PUT") or ('),
    ("login_again_after_401", "sends a login again whose key is not accepted", ' and "partnerToken" in schemes(operation):', ' and "apiKey" not in wanted:'),
    ("retry_for_ever", "does not give up", "    if attempt == MOST_ATTEMPTS:\n        return None\n", "    if status in GATEWAY_FAILURES and method in IDEMPOTENT and attempt < 40:\n        return 0.01\n    if attempt >= MOST_ATTEMPTS:\n        return None\n"),
    ("new_tokens_for_ever", "makes token after token while the server says 401", "status == 401 and attempt == 1 and", "status == 401 and attempt < 30 and"),
    ("new_token_for_a_key", "sends a call for data again after a 401", ' and "partnerToken" in schemes(operation):', ":"),
    ("retry_after_success", "sends everything twice", "    status, body = send(wanted)\n    if status == 204", "    send(wanted)\n    status, body = send(wanted)\n    if status == 204"),
    ("retry_post_after_broken_success", "sends a create again where it cannot read the success", "    status, body = send(wanted)\n    if status == 204", "    status, body = send(wanted)\n    if wanted[\"operation\"] in (\"create_package\", \"upgrade_website_subscription\") and b'\"payload\"' not in body:\n        status, body = send(wanted)\n    if status == 204"),
    ("query_lost_on_retry", "asks for everything where it asks again", "        time.sleep(seconds)\n", '        time.sleep(seconds)\n        wanted = {name: value for name, value in wanted.items() if name != "query"}\n'),
    # Waits.
    ("no_wait_after_429", "does not wait when the server says so", "if after is None else after\n", "if after is None else 0\n"),
    ("waits_at_most_half_a_second", "caps the wait that the server asks for", "        time.sleep(seconds)", "        time.sleep(min(seconds, 0.5))"),
    ("second_wait_forgotten", "does not wait when the server says so again", "        time.sleep(seconds)", "        time.sleep(seconds if attempt == 1 else 0)"),
    ("waits_at_most_a_second", "caps the wait at little more than a second", "        time.sleep(seconds)", "        time.sleep(min(seconds, 1.2))"),
    ("no_wait_before_delete", "sends a DELETE again at once", "        time.sleep(seconds)", '        time.sleep(0 if method == "DELETE" else seconds)'),
    ("long_wait_is_cut", "sends a request within the hour that it should wait", "return seconds if seconds <= LONGEST_WAIT else None", "return seconds if seconds <= LONGEST_WAIT else 0.2"),
    ("date_is_no_wait", "does not read a date in Retry-After", "return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time())", "return 0.0"),
    ("retry_after_in_milliseconds", "takes Retry-After for milliseconds", "        return float(after)", "        return float(after) / 1000"),
    ("retry_after_is_not_told", "keeps the wait that the server asks for to itself", "return Failure(kind, message, status=status, code=code, retryAfter=after)", "return Failure(kind, message, status=status, code=code)"),
    # Hosts and paths.
    ("redirects_are_followed", "follows a redirect, with the token", RETURN, FOLLOW),
    ("redirects_of_reads_are_followed", "follows a redirect of a GET", RETURN, FOLLOW.replace("== 3:", '== 3 and method == "GET":')),
    ("redirects_become_get", "follows a redirect of a POST with a GET", RETURN, FOLLOW.replace("== 3:", '== 3 and method == "POST":').replace("(method, to.path, body, headers)", '("GET", to.path, None, headers)')),
    ("redirects_on_the_same_host", "follows a redirect within the host", RETURN, FOLLOW.replace("== 3:", '== 3 and response.headers["location"].startswith("/"):')),
    ("redirects_of_a_login_are_followed", "follows a redirect of a call without a token", RETURN, FOLLOW.replace("== 3:", '== 3 and "authorization" not in headers and "x-api-key" not in headers:')),
    ("redirects_of_updates_are_followed", "follows a redirect of a PATCH or a PUT", RETURN, FOLLOW.replace("== 3:", '== 3 and method in ("PATCH", "PUT"):')),
    ("redirects_of_creates_on_the_same_host", "follows a redirect of a POST within the host", RETURN, FOLLOW.replace("== 3:", '== 3 and method == "POST" and response.headers["location"].startswith("/"):')),
    ("redirect_is_success", "takes a redirect for a success", "if 200 <= status < 300:", "if 200 <= status < 400:"),
    ("one_host_for_all", "asks the API for data", "        base = DATA_URL\n", ""),
    ("path_of_base_url_dropped", "drops the path of a base URL", "base.path + target", "target"),
    # Credentials.
    ("api_key_with_everything", "sends X-Api-Key with management calls", '    if "body" in wanted:\n', '    if "apiKey" in wanted:\n        headers["x-api-key"] = wanted["apiKey"]\n    if "body" in wanted:\n'),
    ("token_with_data", "sends the token of the partner with a call for data", '        headers["x-api-key"] = wanted["apiKey"]', '        headers["x-api-key"] = wanted["apiKey"]\n        headers["authorization"] = f"Bearer {PartnerToken.get()}"'),
    ("token_with_login", "sends the token of the partner where none is wanted", '{"accept": "application/json"}, None', '{"accept": "application/json", **({} if "apiKey" in wanted else {"authorization": f"Bearer {PartnerToken.get()}"})}, None'),
    ("authentication_header", "calls the header what the reference page calls it", 'headers["authorization"] =', 'headers["authentication"] ='),
    ("token_without_bearer", "sends the bare token", 'f"Bearer {PartnerToken.get()}"', "PartnerToken.get()"),
    ("customer_token_for_management", "sends the token of a customer", "cls.text, cls.signed_at = sign(), time.time()", 'cls.text, cls.signed_at = sign("cust-42"), time.time()'),
    ("partner_token_in_dashboard", "hands the token of the partner to a browser", 'sign(wanted["customer"])', "sign()"),
    # Tokens.
    ("no_kid", "leaves the partner out of the header of a token", '"typ": "JWT", "kid": PARTNER', '"typ": "JWT"'),
    ("roles_as_text", "writes the role as a text", '"roles": ["intp"]', '"roles": "intp"'),
    ("old_claims", "names the partner as before 2022", '"intp_id": PARTNER', '"intp": PARTNER'),
    ("token_in_milliseconds", "counts milliseconds", "now = int(time.time())", "now = int(time.time() * 1000)"),
    ("token_for_a_day", "makes a token that lives for a day", '"exp": now + 600', '"exp": now + 86400'),
    ("token_without_end", "makes a token that does not expire", ', "exp": now + 600', ""),
    ("token_padded", "pads base64url", '.rstrip(b"=").decode()', ".decode()"),
    ("token_with_sha512", "signs another digest", "hashlib.sha256(message", "hashlib.sha512(message"),
    ("customer_encoded_in_token", "percent-encodes the customer in a token", "intpc_id=customer", 'intpc_id=quote(customer, safe="")'),
    # Paths and bodies.
    ("empty_id_sent", "sends an empty id, which addresses the collection", 'if value in ("", ".", ".."):', 'if value in (".", ".."):'),
    ("dot_sent", "sends the id `.`", 'if value in ("", ".", ".."):', 'if value in ("", ".."):'),
    ("dots_sent", "sends the id `..`", 'if value in ("", ".", ".."):', 'if value in ("", "."):'),
    ("dots_refused_everywhere", "refuses ids that only hold dots", 'if value in ("", ".", ".."):', 'if value.strip(".") == "":'),
    ("empty_filter_dropped", "lists everything where a filter is empty", "            raise Failure(\"invalid_input\", f\"invalid {name} '': expected a value\")", '            wanted = {**wanted, "query": {key: text for key, text in wanted["query"].items() if text}}'),
    ("empty_customer_is_the_partner", "signs a token of the partner for an empty customer", "        raise Failure(\"invalid_input\", \"invalid customer '': expected an id\")", "        customer = None"),
    ("only_first_id_checked", "checks the first id of a path alone", "        template = template.replace(", "        break\n    for name, value in values.items():\n        template = template.replace("),
    ("spaces_trimmed", "trims an id", 'quote(value, safe="")', 'quote(value.strip(), safe="")'),
    ("slash_not_encoded", "leaves a slash in an id as it is", 'quote(value, safe="")', "quote(value)"),
    ("encoded_twice", "encodes an id twice", 'quote(value, safe="")', 'quote(quote(value, safe=""), safe="")'),
    ("id_decoded_first", "decodes an id before it encodes it", 'quote(value, safe="")', '__import__("urllib.parse").parse.quote(__import__("urllib.parse").parse.unquote(value), safe="")'),
    ("plus_for_space_in_path", "encodes a path like a form", 'quote(value, safe="")', '__import__("urllib.parse").parse.quote_plus(value)'),
    ("query_not_encoded", "does not encode the query", 'urlencode(wanted["query"])', '"&".join(f"{name}={value}" for name, value in wanted["query"].items())'),
    ("form_instead_of_json", "sends a form", "body = json.dumps(wanted[\"body\"])", "body = urlencode(wanted[\"body\"])"),
    ("no_content_type", "does not say that a body is JSON", '        headers["content-type"] = "application/json"\n', ""),
    ("body_in_latin_1", "sends a body that is not UTF-8", 'body = json.dumps(wanted["body"])', 'body = json.dumps(wanted["body"], ensure_ascii=False).encode("latin-1", "replace")'),
    ("trial_always_sent", "adds a field that nobody asked for", "body = json.dumps(wanted[\"body\"])", 'body = json.dumps({"trial": True, **wanted["body"]})'),
    ("patch_as_put", "sends PUT for PATCH", "    method, path, operation = OPERATIONS[wanted[\"operation\"]]\n", "    method, path, operation = OPERATIONS[wanted[\"operation\"]]\n    method = method.replace(\"PATCH\", \"PUT\")\n"),
    # Lists.
    ("no_paging_by_default", "gives the first page where no size is named", "        is_last = len(found)", '        if "pageSize" not in wanted.get("query", {}):\n            return found\n        is_last = len(found)'),
    ("no_paging_of_websites", "gives the first page of websites", "        is_last = len(found)", '        if wanted["operation"] == "list_websites":\n            return found\n        is_last = len(found)'),
    ("meta_required", "fails on a list without meta", 'meta = reply.get("meta") or {}', 'meta = reply["meta"]'),
    ("pages_from_one", "counts pages from 1", '"page": str(page)}', '"page": str(page + 1)}'),
    ("one_page_too_many", "asks for one page more than there is", "else page >= pages", "else page > pages"),
    ("short_page_ends", "takes a page that is not full for the last, though the server caps pages", "is_last = len(found) < int(query[\"pageSize\"]) if pages is None else page >= pages", "is_last = len(found) < int(query[\"pageSize\"])"),
    ("filter_on_first_page_only", "forgets the filter after the first page", "        page += 1\n", '        page += 1\n        query.pop("externalCustomerId", None)\n'),
    ("page_size_forgotten", "forgets the page size after the first page", "        page += 1\n", '        page += 1\n        query["pageSize"] = str(PAGE_SIZE)\n'),
    ("duplicates_kept", "gives an entry twice that moved", "items += [item for item in found if item not in items]", "items += found"),
    ("deletions_unnoticed", "skips entries where others were deleted", "        if total < before:", "        if False:"),
    ("half_a_list", "gives what it has where a list breaks off", '        status, body = send({**wanted, "query": {**query, "page": str(page)}})\n', '        try:\n            status, body = send({**wanted, "query": {**query, "page": str(page)}})\n        except Failure:\n            return items\n'),
    ("unknown_entry_refused", "fails on a list with an entry that has a period it does not know", "        return [counted(item) for item in payload]\n", "        if any(item.get('period', 'monthly') not in ('monthly', 'yearly') for item in payload):\n            raise Failure('decode', status=200)\n        return [counted(item) for item in payload]\n"),
    ("unknown_entry_dropped", "leaves an entry out that has a status it does not know", "return [counted(item) for item in payload]", "return [counted(item) for item in payload if item.get('status', 'active') in ('active', 'canceled', 'inactive')]"),
    ("five_pages_at_most", "gives up after five pages", "        page += 1\n", "        page += 1\n        if page == 5:\n            return items\n"),
    # Successes.
    ("only_201_for_a_create", "fails on a 200 for a 201", "        if 200 <= status < 300:", '        if 200 <= status < 300 and not (status == 200 and "201" in operation["responses"]):'),
    ("create_needs_a_body", "fails on a 204 for a create", "if status == 204 or not has_body(", "if not has_body("),
    ("body_where_none_is_needed", "fails on an empty body where none is of use", "if status == 204 or not has_body(OPERATIONS[wanted[\"operation\"]][2]):", "if status == 204:"),
    ("unknown_field_refused", "fails on a field that it does not know", "def payload_of(reply, status):\n", "def payload_of(reply, status):\n    if 'fieldOfTheFuture' in json.dumps(reply):\n        raise Failure('decode', status=status)\n"),
    ("unknown_value_refused", "fails on a status that it does not know", "def payload_of(reply, status):\n", "def payload_of(reply, status):\n    if isinstance(reply.get('payload'), dict) and reply['payload'].get('status', 'active') not in ('active', 'canceled', 'inactive'):\n        raise Failure('decode', status=status)\n"),
    ("envelope_kept", "gives the envelope, too", "return counted(reply[\"payload\"])", "return reply"),
    ("traffic_share_unwrapped", "looks for an envelope where there is none", 'return {"payload": reply} if wanted["operation"] == "query_traffic_share" else reply', "return reply"),
    ("count_as_text", "passes a count on as text", 'return {**payload, "touchpoints": float(payload["touchpoints"])}', "return payload"),
    ("broken_json_is_nothing", "takes a reply that is not JSON for an empty success", 'raise Failure("decode", str(error), status=status) from error', 'return {"payload": None}'),
    ("no_payload_is_nothing", "takes an object without payload for an empty success", 'raise Failure("decode", "the reply has no payload", status=status)', "return None"),
    ("no_limit_is_nothing", "takes a limit of -1 for none at all", '    """`touchpoints` may arrive as text."""\n', "    payload = json.loads(json.dumps(payload).replace('\"stpLimit\": -1', '\"stpLimit\": 0'))\n"),
    ("milliseconds_lost", "cuts the milliseconds of a time", '    """`touchpoints` may arrive as text."""\n', '    payload = json.loads(json.dumps(payload).replace(".123", ""))\n'),
    # Failures.
    ("every_failure_the_same", "has one kind of failure", 'kind = KINDS.get(status, "server" if status >= 500 else "rejected")', 'kind = "rejected"'),
    ("conflict_unknown", "does not know a conflict", ', 409: "conflict"', ""),
    ("forbidden_is_a_refusal", "takes 403 for a refusal of the request", ', 403: "auth"', ""),
    ("gone_is_a_refusal", "does not know 410", ', 410: "not_found"', ""),
    ("too_many_is_a_refusal", "does not know 429", ', 429: "rate_limited"', ""),
    ("page_is_not_found", "takes the page of a proxy for an answer of the API", 'kind = "rejected" if kind == "not_found" else kind', "pass"),
    ("page_is_the_message", "fails on a page of HTML as on JSON", '    if text.startswith("<"):', '    if text.startswith("<") and json.loads(text):'),
    ("status_not_told", "keeps the status to itself", "return Failure(kind, message, status=status, code=code, retryAfter=after)", "return Failure(kind, message, code=code, retryAfter=after)"),
    ("message_not_read", "does not read `message`", 'first(told.get("message"), inner', "first(inner"),
    ("error_string_not_read", "does not read the shape of the reference page", 'else {"message": error}', "else {}"),
    ("error_object_not_read", "does not read `error.code`", 'first(told.get("code"), inner.get("code"))', 'told.get("code")'),
    ("error_object_message_not_read", "does not read `error.message`", 'inner.get("message"), ', 'error if isinstance(error, str) else None, '),
    ("code_not_read", "does not read `code`", 'first(told.get("code"), inner.get("code"))', 'inner.get("code")'),
    ("failure_below_payload_not_read", "does not look below `payload`", '    told = told.get("payload", told)\n', ""),
    ("detail_not_read", "does not read `detail`", 'told.get("detail"), ', ""),
    ("plain_text_not_read", "does not read a reason in plain text", "Failure(kind, first(text),", "Failure(kind, None,"),
    ("body_is_the_message", "gives the whole body as the message", "return Failure(kind, message, status=status, code=code, retryAfter=after)", "return Failure(kind, text, status=status, code=code, retryAfter=after)"),
    ("crash_on_odd_json", "dies of JSON that is no object", "told = told if isinstance(told, dict) else {}", "pass"),
    # Dashboard URLs.
    ("twipla_website_in_dashboard", "names the website by another parameter", '"externalWebsiteId": wanted["website"]', '"websiteId": wanted["website"]'),
    ("allow_upgrade_as_python", "writes True for true", 'query["allowUpgrade"] = "true"', 'query["allowUpgrade"] = "True"'),
    ("locale_dropped", "drops the locale", '("locale", "timezone",', '("timezone",'),
    ("login_token_and_ids", "has both tokens in an address", 'query = {"websiteToken": wanted["refreshToken"]}', 'query = {"websiteToken": wanted["refreshToken"], "intpc_token": sign("cust-42")}'),
    ("dashboard_on_the_api", "has the dashboard on the host of the API", 'os.environ["TWIPLA_DASHBOARD_URL"]', "BASE_URL"),
    ("dashboard_not_encoded", "does not encode the address", '"/?" + urlencode(query)', '"/?" + "&".join(f"{name}={value}" for name, value in query.items())'),
]


def mistaken(name):
    """Returns the text of the driver with this mistake."""
    for other, _, right, wrong in MISTAKES:
        if other == name:
            text = DRIVER.read_text(encoding="utf-8")
            if text.count(right) != 1:
                sys.exit(f"cannot make the mistake {name}: {right!r} is {text.count(right)} times in {DRIVER.name}")
            return text.replace(right, wrong)
    sys.exit(f"invalid mistake {name!r}: expected one that --list names")


if sys.argv[1:] == ["--list"]:
    for name, what, _, _ in MISTAKES:
        mistaken(name)
        print(f"{name}: {what}")
elif len(sys.argv) == 2:
    exec(compile(mistaken(sys.argv[1]), str(DRIVER), "exec"))  # noqa: S102
else:
    sys.exit(__doc__)
