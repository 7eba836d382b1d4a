//! Changes of a subscription, of a website or of an account. The server refuses
//! what a rule forbids with 500 where 400 would be meant (observed).

use chrono::{DateTime, Utc};
use twipla_api::types::{Package, SubscriptionStatus};

use super::{Call, chosen, customer, packages, preset, website};
use crate::Model;
use crate::render;
use crate::reply::{Answer, Refusal, Reply};
use crate::state::{Account, FREE, Subscription, TRIAL};

/// What a call asks of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Upgrade,
    Downgrade,
    Cancel,
    Resume,
    Deactivate,
}

/// Whose subscription it is, by the name of the field in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Website,
    Customer,
}

pub(crate) fn change(call: Call<'_>, holder: Holder, verb: Verb) -> Answer {
    let fields = call.fields()?;
    let id = match holder {
        Holder::Website => fields.text("intpWebsiteId")?,
        Holder::Customer => fields.text("intpcId")?,
    };
    let id = id.to_owned();
    let package = match verb {
        Verb::Upgrade | Verb::Downgrade => Some(fields.uuid("packageId")?),
        _ => None,
    };
    let trial = fields.bool_or_false("trial")?;
    // How a pro-rated change is reckoned is not public; only the type is checked.
    fields.bool_or_false("proRate")?;

    let Call { account, now, .. } = call;
    match (account.model, holder) {
        (Model::Website, Holder::Customer) => {
            return Err(Refusal::bad(
                "subscriptions of customers need the account model",
            ));
        }
        (Model::Account, Holder::Website) => {
            return Err(Refusal::bad(
                "subscriptions of websites need the website model",
            ));
        }
        _ => {}
    }
    let package = match package {
        Some(package) => Some(chosen(account, package)?),
        None => None,
    };
    let before = current(account, holder, &id)?.clone();
    if before.status == SubscriptionStatus::Inactive {
        return Err(Refusal::rule("the subscription is inactive"));
    }
    if let Some(package) = &package {
        packages::usable(package, &id)?;
    }
    if verb == Verb::Deactivate {
        return deactivate(account, holder, &id, &before);
    }
    let change = Change {
        account,
        holder,
        package,
        trial,
        now,
    };
    let after = change.apply(verb, before)?;
    let shown = show(account, holder, &id, &after)?;
    *current_mut(account, holder, &id)? = after;
    Reply::payload(201, &shown)
}

/// What a change goes by.
struct Change<'a> {
    account: &'a Account,
    holder: Holder,
    package: Option<Package>,
    trial: bool,
    now: DateTime<Utc>,
}

impl Change<'_> {
    fn apply(&self, verb: Verb, mut subscription: Subscription) -> Result<Subscription, Refusal> {
        let canceled = subscription.status == SubscriptionStatus::Canceled;
        match (verb, &self.package) {
            (Verb::Upgrade, Some(_)) if canceled && self.holder == Holder::Customer => {
                return Err(Refusal::rule(
                    "a canceled account subscription cannot be upgraded",
                ));
            }
            (Verb::Upgrade, Some(to)) => {
                if size(to) <= self.size_of(&subscription) {
                    return Err(Refusal::rule(
                        "an upgrade needs a package with more touchpoints",
                    ));
                }
                subscription.restart(to, self.now);
                subscription.last_package_change_at = self.now;
                subscription.status = SubscriptionStatus::Active;
                subscription.planned = None;
                // Who may have a trial is not public: here, whoever had none.
                subscription.in_trial = self.trial && !subscription.had_trial;
                subscription.had_trial |= subscription.in_trial;
            }
            (Verb::Downgrade, Some(to)) if to.name == TRIAL => {
                return Err(Refusal::rule("the trial is no package to go down to"));
            }
            (Verb::Downgrade, Some(to)) => {
                if size(to) > self.size_of(&subscription) {
                    return Err(Refusal::rule(
                        "a downgrade needs a package with fewer touchpoints",
                    ));
                }
                subscription.planned = Some(to.id);
                subscription.status = SubscriptionStatus::Active;
            }
            (Verb::Cancel, _) => {
                subscription.planned = Some(preset(self.account, FREE)?.id);
                subscription.status = SubscriptionStatus::Canceled;
            }
            (Verb::Resume, _) if !canceled => {
                return Err(Refusal::rule("the subscription is not canceled"));
            }
            (Verb::Resume, _) => {
                subscription.planned = None;
                subscription.status = SubscriptionStatus::Active;
            }
            (Verb::Upgrade | Verb::Downgrade | Verb::Deactivate, _) => {}
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

/// How large a package is. The unlimited trial counts as the smallest, so that
/// every package is a step up from it.
fn size(package: &Package) -> i64 {
    package.touchpoints.get()
}

/// The reply shows the state before. A website stays, as inactive; an account
/// goes, with its websites (both observed).
fn deactivate(account: &mut Account, holder: Holder, id: &str, before: &Subscription) -> Answer {
    let shown = show(account, holder, id, before)?;
    match holder {
        Holder::Website => {
            let subscription = current_mut(account, holder, id)?;
            subscription.status = SubscriptionStatus::Inactive;
            subscription.planned = None;
        }
        Holder::Customer => super::customers::remove(account, id),
    }
    Reply::payload(201, &shown)
}

fn show(
    account: &Account,
    holder: Holder,
    id: &str,
    subscription: &Subscription,
) -> Result<twipla_api::types::Subscription, Refusal> {
    match holder {
        Holder::Website => {
            let site = website(account, id)?;
            render::subscription(account, &site.customer, Some(site), subscription)
        }
        Holder::Customer => render::subscription(account, id, None, subscription),
    }
}

fn current<'a>(
    account: &'a Account,
    holder: Holder,
    id: &str,
) -> Result<&'a Subscription, Refusal> {
    let found = match holder {
        Holder::Website => website(account, id)?.subscription.as_ref(),
        Holder::Customer => customer(account, id)?.subscription.as_ref(),
    };
    found.ok_or_else(|| Refusal::not_found("subscription of", id))
}

fn current_mut<'a>(
    account: &'a mut Account,
    holder: Holder,
    id: &str,
) -> Result<&'a mut Subscription, Refusal> {
    let found = match holder {
        Holder::Website => account
            .websites
            .get_mut(id)
            .and_then(|site| site.subscription.as_mut()),
        Holder::Customer => account
            .customers
            .get_mut(id)
            .and_then(|customer| customer.subscription.as_mut()),
    };
    found.ok_or_else(|| Refusal::not_found("subscription of", id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use twipla_api::types::BillingMode;
    use uuid::Uuid;

    use super::*;
    use crate::input::Query;
    use crate::rules::customers;

    /// A partner with customer `c` and website `w` on the package "Pro".
    fn account(model: Model, now: DateTime<Utc>) -> Account {
        let mut account = Account::new(
            Uuid::new_v4(),
            "Test".to_owned(),
            model,
            BillingMode::CompanyManaged,
            now,
        );
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
        customers::create(Call {
            account: &mut account,
            now,
            path: &[],
            query: &query,
            body: Some(&body),
        })
        .unwrap();
        account
    }

    fn run(account: &mut Account, now: DateTime<Utc>, verb: Verb, package: &str) -> u16 {
        let package = account.package_named(package).map(|package| package.id);
        let (holder, body) = match account.model {
            Model::Website => (
                Holder::Website,
                json!({"intpWebsiteId": "w", "packageId": package}),
            ),
            Model::Account => (
                Holder::Customer,
                json!({"intpcId": "c", "packageId": package}),
            ),
        };
        let query = Query::parse("");
        let call = Call {
            account,
            now,
            path: &[],
            query: &query,
            body: Some(&body),
        };
        match change(call, holder, verb) {
            Ok(reply) => reply.status,
            Err(refusal) => refusal.status,
        }
    }

    /// Every verb in every state, under both models.
    #[test]
    fn verbs_by_state() {
        use Verb::{Cancel, Downgrade, Resume, Upgrade};
        let now = Utc::now();
        for (model, canceled, verb, package, status) in [
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
            (Model::Account, false, Upgrade, "Custom 75k", 400),
        ] {
            let mut account = account(model, now);
            if canceled {
                assert_eq!(run(&mut account, now, Cancel, ""), 201);
            }
            let got = run(&mut account, now, verb, package);
            assert_eq!(
                got, status,
                "{model:?}, canceled: {canceled}, {verb:?} {package}"
            );
        }
    }

    #[test]
    fn what_is_planned_happens_when_the_period_ends() {
        let start: DateTime<Utc> = "2026-01-31T12:00:00Z".parse().unwrap();
        let mut account = account(Model::Website, start);
        assert_eq!(run(&mut account, start, Verb::Downgrade, "Basic"), 201);
        let on = |account: &Account| {
            let subscription = account.websites["w"].subscription.as_ref().unwrap();
            account.packages[&subscription.package].name.clone()
        };
        account.settle("2026-02-28T11:59:59Z".parse().unwrap());
        assert_eq!(on(&account), "Pro");
        account.settle("2026-02-28T12:00:00Z".parse().unwrap());
        assert_eq!(on(&account), "Basic");
        assert_eq!(run(&mut account, start, Verb::Cancel, ""), 201);
        account.settle("2027-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(on(&account), FREE);
        assert_eq!(
            account.websites["w"].subscription.as_ref().unwrap().status,
            SubscriptionStatus::Active
        );
    }

    #[test]
    fn deactivation_leaves_a_website_and_takes_an_account() {
        let now = Utc::now();
        let mut by_website = account(Model::Website, now);
        assert_eq!(run(&mut by_website, now, Verb::Deactivate, ""), 201);
        assert!(by_website.websites.contains_key("w"));
        assert_eq!(run(&mut by_website, now, Verb::Upgrade, "Unicorn"), 500);
        let mut by_account = account(Model::Account, now);
        assert_eq!(run(&mut by_account, now, Verb::Deactivate, ""), 201);
        assert!(by_account.customers.is_empty());
    }
}
