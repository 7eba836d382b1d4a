//! Intended differences between the contract and the reference page.
//!
//! An exception that no longer matches anything fails the test, so that the list stays minimal.
//!
//! These known defects of the page have no entry, because they are in sentences, which the copy of the page does not
//! contain: the swapped descriptions of the package filters, the effect of a creation without a package, the effect of a
//! deactivation, the two meanings of `intpcId`, the expiry of keys, the lists that are missing in the page's text.

use super::check::{Fault, Finding};

/// An intended difference.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) fault: Fault,
    /// The place in the contract, as in [`Finding::at`].
    pub(crate) at: &'static str,
    pub(crate) why: &'static str,
}

/// The page is wrong or incomplete.
pub(crate) const DEFECTS: &[Exception] = &[
    Exception {
        fault: Fault::Header,
        at: "partnerToken Authentication",
        why: "the page writes Authentication; every official SDK sends Authorization",
    },
    Exception {
        fault: Fault::Header,
        at: "apiKey X-API-Key",
        why: "the page spells the header in two ways; header names are case-insensitive",
    },
    Exception {
        fault: Fault::Example,
        at: "Subscription.type",
        why: "the sample has aaas; the vendor's tests see website and intpc, and the contract's example is a real one",
    },
    Exception {
        fault: Fault::Example,
        at: "paginationMeta.pageTotal",
        why: "92 entries at 10 a page are 10 pages, not the 100 of the sample",
    },
    Exception {
        fault: Fault::Extra,
        at: "list_websites query page",
        why: "the page forgets the paging of the websites; all SDKs send it",
    },
    Exception {
        fault: Fault::Extra,
        at: "list_websites query pageSize",
        why: "the page forgets the paging of the websites; all SDKs send it",
    },
    Exception {
        fault: Fault::Extra,
        at: "list_websites query externalCustomerId",
        why: "the page forgets the filter by customer; all SDKs send it",
    },
    Exception {
        fault: Fault::Extra,
        at: "WebsiteListResponse.meta",
        why: "the page forgets the paging of the websites; the SDKs read it",
    },
    Exception {
        fault: Fault::Extra,
        at: "CreateCustomerRequest.packageId",
        why: "the page forgets the package of the account model",
    },
    Exception {
        fault: Fault::Extra,
        at: "CreateCustomerRequest.billingDate",
        why: "the page forgets the billing date of the account model",
    },
    Exception {
        fault: Fault::Format,
        at: "get_package path packageId",
        why: "the page has package ids as uuids in bodies, and as any string in paths",
    },
    Exception {
        fault: Fault::Format,
        at: "assign_package path packageId",
        why: "the page types the id of a package as a uuid in bodies, and as any string in paths",
    },
    Exception {
        fault: Fault::Format,
        at: "unassign_package path packageId",
        why: "the page types the id of a package as a uuid in bodies, and as any string in paths",
    },
];

/// On the page, but not part of the contract.
pub(crate) const LEFT_OUT: &[Exception] = &[Exception {
    fault: Fault::Missing,
    at: "securitySchemes.customerToken",
    why: "the customer's token goes into the dashboard URL and never into a request, so no operation could refer to it",
}];

/// Written differently, so that generators of other languages generate the right types.
pub(crate) const PORTABLE: &[Exception] = &[
    Exception {
        fault: Fault::Default,
        at: "UpgradeWebsiteSubscriptionRequest.trial",
        why: "openapi-typescript demands a field with a default; the description says false when absent",
    },
    Exception {
        fault: Fault::Default,
        at: "UpgradeWebsiteSubscriptionRequest.proRate",
        why: "openapi-typescript demands a field with a default; the description says false when absent",
    },
    Exception {
        fault: Fault::Default,
        at: "UpgradeIntpcSubscriptionRequest.trial",
        why: "openapi-typescript demands a field with a default; the description says false when absent",
    },
    Exception {
        fault: Fault::Default,
        at: "UpgradeIntpcSubscriptionRequest.proRate",
        why: "openapi-typescript demands a field with a default; the description says false when absent",
    },
    Exception {
        fault: Fault::Type,
        at: "list_customers query page",
        why: "a whole number is an integer: as a number it becomes a float",
    },
    Exception {
        fault: Fault::Format,
        at: "list_customers query page",
        why: "the size of the integer",
    },
    Exception {
        fault: Fault::Type,
        at: "list_customers query pageSize",
        why: "a whole number is an integer: as a number it becomes a float",
    },
    Exception {
        fault: Fault::Format,
        at: "list_customers query pageSize",
        why: "the size of the integer",
    },
];

/// Not on the page, but the server was seen to send it. Each has its provenance.
pub(crate) const ADDITIONS: &[Exception] = &[
    Exception {
        fault: Fault::Extra,
        at: "Website.visaCustomerId",
        why: "both Go SDKs and the vendor's tests read it",
    },
    Exception {
        fault: Fault::Extra,
        at: "Website.billingMode",
        why: "the Go and Node SDKs and the vendor's tests read it",
    },
    Exception {
        fault: Fault::Extra,
        at: "Website.subscriptionType",
        why: "the vendor's tests assert it",
    },
    Exception {
        fault: Fault::Extra,
        at: "Subscription.consumption",
        why: "the vendor's tests type it",
    },
    Exception {
        fault: Fault::Extra,
        at: "Package.externalId",
        why: "the retired Go SDK reads it",
    },
    Exception {
        fault: Fault::Extra,
        at: "ErrorBody.message",
        why: "error shape of the Go SDKs and of the data endpoints",
    },
    Exception {
        fault: Fault::Extra,
        at: "ErrorBody.status",
        why: "error shape of the Go SDKs",
    },
    Exception {
        fault: Fault::Extra,
        at: "ErrorBody.code",
        why: "error shape of the Go SDKs",
    },
    Exception {
        fault: Fault::Extra,
        at: "ErrorBody.title",
        why: "error shape of the retired Go SDK",
    },
    Exception {
        fault: Fault::Extra,
        at: "ErrorBody.time",
        why: "error shape of the retired Go SDK",
    },
    Exception {
        fault: Fault::Extra,
        at: "ErrorBody.payload",
        why: "the retired Go SDK expects the error inside an envelope",
    },
];

/// The rest of a comparison after applying the exceptions, all of which is a failure.
#[derive(Debug, Default)]
pub(crate) struct Remainder {
    /// Findings that no exception covers.
    pub(crate) findings: Vec<Finding>,
    /// Exceptions that no finding needs.
    pub(crate) unused: Vec<&'static str>,
}

/// Applies the exceptions.
pub(crate) fn apply(findings: Vec<Finding>, exceptions: &[&'static [Exception]]) -> Remainder {
    let exceptions: Vec<&Exception> = exceptions.iter().copied().flatten().collect();
    let covers = |exception: &Exception, finding: &Finding| {
        exception.fault == finding.fault && exception.at == finding.at
    };
    let unused = exceptions
        .iter()
        .filter(|exception| !findings.iter().any(|finding| covers(exception, finding)))
        .map(|exception| exception.at)
        .collect();
    let findings = findings
        .into_iter()
        .filter(|finding| {
            !exceptions
                .iter()
                .any(|exception| covers(exception, finding))
        })
        .collect();
    Remainder { findings, unused }
}
