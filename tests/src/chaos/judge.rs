//! Compares results with the state of the sandbox.

use std::collections::HashSet;

use twipla::{ErrorKind, Result};
use twipla_sandbox::Commit;

use super::ask::{Ask, Call, Change, Expected, List};
use super::claim::{Claim, is_explained};
use super::holdings::{Holdings, Status, Subscription};
use super::outcome::Verdict;
use super::send::Reply;
use super::server::Account;

/// The problem, and what the sandbox has instead.
pub(super) type Finding = (Verdict, String);

/// The state of the sandbox right after a call.
pub(super) struct Evidence<'a> {
    /// The changes that the call made.
    pub(super) commits: &'a [Commit],
    pub(super) account: &'a Account,
    /// The prefix of the ids of this caller, which no other caller touches.
    pub(super) own: &'a str,
    /// Whether others have added and deleted meanwhile: then a list may lack an entry (documented).
    pub(super) is_restless: bool,
    /// Whether a request of the call may have been carried out after its caller gave up.
    pub(super) may_be_late: bool,
}

/// Checks a call when it returns.
pub(super) fn at_once(
    call: &Call,
    result: &Result<Reply>,
    evidence: &Evidence<'_>,
) -> Option<Finding> {
    if let Err(error) = result
        && !is_explained(error, call)
    {
        let what = format!("no fault of the run explains {:?}", error.kind());
        return Some((Verdict::Unclassified, what));
    }
    let facts = Facts {
        made: evidence.commits.len(),
        expected: usize::from(call.expected == Expected::Change),
        in_force: evidence.account.is_in_force(&call.ask),
        may_be_late: evidence.may_be_late,
        details_are_true: details_are_true(call, result, evidence),
    };
    let verdict = verdict(Claim::of(result), &facts)?;
    let in_force = match facts.in_force {
        Some(true) => "applied",
        Some(false) => "not applied",
        None => "unknown",
    };
    let about = evidence.account.about(&call.ask);
    Some((
        verdict,
        format!("{} changes, {in_force}: {about}", facts.made),
    ))
}

/// What a claim is compared with.
#[derive(Debug, Clone, Copy)]
struct Facts {
    /// The number of changes that the call made.
    made: usize,
    /// The number of changes that it makes if it is carried out.
    expected: usize,
    /// Whether the requested state applies; `None` if the snapshot does not show it.
    in_force: Option<bool>,
    may_be_late: bool,
    /// Whether the details in the response, or in the message of the error, are true.
    details_are_true: bool,
}

/// Returns how a claim is false, or `None` if it is true.
fn verdict(claim: Claim, facts: &Facts) -> Option<Verdict> {
    if facts.made > 1 {
        return Some(Verdict::Doubled);
    }
    let is_so = facts.in_force != Some(false);
    let is_true = match claim {
        Claim::Done => is_so && facts.made == facts.expected && facts.details_are_true,
        Claim::Applied => is_so && facts.made == 1,
        Claim::InForce | Claim::Exists => is_so,
        Claim::NotApplied { certain } => {
            let is_not_so = facts.made == 0 && facts.in_force != Some(true);
            // It may have been carried out after it was read back.
            is_not_so || !certain && facts.may_be_late
        }
        Claim::SecretLost => facts.made == 1 && facts.details_are_true,
        Claim::NotDone => facts.made == 0,
        Claim::Open => true,
    };
    match claim {
        _ if is_true => None,
        Claim::Done => Some(Verdict::Lost),
        _ => Some(Verdict::WronglyReported),
    }
}

/// Checks a call once no request is in flight: there were `made_at_once` changes when the call returned, and there are
/// `made` at the end.
pub(super) fn in_the_end(claim: Claim, made_at_once: usize, made: usize) -> Option<Finding> {
    let what = || format!("{made} changes at the end, {made_at_once} when the call returned");
    if made > 1 {
        return Some((Verdict::Doubled, what()));
    }
    (claim.is_certain() && made != made_at_once).then(|| (Verdict::WronglyReported, what()))
}

/// Checks what a caller has at the end.
pub(super) fn holdings(holdings: &Holdings, account: &Account) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut expect = |verdict, is_true: bool, what: String| {
        if !is_true {
            findings.push((verdict, what));
        }
    };
    for gone in &holdings.gone {
        let is_so = account.is_in_force(gone) != Some(false);
        expect(
            Verdict::WronglyReported,
            is_so,
            format!("reported as deleted, but present: {gone:?}"),
        );
    }
    let mut there: Vec<Ask> = Vec::new();
    for site in &holdings.websites {
        there.push(Ask::ReadWebsite(site.id.clone()));
        for key in &site.keys {
            let is_there = account.has_key(&site.id, &key.id);
            expect(
                Verdict::Lost,
                is_there,
                format!("key {} of {}", key.id, site.id),
            );
        }
        for rotation in &site.rotations {
            let both = account.has_key(&site.id, rotation.old_key().as_str())
                && account.has_key(&site.id, rotation.new_key().id.as_str());
            expect(
                Verdict::Lost,
                both,
                format!("keys of a rotation of {}", site.id),
            );
        }
        there.extend(
            site.contributors
                .iter()
                .map(|(customer, role)| Ask::AddContributor {
                    website: site.id.clone(),
                    customer: customer.clone(),
                    role: role.clone(),
                }),
        );
        there.extend(site.domains.iter().map(|domain| Ask::AddDomain {
            website: site.id.clone(),
            domain: domain.clone(),
        }));
    }
    there.extend(
        holdings
            .customers
            .iter()
            .map(|customer| Ask::CreateCustomer {
                id: customer.id.clone(),
                email: customer.email.clone(),
                package: None,
                website: None,
            }),
    );
    there.extend(holdings.packages.iter().map(|package| Ask::RenamePackage {
        package: package.id,
        name: package.name.clone(),
    }));
    for ask in there {
        let is_so = account.is_in_force(&ask) == Some(true);
        expect(
            Verdict::Lost,
            is_so,
            format!("reported as present, but not so: {ask:?}"),
        );
    }
    for (owner, known) in holdings.subscriptions() {
        let found = account.subscription(&owner);
        expect(
            Verdict::WronglyReported,
            is_as_known(known, found),
            format!("subscription of {owner:?}: reported {known:?}, found {found}"),
        );
    }
    findings
}

fn is_as_known(known: &Subscription, found: &serde_json::Value) -> bool {
    let status = match known.status {
        Status::Active => "active",
        Status::Canceled => "canceled",
        Status::Inactive => "inactive",
    };
    let planned = &found["plannedDowngradePackageId"];
    found["status"] == status
        && found["packageId"] == known.package.to_string()
        && match known.planned {
            Some(package) => *planned == package.to_string(),
            None => planned.is_null(),
        }
}

/// Reports whether the details in the response, or in the message of the error, are true.
fn details_are_true(call: &Call, result: &Result<Reply>, evidence: &Evidence<'_>) -> bool {
    let is_new = |id: &str| {
        let mut ids = evidence
            .commits
            .iter()
            .flat_map(|commit| commit.ids.values());
        ids.any(|known| known == id)
    };
    match (&call.ask, result) {
        (Ask::ReadList(list), Ok(Reply::Entries(listed))) => is_whole(list, listed, evidence),
        (Ask::Change(_, Change::MoveTo { way, .. }), Ok(Reply::Moved(moved))) => way == moved,
        (Ask::ReadCustomer(asked), Ok(Reply::Id(id))) => asked == id,
        (Ask::ReadPackage(asked), Ok(Reply::Id(id))) => asked.to_string() == *id,
        (_, Ok(Reply::Website(website))) => evidence.account.agrees_with(website),
        (_, Ok(Reply::Id(id))) => is_new(id),
        (_, Ok(Reply::Rotation(rotation))) => is_new(rotation.new_key().id.as_str()),
        (_, Err(error)) if error.kind() == ErrorKind::SecretLost => {
            // It says to delete the key that was created, and no other.
            let website = evidence.commits.first();
            let website = website.and_then(|commit| commit.ids.get("intpWebsiteId"));
            let mut keys = website
                .into_iter()
                .flat_map(|id| evidence.account.key_ids(id));
            keys.all(|id| error.message().contains(id) == is_new(id))
        }
        _ => true,
    }
}

/// Reports whether the list has all of the caller's entries, without duplicates and without missing resources.
fn is_whole(list: &List, listed: &[String], evidence: &Evidence<'_>) -> bool {
    let own = |entries: &[String]| {
        let is_shared = matches!(
            list,
            List::Customers(_) | List::Websites(_) | List::Packages
        );
        let mut own = entries.to_vec();
        own.retain(|entry| !is_shared || entry.starts_with(evidence.own));
        own.sort();
        own
    };
    let (there, own_listed) = (own(&evidence.account.entries(list)), own(listed));
    if evidence.is_restless {
        return own_listed.iter().all(|entry| there.contains(entry)) && is_unique(listed);
    }
    there == own_listed && is_unique(listed)
}

fn is_unique(entries: &[String]) -> bool {
    let mut seen = HashSet::new();
    entries.iter().all(|entry| seen.insert(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call that changes something, and was carried out once.
    const CARRIED_OUT: Facts = Facts {
        made: 1,
        expected: 1,
        in_force: Some(true),
        may_be_late: false,
        details_are_true: true,
    };
    /// The same call, not carried out.
    const NOT_CARRIED_OUT: Facts = Facts {
        made: 0,
        in_force: Some(false),
        ..CARRIED_OUT
    };
    /// The requested state already applied.
    const SO_BEFORE: Facts = Facts {
        made: 0,
        expected: 0,
        ..CARRIED_OUT
    };

    #[test]
    fn claims_are_compared_with_the_facts() {
        let (certain, open) = (
            Claim::NotApplied { certain: true },
            Claim::NotApplied { certain: false },
        );
        let wrong = Some(Verdict::WronglyReported);
        let lost = Some(Verdict::Lost);
        for (claim, carried_out, not_carried_out, so_before) in [
            (Claim::Done, None, lost, None),
            (Claim::Applied, None, wrong, wrong),
            (Claim::InForce, None, wrong, None),
            (Claim::Exists, None, wrong, None),
            (certain, wrong, None, wrong),
            (open, wrong, None, wrong),
            (Claim::SecretLost, None, wrong, wrong),
            (Claim::NotDone, wrong, None, None),
            (Claim::Open, None, None, None),
        ] {
            assert_eq!(verdict(claim, &CARRIED_OUT), carried_out, "{claim:?}");
            assert_eq!(
                verdict(claim, &NOT_CARRIED_OUT),
                not_carried_out,
                "{claim:?}"
            );
            assert_eq!(verdict(claim, &SO_BEFORE), so_before, "{claim:?}");
            let twice = Facts {
                made: 2,
                ..CARRIED_OUT
            };
            assert_eq!(verdict(claim, &twice), Some(Verdict::Doubled), "{claim:?}");
        }
    }

    #[test]
    fn late_commit_only_excuses_uncertain_claims() {
        let late = Facts {
            may_be_late: true,
            ..CARRIED_OUT
        };
        let claim = |certain| Claim::NotApplied { certain };
        assert_eq!(verdict(claim(false), &late), None);
        assert_eq!(verdict(claim(true), &late), Some(Verdict::WronglyReported));
        assert_eq!(
            verdict(Claim::NotDone, &late),
            Some(Verdict::WronglyReported)
        );
    }

    #[test]
    fn wrong_details_are_not_excused() {
        let facts = Facts {
            details_are_true: false,
            ..CARRIED_OUT
        };
        assert_eq!(verdict(Claim::Done, &facts), Some(Verdict::Lost));
        let wrong = Some(Verdict::WronglyReported);
        assert_eq!(verdict(Claim::SecretLost, &facts), wrong);
    }

    #[test]
    fn certain_results_stay_true() {
        let wrong = |finding: Option<Finding>| finding.map(|(verdict, _)| verdict);
        let late = wrong(in_the_end(Claim::NotDone, 0, 1));
        assert_eq!(late, Some(Verdict::WronglyReported));
        assert_eq!(wrong(in_the_end(Claim::Open, 0, 1)), None);
        assert_eq!(wrong(in_the_end(Claim::Done, 1, 1)), None);
        for claim in [Claim::Done, Claim::Open] {
            assert_eq!(wrong(in_the_end(claim, 1, 2)), Some(Verdict::Doubled));
        }
    }
}
