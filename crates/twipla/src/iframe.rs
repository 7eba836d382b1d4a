//! [`IframeMessage`]: the messages that the dashboard posts to the page around it.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use twipla_api::InvalidId;
use url::Url;

use crate::ids::{CustomerId, PackageId, WebsiteId, shown};
use crate::{Error, ErrorKind, Result};

/// The longest message that is read, in bytes. Real ones have a few hundred.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// A message that the dashboard in an iframe posted (`window.postMessage`).
///
/// Any window can post messages to a page. So the page must check `event.origin`
/// against the dashboard's address before it trusts one
/// ([`is_trusted_origin`](Self::is_trusted_origin) does this for a backend that
/// gets both). Treat a message as the user's intent, never as proof of
/// payment.
///
/// ```
/// use twipla::IframeMessage;
///
/// let posted = r#"{
///     "type": "UPGRADE_BUTTON_CLICKED",
///     "data": {"intpWebsiteId": "site-7", "intpCustomerId": "cust-42", "inTrial": false}
/// }"#;
/// match IframeMessage::parse(posted)? {
///     IframeMessage::UpgradeButtonClicked { intp_website_id: Some(site), .. } => {
///         assert_eq!(site.as_str(), "site-7"); // Show the checkout for it.
///     }
///     other => println!("not for us: {other:?}"),
/// }
/// # Ok::<(), twipla::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IframeMessage {
    /// `UPGRADE_BUTTON_CLICKED` (documented): the user wants another package. It is
    /// posted if the dashboard was opened with `allow_upgrade(true)`. A field
    /// that is missing, null or empty is `None`.
    #[non_exhaustive]
    UpgradeButtonClicked {
        /// The partner's id of the website.
        intp_website_id: Option<WebsiteId>,
        /// The partner's id of the customer.
        intp_customer_id: Option<CustomerId>,
        /// Name of the website's current package.
        package_name: Option<String>,
        /// Id of the website's current package.
        package_id: Option<PackageId>,
        /// Whether the website is in its trial.
        in_trial: Option<bool>,
        /// When the subscription ends or renews; `None` also if it is not an RFC 3339 date.
        expires_at: Option<DateTime<Utc>>,
        /// The billing interval, such as `monthly`.
        billing_interval: Option<String>,
    },
    /// `SUBSCRIPTION_UPGRADED` (observed; its data is not known).
    #[non_exhaustive]
    SubscriptionUpgraded {
        /// The message's `data`, or the message without its `type` if it has none.
        data: Value,
    },
    /// Any other type.
    #[non_exhaustive]
    Unknown {
        /// The message's `type`.
        type_name: String,
        /// The message's `data`, or the message without its `type` if it has none.
        data: Value,
    },
}

impl IframeMessage {
    /// Parses a message from its JSON text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the text is longer than 64 KiB, is not a JSON
    /// object with a string in `type`, or contains an invalid id. Other
    /// scripts of a page post messages too; most of those end up here.
    pub fn parse(message: &str) -> Result<Self> {
        if message.len() > MAX_MESSAGE_BYTES {
            return Err(invalid(format!(
                "iframe message has {} bytes, {MAX_MESSAGE_BYTES} are allowed: it is not one of the dashboard's",
                message.len()
            )));
        }
        let value = serde_json::from_str(message).map_err(|error| {
            invalid("iframe message is not valid JSON: pass JSON.stringify(event.data)")
                .with_source(error)
        })?;
        Self::from_value(value)
    }

    /// Parses a message from a JSON value.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse), without the limit of length.
    pub fn from_value(message: Value) -> Result<Self> {
        let Value::Object(mut message) = message else {
            return Err(invalid(
                "iframe message is not a JSON object: pass JSON.stringify(event.data)",
            ));
        };
        let Some(Value::String(type_name)) = message.remove("type") else {
            return Err(invalid(
                "iframe message has no \"type\" of text: it is not one of the dashboard's",
            ));
        };
        let data = message.remove("data").unwrap_or_else(|| {
            if message.is_empty() {
                Value::Null
            } else {
                Value::Object(message)
            }
        });
        match type_name.as_str() {
            "UPGRADE_BUTTON_CLICKED" => upgrade_button_clicked(data),
            "SUBSCRIPTION_UPGRADED" => Ok(Self::SubscriptionUpgraded { data }),
            _ => Ok(Self::Unknown { type_name, data }),
        }
    }

    /// Returns whether `origin` (the `event.origin` of a message) is the dashboard's.
    ///
    /// `dashboard_url` is any URL of the dashboard, such as a
    /// [`DashboardUrl`](crate::DashboardUrl). Scheme, host and port must be
    /// equal; `null` and text that is not an origin are not trusted.
    ///
    /// ```
    /// use twipla::IframeMessage;
    ///
    /// let dashboard = "https://app-3as.visitor-analytics.io";
    /// assert!(IframeMessage::is_trusted_origin("https://app-3as.visitor-analytics.io", dashboard));
    /// assert!(!IframeMessage::is_trusted_origin("https://app-3as.visitor-analytics.io.evil.example", dashboard));
    /// ```
    pub fn is_trusted_origin(origin: &str, dashboard_url: &str) -> bool {
        let (Ok(given), Ok(dashboard)) = (Url::parse(origin), Url::parse(dashboard_url)) else {
            return false;
        };
        // Browsers serialize an origin in one way, without a path or a user: compare
        // that text, so that nothing which merely parses to it is accepted.
        let trusted = dashboard.origin();
        trusted.is_tuple()
            && given.origin() == trusted
            && origin == given.origin().ascii_serialization()
    }
}

/// Parses the data of the message. Ids that are present must be valid, because a
/// purchase depends on them; the rest is for display only.
fn upgrade_button_clicked(data: Value) -> Result<IframeMessage> {
    let mut data = match data {
        Value::Object(data) => data,
        Value::Null => Map::new(),
        _ => {
            return Err(invalid(
                "UPGRADE_BUTTON_CLICKED message has no object in \"data\"",
            ));
        }
    };
    Ok(IframeMessage::UpgradeButtonClicked {
        intp_website_id: id(&mut data, "intpWebsiteId", |id| WebsiteId::new(id))?,
        intp_customer_id: id(&mut data, "intpCustomerId", |id| CustomerId::new(id))?,
        package_name: text(&mut data, "packageName"),
        package_id: id(&mut data, "packageId", |id| PackageId::new(id))?,
        in_trial: data.get("inTrial").and_then(Value::as_bool),
        expires_at: text(&mut data, "expiresAt")
            .and_then(|date| DateTime::parse_from_rfc3339(&date).ok())
            .map(|date| date.to_utc()),
        billing_interval: text(&mut data, "billingInterval"),
    })
}

fn id<T>(
    data: &mut Map<String, Value>,
    field: &str,
    check: fn(&str) -> std::result::Result<T, InvalidId>,
) -> Result<Option<T>> {
    match data.remove(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) if id.is_empty() => Ok(None),
        Some(Value::String(id)) => check(&id).map(Some).map_err(|error| {
            invalid(format!(
                "UPGRADE_BUTTON_CLICKED message has an invalid {field}: {error}"
            ))
        }),
        Some(other) => Err(invalid(format!(
            "UPGRADE_BUTTON_CLICKED message has an invalid {field}: expected text, not {}",
            shown(&other.to_string())
        ))),
    }
}

fn text(data: &mut Map<String, Value>, field: &str) -> Option<String> {
    match data.remove(field) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PACKAGE: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";

    #[test]
    fn the_documented_message_is_parsed_completely() {
        let message = IframeMessage::from_value(json!({
            "type": "UPGRADE_BUTTON_CLICKED",
            "data": {
                "intpWebsiteId": "site-7", "intpCustomerId": "cust-42", "packageName": "Pro",
                "packageId": PACKAGE, "inTrial": true, "expiresAt": "2026-03-01T12:00:00+01:00",
                "billingInterval": "monthly", "somethingNew": [1, 2],
            },
        }))
        .unwrap();
        assert_eq!(
            message,
            IframeMessage::UpgradeButtonClicked {
                intp_website_id: Some(WebsiteId::new("site-7").unwrap()),
                intp_customer_id: Some(CustomerId::new("cust-42").unwrap()),
                package_name: Some("Pro".into()),
                package_id: Some(PackageId::new(PACKAGE).unwrap()),
                in_trial: Some(true),
                expires_at: Some("2026-03-01T11:00:00Z".parse().unwrap()),
                billing_interval: Some("monthly".into()),
            }
        );
    }

    #[test]
    fn missing_fields_are_none() {
        let nothing = IframeMessage::UpgradeButtonClicked {
            intp_website_id: None,
            intp_customer_id: None,
            package_name: None,
            package_id: None,
            in_trial: None,
            expires_at: None,
            billing_interval: None,
        };
        for data in [
            json!({}),
            Value::Null,
            json!({"intpWebsiteId": null, "packageId": "", "inTrial": null, "expiresAt": null}),
            json!({"inTrial": "yes", "expiresAt": "soon", "packageName": 5, "billingInterval": {}}),
        ] {
            let message = json!({"type": "UPGRADE_BUTTON_CLICKED", "data": data});
            assert_eq!(IframeMessage::from_value(message).unwrap(), nothing);
        }
        let bare = r#"{"type": "UPGRADE_BUTTON_CLICKED"}"#;
        assert_eq!(IframeMessage::parse(bare).unwrap(), nothing);
    }

    #[test]
    fn other_messages_are_kept() {
        let data = |message: &str| match IframeMessage::parse(message).unwrap() {
            IframeMessage::SubscriptionUpgraded { data } => ("upgraded".to_owned(), data),
            IframeMessage::Unknown { type_name, data } => (type_name, data),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            data(r#"{"type": "SUBSCRIPTION_UPGRADED", "data": {"a": 1}}"#),
            ("upgraded".into(), json!({"a": 1}))
        );
        assert_eq!(
            data(r#"{"type": "SUBSCRIPTION_UPGRADED", "a": 1}"#),
            ("upgraded".into(), json!({"a": 1}))
        );
        assert_eq!(
            data(r#"{"type": "RESIZE", "data": 5}"#),
            ("RESIZE".into(), json!(5))
        );
        assert_eq!(data(r#"{"type": ""}"#), (String::new(), Value::Null));
    }

    #[test]
    fn bad_messages_get_clear_errors() {
        let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
        let deep = "[".repeat(60_000);
        for (message, reason) in [
            ("", "not valid JSON"),
            ("hello", "not valid JSON"),
            (&deep, "not valid JSON"),
            (&long, "65537 bytes"),
            ("[]", "not a JSON object"),
            ("{}", "no \"type\" of text"),
            (r#"{"type": 5}"#, "no \"type\" of text"),
            (
                r#"{"type": "UPGRADE_BUTTON_CLICKED", "data": []}"#,
                "no object in \"data\"",
            ),
            (
                r#"{"type": "UPGRADE_BUTTON_CLICKED", "data": {"packageId": "pro"}}"#,
                "invalid packageId: invalid package id \"pro\"",
            ),
            (
                r#"{"type": "UPGRADE_BUTTON_CLICKED", "data": {"intpWebsiteId": ".."}}"#,
                "invalid intpWebsiteId",
            ),
            (
                r#"{"type": "UPGRADE_BUTTON_CLICKED", "data": {"intpCustomerId": 5}}"#,
                "invalid intpCustomerId: expected text, not \"5\"",
            ),
        ] {
            let error = IframeMessage::parse(message).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(reason), "{error}");
            assert!(error.to_string().len() < 300, "{error}");
        }
    }

    #[test]
    fn only_the_dashboards_origin_is_trusted() {
        let dashboard = "https://app-3as.visitor-analytics.io/?intpc_token=x";
        assert!(IframeMessage::is_trusted_origin(
            "https://app-3as.visitor-analytics.io",
            dashboard
        ));
        assert!(IframeMessage::is_trusted_origin(
            "http://127.0.0.1:8787",
            "http://127.0.0.1:8787/dashboard"
        ));
        for origin in [
            "",
            "null",
            "*",
            "http://app-3as.visitor-analytics.io",
            "https://app-3as.visitor-analytics.io:8443",
            "https://app-3as.visitor-analytics.io.evil.example",
            "https://evil.example/https://app-3as.visitor-analytics.io",
            "https://app-3as.visitor-analytics.io@evil.example",
            "https://user@app-3as.visitor-analytics.io",
            "https://app-3as.visitor-analytics.io/path",
            "https:app-3as.visitor-analytics.io",
            "https://APP-3as.visitor-analytics.io",
            "data:text/html,x",
        ] {
            assert!(
                !IframeMessage::is_trusted_origin(origin, dashboard),
                "{origin}"
            );
        }
        assert!(!IframeMessage::is_trusted_origin(
            "null",
            "data:text/html,x"
        ));
        assert!(!IframeMessage::is_trusted_origin(
            "https://a.example",
            "not a url"
        ));
    }
}
