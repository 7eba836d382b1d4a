<?php
// The same scenario with the client of openapi-generator's php, and the Guzzle of the system.

require getenv('TWIPLA_GUZZLE');
spl_autoload_register(function (string $class): void {
    $prefix = 'OpenAPI\\Client\\';
    if (str_starts_with($class, $prefix)) {
        require __DIR__ . '/lib/' . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
    }
});

use OpenAPI\Client\Api\CustomersApi;
use OpenAPI\Client\Api\PackagesApi;
use OpenAPI\Client\Api\WebsiteSubscriptionsApi;
use OpenAPI\Client\Api\WebsitesApi;
use OpenAPI\Client\ApiException;
use OpenAPI\Client\Configuration;
use OpenAPI\Client\Model\CreateCustomerRequest;
use OpenAPI\Client\Model\CreateCustomerWebsite;
use OpenAPI\Client\Model\UpgradeWebsiteSubscriptionRequest;

function check(bool $holds, string $what): void
{
    if (!$holds) {
        fwrite(STDERR, "$what\n");
        exit(1);
    }
}

$config = (new Configuration())
    ->setHost(getenv('TWIPLA_BASE_URL'))
    ->setAccessToken(getenv('TWIPLA_TOKEN'));
$http = new GuzzleHttp\Client();
$websites = new WebsitesApi($http, $config);

$plans = array_values(array_filter(
    (new PackagesApi($http, $config))->listPackages()->getPayload(),
    fn ($plan) => $plan->getVisibility() === 'public' && $plan->getPeriod() === 'monthly' && $plan->getTouchpoints() > 0
));
usort($plans, fn ($one, $other) => $one->getTouchpoints() <=> $other->getTouchpoints());
$made = (new CustomersApi($http, $config))->createCustomer(new CreateCustomerRequest([
    'intp_customer_id' => 'php-customer',
    'email' => 'php@example.com',
    'website' => new CreateCustomerWebsite([
        'intp_website_id' => 'php-site', 'domain' => 'php.example.com', 'package_id' => $plans[0]->getId(),
    ]),
]));
check($made->getPayload()->getWebsite()->getIntpWebsiteId() === 'php-site', 'created');

// The sandbox puts a value that no contract has into the first list.
check(str_starts_with($websites->listWebsites(0, 10)->getPayload()[0]->getStatus(), 'future-'), 'an unknown value is kept');
check($websites->listWebsites(0, 10)->getPayload()[0]->getStatus() === 'active', 'listed');

$upgraded = (new WebsiteSubscriptionsApi($http, $config))->upgradeWebsiteSubscription(
    new UpgradeWebsiteSubscriptionRequest(['intp_website_id' => 'php-site', 'package_id' => $plans[1]->getId()])
);
check($upgraded->getPayload()->getPackageId() === $plans[1]->getId(), 'upgraded');

try {
    $websites->getWebsite('nowhere');
    check(false, 'a 404 is told');
} catch (ApiException $error) {
    check($error->getCode() === 404, 'a 404 is told');
}
echo "scenario passed\n";
