"""One partner's scenario with the client of openapi-generator's python: see the README of openapi/."""

import os

import openapi_client as api

config = api.Configuration(host=os.environ["TWIPLA_BASE_URL"], access_token=os.environ["TWIPLA_TOKEN"])
client = api.ApiClient(config)
websites = api.WebsitesApi(client)

plans = sorted(
    (p for p in api.PackagesApi(client).list_packages().payload
     if p.visibility == "public" and p.period == "monthly" and p.touchpoints > 0),
    key=lambda p: p.touchpoints,
)
made = api.CustomersApi(client).create_customer(api.CreateCustomerRequest(
    intp_customer_id="py-customer", email="py@example.com",
    website=api.CreateCustomerWebsite(intp_website_id="py-site", domain="py.example.com", package_id=plans[0].id),
))
assert made.payload.website.intp_website_id == "py-site"

# The sandbox puts a value that no contract has into the first list.
assert websites.list_websites(page=0, page_size=10).payload[0].status.startswith("future-")
assert websites.list_websites(page=0, page_size=10).payload[0].status == "active"

upgraded = api.WebsiteSubscriptionsApi(client).upgrade_website_subscription(
    api.UpgradeWebsiteSubscriptionRequest(intp_website_id="py-site", package_id=plans[1].id))
assert upgraded.payload.package_id == plans[1].id

try:
    websites.get_website("nowhere")
    raise AssertionError("a website that is not there was found")
except api.exceptions.NotFoundException as error:
    assert error.status == 404
print("scenario passed")
