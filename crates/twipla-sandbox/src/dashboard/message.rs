//! The messages that the dashboard posts to the page around it.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::access::Access;

/// A message about the website and the package that it has. What
/// `SUBSCRIPTION_UPGRADED` carries is not public; here it is what
/// `UPGRADE_BUTTON_CLICKED` carries, and the package is the new one.
pub(super) fn message(kind: &str, access: &Access<'_>) -> Value {
    let expires_at = access.subscription.expires_at;
    json!({
        "type": kind,
        "data": {
            "intpWebsiteId": access.website,
            "intpCustomerId": access.site.customer,
            "packageName": access.package.name,
            "packageId": access.package.id,
            "inTrial": access.subscription.in_trial,
            "expiresAt": expires_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "billingInterval": access.package.period,
        },
    })
}
