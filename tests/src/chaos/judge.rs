//! Holds what was told against what the sandbox has.

use std::collections::HashSet;

use twipla::{ErrorKind, Result};
use twipla_sandbox::Commit;

use super::ask::{Ask, Call, Change, Expected, List};
use super::holdings::{Holdings, Status, Subscription};
use super::outcome::Verdict;
use super::send::Reply;
use super::server::Account;
use super::told::{Told, is_explained};

/// What is wrong, and what the sandbox has instead.
pub(super) type Finding = (Verdict, String);

/// What the sandbox has right after a call.
pub(super) struct Evidence<'a> {
    /// The changes that the call made.
    pub(super) commits: &'a [Commit],
    pub(super) account: &'a Account,
    /// Begins the ids of this caller; nobody else touches those.
    pub(super) own: &'a str,
    /// Whether others have added and deleted meanwhile: then a list may lack an entry (documented).
    pub(super) is_restless: bool,
    /// Whether a request of the call may have been carried out after its caller gave up.
    pub(super) may_be_late: bool,
}

/// Judges a call at the moment at which its caller is told.
pub(super) fn at_once(
    call: &Call,
    result: &Result<Reply>,
    evidence: &Evidence<'_>,
) -> Option<Finding> {
    if let Err(error) = result
        && !is_explained(error, call)
    {
        let what = format!("no fault of the run gives {:?}", error.kind());
        return Some((Verdict::Unclassified, what));
    }
    let facts = Facts {
        made: evidence.commits.len(),
        expected: usize::from(call.expected == Expected::Change),
        in_force: evidence.account.is_in_force(&call.ask),
        may_be_late: evidence.may_be_late,
        details_are_true: details_are_true(call, result, evidence),
    };
    let verdict = verdict(Told::of(result), &facts)?;
    let in_force = match facts.in_force {
        Some(true) => "in force",
        Some(false) => "not in force",
        None => "not shown",
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
    /// Changes that the call made.
    made: usize,
    /// Changes that it makes if it is carried out.
    expected: usize,
    /// Whether what was asked for is so; `None` if the snapshot does not show it.
    in_force: Option<bool>,
    may_be_late: bool,
    /// Whether the reply, or the message of the error, names what is there.
    details_are_true: bool,
}

/// In which way a claim is not true, if it is not.
fn verdict(told: Told, facts: &Facts) -> Option<Verdict> {
    if facts.made > 1 {
        return Some(Verdict::Doubled);
    }
    let is_so = facts.in_force != Some(false);
    let is_true = match told {
        Told::Done => is_so && facts.made == facts.expected && facts.details_are_true,
        Told::Applied => is_so && facts.made == 1,
        Told::InForce | Told::Exists => is_so,
        Told::NotApplied { certain } => {
            let is_not_so = facts.made == 0 && facts.in_force != Some(true);
            // It may have come since it was read back.
            is_not_so || !certain && facts.may_be_late
        }
        Told::SecretLost => facts.made == 1 && facts.details_are_true,
        Told::NotDone => facts.made == 0,
        Told::Open => true,
    };
    match told {
        _ if is_true => None,
        Told::Done => Some(Verdict::Lost),
        _ => Some(Verdict::WronglyReported),
    }
}

/// Judges a call once nothing is under way any more: `made_at_once` changes were seen when
/// its caller was told, `made` are there in the end.
pub(super) fn in_the_end(told: Told, made_at_once: usize, made: usize) -> Option<Finding> {
    let what = || format!("{made} changes in the end, {made_at_once} when it was told");
    if made > 1 {
        return Some((Verdict::Doubled, what()));
    }
    (told.is_certain() && made != made_at_once).then(|| (Verdict::WronglyReported, what()))
}

/// Judges what a caller believes to have in the end.
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
            format!("told to be gone, and there: {gone:?}"),
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
            format!("told to be there, and not so: {ask:?}"),
        );
    }
    for (owner, known) in holdings.subscriptions() {
        let found = account.subscription(&owner);
        expect(
            Verdict::WronglyReported,
            is_as_known(known, found),
            format!("subscription of {owner:?}: told {known:?}, found {found}"),
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

/// Whether the reply, or the message of the error, names what is there.
fn details_are_true(call: &Call, result: &Result<Reply>, evidence: &Evidence<'_>) -> bool {
    let is_new = |id: &str| {
        let mut ids = evidence
            .commits
            .iter()
            .flat_map(|commit| commit.ids.values());
        ids.any(|known| known == id)
    };
    match (&call.ask, result) {
        (Ask::ReadList(list), Ok(Reply::Entries(told))) => is_whole(list, told, evidence),
        (Ask::Change(_, Change::MoveTo { way, .. }), Ok(Reply::Moved(moved))) => way == moved,
        (Ask::ReadCustomer(asked), Ok(Reply::Id(id))) => asked == id,
        (Ask::ReadPackage(asked), Ok(Reply::Id(id))) => asked.to_string() == *id,
        (_, Ok(Reply::Website(website))) => evidence.account.agrees_with(website),
        (_, Ok(Reply::Id(id))) => is_new(id),
        (_, Ok(Reply::Rotation(rotation))) => is_new(rotation.new_key().id.as_str()),
        (_, Err(error)) if error.kind() == ErrorKind::SecretLost => {
            // It tells to delete the key that was made, and no other.
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

/// Whether the list has all of the caller's entries, none of them twice, and none that are not there.
fn is_whole(list: &List, told: &[String], evidence: &Evidence<'_>) -> bool {
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
    let (there, own_told) = (own(&evidence.account.entries(list)), own(told));
    if evidence.is_restless {
        return own_told.iter().all(|entry| there.contains(entry)) && is_unique(told);
    }
    there == own_told && is_unique(told)
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
    /// The same, not carried out.
    const NOT_CARRIED_OUT: Facts = Facts {
        made: 0,
        in_force: Some(false),
        ..CARRIED_OUT
    };
    /// What was asked for was so before.
    const SO_BEFORE: Facts = Facts {
        made: 0,
        expected: 0,
        ..CARRIED_OUT
    };

    #[test]
    fn claims_are_compared_with_what_happened() {
        let (certain, open) = (
            Told::NotApplied { certain: true },
            Told::NotApplied { certain: false },
        );
        let wrong = Some(Verdict::WronglyReported);
        let lost = Some(Verdict::Lost);
        for (told, carried_out, not_carried_out, so_before) in [
            (Told::Done, None, lost, None),
            (Told::Applied, None, wrong, wrong),
            (Told::InForce, None, wrong, None),
            (Told::Exists, None, wrong, None),
            (certain, wrong, None, wrong),
            (open, wrong, None, wrong),
            (Told::SecretLost, None, wrong, wrong),
            (Told::NotDone, wrong, None, None),
            (Told::Open, None, None, None),
        ] {
            assert_eq!(verdict(told, &CARRIED_OUT), carried_out, "{told:?}");
            assert_eq!(verdict(told, &NOT_CARRIED_OUT), not_carried_out, "{told:?}");
            assert_eq!(verdict(told, &SO_BEFORE), so_before, "{told:?}");
            let twice = Facts {
                made: 2,
                ..CARRIED_OUT
            };
            assert_eq!(verdict(told, &twice), Some(Verdict::Doubled), "{told:?}");
        }
    }

    #[test]
    fn a_late_commit_excuses_only_what_is_not_certain() {
        let late = Facts {
            may_be_late: true,
            ..CARRIED_OUT
        };
        let told = |certain| Told::NotApplied { certain };
        assert_eq!(verdict(told(false), &late), None);
        assert_eq!(verdict(told(true), &late), Some(Verdict::WronglyReported));
        assert_eq!(
            verdict(Told::NotDone, &late),
            Some(Verdict::WronglyReported)
        );
    }

    #[test]
    fn wrong_details_are_not_excused() {
        let facts = Facts {
            details_are_true: false,
            ..CARRIED_OUT
        };
        assert_eq!(verdict(Told::Done, &facts), Some(Verdict::Lost));
        let wrong = Some(Verdict::WronglyReported);
        assert_eq!(verdict(Told::SecretLost, &facts), wrong);
    }

    #[test]
    fn what_was_certain_stays_so() {
        let wrong = |finding: Option<Finding>| finding.map(|(verdict, _)| verdict);
        let late = wrong(in_the_end(Told::NotDone, 0, 1));
        assert_eq!(late, Some(Verdict::WronglyReported));
        assert_eq!(wrong(in_the_end(Told::Open, 0, 1)), None);
        assert_eq!(wrong(in_the_end(Told::Done, 1, 1)), None);
        for told in [Told::Done, Told::Open] {
            assert_eq!(wrong(in_the_end(told, 1, 2)), Some(Verdict::Doubled));
        }
    }
}
