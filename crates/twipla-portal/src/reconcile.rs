//! Reconciliation: compares TWIPLA with the portal's database and corrects differences.
//!
//! The portal decides which sites exist: customers were promised theirs, so a site that TWIPLA lacks is
//! created again. TWIPLA decides the state of a subscription: periods and trials end there without a
//! change by the portal.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt as _;
use serde::Serialize;
use twipla::types::{ContributorRole, Website};
use twipla::{PackageId, Twipla};

use crate::outbox::{self, Change};
use crate::store::{Site, Store, add_site, mirror, now, set_site_status};

/// The findings of a run, in words for an operator.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Differences that were corrected, or will be once the outbox is empty.
    pub mended: Vec<String>,
    /// Differences that need a person.
    pub noted: Vec<String>,
    /// Changes still in the outbox; their resources were skipped.
    pub open: i64,
}

/// Compares everything once.
///
/// # Errors
///
/// If TWIPLA or the database fails. Corrections made before that remain.
pub async fn reconcile(twipla: &Twipla, store: &Store) -> anyhow::Result<Report> {
    let mut report = Report::default();
    // A row written after this is newer than the list that is read now.
    let read_at = now();
    let websites: Vec<Website> = twipla.websites().list().stream().try_collect().await?;
    let websites: HashMap<&str, &Website> = websites
        .iter()
        .map(|website| (website.intp_website_id.as_str(), website))
        .collect();
    let sites = store.all_sites().await?;
    for site in &sites {
        match websites.get(&*site.id) {
            Some(website) => compare(store, site, website, read_at, &mut report).await?,
            None => missing(twipla, store, site, &mut report).await?,
        }
    }
    let known: HashSet<&str> = sites.iter().map(|site| &*site.id).collect();
    for (_, website) in websites.iter().filter(|(id, _)| !known.contains(**id)) {
        adopt(store, website, &mut report).await?;
    }
    for site in &sites {
        if websites.contains_key(&*site.id) {
            contributors(twipla, store, &site.id, &mut report).await?;
        }
    }
    report.open = outbox::open_entries(store).await?;
    for line in &report.mended {
        tracing::info!("reconciled: {line}");
    }
    for line in &report.noted {
        tracing::warn!("to be looked at: {line}");
    }
    Ok(report)
}

/// Handles a site that exists on both sides.
async fn compare(
    store: &Store,
    site: &Site,
    website: &Website,
    read_at: i64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let id = &site.id;
    if website.intp_customer_id != *site.customer_id {
        let theirs = &website.intp_customer_id;
        let ours = &site.customer_id;
        report.noted.push(format!(
            "site {id} belongs to {theirs} at TWIPLA and to {ours} here"
        ));
        return Ok(());
    }
    if is_as_shown(site, website) || outbox::pending(store, id).await?.is_some() {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    let written = mirror(&mut tx, website, read_at).await?;
    tx.commit().await?;
    if written {
        report.mended.push(format!(
            "site {id} is {} on {} at TWIPLA, and was {} on {} here",
            website.status,
            website.package_name,
            site.status,
            site.package_name.as_deref().unwrap_or("nothing")
        ));
    }
    Ok(())
}

/// Whether a row matches what TWIPLA shows.
fn is_as_shown(site: &Site, website: &Website) -> bool {
    let planned = website.planned_downgrade_package_id;
    site.domain == website.domain
        && site.status == website.status.to_string()
        && site.package_id == Some(website.package_id.to_string())
        && site.package_name.as_ref() == Some(&website.package_name)
        && site.planned_package_id == planned.map(|id| id.to_string())
        && site.in_trial == website.in_trial
        && site.expires_at == Some(website.expires_at.timestamp_millis())
        && site.snippet == website.visa_tracking_code
}

/// Handles a site that TWIPLA's list lacks.
async fn missing(
    twipla: &Twipla,
    store: &Store,
    site: &Site,
    report: &mut Report,
) -> anyhow::Result<()> {
    let id = &*site.id;
    // Refused sites were never created.
    if site.status == "refused" {
        return Ok(());
    }
    // The list may be older than the row, so read this site.
    match twipla.website(id).get().await {
        Ok(_) => return Ok(()),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    // Creating it again would renew, and bill, what its customer canceled.
    if matches!(site.status.as_str(), "canceled" | "inactive") {
        let status = &site.status;
        let line = format!("site {id} is missing at TWIPLA, and was {status} here");
        report.noted.push(line);
        return Ok(());
    }
    let package: Option<PackageId> = site.package_id.as_deref().and_then(|id| id.parse().ok());
    // Only a package that is still sold can be chosen. Without one, the trial starts again.
    let package = match package {
        Some(package) if !site.in_trial => Some(package),
        _ => None,
    };
    let change = Change::AddSite {
        site: id.to_owned(),
        package,
    };
    let mut tx = store.begin().await?;
    set_site_status(&mut tx, id, "new").await?;
    // An open change belongs to the outbox: nothing is added or written.
    if outbox::add(&mut tx, &change).await? {
        tx.commit().await?;
        let line = format!("site {id} is missing at TWIPLA: it will be created again");
        report.mended.push(line);
    }
    Ok(())
}

/// Handles a website that the portal lacks.
async fn adopt(store: &Store, website: &Website, report: &mut Report) -> anyhow::Result<()> {
    let (id, customer) = (&website.intp_website_id, &website.intp_customer_id);
    if store.customer(customer.as_str()).await?.is_none() {
        report.noted.push(format!(
            "website {id} belongs to {customer}, whom the portal does not know"
        ));
        return Ok(());
    }
    let mut tx = store.begin().await?;
    let domain = &website.domain;
    if add_site(&mut tx, id.as_str(), customer.as_str(), domain).await? {
        mirror(&mut tx, website, now()).await?;
        tx.commit().await?;
        report
            .mended
            .push(format!("website {id} of {customer} was not here"));
    }
    Ok(())
}

/// Compares the contributors of a site to which the portal invited somebody. Other sites are skipped,
/// because each takes a request.
async fn contributors(
    twipla: &Twipla,
    store: &Store,
    site: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    let ours = store.contributors_of(site).await?;
    if ours.is_empty() {
        return Ok(());
    }
    let shown = match twipla.website(site).contributors().list().await {
        Ok(shown) => shown.contributors,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut theirs = HashMap::new();
    for (role, of_role) in [
        (ContributorRole::Editor, &shown.editor),
        (ContributorRole::Watcher, &shown.watcher),
        (ContributorRole::Dashboard, &shown.dashboard),
    ] {
        for contributor in of_role {
            theirs.insert(contributor.intp_customer_id.as_str(), role.to_string());
        }
    }
    // Open invitations belong to the outbox.
    for our in ours.iter().filter(|our| our.state != "invited") {
        let id = &our.customer.id;
        match theirs.get(&**id) {
            Some(role) if *role == our.role && our.state == "active" => {}
            // If another role was refused, the earlier one still exists.
            Some(role) => {
                sqlx::query(
                    "UPDATE contributors SET role = $3, state = 'active'
                     WHERE site_id = $1 AND customer_id = $2 AND state <> 'invited'",
                )
                .bind(site)
                .bind(id)
                .bind(role)
                .execute(&store.write)
                .await?;
                report.mended.push(format!(
                    "{id} is {role} of {site} at TWIPLA, and was {}, {} here",
                    our.role, our.state
                ));
            }
            None if our.state == "refused" => {}
            None => {
                let change = Change::Invite {
                    site: site.to_owned(),
                    customer: id.clone(),
                    role: our.role.clone(),
                };
                let mut tx = store.begin().await?;
                if outbox::add(&mut tx, &change).await? {
                    tx.commit().await?;
                    report
                        .mended
                        .push(format!("{id} has no role on {site} at TWIPLA: given again"));
                }
            }
        }
    }
    Ok(())
}
