//! Customers.

use twipla_api::types::CreatedIntpc;
use uuid::Uuid;

use super::context::{OperationContext, customer, preset_package, website};
use super::packages::usable_package;
use super::websites;
use crate::account::{Customer, Model};
use crate::input::Fields;
use crate::price_list::FREE;
use crate::render;
use crate::reply::{ApiError, ApiResult, Reply};
use crate::subscription::Subscription;

pub(crate) fn create(context: OperationContext<'_>) -> ApiResult {
    let fields = context.fields()?;
    let id = fields.text("intpCustomerId")?.to_owned();
    let email = fields.text("email")?.to_owned();
    if !is_email(&email) {
        return Err(ApiError::bad("email must be an e-mail address"));
    }
    let package = fields.uuid_opt("packageId")?;
    let billing_date = fields.date_opt("billingDate")?;
    // One official client always sends the object, with empty fields to create no website.
    let empty = |site: &Fields<'_>, name| matches!(site.text_opt(name), Ok(Some("")));
    let site = fields
        .object_opt("website")?
        .filter(|site| !(empty(site, "intpWebsiteId") && empty(site, "domain")));
    let site = site.map(|site| {
        Ok::<_, ApiError>(websites::NewWebsite {
            id: site.text("intpWebsiteId")?.to_owned(),
            customer: id.clone(),
            domain: site.text("domain")?.to_owned(),
            package: site.uuid_opt("packageId")?,
            billing_date: site.date_opt("billingDate")?,
            privacy_level: None,
            without_package: websites::default_package(context.account),
        })
    });
    let site = site.transpose()?;

    let OperationContext {
        account,
        now,
        mut commits,
        ..
    } = context;
    if account.customers().contains(&id) {
        return Err(ApiError::bad(format!("intpCustomerId {id} is in use")));
    }
    if account.email_in_use(&email) {
        return Err(ApiError::bad(format!("email {email} is in use")));
    }
    let subscription = match account.model {
        Model::Website if package.is_some() || billing_date.is_some() => {
            return Err(ApiError::bad(
                "packageId of a customer needs the account model",
            ));
        }
        Model::Website => None,
        Model::Account => {
            let package = match package {
                Some(wanted) => usable_package(account, wanted, &id)?,
                None => preset_package(account, FREE)?,
            };
            Some(Subscription::start(
                &package,
                false,
                billing_date.unwrap_or(now),
                now,
            ))
        }
    };
    // The website is validated before the customer is created, so that either both are created or
    // neither.
    let site = site
        .map(|new| websites::build(account, new, now))
        .transpose()?;
    let created = Customer {
        id: Uuid::new_v4(),
        email,
        created_at: now,
        subscription,
    };
    account.add_customer(id.clone(), created);
    match &site {
        Some((site_id, _)) => {
            commits.record(&[("intpCustomerId", &id), ("intpWebsiteId", site_id)]);
        }
        None => commits.record(&[("intpCustomerId", &id)]),
    }
    let website = site
        .map(|(site_id, site)| {
            account.add_website(site_id.clone(), site);
            render::website(account, &site_id, website(account, &site_id)?, now)
        })
        .transpose()?;
    let shown = render::intpc(account, &id, customer(account, &id)?);
    Reply::payload(
        201,
        &CreatedIntpc {
            id: shown.id,
            visa_id: shown.visa_id,
            intp_customer_id: shown.intp_customer_id,
            email: shown.email,
            intp_id: shown.intp_id,
            created_at: shown.created_at,
            website,
        },
    )
}

pub(crate) fn list(context: OperationContext<'_>) -> ApiResult {
    let (Some(page), Some(size)) = (
        context.query.whole("page", 0)?,
        context.query.whole("pageSize", 1)?,
    ) else {
        return Err(ApiError::bad(
            "the query parameters page and pageSize are required",
        ));
    };
    let customers = context.account.customers();
    let shown: Vec<_> = render::window(customers.iter(), page, size)
        .into_iter()
        .map(|(id, customer)| render::intpc(context.account, id, customer))
        .collect();
    Reply::page(&shown, &render::meta(page, size, customers.len()))
}

pub(crate) fn get(context: OperationContext<'_>) -> ApiResult {
    let id = context.param(0);
    Reply::payload(
        200,
        &render::intpc(context.account, id, customer(context.account, id)?),
    )
}

/// Deletes the customer, their websites, and their contributor roles on other websites.
pub(crate) fn delete(mut context: OperationContext<'_>) -> ApiResult {
    let id = context.param(0).to_owned();
    let before = render::intpc(context.account, &id, customer(context.account, &id)?);
    context.account.remove_customer(&id);
    context.commits.record(&[("intpCustomerId", &id)]);
    Reply::payload(200, &before)
}

/// Catches obvious mistakes; not a full validation.
fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    }) && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}
