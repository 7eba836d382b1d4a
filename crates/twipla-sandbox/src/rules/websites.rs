//! Websites, with their contributors and whitelisted domains.

use chrono::{DateTime, Utc};
use twipla_api::types::{BillingMode, ContributorRole};
use uuid::Uuid;

use super::context::{OperationContext, customer, preset_package, website};
use super::packages::usable_package;

use crate::account::{Account, Model, Website};
use crate::input::parse_uuid;
use crate::price_list::{FREE, TRIAL};
use crate::render;
use crate::reply::{ApiError, ApiResult, Reply};
use crate::subscription::Subscription;

/// The data of a website to be created.
pub(crate) struct NewWebsite {
    pub(crate) id: String,
    pub(crate) customer: String,
    pub(crate) domain: String,
    pub(crate) package: Option<Uuid>,
    pub(crate) billing_date: Option<DateTime<Utc>>,
    pub(crate) privacy_level: Option<i64>,
    /// Name of the initial package if the request names none.
    pub(crate) without_package: &'static str,
}

/// Validates a new website and returns it for insertion. The caller checks that the owner exists.
pub(crate) fn build(
    account: &Account,
    new: NewWebsite,
    now: DateTime<Utc>,
) -> Result<(String, Website), ApiError> {
    if account.websites().contains(&new.id) {
        return Err(ApiError::bad(format!("intpWebsiteId {} is in use", new.id)));
    }
    let subscription = match (account.model, new.package) {
        (Model::Account, Some(_)) => {
            return Err(ApiError::bad(
                "a package of a website needs the website model",
            ));
        }
        (Model::Account, None) => None,
        (Model::Website, package) => {
            let package = match package {
                Some(id) => usable_package(account, id, &new.id)?,
                None => preset_package(account, new.without_package)?,
            };
            let trial = package.name == TRIAL;
            Some(Subscription::start(
                &package,
                trial,
                new.billing_date.unwrap_or(now),
                now,
            ))
        }
    };
    let website = Website::new(
        new.customer,
        new.domain,
        now,
        new.privacy_level,
        subscription,
    );
    Ok((new.id, website))
}

/// Returns the name of a website's initial package if the request names none
/// (observed; that it is the free package under platform-managed billing is
/// inferred).
pub(crate) fn default_package(account: &Account) -> &'static str {
    if account.billing_mode == BillingMode::PlatformManaged {
        FREE
    } else {
        TRIAL
    }
}

/// Version 3 of the operation, with nested objects.
pub(crate) fn create(context: OperationContext<'_>) -> ApiResult {
    let fields = context.fields()?;
    let (site, owner) = (fields.object("website")?, fields.object("intpc")?);
    let options = fields.object_opt("opts")?;
    let trial = options
        .map(|options| options.bool_or_false("uft"))
        .transpose()?
        .unwrap_or(false);
    // One official client always sends the object, with an empty id for no package.
    let package = site
        .object_opt("package")?
        .filter(|package| !matches!(package.text_opt("id"), Ok(Some(""))));
    if trial && package.is_some() {
        return Err(ApiError::bad(
            "opts.uft and website.package exclude each other",
        ));
    }
    if trial && context.account.model == Model::Account {
        return Err(ApiError::bad("opts.uft needs the website model"));
    }
    let privacy_level = site.optional("privacyLevel");
    let privacy_level = privacy_level
        .map(|_| site.whole("privacyLevel"))
        .transpose()?;
    let new = NewWebsite {
        id: site.text("id")?.to_owned(),
        customer: owner.text("id")?.to_owned(),
        domain: site.text("domain")?.to_owned(),
        package: package
            .as_ref()
            .map(|package| package.uuid("id"))
            .transpose()?,
        billing_date: package
            .map(|package| package.date_opt("billingDate"))
            .transpose()?
            .flatten(),
        privacy_level,
        without_package: if trial { TRIAL } else { FREE },
    };
    insert(context, new)
}

/// Version 2 of the operation, with flat fields, only for the website model.
pub(crate) fn create_flat(context: OperationContext<'_>) -> ApiResult {
    if context.account.model == Model::Account {
        return Err(ApiError::bad("the flat form needs the website model"));
    }
    let fields = context.fields()?;
    let new = NewWebsite {
        id: fields.text("intpWebsiteId")?.to_owned(),
        customer: fields.text("intpCustomerId")?.to_owned(),
        domain: fields.text("domain")?.to_owned(),
        package: fields.uuid_opt("packageId")?,
        billing_date: fields.date_opt("billingDate")?,
        privacy_level: None,
        without_package: default_package(context.account),
    };
    insert(context, new)
}

fn insert(context: OperationContext<'_>, new: NewWebsite) -> ApiResult {
    let OperationContext {
        account,
        now,
        mut commits,
        ..
    } = context;
    customer(account, &new.customer)?;
    let (id, site) = build(account, new, now)?;
    account.add_website(id.clone(), site);
    commits.record(&[("intpWebsiteId", &id)]);
    let site = website(account, &id)?;
    Reply::payload(201, &render::website(account, &id, site, now)?)
}

pub(crate) fn list(context: OperationContext<'_>) -> ApiResult {
    let page = context.query.whole("page", 0)?.unwrap_or(0);
    let size = context.query.whole("pageSize", 1)?.unwrap_or(10);
    let account = &*context.account;
    let (ids, total) = match context.query.get("externalCustomerId") {
        None => {
            let ids = account.websites().iter().map(|(id, _)| id);
            (render::window(ids, page, size), account.websites().len())
        }
        Some(owner) => match account.websites_of(owner) {
            Some(ids) => (render::window(ids.iter(), page, size), ids.len()),
            None => (Vec::new(), 0),
        },
    };
    let shown = ids
        .into_iter()
        .map(|id| render::website(account, id, website(account, id)?, context.now))
        .collect::<Result<Vec<_>, _>>()?;
    Reply::page(&shown, &render::meta(page, size, total))
}

pub(crate) fn get(context: OperationContext<'_>) -> ApiResult {
    let id = context.param(0);
    let site = website(context.account, id)?;
    Reply::payload(
        200,
        &render::website(context.account, id, site, context.now)?,
    )
}

/// Finds a website by its server-issued id.
pub(crate) fn get_by_id(context: OperationContext<'_>) -> ApiResult {
    let text = context.param(0);
    let id = parse_uuid(text).ok_or_else(|| ApiError::bad("websiteId must be a uuid"))?;
    let found = context.account.website_by_uuid(id);
    let (name, site) = found.ok_or_else(|| ApiError::not_found("website", text))?;
    Reply::payload(
        200,
        &render::website(context.account, name, site, context.now)?,
    )
}

/// Responds with the website as it was.
pub(crate) fn delete(mut context: OperationContext<'_>) -> ApiResult {
    let id = context.param(0).to_owned();
    let site = website(context.account, &id)?;
    let before = render::website(context.account, &id, site, context.now)?;
    context.account.remove_website(&id);
    context.commits.record(&[("intpWebsiteId", &id)]);
    Reply::payload(200, &before)
}

pub(crate) fn list_contributors(context: OperationContext<'_>) -> ApiResult {
    let site = website(context.account, context.param(0))?;
    Reply::payload(200, &render::contributors(context.account, site))
}

/// Adds a contributor or changes their role. A contributor has exactly one
/// role.
pub(crate) fn add_contributor(mut context: OperationContext<'_>) -> ApiResult {
    let fields = context.fields()?;
    let id = fields.text("intpCustomerId")?.to_owned();
    let role = fields.one_of("role", ContributorRole::KNOWN)?;
    let website_id = context.param(0).to_owned();
    let site = website(context.account, &website_id)?;
    customer(context.account, &id)?;
    if site.customer == id {
        return Err(ApiError::bad(
            "the owner of a website cannot be its contributor",
        ));
    }
    let before = context.account.set_role(&website_id, &id, role.clone());
    if before != Some(role) {
        context
            .commits
            .record(&[("intpWebsiteId", &website_id), ("intpCustomerId", &id)]);
    }
    Ok(Reply::done())
}

pub(crate) fn remove_contributor(mut context: OperationContext<'_>) -> ApiResult {
    let (website_id, id) = (context.param(0).to_owned(), context.param(1).to_owned());
    website(context.account, &website_id)?;
    if !context.account.remove_role(&website_id, &id) {
        return Err(ApiError::not_found("contributor", &id));
    }
    context
        .commits
        .record(&[("intpWebsiteId", &website_id), ("intpCustomerId", &id)]);
    Ok(Reply::done())
}

pub(crate) fn list_domains(context: OperationContext<'_>) -> ApiResult {
    Reply::payload(200, &website(context.account, context.param(0))?.domains)
}

pub(crate) fn add_domain(mut context: OperationContext<'_>) -> ApiResult {
    let domain = context.fields()?.text("domain")?.to_owned();
    let id = context.param(0).to_owned();
    let domains = domains_mut(context.account, &id)?;
    if !domains.contains(&domain) {
        domains.push(domain.clone());
        context
            .commits
            .record_named(&domain, &[("intpWebsiteId", &id)]);
    }
    Ok(Reply::done())
}

/// Succeeds even if the domain is not on the list (observed).
pub(crate) fn remove_domain(mut context: OperationContext<'_>) -> ApiResult {
    let domain = context.fields()?.text("domain")?.to_owned();
    let id = context.param(0).to_owned();
    let domains = domains_mut(context.account, &id)?;
    let before = domains.len();
    domains.retain(|known| *known != domain);
    if domains.len() < before {
        context
            .commits
            .record_named(&domain, &[("intpWebsiteId", &id)]);
    }
    Ok(Reply::done())
}

fn domains_mut<'a>(account: &'a mut Account, id: &str) -> Result<&'a mut Vec<String>, ApiError> {
    account
        .domains_mut(id)
        .ok_or_else(|| ApiError::not_found("website", id))
}
