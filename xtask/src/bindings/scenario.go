// The same scenario with the client of openapi-generator's go.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"

	twipla "github.com/GIT_USER_ID/GIT_REPO_ID"
)

func check(holds bool, what string, cause error) {
	if !holds || cause != nil {
		fmt.Fprintln(os.Stderr, what, cause)
		os.Exit(1)
	}
}

func main() {
	config := twipla.NewConfiguration()
	config.Servers = twipla.ServerConfigurations{{URL: os.Getenv("TWIPLA_BASE_URL")}}
	client := twipla.NewAPIClient(config)
	ctx := context.WithValue(context.Background(), twipla.ContextAccessToken, os.Getenv("TWIPLA_TOKEN"))

	packages, _, err := client.PackagesAPI.ListPackages(ctx).Execute()
	check(err == nil, "packages", err)
	var plans []twipla.Package
	for _, plan := range packages.Payload {
		if plan.Visibility == "public" && plan.Period == "monthly" && plan.Touchpoints > 0 {
			plans = append(plans, plan)
		}
	}
	sort.Slice(plans, func(i, j int) bool { return plans[i].Touchpoints < plans[j].Touchpoints })

	website := twipla.NewCreateCustomerWebsite("go-site", "go.example.com")
	website.SetPackageId(plans[0].Id)
	request := twipla.NewCreateCustomerRequest("go-customer", "go@example.com")
	request.SetWebsite(*website)
	made, _, err := client.CustomersAPI.CreateCustomer(ctx).CreateCustomerRequest(*request).Execute()
	check(err == nil && made.Payload.Website.IntpWebsiteId == "go-site", "created", err)

	// The sandbox puts a value that no contract has into the first list.
	odd, _, err := client.WebsitesAPI.ListWebsites(ctx).Page(0).PageSize(10).Execute()
	check(err == nil && strings.HasPrefix(odd.Payload[0].Status, "future-"), "an unknown value is kept", err)
	list, _, err := client.WebsitesAPI.ListWebsites(ctx).Page(0).PageSize(10).Execute()
	check(err == nil && list.Payload[0].Status == "active", "listed", err)

	change := twipla.NewUpgradeWebsiteSubscriptionRequest("go-site", plans[1].Id)
	upgraded, _, err := client.WebsiteSubscriptionsAPI.UpgradeWebsiteSubscription(ctx).
		UpgradeWebsiteSubscriptionRequest(*change).Execute()
	check(err == nil && upgraded.Payload.PackageId == plans[1].Id, "upgraded", err)

	_, response, err := client.WebsitesAPI.GetWebsite(ctx, "nowhere").Execute()
	check(err != nil && response.StatusCode == 404, "a 404 is told", nil)
	fmt.Println("scenario passed")
}
