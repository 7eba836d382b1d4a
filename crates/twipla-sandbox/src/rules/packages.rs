//! Packages, and the assignment of restricted ones.

use twipla_api::types::{
    BillingInterval, Currency, Package, PackageRestriction, PackageVisibility,
};
use twipla_api::{Count, CustomerId, PackageId, WebsiteId};
use uuid::Uuid;

use super::context::{OperationContext, customer, requested_package, website};

use crate::account::{Account, Model};
use crate::input::parse_uuid;
use crate::price_list::{FREE, TRIAL};
use crate::reply::{ApiError, ApiResult, Reply};

/// Reports whether the website or customer with this id may use the package.
pub(crate) fn usable(package: &Package, target: &str) -> Result<(), ApiError> {
    if visible(package, target) {
        Ok(())
    } else {
        Err(ApiError::bad(format!(
            "the package {} is not assigned to {target}",
            package.id
        )))
    }
}

/// Returns the requested package if the website or customer may use it.
pub(crate) fn usable_package(
    account: &Account,
    id: Uuid,
    target: &str,
) -> Result<Package, ApiError> {
    let package = requested_package(account, id)?;
    usable(&package, target)?;
    Ok(package)
}

fn visible(package: &Package, target: &str) -> bool {
    package.visibility != PackageVisibility::Restricted
        || restrictions(package).iter().any(|to| names(to, target))
}

fn restrictions(package: &Package) -> &[PackageRestriction] {
    package.restricted_to.as_deref().unwrap_or_default()
}

fn names(restriction: &PackageRestriction, target: &str) -> bool {
    restriction
        .intp_website_id
        .as_ref()
        .is_some_and(|id| id == target)
        || restriction
            .intp_customer_id
            .as_ref()
            .is_some_and(|id| id == target)
}

pub(crate) fn list(context: OperationContext<'_>) -> ApiResult {
    let account = &*context.account;
    let (site, owner) = (
        context.query.get("intpWebsiteId"),
        context.query.get("intpCustomerId"),
    );
    if let Some(site) = site {
        website(account, site)?;
    }
    if let Some(owner) = owner {
        customer(account, owner)?;
    }
    let shown: Vec<_> = account
        .packages
        .values()
        .filter(|package| {
            [site, owner]
                .into_iter()
                .flatten()
                .all(|target| visible(package, target))
        })
        .collect();
    Reply::payload(200, &shown)
}

pub(crate) fn get(context: OperationContext<'_>) -> ApiResult {
    Reply::payload(200, &find(context.account, context.param(0))?)
}

pub(crate) fn create(mut context: OperationContext<'_>) -> ApiResult {
    let fields = context.fields()?;
    let visibility = match fields.text_opt("visibility")? {
        Some(_) => fields.one_of("visibility", PackageVisibility::KNOWN)?,
        None => PackageVisibility::Public,
    };
    let package = Package {
        id: Uuid::new_v4().into(),
        name: fields.text("name")?.to_owned(),
        touchpoints: Count::from(fields.whole("touchpoints")?),
        intp_id: context.account.id.into(),
        price: fields.number("price")?,
        currency: fields.one_of("currency", Currency::KNOWN)?,
        period: fields.one_of("period", BillingInterval::KNOWN)?,
        recommended: false,
        created_at: context.now,
        visibility,
        restricted_to: Some(Vec::new()),
        external_id: fields.text_opt("externalId")?.map(str::to_owned),
    };
    if package.price < 0.0 || package.touchpoints.get() < 0 {
        return Err(ApiError::bad("price and touchpoints must not be negative"));
    }
    context.account.packages.insert(package.id, package.clone());
    context
        .commits
        .record_named(&package.name, &[("packageId", &package.id.to_string())]);
    Reply::payload(201, &package)
}

/// Recommended packages cannot be renamed (observed).
pub(crate) fn rename(mut context: OperationContext<'_>) -> ApiResult {
    let name = context.fields()?.text("name")?.to_owned();
    let id = find(context.account, context.param(0))?.id;
    let Some(package) = context.account.packages.get_mut(&id) else {
        return Err(ApiError::not_found("package", &id.to_string()));
    };
    let fixed = [FREE, TRIAL].contains(&package.name.as_str());
    if package.recommended || fixed {
        return Err(ApiError::bad("a recommended package cannot be renamed"));
    }
    if package.name != name {
        package.name.clone_from(&name);
        context
            .commits
            .record_named(&name, &[("packageId", &id.to_string())]);
    }
    Reply::payload(200, package)
}

/// Only restricted packages can be assigned (documented).
pub(crate) fn assign(mut context: OperationContext<'_>) -> ApiResult {
    let (id, restriction) = restriction(&context)?;
    let Some(package) = context.account.packages.get_mut(&id) else {
        return Err(ApiError::not_found("package", &id.to_string()));
    };
    if package.visibility != PackageVisibility::Restricted {
        return Err(ApiError::bad(
            "only a package with restricted visibility can be assigned",
        ));
    }
    let assigned = package.restricted_to.get_or_insert_default();
    if !assigned.contains(&restriction) {
        assigned.push(restriction);
        record_assignment(&mut context, id);
    }
    Ok(Reply::done())
}

/// A subscription to the package is not affected (documented).
pub(crate) fn unassign(mut context: OperationContext<'_>) -> ApiResult {
    let (id, _) = restriction(&context)?;
    let target = context.param(1).to_owned();
    if let Some(package) = context.account.packages.get_mut(&id) {
        let assigned = package.restricted_to.get_or_insert_default();
        let before = assigned.len();
        assigned.retain(|to| !names(to, &target));
        if assigned.len() < before {
            record_assignment(&mut context, id);
        }
    }
    Ok(Reply::done())
}

fn record_assignment(context: &mut OperationContext<'_>, package: PackageId) {
    let target = match context.account.model {
        Model::Website => "intpWebsiteId",
        Model::Account => "intpCustomerId",
    };
    let id = context.param(1).to_owned();
    context
        .commits
        .record(&[("packageId", &package.to_string()), (target, &id)]);
}

/// Returns the package of the path, and the website or customer that it is
/// assigned to.
fn restriction(
    context: &OperationContext<'_>,
) -> Result<(PackageId, PackageRestriction), ApiError> {
    let id = find(context.account, context.param(0))?.id;
    let target = context.param(1);
    let mut restriction = PackageRestriction {
        subscription_id: None,
        intp_website_id: None,
        intp_customer_id: None,
    };
    match context.account.model {
        Model::Website => {
            let site = website(context.account, target)?;
            restriction.subscription_id = site
                .subscription
                .as_ref()
                .map(|subscription| subscription.id.to_string());
            restriction.intp_website_id = Some(WebsiteId::unchecked(target));
        }
        Model::Account => {
            let owner = customer(context.account, target)?;
            restriction.subscription_id = owner
                .subscription
                .as_ref()
                .map(|subscription| subscription.id.to_string());
            restriction.intp_customer_id = Some(CustomerId::unchecked(target));
        }
    }
    Ok((id, restriction))
}

fn find<'a>(account: &'a Account, id: &str) -> Result<&'a Package, ApiError> {
    parse_uuid(id)
        .and_then(|uuid| account.packages.get(&PackageId::from(uuid)))
        .ok_or_else(|| ApiError::not_found("package", id))
}
