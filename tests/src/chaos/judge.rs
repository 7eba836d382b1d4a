//! Holds what was told against what the sandbox has.

use twipla::Result;
use twipla_sandbox::Commit;

use super::ask::{Ask, Call, Expected};
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
    /// Whether a request of the call may have been carried out after its caller gave up.
    pub(super) may_be_late: bool,
}

/// Judges a call at the moment at which its caller is told.
pub(super) fn at_once(
    call: &Call,
    result: &Result<Reply>,
    evidence: &Evidence<'_>,
) -> Option<Finding> {
    let told = Told::of(result);
    let made = evidence.commits.len();
    let state = evidence.account.is_in_force(&call.ask);
    if made > 1 {
        return Some((Verdict::Doubled, format!("{made} changes")));
    }
    if let Err(error) = result
        && !is_explained(error, call)
    {
        let what = format!("no fault of the run gives {:?}", error.kind());
        return Some((Verdict::Unclassified, what));
    }
    // Where the snapshot does not show it, the log has to do.
    let is_so = state != Some(false);
    let expected = usize::from(call.expected == Expected::Change && !is_read(&call.ask));
    let (verdict, is_true) = match told {
        Told::Done => (
            Verdict::Lost,
            is_so && made == expected && reply_is_true(result, evidence),
        ),
        Told::Applied => (Verdict::WronglyReported, is_so && made == 1),
        Told::InForce | Told::Exists => (Verdict::WronglyReported, is_so),
        Told::NotApplied { certain } => {
            let was_so = made > 0 || state == Some(true);
            let may_have_come_since = !certain && evidence.may_be_late;
            (Verdict::WronglyReported, !was_so || may_have_come_since)
        }
        Told::SecretLost => (
            Verdict::WronglyReported,
            made == 1 && names_the_key(result, evidence),
        ),
        Told::NotDone => (Verdict::WronglyReported, made == 0),
        Told::Open => (Verdict::WronglyReported, true),
    };
    (!is_true).then(|| {
        let in_force = match state {
            Some(true) => "in force",
            Some(false) => "not in force",
            None => "not shown",
        };
        let about = evidence.account.about(&call.ask);
        (verdict, format!("{made} changes, {in_force}: {about}"))
    })
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

fn is_read(ask: &Ask) -> bool {
    matches!(ask, Ask::ReadWebsite(_))
}

/// Whether what was handed out is what the sandbox has.
fn reply_is_true(result: &Result<Reply>, evidence: &Evidence<'_>) -> bool {
    let is_new = |id: &str| {
        let mut ids = evidence
            .commits
            .iter()
            .flat_map(|commit| commit.ids.values());
        ids.any(|known| known == id)
    };
    match result {
        Ok(Reply::Website(website)) => evidence.account.agrees_with(website),
        Ok(Reply::Id(id)) => is_new(id),
        Ok(Reply::Rotation(rotation)) => is_new(rotation.new_key().id.as_str()),
        Ok(Reply::Nothing) | Err(_) => true,
    }
}

/// Whether the error tells to delete the key that was made, and no other.
fn names_the_key(result: &Result<Reply>, evidence: &Evidence<'_>) -> bool {
    let Err(error) = result else { return false };
    let is_named = |id: &str| error.message().contains(id);
    let made = |id: &str| {
        let mut commits = evidence.commits.iter();
        commits.any(|commit| commit.ids.get("apiKeyId").is_some_and(|key| key == id))
    };
    let website = evidence
        .commits
        .first()
        .and_then(|commit| commit.ids.get("intpWebsiteId"));
    let mut keys = website
        .into_iter()
        .flat_map(|id| evidence.account.key_ids(id));
    keys.all(|id| is_named(id) == made(id))
}
