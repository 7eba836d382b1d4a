//! One function for each operation of the contract, from typed arguments to a
//! [`Request`].

use std::sync::Arc;

use twipla_api::types as wire;
use twipla_api::{PreparedRequest, operations as table, requests};

use crate::Result;
use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::{ApiKeyId, CustomerId, PackageId, TwiplaWebsiteId, WebsiteId};
use crate::page::Page;
use crate::request::Request;
use crate::secret::Secret;
use crate::types::{
    ApiKey, CompanyDetails, CreatedApiKey, CreatedIntpc, DashboardTokens, Intpc, Package,
    Subscription, Website, WebsiteContributors,
};

// Customers.

pub(crate) fn create_customer(
    core: &Arc<Core>,
    body: Result<&wire::CreateCustomerRequest>,
) -> Request<CreatedIntpc> {
    let asked = body.as_ref().ok();
    let customer = asked.map(|body| body.intp_customer_id.clone());
    let website = asked.and_then(|body| Some(body.website.as_ref()?.intp_website_id.clone()));
    let owner = website.as_ref().and(customer.clone());
    let request = body.and_then(|body| Ok(requests::create_customer(body)?));
    Request::new(core, &table::CREATE_CUSTOMER, request, |response| {
        response.payload
    })
    .expect_id(customer, |customer| Some(&customer.intp_customer_id))
    .expect_id(owner, |customer| {
        Some(&customer.website.as_ref()?.intp_customer_id)
    })
    .expect_id(website, |customer| {
        Some(&customer.website.as_ref()?.intp_website_id)
    })
}

pub(crate) fn list_customers(core: &Arc<Core>, page: i64, page_size: i64) -> Request<Page<Intpc>> {
    let request = requests::list_customers(page, page_size).map_err(Into::into);
    Request::new(core, &table::LIST_CUSTOMERS, request, |response| {
        Page::new(response.payload, Some(response.meta))
    })
}

pub(crate) fn get_customer(core: &Arc<Core>, id: &DeferredId<CustomerId>) -> Request<Intpc> {
    let request = id.get().and_then(|id| Ok(requests::get_customer(id)?));
    Request::new(core, &table::GET_CUSTOMER, request, |response| {
        response.payload
    })
    .expect_id(id.get().ok().cloned(), |customer| {
        Some(&customer.intp_customer_id)
    })
}

pub(crate) fn delete_customer(
    core: &Arc<Core>,
    id: &DeferredId<CustomerId>,
) -> Request<Option<Intpc>> {
    let request = id.get().and_then(|id| Ok(requests::delete_customer(id)?));
    Request::new_with_optional_body(core, &table::DELETE_CUSTOMER, request, |response| {
        response.map(|response| response.payload)
    })
    .expect_id(id.get().ok().cloned(), |customer| {
        customer.as_ref().map(|customer| &customer.intp_customer_id)
    })
}

// Websites.

pub(crate) fn create_website(
    core: &Arc<Core>,
    body: Result<&wire::CreateWebsiteRequest>,
) -> Request<Website> {
    let expected = body.as_ref().ok().map(|body| body.website.id.clone());
    let customer = body.as_ref().ok().map(|body| body.intpc.id.clone());
    let request = body.and_then(|body| Ok(requests::create_website(body)?));
    Request::new(core, &table::CREATE_WEBSITE, request, |response| {
        response.payload
    })
    .expect_id(expected, |website| Some(&website.intp_website_id))
    .expect_id(customer, |website| Some(&website.intp_customer_id))
}

pub(crate) fn create_website_flat(
    core: &Arc<Core>,
    body: Result<&wire::CreateWebsiteFlatRequest>,
) -> Request<Website> {
    let expected = body.as_ref().ok().map(|body| body.intp_website_id.clone());
    let customer = body.as_ref().ok().map(|body| body.intp_customer_id.clone());
    let request = body.and_then(|body| Ok(requests::create_website_flat(body)?));
    Request::new(core, &table::CREATE_WEBSITE_FLAT, request, |response| {
        response.payload
    })
    .expect_id(expected, |website| Some(&website.intp_website_id))
    .expect_id(customer, |website| Some(&website.intp_customer_id))
}

pub(crate) fn list_websites(
    core: &Arc<Core>,
    customer: Option<&DeferredId<CustomerId>>,
    page: i64,
    page_size: i64,
) -> Request<Page<Website>> {
    let customer = customer.map(DeferredId::get).transpose();
    let expected = customer.as_ref().ok().copied().flatten().cloned();
    let request = customer.and_then(|customer| {
        Ok(requests::list_websites(
            customer,
            Some(page),
            Some(page_size),
        )?)
    });
    Request::new(core, &table::LIST_WEBSITES, request, |response| {
        Page::new(response.payload, response.meta)
    })
    // A server that ignores the filter would return the websites of other customers.
    .expect_ids(expected, |page| {
        let owners = page.items.iter().map(|website| &website.intp_customer_id);
        owners.collect()
    })
}

pub(crate) fn get_website(core: &Arc<Core>, id: &DeferredId<WebsiteId>) -> Request<Website> {
    let request = id.get().and_then(|id| Ok(requests::get_website(id)?));
    Request::new(core, &table::GET_WEBSITE, request, |response| {
        response.payload
    })
    .expect_id(id.get().ok().cloned(), |website| {
        Some(&website.intp_website_id)
    })
}

pub(crate) fn get_website_by_id(core: &Arc<Core>, id: Result<TwiplaWebsiteId>) -> Request<Website> {
    let expected = id.as_ref().ok().copied();
    let request = id.and_then(|id| Ok(requests::get_website_by_id(&id)?));
    Request::new(core, &table::GET_WEBSITE_BY_ID, request, |response| {
        response.payload
    })
    .expect_id(expected, |website| Some(&website.id))
}

pub(crate) fn delete_website(
    core: &Arc<Core>,
    id: &DeferredId<WebsiteId>,
) -> Request<Option<Website>> {
    let request = id.get().and_then(|id| Ok(requests::delete_website(id)?));
    Request::new_with_optional_body(core, &table::DELETE_WEBSITE, request, |response| {
        response.map(|response| response.payload)
    })
    .expect_id(id.get().ok().cloned(), |website| {
        website.as_ref().map(|website| &website.intp_website_id)
    })
}

// Whitelisted domains.

pub(crate) fn list_whitelisted_domains(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
) -> Request<Vec<String>> {
    let request = website
        .get()
        .and_then(|website| Ok(requests::list_whitelisted_domains(website)?));
    Request::new(
        core,
        &table::LIST_WHITELISTED_DOMAINS,
        request,
        |response| response.payload,
    )
}

pub(crate) fn add_whitelisted_domain(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
    domain: Result<String>,
) -> Request<()> {
    let request = website.get().and_then(|website| {
        let body = wire::WhitelistedDomainRequest { domain: domain? };
        Ok(requests::add_whitelisted_domain(website, &body)?)
    });
    Request::new(core, &table::ADD_WHITELISTED_DOMAIN, request, |()| ())
}

pub(crate) fn remove_whitelisted_domain(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
    domain: Result<String>,
) -> Request<()> {
    let request = website.get().and_then(|website| {
        let body = wire::WhitelistedDomainRequest { domain: domain? };
        Ok(requests::remove_whitelisted_domain(website, &body)?)
    });
    Request::new(core, &table::REMOVE_WHITELISTED_DOMAIN, request, |()| ())
}

// Contributors.

pub(crate) fn list_contributors(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
) -> Request<WebsiteContributors> {
    let request = website
        .get()
        .and_then(|website| Ok(requests::list_contributors(website)?));
    Request::new(core, &table::LIST_CONTRIBUTORS, request, |response| {
        response.payload
    })
}

pub(crate) fn add_contributor(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
    body: Result<wire::AddContributorRequest>,
) -> Request<()> {
    let request = website
        .get()
        .and_then(|website| Ok(requests::add_contributor(website, &body?)?));
    Request::new(core, &table::ADD_CONTRIBUTOR, request, |()| ())
}

pub(crate) fn remove_contributor(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
    customer: Result<CustomerId>,
) -> Request<()> {
    let request = website
        .get()
        .and_then(|website| Ok(requests::remove_contributor(website, &customer?)?));
    Request::new(core, &table::REMOVE_CONTRIBUTOR, request, |()| ())
}

// API keys.

pub(crate) fn create_api_key(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
    body: Result<&wire::CreateApiKeyRequest>,
) -> Request<CreatedApiKey> {
    let request = website
        .get()
        .and_then(|website| Ok(requests::create_api_key(website, body?)?));
    Request::new(core, &table::CREATE_API_KEY, request, |response| {
        response.payload
    })
    .expect_id(website.get().ok().cloned(), |key| {
        Some(&key.intp_website_id)
    })
}

pub(crate) fn list_api_keys(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
) -> Request<Vec<ApiKey>> {
    let request = website
        .get()
        .and_then(|website| Ok(requests::list_api_keys(website)?));
    Request::new(core, &table::LIST_API_KEYS, request, |response| {
        response.payload
    })
    .expect_ids(website.get().ok().cloned(), |keys| {
        keys.iter().map(|key| &key.intp_website_id).collect()
    })
}

pub(crate) fn delete_api_key(
    core: &Arc<Core>,
    website: &DeferredId<WebsiteId>,
    key: Result<ApiKeyId>,
) -> Request<()> {
    let request = website
        .get()
        .and_then(|website| Ok(requests::delete_api_key(website, &key?)?));
    Request::new(core, &table::DELETE_API_KEY, request, |()| ())
}

/// `path` replaces the inferred one of the contract.
pub(crate) fn login_with_api_key(
    core: &Arc<Core>,
    body: Result<wire::LoginWithApiKeyRequest>,
    path: Option<&str>,
) -> Request<DashboardTokens> {
    let request = body.and_then(|body| at(requests::login_with_api_key(&body)?, path));
    Request::new(core, &table::LOGIN_WITH_API_KEY, request, |response| {
        response.payload
    })
}

// Packages.

pub(crate) fn create_package(
    core: &Arc<Core>,
    body: Result<&wire::CreatePackageRequest>,
) -> Request<Package> {
    let name = body.as_ref().ok().map(|body| body.name.clone());
    let request = body.and_then(|body| Ok(requests::create_package(body)?));
    Request::new(core, &table::CREATE_PACKAGE, request, |response| {
        response.payload
    })
    .expect_id(name, |package| Some(&package.name))
}

pub(crate) fn list_packages(
    core: &Arc<Core>,
    website: Option<Result<WebsiteId>>,
    customer: Option<Result<CustomerId>>,
) -> Request<Vec<Package>> {
    let filters = website
        .transpose()
        .and_then(|website| Ok((website, customer.transpose()?)));
    let request = filters.and_then(|(website, customer)| {
        Ok(requests::list_packages(
            customer.as_ref(),
            website.as_ref(),
        )?)
    });
    Request::new(core, &table::LIST_PACKAGES, request, |response| {
        response.payload
    })
}

pub(crate) fn get_package(core: &Arc<Core>, id: &DeferredId<PackageId>) -> Request<Package> {
    let request = id.get().and_then(|id| Ok(requests::get_package(id)?));
    Request::new(core, &table::GET_PACKAGE, request, |response| {
        response.payload
    })
    .expect_id(id.get().ok().copied(), |package| Some(&package.id))
}

pub(crate) fn rename_package(
    core: &Arc<Core>,
    id: &DeferredId<PackageId>,
    body: Result<wire::RenamePackageRequest>,
) -> Request<Package> {
    let request = id
        .get()
        .and_then(|id| Ok(requests::rename_package(id, &body?)?));
    Request::new(core, &table::RENAME_PACKAGE, request, |response| {
        response.payload
    })
    .expect_id(id.get().ok().copied(), |package| Some(&package.id))
}

/// `target` is a website or a customer, depending on the subscription model.
pub(crate) fn assign_package(
    core: &Arc<Core>,
    id: &DeferredId<PackageId>,
    target: Result<String>,
) -> Request<()> {
    let request = id
        .get()
        .and_then(|id| Ok(requests::assign_package(id, &target?)?));
    Request::new(core, &table::ASSIGN_PACKAGE, request, |()| ())
}

/// `target` is a website or a customer, depending on the subscription model.
pub(crate) fn unassign_package(
    core: &Arc<Core>,
    id: &DeferredId<PackageId>,
    target: Result<String>,
) -> Request<()> {
    let request = id
        .get()
        .and_then(|id| Ok(requests::unassign_package(id, &target?)?));
    Request::new(core, &table::UNASSIGN_PACKAGE, request, |()| ())
}

// Subscriptions of websites. A response contains neither the website's nor the customer's
// id as known to the caller, so the requested state is compared.

pub(crate) fn upgrade_website_subscription(
    core: &Arc<Core>,
    body: Result<wire::UpgradeWebsiteSubscriptionRequest>,
) -> Request<Subscription> {
    let package = body.as_ref().ok().map(|body| body.package_id);
    let request = body.and_then(|body| Ok(requests::upgrade_website_subscription(&body)?));
    Request::new(
        core,
        &table::UPGRADE_WEBSITE_SUBSCRIPTION,
        request,
        |response| response.payload,
    )
    .expect_id(package, |subscription| Some(&subscription.package_id))
}

pub(crate) fn downgrade_website_subscription(
    core: &Arc<Core>,
    body: Result<wire::DowngradeWebsiteSubscriptionRequest>,
) -> Request<Subscription> {
    let package = body.as_ref().ok().map(|body| body.package_id);
    let request = body.and_then(|body| Ok(requests::downgrade_website_subscription(&body)?));
    Request::new(
        core,
        &table::DOWNGRADE_WEBSITE_SUBSCRIPTION,
        request,
        |response| response.payload,
    )
    .expect_id(package, |subscription| Some(next_package(subscription)))
}

pub(crate) fn cancel_website_subscription(
    core: &Arc<Core>,
    body: Result<wire::WebsiteSubscriptionRequest>,
) -> Request<Subscription> {
    let request = body.and_then(|body| Ok(requests::cancel_website_subscription(&body)?));
    Request::new(
        core,
        &table::CANCEL_WEBSITE_SUBSCRIPTION,
        request,
        |response| response.payload,
    )
}

pub(crate) fn resume_website_subscription(
    core: &Arc<Core>,
    body: Result<wire::WebsiteSubscriptionRequest>,
) -> Request<Subscription> {
    let request = body.and_then(|body| Ok(requests::resume_website_subscription(&body)?));
    Request::new(
        core,
        &table::RESUME_WEBSITE_SUBSCRIPTION,
        request,
        |response| response.payload,
    )
}

pub(crate) fn deactivate_website_subscription(
    core: &Arc<Core>,
    body: Result<wire::WebsiteSubscriptionRequest>,
) -> Request<Subscription> {
    let request = body.and_then(|body| Ok(requests::deactivate_website_subscription(&body)?));
    Request::new(
        core,
        &table::DEACTIVATE_WEBSITE_SUBSCRIPTION,
        request,
        |response| response.payload,
    )
}

// Subscriptions of customers (account model).

pub(crate) fn upgrade_intpc_subscription(
    core: &Arc<Core>,
    body: Result<wire::UpgradeIntpcSubscriptionRequest>,
) -> Request<Subscription> {
    let package = body.as_ref().ok().map(|body| body.package_id);
    let request = body.and_then(|body| Ok(requests::upgrade_intpc_subscription(&body)?));
    Request::new(
        core,
        &table::UPGRADE_INTPC_SUBSCRIPTION,
        request,
        |response| response.payload,
    )
    .expect_id(package, |subscription| Some(&subscription.package_id))
}

pub(crate) fn downgrade_intpc_subscription(
    core: &Arc<Core>,
    body: Result<wire::DowngradeIntpcSubscriptionRequest>,
) -> Request<Subscription> {
    let package = body.as_ref().ok().map(|body| body.package_id);
    let request = body.and_then(|body| Ok(requests::downgrade_intpc_subscription(&body)?));
    Request::new(
        core,
        &table::DOWNGRADE_INTPC_SUBSCRIPTION,
        request,
        |response| response.payload,
    )
    .expect_id(package, |subscription| Some(next_package(subscription)))
}

pub(crate) fn cancel_intpc_subscription(
    core: &Arc<Core>,
    body: Result<wire::IntpcSubscriptionRequest>,
) -> Request<Subscription> {
    let request = body.and_then(|body| Ok(requests::cancel_intpc_subscription(&body)?));
    Request::new(
        core,
        &table::CANCEL_INTPC_SUBSCRIPTION,
        request,
        |response| response.payload,
    )
}

pub(crate) fn resume_intpc_subscription(
    core: &Arc<Core>,
    body: Result<wire::IntpcSubscriptionRequest>,
) -> Request<Subscription> {
    let request = body.and_then(|body| Ok(requests::resume_intpc_subscription(&body)?));
    Request::new(
        core,
        &table::RESUME_INTPC_SUBSCRIPTION,
        request,
        |response| response.payload,
    )
}

pub(crate) fn deactivate_intpc_subscription(
    core: &Arc<Core>,
    body: Result<wire::IntpcSubscriptionRequest>,
) -> Request<Option<Subscription>> {
    let request = body.and_then(|body| Ok(requests::deactivate_intpc_subscription(&body)?));
    Request::new_with_optional_body(
        core,
        &table::DEACTIVATE_INTPC_SUBSCRIPTION,
        request,
        |response| response.and_then(|response| response.payload),
    )
}

/// Returns the package after the planned downgrade, or the current one if none is planned.
fn next_package(subscription: &Subscription) -> &PackageId {
    let planned = subscription.planned_downgrade_package_id.as_ref();
    planned.unwrap_or(&subscription.package_id)
}

// The partner.

pub(crate) fn get_company_details(core: &Arc<Core>) -> Request<CompanyDetails> {
    let request = requests::get_company_details().map_err(Into::into);
    Request::new(core, &table::GET_COMPANY_DETAILS, request, |response| {
        response.payload
    })
}

// Analytics data of a website, read with its API key.

/// The query parameters and the body of a graph.
#[derive(Debug)]
pub(crate) struct GraphArguments {
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) unit: String,
    pub(crate) body: wire::GraphQuery,
}

/// The only type of series that was observed.
const SERIES: &str = "time-series";

pub(crate) fn query_visits_graph(
    core: &Arc<Core>,
    key: &Secret,
    website: &DeferredId<TwiplaWebsiteId>,
    arguments: Result<GraphArguments>,
) -> Request<wire::Graph> {
    let request = website.get().and_then(|website| {
        let sent = arguments?;
        Ok(requests::query_visits_graph(
            website,
            &sent.from,
            SERIES,
            &sent.unit,
            &sent.until,
            &sent.body,
        )?)
    });
    Request::new(core, &table::QUERY_VISITS_GRAPH, request, |response| {
        response.payload
    })
    .with_api_key(key.clone())
}

pub(crate) fn query_bounce_rate_graph(
    core: &Arc<Core>,
    key: &Secret,
    website: &DeferredId<TwiplaWebsiteId>,
    arguments: Result<GraphArguments>,
) -> Request<wire::Graph> {
    let request = website.get().and_then(|website| {
        let sent = arguments?;
        Ok(requests::query_bounce_rate_graph(
            website,
            &sent.from,
            SERIES,
            &sent.unit,
            &sent.until,
            &sent.body,
        )?)
    });
    Request::new(core, &table::QUERY_BOUNCE_RATE_GRAPH, request, |response| {
        response.payload
    })
    .with_api_key(key.clone())
}

pub(crate) fn query_page_view_duration_graph(
    core: &Arc<Core>,
    key: &Secret,
    website: &DeferredId<TwiplaWebsiteId>,
    arguments: Result<GraphArguments>,
) -> Request<wire::Graph> {
    let request = website.get().and_then(|website| {
        let sent = arguments?;
        Ok(requests::query_page_view_duration_graph(
            website,
            &sent.from,
            SERIES,
            &sent.unit,
            &sent.until,
            &sent.body,
        )?)
    });
    Request::new(
        core,
        &table::QUERY_PAGE_VIEW_DURATION_GRAPH,
        request,
        |response| response.payload,
    )
    .with_api_key(key.clone())
}

pub(crate) fn query_traffic_share(
    core: &Arc<Core>,
    key: &Secret,
    website: &DeferredId<TwiplaWebsiteId>,
    arguments: Result<GraphArguments>,
) -> Request<wire::Graph> {
    let request = website.get().and_then(|website| {
        let sent = arguments?;
        Ok(requests::query_traffic_share(
            website,
            &sent.from,
            &sent.unit,
            &sent.until,
            &sent.body,
        )?)
    });
    Request::new(core, &table::QUERY_TRAFFIC_SHARE, request, |response| {
        response
    })
    .with_api_key(key.clone())
}

pub(crate) fn query_session_analytics(
    core: &Arc<Core>,
    key: &Secret,
    website: &DeferredId<TwiplaWebsiteId>,
    trace: Option<&str>,
    body: Result<wire::AnalyticsQuery>,
) -> Request<Vec<wire::AnalyticsRow>> {
    let request = website
        .get()
        .and_then(|website| Ok(requests::query_session_analytics(website, trace, &body?)?));
    Request::new(core, &table::QUERY_SESSION_ANALYTICS, request, |response| {
        response.payload
    })
    .with_api_key(key.clone())
}

pub(crate) fn query_page_analytics(
    core: &Arc<Core>,
    key: &Secret,
    website: &DeferredId<TwiplaWebsiteId>,
    trace: Option<&str>,
    body: Result<wire::AnalyticsQuery>,
) -> Request<Vec<wire::AnalyticsRow>> {
    let request = website
        .get()
        .and_then(|website| Ok(requests::query_page_analytics(website, trace, &body?)?));
    Request::new(core, &table::QUERY_PAGE_ANALYTICS, request, |response| {
        response.payload
    })
    .with_api_key(key.clone())
}

/// `path` replaces the inferred one of the contract.
pub(crate) fn query_raw_sessions(
    core: &Arc<Core>,
    key: &Secret,
    website: &DeferredId<TwiplaWebsiteId>,
    body: Result<wire::RawSessionsQuery>,
    path: Option<&str>,
) -> Request<Vec<wire::AnalyticsRow>> {
    let request = website
        .get()
        .and_then(|website| at(requests::query_raw_sessions(website, &body?)?, path));
    Request::new(core, &table::QUERY_RAW_SESSIONS, request, |response| {
        response.payload
    })
    .with_api_key(key.clone())
}

/// Sends the request to another path than that of the contract.
fn at<W>(request: PreparedRequest<W>, path: Option<&str>) -> Result<PreparedRequest<W>> {
    match path {
        Some(path) => Ok(request.with_path(path)?),
        None => Ok(request),
    }
}
