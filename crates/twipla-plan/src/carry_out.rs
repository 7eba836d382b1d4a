//! Applies one action: checks whether it is still needed, makes the call, and classifies the outcome.
//!
//! The state that the plan was made from is read once more right before a change, so that
//! nothing is changed that the plan did not show. A create is sent without that: the
//! client itself reports whether the resource exists as requested.

use twipla::types::Website;
use twipla::{CustomerId, ErrorKind, Twipla, WebsiteId};

use crate::action::Action;
use crate::catalogue::Catalogue;
use crate::roles::roles;
use crate::subscription::{Decision, Standing, Status, Step, Target, decide};

/// The outcome of an action.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It was done by this run.
    Done,
    /// Nothing to do: it was done before, by an earlier run or by somebody else.
    AlreadySo,
    /// It was not done, for this reason.
    Failed(String),
    /// It was not tried: the state on the server is not the one that the plan was made from.
    Moved(String),
    /// It may have been done. The next run asks the server.
    InDoubt(String),
}

/// Applies actions.
pub(crate) struct Worker<'a> {
    pub(crate) twipla: &'a Twipla,
    pub(crate) packages: &'a Catalogue,
    pub(crate) account_model: bool,
    /// Whether to apply an action even if the state has changed since the plan.
    pub(crate) refresh: bool,
}

/// How a call ended that was not done.
pub(crate) enum Stopped {
    With(Outcome),
    /// The server did not respond.
    Unanswered(Outcome),
    /// No call of this client can succeed: its key is not accepted, for instance.
    ForGood(twipla::Error),
}

type Carried = Result<Outcome, Stopped>;

impl Worker<'_> {
    pub(crate) async fn carry_out(&self, customer: &CustomerId, action: &Action) -> Carried {
        match action {
            Action::CreateCustomer {
                email,
                package,
                first_website,
            } => {
                let mut create = self.twipla.customers().create(customer, email.as_str());
                if let Some(package) = package {
                    create = create.package(package);
                }
                if let Some(first) = first_website {
                    create = create.website(&first.website, first.domain.as_str());
                }
                ended(create.await)
            }
            Action::CreateWebsite {
                website,
                domain,
                package,
            } => {
                let websites = self.twipla.websites();
                let mut create = websites.create(customer, website, domain.as_str());
                if let Some(package) = package {
                    create = create.package(package);
                }
                ended(create.await)
            }
            Action::ChangeSubscription {
                website,
                step,
                to,
                before,
            } => {
                let owner = Owner {
                    customer,
                    website: website.as_ref(),
                };
                self.change_subscription(owner, *step, *to, *before).await
            }
            // Adding and removing a domain have no further effect when repeated.
            Action::AddDomain { website, domain } => {
                let domains = self.twipla.website(website).whitelisted_domains();
                ended(domains.add(domain.as_str()).await)
            }
            Action::RemoveDomain { website, domain } => {
                let domains = self.twipla.website(website).whitelisted_domains();
                ended(domains.remove(domain.as_str()).await)
            }
            Action::SetRole {
                website,
                contributor,
                role,
                before,
            } => {
                let contributors = self.twipla.website(website).contributors();
                let now = read(contributors.list().await)?;
                let now = roles(&now.contributors);
                let now = now.into_iter().find(|(id, _)| id == contributor);
                let now = now.map(|(_, role)| role);
                if now.as_ref() == Some(role) {
                    return Ok(Outcome::AlreadySo);
                }
                if now != *before && !self.refresh {
                    return Ok(Outcome::Moved(now.map_or_else(
                        || "the role was removed".to_owned(),
                        |now| format!("the role is {now} now"),
                    )));
                }
                ended(contributors.add(contributor, role.clone()).await)
            }
            Action::RemoveContributor {
                website,
                contributor,
                before,
            } => {
                let contributors = self.twipla.website(website).contributors();
                let now = read(contributors.list().await)?;
                let now = roles(&now.contributors);
                let Some((_, now)) = now.into_iter().find(|(id, _)| id == contributor) else {
                    return Ok(Outcome::AlreadySo);
                };
                if now != *before && !self.refresh {
                    return Ok(Outcome::Moved(format!("the role is {now} now")));
                }
                gone(contributors.remove(contributor).await)
            }
            Action::DeleteWebsite { website, before } => {
                self.delete_website(customer, website, *before).await
            }
            Action::DeleteCustomer { websites } => self.delete_customer(customer, websites).await,
        }
    }

    async fn change_subscription(
        &self,
        owner: Owner<'_>,
        step: Option<Step>,
        to: Target,
        before: Option<Standing>,
    ) -> Carried {
        let mut now = Standing::of(&self.website_of(owner).await?);
        if decide(now, to, self.account_model, self.packages) == Decision::Nothing {
            return Ok(Outcome::AlreadySo);
        }
        if let (Some(step), Some(before)) = (step, before) {
            if now == before {
                return self.step(owner, step, to).await;
            }
            if !self.refresh {
                return Ok(Outcome::Moved(moved(before, now, self.packages)));
            }
        }
        // Decide from the current state.
        loop {
            match decide(now, to, self.account_model, self.packages) {
                Decision::Nothing => return Ok(Outcome::Done),
                Decision::Change(step, to) => return self.step(owner, step, to).await,
                Decision::ResumeFirst(current, _) => {
                    let resumed = Target::Package(current);
                    let outcome = self.step(owner, Step::Resume, resumed).await?;
                    if !matches!(outcome, Outcome::Done) {
                        return Ok(outcome);
                    }
                    now = now.after(resumed, Step::Resume);
                }
                Decision::Impossible(why) => return Ok(Outcome::Failed(format!("cannot {why}"))),
            }
        }
    }

    async fn step(&self, owner: Owner<'_>, step: Step, to: Target) -> Carried {
        let changed = match (owner.website, step, to) {
            (Some(id), Step::Upgrade, Target::Package(package)) => {
                self.twipla
                    .website(id)
                    .subscription()
                    .upgrade(package)
                    .await
            }
            (Some(id), Step::Downgrade, Target::Package(package)) => {
                self.twipla
                    .website(id)
                    .subscription()
                    .downgrade(package)
                    .await
            }
            (Some(id), Step::Resume, _) => self.twipla.website(id).subscription().resume().await,
            (Some(id), Step::Cancel, _) => self.twipla.website(id).subscription().cancel().await,
            (None, Step::Upgrade, Target::Package(package)) => {
                let account = self.twipla.customer(owner.customer).subscription();
                account.upgrade(package).await
            }
            (None, Step::Downgrade, Target::Package(package)) => {
                let account = self.twipla.customer(owner.customer).subscription();
                account.downgrade(package).await
            }
            (None, Step::Resume, _) => {
                self.twipla
                    .customer(owner.customer)
                    .subscription()
                    .resume()
                    .await
            }
            (None, Step::Cancel, _) => {
                self.twipla
                    .customer(owner.customer)
                    .subscription()
                    .cancel()
                    .await
            }
            (_, Step::Upgrade | Step::Downgrade, Target::Canceled) => {
                return Ok(Outcome::Failed("the plan names no package".to_owned()));
            }
        };
        ended(changed)
    }

    /// Reads the website that shows a subscription.
    async fn website_of(&self, owner: Owner<'_>) -> Result<Website, Stopped> {
        if let Some(website) = owner.website {
            return read(self.twipla.website(website).get().await);
        }
        let list = self.twipla.customer(owner.customer).websites();
        let page = read(list.page_size(1).await)?;
        page.items.into_iter().next().ok_or_else(|| {
            Stopped::With(Outcome::Failed(
                "cannot read the package of the account: the customer has no website that shows it"
                    .to_owned(),
            ))
        })
    }

    async fn delete_website(
        &self,
        customer: &CustomerId,
        website: &WebsiteId,
        before: Option<Standing>,
    ) -> Carried {
        let now = match self.twipla.website(website).get().await {
            Ok(now) => now,
            Err(error) if error.is_not_found() => return Ok(Outcome::AlreadySo),
            Err(error) => return Err(stopped(error)),
        };
        let standing = Standing::of(&now);
        if standing.status == Status::Inactive {
            return Ok(Outcome::AlreadySo);
        }
        if now.intp_customer_id != *customer {
            let owner = now.intp_customer_id;
            return Ok(Outcome::Moved(format!(
                "it belongs to customer {owner} now"
            )));
        }
        if let Some(before) = before
            && before != standing
            && !self.refresh
        {
            return Ok(Outcome::Moved(moved(before, standing, self.packages)));
        }
        gone(self.twipla.website(website).delete().await)
    }

    /// Deletes a customer, unless it has a website that the plan did not show, even with `refresh`.
    async fn delete_customer(&self, customer: &CustomerId, planned: &[WebsiteId]) -> Carried {
        match self.twipla.customer(customer).get().await {
            Ok(_) => {}
            Err(error) if error.is_not_found() => return Ok(Outcome::AlreadySo),
            Err(error) => return Err(stopped(error)),
        }
        let mut pages = Box::pin(self.twipla.customer(customer).websites().pages());
        while let Some(page) = read(futures_util::TryStreamExt::try_next(&mut pages).await)? {
            let new = page.items.iter().find(|website| {
                Standing::of(website).status != Status::Inactive
                    && !planned.contains(&website.intp_website_id)
            });
            if let Some(new) = new {
                let id = &new.intp_website_id;
                return Ok(Outcome::Moved(format!(
                    "the customer has another website now, {id}"
                )));
            }
        }
        gone(self.twipla.customer(customer).delete().await)
    }
}

/// The owner of a subscription.
#[derive(Clone, Copy)]
struct Owner<'a> {
    customer: &'a CustomerId,
    website: Option<&'a WebsiteId>,
}

/// Converts the result of a change or a create.
fn ended<T>(result: twipla::Result<T>) -> Carried {
    match result {
        Ok(_) => Ok(Outcome::Done),
        Err(error) if error.exists_as_requested() => Ok(Outcome::AlreadySo),
        Err(error) if is_in_force(&error) => Ok(Outcome::Done),
        Err(error) => Err(stopped(error)),
    }
}

/// Converts the result of a deletion. A missing resource counts as deleted.
fn gone<T>(result: twipla::Result<T>) -> Carried {
    match result {
        Err(error) if error.is_not_found() => Ok(Outcome::AlreadySo),
        other => ended(other),
    }
}

/// Converts the result of a read before a change, when nothing was sent that may have been done.
fn read<T>(result: twipla::Result<T>) -> Result<T, Stopped> {
    result.map_err(stopped)
}

fn is_in_force(error: &twipla::Error) -> bool {
    use twipla::ChangeState::{Applied, InForce};
    !error.is_ambiguous() && matches!(error.change_state(), Some(Applied | InForce))
}

fn stopped(error: twipla::Error) -> Stopped {
    let reason = format!("{error:#}");
    let outcome = if error.is_ambiguous() {
        Outcome::InDoubt(reason)
    } else {
        Outcome::Failed(reason)
    };
    match error.kind() {
        ErrorKind::Auth | ErrorKind::Configuration | ErrorKind::Signing
            if !error.is_ambiguous() =>
        {
            Stopped::ForGood(error)
        }
        ErrorKind::Connection | ErrorKind::Timeout => Stopped::Unanswered(outcome),
        _ => Stopped::With(outcome),
    }
}

fn moved(before: Standing, now: Standing, packages: &Catalogue) -> String {
    let show = |standing: Standing| {
        let planned = standing
            .planned
            .map(|planned| format!(", then {}", packages.name(planned)));
        let (package, status) = (packages.name(standing.package), standing.status);
        format!("{package}{} ({status})", planned.unwrap_or_default())
    };
    format!("it was {} and is {}", show(before), show(now))
}
