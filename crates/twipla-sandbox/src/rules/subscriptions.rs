//! Subscription changes of websites and customers. If a rule forbids a change,
//! the server responds with 500 where 400 would be correct (observed).

use chrono::{DateTime, Utc};
use twipla_api::types::{Package, SubscriptionStatus};

use super::context::{OperationContext, customer, preset_package, requested_package, website};
use super::packages;
use crate::account::{Account, Model};
use crate::price_list::{FREE, TRIAL};
use crate::render;
use crate::reply::{ApiError, ApiResult, Reply};
use crate::subscription::Subscription;

/// The requested change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubscriptionAction {
    Upgrade,
    Downgrade,
    Cancel,
    Resume,
    Deactivate,
}

/// Who has the subscription: a website, or a customer under the account model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubscriptionOwner {
    Website,
    Customer,
}

pub(crate) fn change(
    context: OperationContext<'_>,
    owner: SubscriptionOwner,
    action: SubscriptionAction,
) -> ApiResult {
    let fields = context.fields()?;
    let id = match owner {
        SubscriptionOwner::Website => fields.text("intpWebsiteId")?,
        SubscriptionOwner::Customer => fields.text("intpcId")?,
    };
    let id = id.to_owned();
    let package = match action {
        SubscriptionAction::Upgrade | SubscriptionAction::Downgrade => {
            Some(fields.uuid("packageId")?)
        }
        _ => None,
    };
    let trial = fields.bool_or_false("trial")?;
    // How pro rata amounts are calculated is not public, so only the type is
    // checked.
    fields.bool_or_false("proRate")?;

    let OperationContext {
        account,
        now,
        mut commits,
        ..
    } = context;
    match (account.model, owner) {
        (Model::Website, SubscriptionOwner::Customer) => {
            return Err(ApiError::bad(
                "subscriptions of customers need the account model",
            ));
        }
        (Model::Account, SubscriptionOwner::Website) => {
            return Err(ApiError::bad(
                "subscriptions of websites need the website model",
            ));
        }
        _ => {}
    }
    let package = match package {
        Some(package) => Some(requested_package(account, package)?),
        None => None,
    };
    let before = current(account, owner, &id)?.at(now, &account.packages);
    if before.status == SubscriptionStatus::Inactive {
        return Err(ApiError::rule("the subscription is inactive"));
    }
    if let Some(package) = &package {
        packages::usable(package, &id)?;
    }
    let owner_id = match owner {
        SubscriptionOwner::Website => ("intpWebsiteId", id.as_str()),
        SubscriptionOwner::Customer => ("intpCustomerId", id.as_str()),
    };
    if action == SubscriptionAction::Deactivate {
        let reply = deactivate(account, owner, &id, &before)?;
        commits.record(&[owner_id]);
        return Ok(reply);
    }
    let package_id = package.as_ref().map(|package| package.id.to_string());
    let change = Change {
        account,
        owner,
        package,
        trial,
        now,
    };
    let after = change.apply(action, before.clone())?;
    let shown = show(account, owner, &id, &after)?;
    if after != before {
        *current_mut(account, owner, &id)? = after;
        match &package_id {
            Some(package_id) => commits.record(&[owner_id, ("packageId", package_id)]),
            None => commits.record(&[owner_id]),
        }
    }
    Reply::payload(201, &shown)
}

/// Returns the packages to which the subscription can be upgraded. `target` is
/// the id of the website or customer.
pub(crate) fn upgrades<'a>(
    account: &'a Account,
    subscription: &Subscription,
    target: &str,
) -> Vec<&'a Package> {
    let held = account.packages.get(&subscription.package).map_or(0, size);
    account
        .packages
        .values()
        .filter(|package| size(package) > held && packages::usable(package, target).is_ok())
        .filter(|package| ![FREE, TRIAL].contains(&package.name.as_str()))
        .collect()
}

/// The parameters of an upgrade or downgrade.
struct Change<'a> {
    account: &'a Account,
    owner: SubscriptionOwner,
    package: Option<Package>,
    trial: bool,
    now: DateTime<Utc>,
}

impl Change<'_> {
    fn apply(
        &self,
        action: SubscriptionAction,
        mut subscription: Subscription,
    ) -> Result<Subscription, ApiError> {
        let canceled = subscription.status == SubscriptionStatus::Canceled;
        match (action, &self.package) {
            (SubscriptionAction::Upgrade, Some(_))
                if canceled && self.owner == SubscriptionOwner::Customer =>
            {
                return Err(ApiError::rule(
                    "a canceled account subscription cannot be upgraded",
                ));
            }
            (SubscriptionAction::Upgrade, Some(to)) => {
                if size(to) <= self.size_of(&subscription) {
                    return Err(ApiError::rule(
                        "an upgrade needs a package with more touchpoints",
                    ));
                }
                subscription.restart(to, self.now);
                subscription.last_package_change_at = self.now;
                subscription.status = SubscriptionStatus::Active;
                subscription.planned = None;
                // Who is entitled to a trial is not public. Here each
                // subscription has one: an upgrade that asks for a second trial
                // is carried out without one, and has `inTrial: false` in the
                // response.
                subscription.in_trial = self.trial && !subscription.had_trial;
                subscription.had_trial |= subscription.in_trial;
            }
            (SubscriptionAction::Downgrade, Some(to)) if to.name == TRIAL => {
                return Err(ApiError::rule(
                    "a downgrade to the trial package is not possible",
                ));
            }
            (SubscriptionAction::Downgrade, Some(to)) => {
                if size(to) > self.size_of(&subscription) {
                    return Err(ApiError::rule(
                        "a downgrade needs a package with fewer touchpoints",
                    ));
                }
                subscription.planned = Some(to.id);
                subscription.status = SubscriptionStatus::Active;
            }
            (SubscriptionAction::Cancel, _) => {
                subscription.planned = Some(preset_package(self.account, FREE)?.id);
                subscription.status = SubscriptionStatus::Canceled;
            }
            (SubscriptionAction::Resume, _) if !canceled => {
                return Err(ApiError::rule("the subscription is not canceled"));
            }
            (SubscriptionAction::Resume, _) => {
                subscription.planned = None;
                subscription.status = SubscriptionStatus::Active;
            }
            (
                SubscriptionAction::Upgrade
                | SubscriptionAction::Downgrade
                | SubscriptionAction::Deactivate,
                _,
            ) => {}
        }
        Ok(subscription)
    }

    fn size_of(&self, subscription: &Subscription) -> i64 {
        self.account
            .packages
            .get(&subscription.package)
            .map_or(0, size)
    }
}

/// Returns the size of a package. The unlimited trial (-1) is the smallest, so
/// that every package is an upgrade from it.
fn size(package: &Package) -> i64 {
    package.touchpoints.get()
}

/// Responds with the previous state. A website is kept and becomes inactive; a
/// customer is deleted with their websites (both observed).
fn deactivate(
    account: &mut Account,
    owner: SubscriptionOwner,
    id: &str,
    before: &Subscription,
) -> ApiResult {
    let shown = show(account, owner, id, before)?;
    match owner {
        SubscriptionOwner::Website => {
            let mut after = before.clone();
            after.status = SubscriptionStatus::Inactive;
            after.planned = None;
            *current_mut(account, owner, id)? = after;
        }
        SubscriptionOwner::Customer => account.remove_customer(id),
    }
    Reply::payload(201, &shown)
}

fn show(
    account: &Account,
    owner: SubscriptionOwner,
    id: &str,
    subscription: &Subscription,
) -> Result<twipla_api::types::Subscription, ApiError> {
    match owner {
        SubscriptionOwner::Website => {
            let site = website(account, id)?;
            render::subscription(account, &site.customer, Some(site), subscription)
        }
        SubscriptionOwner::Customer => render::subscription(account, id, None, subscription),
    }
}

fn current<'a>(
    account: &'a Account,
    owner: SubscriptionOwner,
    id: &str,
) -> Result<&'a Subscription, ApiError> {
    let found = match owner {
        SubscriptionOwner::Website => website(account, id)?.subscription.as_ref(),
        SubscriptionOwner::Customer => customer(account, id)?.subscription.as_ref(),
    };
    found.ok_or_else(|| ApiError::not_found("subscription of", id))
}

fn current_mut<'a>(
    account: &'a mut Account,
    owner: SubscriptionOwner,
    id: &str,
) -> Result<&'a mut Subscription, ApiError> {
    let found = match owner {
        SubscriptionOwner::Website => account.website_subscription_mut(id),
        SubscriptionOwner::Customer => account.customer_subscription_mut(id),
    };
    found.ok_or_else(|| ApiError::not_found("subscription of", id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use twipla_api::types::BillingMode;
    use uuid::Uuid;

    use super::*;
    use crate::commits::CommitLog;
    use crate::input::Query;
    use crate::rules::customers;

    /// An account with customer `c` and website `w` on the package "Pro".
    fn account(model: Model, now: DateTime<Utc>) -> Account {
        let mut account = Account::new(
            Uuid::new_v4(),
            "Test".to_owned(),
            model,
            BillingMode::CompanyManaged,
            now,
        );
        let mut custom = account.package_named("Pro+").unwrap().clone();
        custom.id = Uuid::new_v4().into();
        custom.name = "Custom".to_owned();
        custom.visibility = twipla_api::types::PackageVisibility::Restricted;
        account.packages.insert(custom.id, custom);
        let pro = account.package_named("Pro").unwrap().id;
        let body = match model {
            Model::Website => json!({
                "intpCustomerId": "c", "email": "c@example.com",
                "website": {"intpWebsiteId": "w", "domain": "example.com", "packageId": pro},
            }),
            Model::Account => {
                json!({"intpCustomerId": "c", "email": "c@example.com", "packageId": pro})
            }
        };
        let query = Query::parse("");
        let partner = account.id;
        customers::create(OperationContext {
            account: &mut account,
            now,
            path: &[],
            query: &query,
            body: Some(&body),
            commits: CommitLog::default().recorder("create_customer", partner),
        })
        .unwrap();
        account
    }

    fn run(
        account: &mut Account,
        now: DateTime<Utc>,
        action: SubscriptionAction,
        package: &str,
    ) -> u16 {
        let package = account.package_named(package).map(|package| package.id);
        let (owner, body) = match account.model {
            Model::Website => (
                SubscriptionOwner::Website,
                json!({"intpWebsiteId": "w", "packageId": package}),
            ),
            Model::Account => (
                SubscriptionOwner::Customer,
                json!({"intpcId": "c", "packageId": package}),
            ),
        };
        let query = Query::parse("");
        let partner = account.id;
        let mut log = CommitLog::default();
        let context = OperationContext {
            account,
            now,
            path: &[],
            query: &query,
            body: Some(&body),
            commits: log.recorder("upgrade_website_subscription", partner),
        };
        match change(context, owner, action) {
            Ok(reply) => reply.status,
            Err(error) => error.status,
        }
    }

    /// Runs every action in every state, under both models.
    #[test]
    fn actions_by_state() {
        use SubscriptionAction::{Cancel, Downgrade, Resume, Upgrade};
        let now = Utc::now();
        for (model, canceled, action, package, status) in [
            (Model::Website, false, Upgrade, "Unicorn", 201),
            (Model::Website, false, Upgrade, "Pro", 500),
            (Model::Website, false, Upgrade, "Basic", 500),
            (Model::Website, false, Downgrade, "Basic", 201),
            (Model::Website, false, Downgrade, "Pro", 201),
            (Model::Website, false, Downgrade, "Unicorn", 500),
            (Model::Website, false, Cancel, "", 201),
            (Model::Website, false, Resume, "", 500),
            (Model::Website, true, Upgrade, "Unicorn", 201),
            (Model::Website, true, Resume, "", 201),
            (Model::Account, false, Upgrade, "Unicorn", 201),
            (Model::Account, false, Upgrade, "Basic", 500),
            (Model::Account, false, Downgrade, "Unicorn", 500),
            (Model::Account, false, Resume, "", 500),
            (Model::Account, true, Upgrade, "Unicorn", 500),
            (Model::Account, true, Resume, "", 201),
            (Model::Account, false, Upgrade, "Custom", 400),
        ] {
            let mut account = account(model, now);
            if canceled {
                assert_eq!(run(&mut account, now, Cancel, ""), 201);
            }
            let got = run(&mut account, now, action, package);
            assert_eq!(
                got, status,
                "{model:?}, canceled: {canceled}, {action:?} {package}"
            );
        }
    }

    #[test]
    fn planned_change_takes_effect_when_the_period_ends() {
        let start: DateTime<Utc> = "2026-01-31T12:00:00Z".parse().unwrap();
        let mut account = account(Model::Website, start);
        assert_eq!(
            run(&mut account, start, SubscriptionAction::Downgrade, "Basic"),
            201
        );
        let at = |account: &Account, time: &str| {
            let site = account.websites().get("w").unwrap();
            let subscription = account.subscription_of(site, time.parse().unwrap());
            let subscription = subscription.unwrap();
            let package = account.packages[&subscription.package].name.clone();
            (package, subscription.status)
        };
        let active = |package: &str| (package.to_owned(), SubscriptionStatus::Active);
        assert_eq!(at(&account, "2026-02-28T11:59:59Z"), active("Pro"));
        assert_eq!(at(&account, "2026-02-28T12:00:00Z"), active("Basic"));
        assert_eq!(
            run(&mut account, start, SubscriptionAction::Cancel, ""),
            201
        );
        assert_eq!(at(&account, "2027-01-01T00:00:00Z"), active(FREE));
    }

    #[test]
    fn deactivate_keeps_a_website_and_deletes_a_customer() {
        let now = Utc::now();
        let mut by_website = account(Model::Website, now);
        assert_eq!(
            run(&mut by_website, now, SubscriptionAction::Deactivate, ""),
            201
        );
        assert!(by_website.websites().contains("w"));
        assert_eq!(
            run(&mut by_website, now, SubscriptionAction::Upgrade, "Unicorn"),
            500
        );
        let mut by_account = account(Model::Account, now);
        assert_eq!(
            run(&mut by_account, now, SubscriptionAction::Deactivate, ""),
            201
        );
        assert_eq!(by_account.customers().len(), 0);
    }
}
