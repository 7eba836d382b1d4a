//! The initial packages of every partner.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use twipla_api::types::{BillingInterval, Currency, Package, PackageVisibility};
use twipla_api::{Count, PackageId};
use uuid::Uuid;

/// Name of the initial package of a new website (observed).
pub(crate) const TRIAL: &str = "unlimited_30_day_free_trial";
/// Name of the package after a subscription has ended (observed).
pub(crate) const FREE: &str = "Free";

/// Returns the first package with this name.
pub(crate) fn package_named<'a>(
    packages: &'a IndexMap<PackageId, Package>,
    name: &str,
) -> Option<&'a Package> {
    packages.values().find(|package| package.name == name)
}

/// Returns the initial packages of a partner: the free and the trial package,
/// and a monthly and yearly price list. None is restricted, because the
/// vendor's own tests select packages by their position in the list.
pub(crate) fn price_list(partner: Uuid, now: DateTime<Utc>) -> Vec<Package> {
    let package = |name: &str, touchpoints: i64, price: f64, period: BillingInterval| Package {
        id: stable_id(partner, "package", name).into(),
        name: name.to_owned(),
        touchpoints: Count::from(touchpoints),
        intp_id: partner.into(),
        price,
        currency: Currency::Eur,
        period,
        recommended: name == "Pro",
        created_at: now,
        visibility: PackageVisibility::Public,
        restricted_to: Some(Vec::new()),
        external_id: None,
    };
    let mut list = vec![
        package(FREE, 0, 0.0, BillingInterval::Monthly),
        package(TRIAL, -1, 0.0, BillingInterval::Monthly),
    ];
    for (name, touchpoints, by_month, by_year) in [
        ("Basic", 11_000, 12.99, 124.68),
        ("Advanced", 27_500, 24.99, 239.88),
        ("Pro", 55_000, 39.99, 383.88),
        ("Pro+", 110_000, 77.99, 748.68),
        ("Executive", 330_000, 229.0, 2198.4),
        ("Unicorn", 5_500_000, 2999.0, 28790.4),
    ] {
        list.push(package(
            name,
            touchpoints,
            by_month,
            BillingInterval::Monthly,
        ));
        list.push(package(
            &format!("{name} yearly"),
            touchpoints,
            by_year,
            BillingInterval::Yearly,
        ));
    }
    list
}

/// Returns an id that is the same at every start, so that configurations that
/// contain package ids remain valid.
pub(crate) fn stable_id(partner: Uuid, kind: &str, name: &str) -> Uuid {
    let mut text = partner.as_bytes().to_vec();
    text.extend_from_slice(format!("{kind} {name}").as_bytes());
    let hash = digest(&SHA256, &text);
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    // Formatted as a random UUID, like those of the server.
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
