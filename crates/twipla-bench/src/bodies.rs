//! The response bodies of the server, like those of the API.

use std::ops::Range;

use serde_json::{Value, json};

const ID: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";
const AT: &str = "2026-03-01T10:20:30.000Z";

/// A website, as in the response of `get_website`.
pub(crate) fn website() -> Value {
    json!({
        "id": ID, "status": "active", "intpId": ID, "intpWebsiteId": "site-7", "intpCustomerId": "cust-42",
        "visaTrackingCode": "<!-- TWIPLA Tracking Code --><script>(function(v,i,s,a,t){})();</script>",
        "domain": "example.com", "packageId": ID, "packageName": "Pro", "billingInterval": "monthly",
        "lastPackageChangeAt": AT, "inTrial": false, "hadTrial": true, "createdAt": AT, "expiresAt": AT,
        "stpResetAt": AT, "plannedDowngradePackageId": null,
        "consumption": {
            "stpLimit": 55_000, "stpConsumed": 1204, "stpRateVisit": 1, "stpConsumedVisit": 800,
            "stpRateVisitEvent": 1, "stpConsumedVisitEvent": 200, "stpRateSessionRecording": 1,
            "stpConsumedSessionRecording": 100, "stpRateHeatmapIncrement": 1, "stpConsumedHeatmapIncrement": 50,
            "stpRatePollAnswer": 1, "stpConsumedPollAnswer": 30, "stpRateSurveyAnswer": 1,
            "stpConsumedSurveyAnswer": 20, "stpRateFunnelMatch": 1, "stpConsumedFunnelMatch": 4,
        },
    })
}

/// One of many customers.
pub(crate) fn customer(number: usize) -> Value {
    json!({
        "id": ID, "visaId": ID, "intpCustomerId": format!("cust-{number}"),
        "email": format!("owner{number}@example.com"), "intpId": ID, "createdAt": AT,
    })
}

/// A page of 100 customers.
pub(crate) fn customers() -> Value {
    let payload: Vec<Value> = (0..100).map(customer).collect();
    json!({
        "payload": payload,
        "meta": { "page": 0, "pageSize": 100, "pageTotal": 1, "total": 100 },
    })
}

/// A customer that was created with a website.
pub(crate) fn created() -> Value {
    let mut customer = customer(42);
    customer["website"] = website();
    json!({ "payload": customer })
}

/// The entries of a page of websites, as text without the brackets. Each has a different id.
pub(crate) fn websites(numbers: Range<usize>) -> String {
    let website = website().to_string();
    let websites: Vec<_> = numbers
        .map(|number| website.replace("site-7", &format!("site-{number}")))
        .collect();
    websites.join(",")
}
