//! Customers.

use uuid::Uuid;

use super::{Call, chosen, customer, preset, websites};
use crate::Model;
use crate::input::Fields;
use crate::render;
use crate::reply::{Answer, Refusal, Reply};
use crate::state::{Customer, FREE, Subscription};
use twipla_api::types::CreatedIntpc;

pub(crate) fn create(call: Call<'_>) -> Answer {
    let fields = call.fields()?;
    let id = fields.text("intpCustomerId")?.to_owned();
    let email = fields.text("email")?.to_owned();
    if !is_email(&email) {
        return Err(Refusal::bad("email must be an e-mail address"));
    }
    let package = fields.uuid_opt("packageId")?;
    let billing_date = fields.date_opt("billingDate")?;
    // One official client always sends the object, with empty fields for none.
    let empty = |site: &Fields<'_>, name| matches!(site.text_opt(name), Ok(Some("")));
    let site = fields
        .object_opt("website")?
        .filter(|site| !(empty(site, "intpWebsiteId") && empty(site, "domain")));
    let site = site.map(|site| {
        Ok::<_, Refusal>(websites::New {
            id: site.text("intpWebsiteId")?.to_owned(),
            customer: id.clone(),
            domain: site.text("domain")?.to_owned(),
            package: site.uuid_opt("packageId")?,
            billing_date: site.date_opt("billingDate")?,
            privacy_level: None,
            without_package: websites::start(call.account),
        })
    });
    let site = site.transpose()?;

    let Call { account, now, .. } = call;
    if account.customers.contains_key(&id) {
        return Err(Refusal::bad(format!("intpCustomerId {id} is in use")));
    }
    if account
        .customers
        .values()
        .any(|customer| customer.email.eq_ignore_ascii_case(&email))
    {
        return Err(Refusal::bad(format!("email {email} is in use")));
    }
    let subscription = match account.model {
        Model::Website if package.is_some() || billing_date.is_some() => {
            return Err(Refusal::bad(
                "packageId of a customer needs the account model",
            ));
        }
        Model::Website => None,
        Model::Account => {
            let package = match package {
                Some(wanted) => {
                    let package = chosen(account, wanted)?;
                    super::packages::usable(&package, &id)?;
                    package
                }
                None => preset(account, FREE)?,
            };
            Some(Subscription::start(
                &package,
                false,
                billing_date.unwrap_or(now),
                now,
            ))
        }
    };
    // The website is checked before the customer is made: both, or neither.
    let site = site
        .map(|new| websites::check(account, new, now))
        .transpose()?;
    let made = Customer {
        id: Uuid::new_v4(),
        email,
        created_at: now,
        subscription,
    };
    account.customers.insert(id.clone(), made);
    let website = site
        .map(|(site_id, site)| {
            account.websites.insert(site_id.clone(), site);
            account.settle(now);
            render::website(account, &site_id, super::website(account, &site_id)?)
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

pub(crate) fn list(call: Call<'_>) -> Answer {
    let (Some(page), Some(size)) = (
        call.query.whole("page", 0)?,
        call.query.whole("pageSize", 1)?,
    ) else {
        return Err(Refusal::bad(
            "the query parameters page and pageSize are required",
        ));
    };
    let customers = &call.account.customers;
    let shown = customers
        .iter()
        .map(|(id, customer)| render::intpc(call.account, id, customer));
    Reply::page(
        &render::window(shown, page, size),
        &render::meta(page, size, customers.len()),
    )
}

pub(crate) fn get(call: Call<'_>) -> Answer {
    let id = call.param(0);
    Reply::payload(
        200,
        &render::intpc(call.account, id, customer(call.account, id)?),
    )
}

/// Deletes the customer, their websites, and their part in those of others.
pub(crate) fn delete(call: Call<'_>) -> Answer {
    let id = call.param(0).to_owned();
    let before = render::intpc(call.account, &id, customer(call.account, &id)?);
    remove(call.account, &id);
    Reply::payload(200, &before)
}

pub(crate) fn remove(account: &mut crate::state::Account, id: &str) {
    account.customers.shift_remove(id);
    account.unassign_all(id);
    let theirs: Vec<_> = account
        .websites
        .iter()
        .filter(|(_, site)| site.customer == id)
        .map(|(website, _)| website.clone())
        .collect();
    for website in theirs {
        account.websites.shift_remove(&website);
        account.unassign_all(&website);
    }
    for site in account.websites.values_mut() {
        site.contributors.shift_remove(id);
    }
}

/// Good enough to tell an address from what is none.
fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    }) && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}
