//! Websites, with their contributors and whitelisted domains.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use twipla_api::types::{BillingMode, ContributorRole};
use uuid::Uuid;

use super::{Call, chosen, customer, preset, website, website_mut};
use crate::Model;
use crate::input::parse_uuid;
use crate::render;
use crate::reply::{Answer, Refusal, Reply};
use crate::state::{Account, FREE, Subscription, TRIAL, Website};

/// A website as a request describes it.
pub(crate) struct New {
    pub(crate) id: String,
    pub(crate) customer: String,
    pub(crate) domain: String,
    pub(crate) package: Option<Uuid>,
    pub(crate) billing_date: Option<DateTime<Utc>>,
    pub(crate) privacy_level: Option<i64>,
    /// What it starts on where no package is asked for.
    pub(crate) without_package: &'static str,
}

/// Makes the website, or says which rule forbids it. Its owner is the caller's to check.
pub(crate) fn check(
    account: &Account,
    new: New,
    now: DateTime<Utc>,
) -> Result<(String, Website), Refusal> {
    if account.websites.contains_key(&new.id) {
        return Err(Refusal::bad(format!("intpWebsiteId {} is in use", new.id)));
    }
    let subscription = match (account.model, new.package) {
        (Model::Account, Some(_)) => {
            return Err(Refusal::bad(
                "a package of a website needs the website model",
            ));
        }
        (Model::Account, None) => None,
        (Model::Website, package) => {
            let package = match package {
                Some(id) => {
                    let package = chosen(account, id)?;
                    super::packages::usable(&package, &new.id)?;
                    package
                }
                None => preset(account, new.without_package)?,
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
    let website = Website {
        id: Uuid::new_v4(),
        customer: new.customer,
        domain: new.domain,
        created_at: now,
        privacy_level: new.privacy_level,
        subscription,
        contributors: IndexMap::new(),
        api_keys: Vec::new(),
        domains: Vec::new(),
    };
    Ok((new.id, website))
}

/// What a website starts on where nothing is said (observed; free for partners
/// whose billing TWIPLA does is inferred).
pub(crate) fn start(account: &Account) -> &'static str {
    if account.billing_mode == BillingMode::PlatformManaged {
        FREE
    } else {
        TRIAL
    }
}

/// The nested form of version 3.
pub(crate) fn create(call: Call<'_>) -> Answer {
    let fields = call.fields()?;
    let (site, owner) = (fields.object("website")?, fields.object("intpc")?);
    let options = fields.object_opt("opts")?;
    let trial = options
        .map(|options| options.bool_or_false("uft"))
        .transpose()?
        .unwrap_or(false);
    // One official client always sends the object, with an empty id for none.
    let package = site
        .object_opt("package")?
        .filter(|package| !matches!(package.text_opt("id"), Ok(Some(""))));
    if trial && package.is_some() {
        return Err(Refusal::bad(
            "opts.uft and website.package exclude each other",
        ));
    }
    if trial && call.account.model == Model::Account {
        return Err(Refusal::bad("opts.uft needs the website model"));
    }
    let privacy_level = site.optional("privacyLevel");
    let privacy_level = privacy_level
        .map(|_| site.whole("privacyLevel"))
        .transpose()?;
    let new = New {
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
    insert(call, new)
}

/// The flat form of version 2, for the website model only.
pub(crate) fn create_flat(call: Call<'_>) -> Answer {
    if call.account.model == Model::Account {
        return Err(Refusal::bad("the flat form needs the website model"));
    }
    let fields = call.fields()?;
    let new = New {
        id: fields.text("intpWebsiteId")?.to_owned(),
        customer: fields.text("intpCustomerId")?.to_owned(),
        domain: fields.text("domain")?.to_owned(),
        package: fields.uuid_opt("packageId")?,
        billing_date: fields.date_opt("billingDate")?,
        privacy_level: None,
        without_package: start(call.account),
    };
    insert(call, new)
}

fn insert(call: Call<'_>, new: New) -> Answer {
    let Call { account, now, .. } = call;
    customer(account, &new.customer)?;
    let (id, site) = check(account, new, now)?;
    account.websites.insert(id.clone(), site);
    // A billing date in the past may have brought a period to its end.
    account.settle(now);
    Reply::payload(201, &render::website(account, &id, website(account, &id)?)?)
}

pub(crate) fn list(call: Call<'_>) -> Answer {
    let page = call.query.whole("page", 0)?.unwrap_or(0);
    let size = call.query.whole("pageSize", 1)?.unwrap_or(10);
    let owner = call.query.get("externalCustomerId");
    let account = &*call.account;
    let all: Vec<_> = account
        .websites
        .iter()
        .filter(|(_, site)| owner.is_none_or(|owner| site.customer == owner))
        .collect();
    let shown = render::window(all.iter(), page, size)
        .into_iter()
        .map(|(id, site)| render::website(account, id, site))
        .collect::<Result<Vec<_>, _>>()?;
    Reply::page(&shown, &render::meta(page, size, all.len()))
}

pub(crate) fn get(call: Call<'_>) -> Answer {
    let id = call.param(0);
    Reply::payload(
        200,
        &render::website(call.account, id, website(call.account, id)?)?,
    )
}

/// By the id that the server issued.
pub(crate) fn get_by_id(call: Call<'_>) -> Answer {
    let text = call.param(0);
    let id = parse_uuid(text).ok_or_else(|| Refusal::bad("websiteId must be a uuid"))?;
    let found = call.account.websites.iter().find(|(_, site)| site.id == id);
    let (name, site) = found.ok_or_else(|| Refusal::not_found("website", text))?;
    Reply::payload(200, &render::website(call.account, name, site)?)
}

/// The reply shows the website as it was; afterwards it is not found.
pub(crate) fn delete(call: Call<'_>) -> Answer {
    let id = call.param(0).to_owned();
    let before = render::website(call.account, &id, website(call.account, &id)?)?;
    call.account.websites.shift_remove(&id);
    call.account.unassign_all(&id);
    Reply::payload(200, &before)
}

pub(crate) fn list_contributors(call: Call<'_>) -> Answer {
    let site = website(call.account, call.param(0))?;
    Reply::payload(200, &render::contributors(call.account, site))
}

/// Adds a contributor, or gives them another role: everyone has one.
pub(crate) fn add_contributor(call: Call<'_>) -> Answer {
    let fields = call.fields()?;
    let id = fields.text("intpCustomerId")?.to_owned();
    let role = fields.one_of("role", ContributorRole::KNOWN)?;
    let website_id = call.param(0).to_owned();
    let site = website(call.account, &website_id)?;
    customer(call.account, &id)?;
    if site.customer == id {
        return Err(Refusal::bad(
            "the owner of a website cannot be its contributor",
        ));
    }
    website_mut(call.account, &website_id)?
        .contributors
        .insert(id, role);
    Ok(Reply::done())
}

pub(crate) fn remove_contributor(call: Call<'_>) -> Answer {
    let (website_id, id) = (call.param(0).to_owned(), call.param(1).to_owned());
    let site = website_mut(call.account, &website_id)?;
    match site.contributors.shift_remove(&id) {
        Some(_) => Ok(Reply::done()),
        None => Err(Refusal::not_found("contributor", &id)),
    }
}

pub(crate) fn list_domains(call: Call<'_>) -> Answer {
    Reply::payload(200, &website(call.account, call.param(0))?.domains)
}

pub(crate) fn add_domain(call: Call<'_>) -> Answer {
    let domain = call.fields()?.text("domain")?.to_owned();
    let id = call.param(0).to_owned();
    let site = website_mut(call.account, &id)?;
    if !site.domains.contains(&domain) {
        site.domains.push(domain);
    }
    Ok(Reply::done())
}

/// Succeeds where the domain was not on the list (observed).
pub(crate) fn remove_domain(call: Call<'_>) -> Answer {
    let domain = call.fields()?.text("domain")?.to_owned();
    let id = call.param(0).to_owned();
    website_mut(call.account, &id)?
        .domains
        .retain(|known| *known != domain);
    Ok(Reply::done())
}
