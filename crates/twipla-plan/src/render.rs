//! Plans as text for people.

use std::borrow::Cow;
use std::io::{self, Write};

use twipla::PackageId;
use twipla::chrono::SecondsFormat;
use twipla::types::SubscriptionType;

use crate::action::Action;
use crate::error::{Error, Result};
use crate::plan_file::{CustomerPlan, Plan};
use crate::subscription::{Standing, Step, Target};
use crate::summary::{Summary, counted};

impl Plan {
    /// Writes the plan as text: the actions for each customer (for the
    /// first `limit` of them), separate lists of downgrades, cancellations and deletions,
    /// the counts, and the difference of the monthly prices.
    ///
    /// # Errors
    ///
    /// If the plan cannot be read, or `to` cannot be written.
    pub fn write_text(&self, to: &mut dyn Write, limit: Option<usize>) -> Result<()> {
        let limit = limit.unwrap_or(usize::MAX);
        let failed = |error| Error::Io("cannot write the plan as text".to_owned(), error);
        self.write_head(to).map_err(failed)?;
        let mut left_out = 0_u64;
        for (n, customer) in self.customers()?.enumerate() {
            let customer = customer?;
            if n < limit {
                self.write_customer(to, &customer).map_err(failed)?;
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            writeln!(to, "\n... and {} more", counted(left_out, "customer")).map_err(failed)?;
        }
        self.write_list(
            to,
            "Downgrades and cancellations",
            limit,
            Action::is_reduction,
        )?;
        self.write_list(to, "Deletions", limit, Action::is_deletion)?;
        write_summary(to, self.summary()).map_err(failed)
    }

    /// Describes an action in words, such as `upgrade website site-7 from Basic to Pro`.
    pub fn describe(&self, action: &Action) -> String {
        match action {
            Action::CreateCustomer {
                email,
                package,
                first_website,
            } => {
                let on = package.map(|package| format!(", on {}", self.package(package)));
                let with = first_website.as_ref().map(|first| {
                    let (website, domain) = (shown(first.website.as_str()), shown(&first.domain));
                    format!(", with website {website}, {domain}")
                });
                format!(
                    "create the customer, {}{}{}",
                    shown(email),
                    on.unwrap_or_default(),
                    with.unwrap_or_default()
                )
            }
            Action::CreateWebsite {
                website,
                domain,
                package,
            } => {
                let on = package.map(|package| format!(", on {}", self.package(package)));
                format!(
                    "create website {}, {}{}",
                    shown(website.as_str()),
                    shown(domain),
                    on.unwrap_or_default()
                )
            }
            Action::ChangeSubscription {
                website,
                step,
                to,
                before,
            } => {
                let owner = website.as_ref().map_or_else(
                    || "the account".to_owned(),
                    |website| format!("website {}", shown(website.as_str())),
                );
                self.describe_change(&owner, *step, *to, *before)
            }
            Action::AddDomain { website, domain } => {
                format!(
                    "allow {} on website {}",
                    shown(domain),
                    shown(website.as_str())
                )
            }
            Action::RemoveDomain { website, domain } => {
                format!(
                    "remove {} from website {}",
                    shown(domain),
                    shown(website.as_str())
                )
            }
            Action::SetRole {
                website,
                contributor,
                role,
                before,
            } => {
                let before = before
                    .as_ref()
                    .map(|before| format!(" instead of {before}"));
                format!(
                    "make {} {role}{} of website {}",
                    shown(contributor.as_str()),
                    before.unwrap_or_default(),
                    shown(website.as_str())
                )
            }
            Action::RemoveContributor {
                website,
                contributor,
                before,
            } => format!(
                "remove {} as {before} of website {}",
                shown(contributor.as_str()),
                shown(website.as_str())
            ),
            Action::DeleteWebsite { website, .. } => {
                format!("delete website {}", shown(website.as_str()))
            }
            Action::DeleteCustomer { websites } => match websites.len() {
                0 => "delete the customer, who has no website".to_owned(),
                1 => "delete the customer with their website".to_owned(),
                n => format!("delete the customer with their {n} websites"),
            },
        }
    }

    fn describe_change(
        &self,
        owner: &str,
        step: Option<Step>,
        to: Target,
        before: Option<Standing>,
    ) -> String {
        let from = before.map_or_else(
            || "what it is on".to_owned(),
            |before| self.package(before.package),
        );
        let to = match to {
            Target::Package(package) => self.package(package),
            Target::Canceled => "nothing".to_owned(),
        };
        match step {
            Some(Step::Upgrade) => format!("upgrade {owner} from {from} to {to}"),
            Some(Step::Downgrade) => {
                format!("downgrade {owner} from {from} to {to} at the end of the period")
            }
            Some(Step::Cancel) => format!("cancel {owner} on {from} at the end of the period"),
            Some(Step::Resume) => format!("resume {owner} on {from}"),
            None => format!("move {owner} from {from} to {to}"),
        }
    }

    fn package(&self, id: PackageId) -> String {
        let name = self.header().packages.get(&id);
        name.map_or_else(|| id.to_string(), |name| shown(name).into_owned())
    }

    fn write_head(&self, to: &mut dyn Write) -> io::Result<()> {
        let header = self.header();
        let model = match header.model {
            SubscriptionType::Intpc => "account",
            _ => "website",
        };
        writeln!(
            to,
            "Plan of {} for partner {} ({model} model), made {}",
            shown(&header.source),
            header.partner,
            header.created_at.to_rfc3339_opts(SecondsFormat::Secs, true)
        )?;
        if header.shard != "0/1" {
            writeln!(to, "Only the customers of shard {}", header.shard)?;
        }
        Ok(())
    }

    fn write_customer(&self, to: &mut dyn Write, plan: &CustomerPlan) -> io::Result<()> {
        writeln!(to, "\n{}", shown(plan.customer.as_str()))?;
        for action in &plan.actions {
            writeln!(to, "  {} {}", sign(action), self.describe(action))?;
        }
        for problem in &plan.problems {
            writeln!(to, "  ! {}", shown(problem))?;
        }
        Ok(())
    }

    /// Lists the actions of one kind again.
    fn write_list(
        &self,
        to: &mut dyn Write,
        title: &str,
        limit: usize,
        is_one: fn(&Action) -> bool,
    ) -> Result<()> {
        let failed = |error| Error::Io("cannot write the plan as text".to_owned(), error);
        let mut count = 0;
        for plan in self.customers()? {
            let plan = plan?;
            for action in plan.actions.iter().filter(|action| is_one(action)) {
                if count == 0 {
                    writeln!(to, "\n{title}:").map_err(failed)?;
                }
                count += 1;
                if count <= limit {
                    let customer = shown(plan.customer.as_str());
                    writeln!(to, "  {customer}: {}", self.describe(action)).map_err(failed)?;
                }
            }
        }
        if count > limit {
            writeln!(to, "  ... and {} more", count - limit).map_err(failed)?;
        }
        Ok(())
    }
}

fn write_summary(to: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    let counts = [
        (summary.created_customers, "customer", " to create"),
        (summary.created_websites, "website", " to create"),
        (summary.upgrades, "upgrade", ""),
        (summary.downgrades, "downgrade", ""),
        (summary.cancellations, "cancellation", ""),
        (summary.resumes, "cancellation", " to revoke"),
        (summary.undecided, "change", " of package"),
        (summary.added_domains, "domain", " to allow"),
        (summary.removed_domains, "domain", " to remove"),
        (summary.set_roles, "role", " to set"),
        (summary.removed_roles, "role", " to remove"),
        (summary.deleted_customers, "customer", " to delete"),
        (summary.deleted_websites, "website", " to delete"),
    ];
    if summary.is_empty() {
        writeln!(to, "\nNothing to do.")?;
    } else {
        let (actions, customers) = (
            counted(summary.actions, "action"),
            counted(summary.customers, "customer"),
        );
        writeln!(to, "\n{actions} for {customers}:")?;
        for (count, noun, rest) in counts.iter().filter(|(count, ..)| *count > 0) {
            writeln!(to, "  {}{rest}", counted(*count, noun))?;
        }
        let prices: Vec<_> = summary
            .price
            .iter()
            .map(|(currency, amount)| format!("{amount:+} {currency}"))
            .collect();
        let prices = match prices.as_slice() {
            [] => "no difference".to_owned(),
            prices => prices.join(", "),
        };
        writeln!(
            to,
            "Monthly price difference once everything is active: {prices}"
        )?;
    }
    if summary.problems > 0 {
        writeln!(
            to,
            "{} that the API cannot make, marked with !",
            counted(summary.problems, "change")
        )?;
    }
    for warning in &summary.warnings {
        writeln!(to, "warning: {}", shown(warning))?;
    }
    Ok(())
}

fn sign(action: &Action) -> char {
    match action {
        Action::CreateCustomer { .. } | Action::CreateWebsite { .. } | Action::AddDomain { .. } => {
            '+'
        }
        Action::ChangeSubscription { .. } | Action::SetRole { .. } => '~',
        Action::RemoveDomain { .. }
        | Action::RemoveContributor { .. }
        | Action::DeleteWebsite { .. }
        | Action::DeleteCustomer { .. } => '-',
    }
}

/// Escapes text of a file or a server, which may contain terminal control sequences.
fn shown(text: &str) -> Cow<'_, str> {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.chars().any(|c| c.is_control() || turns(c)) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control() || turns(c);
            let whole = (!escaped).then_some(c);
            let parts = escaped.then(|| c.escape_unicode()).into_iter().flatten();
            parts.chain(whole)
        })
        .collect()
}
