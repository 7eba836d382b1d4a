//! The rules of the API, one module per resource, and their dispatch by
//! operation. The caller holds the lock, so that exactly one of several
//! identical creates succeeds.

mod analytics;
pub(crate) mod api_keys;
pub(crate) mod context;
mod customers;
mod dimensions;
mod graph_filter;
mod packages;
mod subscriptions;
pub(crate) mod traffic;
mod websites;

use serde_json::Value;
use twipla_api::Operation;

use crate::account;
use crate::input::Query;
use crate::render;
use crate::reply::{ApiError, ApiResult, Reply};
use context::OperationContext;
use subscriptions::SubscriptionAction::{Cancel, Deactivate, Downgrade, Resume, Upgrade};
use subscriptions::SubscriptionOwner::{Customer, Website};
use traffic::Graph;

pub(crate) use packages::usable_package;
pub(crate) use subscriptions::upgrades;

/// Runs an operation that is authenticated with the partner's token.
pub(crate) fn dispatch_management(
    operation: &Operation,
    context: OperationContext<'_>,
) -> ApiResult {
    let subscription = subscriptions::change;
    match operation.id {
        "create_api_key" => api_keys::create(context),
        "list_api_keys" => api_keys::list(context),
        "delete_api_key" => api_keys::delete(context).map_err(ApiError::short),
        "upgrade_website_subscription" => subscription(context, Website, Upgrade),
        "downgrade_website_subscription" => subscription(context, Website, Downgrade),
        "cancel_website_subscription" => subscription(context, Website, Cancel),
        "resume_website_subscription" => subscription(context, Website, Resume),
        "deactivate_website_subscription" => subscription(context, Website, Deactivate),
        "upgrade_intpc_subscription" => subscription(context, Customer, Upgrade),
        "downgrade_intpc_subscription" => subscription(context, Customer, Downgrade),
        "cancel_intpc_subscription" => subscription(context, Customer, Cancel),
        "resume_intpc_subscription" => subscription(context, Customer, Resume),
        "deactivate_intpc_subscription" => subscription(context, Customer, Deactivate),
        "list_contributors" => websites::list_contributors(context),
        "add_contributor" => websites::add_contributor(context).map_err(ApiError::short),
        "remove_contributor" => websites::remove_contributor(context).map_err(ApiError::short),
        "create_customer" => customers::create(context),
        "list_customers" => customers::list(context),
        "get_customer" => customers::get(context),
        "delete_customer" => customers::delete(context),
        "list_packages" => packages::list(context),
        "get_package" => packages::get(context),
        "create_package" => packages::create(context),
        "rename_package" => packages::rename(context),
        "assign_package" => packages::assign(context).map_err(ApiError::short),
        "unassign_package" => packages::unassign(context).map_err(ApiError::short),
        "create_website" => websites::create(context),
        "create_website_flat" => websites::create_flat(context),
        "list_websites" => websites::list(context),
        "get_website" => websites::get(context),
        "get_website_by_id" => websites::get_by_id(context),
        "delete_website" => websites::delete(context),
        "list_whitelisted_domains" => websites::list_domains(context),
        "add_whitelisted_domain" => websites::add_domain(context),
        "remove_whitelisted_domain" => websites::remove_domain(context),
        "get_company_details" => Reply::payload(200, &render::company(context.account)),
        other => Err(unknown(other)),
    }
}

/// Runs an operation that is authenticated with the API key of a website.
pub(crate) fn dispatch_data(
    operation: &Operation,
    site: &account::Website,
    query: &Query,
    body: Option<&Value>,
) -> ApiResult {
    match operation.id {
        "query_session_analytics" | "query_page_analytics" => analytics::rows(site.id, body),
        "query_visits_graph" => analytics::graph(site, query, body, Graph::Visits),
        "query_bounce_rate_graph" => analytics::graph(site, query, body, Graph::BounceRate),
        "query_page_view_duration_graph" => {
            analytics::graph(site, query, body, Graph::PageViewDuration)
        }
        "query_traffic_share" => analytics::traffic_share(site, query, body),
        "query_raw_sessions" => analytics::raw_sessions(site.id, body),
        other => Err(unknown(other)),
    }
}

fn unknown(operation: &str) -> ApiError {
    ApiError::new(
        404,
        format!("the sandbox does not know the operation {operation}"),
    )
}
