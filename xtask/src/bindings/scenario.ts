// The same scenario with the client of openapi-generator's typescript-fetch.

import {
  Configuration, CustomersApi, PackagesApi, ResponseError, WebsitesApi, WebsiteSubscriptionsApi,
} from "./index";

declare const process: { env: Record<string, string>; exit(code: number): never };

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

async function main(): Promise<void> {
  const config = new Configuration({
    basePath: process.env.TWIPLA_BASE_URL,
    accessToken: process.env.TWIPLA_TOKEN,
  });
  const websites = new WebsitesApi(config);

  const plans = (await new PackagesApi(config).listPackages()).payload
    .filter((plan) => plan.visibility === "public" && plan.period === "monthly" && plan.touchpoints > 0)
    .sort((one, other) => one.touchpoints - other.touchpoints);
  const made = await new CustomersApi(config).createCustomer({
    createCustomerRequest: {
      intpCustomerId: "ts-customer",
      email: "ts@example.com",
      website: { intpWebsiteId: "ts-site", domain: "ts.example.com", packageId: plans[0]!.id },
    },
  });
  check(made.payload.website?.intpWebsiteId === "ts-site", "created");

  // The sandbox puts a value that no contract has into the first list.
  const odd = await websites.listWebsites({ page: 0, pageSize: 10 });
  check(odd.payload[0]!.status.startsWith("future-"), "an unknown value is kept");
  const list = await websites.listWebsites({ page: 0, pageSize: 10 });
  check(list.payload[0]!.status === "active", "listed");

  const upgraded = await new WebsiteSubscriptionsApi(config).upgradeWebsiteSubscription({
    upgradeWebsiteSubscriptionRequest: { intpWebsiteId: "ts-site", packageId: plans[1]!.id },
  });
  check(upgraded.payload.packageId === plans[1]!.id, "upgraded");

  const missing = await websites.getWebsite({ intpWebsiteId: "nowhere" }).catch((error: unknown) => error);
  check(missing instanceof ResponseError && missing.response.status === 404, "a 404 is told");
  console.log("scenario passed");
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
