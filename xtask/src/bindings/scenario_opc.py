"""The same scenario with the client of openapi-python-client."""

import os

from twipla_client import AuthenticatedClient, models
from twipla_client.api.customers import create_customer
from twipla_client.api.packages import list_packages
from twipla_client.api.website_subscriptions import upgrade_website_subscription
from twipla_client.api.websites import get_website, list_websites

client = AuthenticatedClient(base_url=os.environ["TWIPLA_BASE_URL"], token=os.environ["TWIPLA_TOKEN"])

plans = sorted(
    (p for p in list_packages.sync(client=client).payload
     if p.visibility == "public" and p.period == "monthly" and p.touchpoints > 0),
    key=lambda p: p.touchpoints,
)
made = create_customer.sync(client=client, body=models.CreateCustomerRequest(
    intp_customer_id="opc-customer", email="opc@example.com",
    website=models.CreateCustomerWebsite(intp_website_id="opc-site", domain="opc.example.com", package_id=plans[0].id),
))
assert made.payload.website.intp_website_id == "opc-site"

# The sandbox puts a value that no contract has into the first list.
assert list_websites.sync(client=client, page=0, page_size=10).payload[0].status.startswith("future-")
assert list_websites.sync(client=client, page=0, page_size=10).payload[0].status == "active"

upgraded = upgrade_website_subscription.sync(client=client, body=models.UpgradeWebsiteSubscriptionRequest(
    intp_website_id="opc-site", package_id=plans[1].id))
assert upgraded.payload.package_id == plans[1].id

assert get_website.sync_detailed("nowhere", client=client).status_code == 404
print("scenario passed")
