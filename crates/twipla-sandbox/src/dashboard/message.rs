//! The messages that the dashboard posts to its parent page.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::access::Access;

/// A message about the website and its package. The content of the real
/// `SUBSCRIPTION_UPGRADED` is not public; here it has the fields of
/// `UPGRADE_BUTTON_CLICKED`, with the new package.
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
