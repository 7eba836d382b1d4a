//! Ids as separate types, so that a partner's id cannot be confused with one of
//! TWIPLA's.
//!
//! Ids that partners choose are text ([`CustomerId`], [`WebsiteId`], and
//! [`ApiKeyId`], which the documentation types as text). Ids that TWIPLA issues
//! are UUIDs ([`PackageId`], [`TwiplaWebsiteId`], [`PartnerId`]).

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::path::{InvalidSegment, check_segment};
use crate::redacted::looks_secret;

/// The longest text id, in bytes. TWIPLA documents no limit; this one keeps a
/// percent-encoded path (three bytes for one) below the 8 KiB that common
/// proxies accept.
pub const MAX_ID_BYTES: usize = 1024;

/// How many characters of an invalid value an error shows.
const SHOWN_CHARS: usize = 60;

text_id! {
    /// A customer (INTPC), by the id that the partner chose for it (`intpCustomerId`).
    ///
    /// Any text of 1 to 1024 bytes except `.` and `..`; slashes, spaces and emoji
    /// reach the server unchanged.
    ///
    /// ```
    /// use twipla_api::CustomerId;
    ///
    /// let id = CustomerId::new("cust-42")?;
    /// assert_eq!(id, "cust-42");
    /// assert!(CustomerId::new("..").is_err());
    /// # Ok::<(), twipla_api::InvalidId>(())
    /// ```
    CustomerId, "customer id", "the id that you chose for the customer"
}

text_id! {
    /// A website, by the id that the partner chose for it (`intpWebsiteId`).
    ///
    /// Any text of 1 to 1024 bytes except `.` and `..`. Not to be confused with
    /// [`TwiplaWebsiteId`], the UUID that TWIPLA issued for it.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use twipla_api::WebsiteId;
    ///
    /// let id: WebsiteId = "shop/de".parse()?;
    /// let domains = HashMap::from([(id, "shop.example.com")]);
    /// assert_eq!(domains.get("shop/de"), Some(&"shop.example.com"));
    /// # Ok::<(), twipla_api::InvalidId>(())
    /// ```
    WebsiteId, "website id", "the id that you chose for the website"
}

text_id! {
    /// The id of an API key: `id` of the key, not the key itself. The
    /// documentation types it as text and shows a UUID.
    ///
    /// ```
    /// use twipla_api::ApiKeyId;
    ///
    /// let id = ApiKeyId::new("48eec9f7-6fbf-4d4f-8b7c-0a8d2bd4b5ac")?;
    /// # Ok::<(), twipla_api::InvalidId>(())
    /// ```
    ApiKeyId, "API key id", "the id that TWIPLA issued with the key"
}

uuid_id! {
    /// A package (a pricing plan): a UUID that TWIPLA issued.
    ///
    /// ```
    /// use twipla_api::PackageId;
    ///
    /// let id: PackageId = "e8c3ab71-3d0b-4a7b-9c7c-0cc0a4a6e8a1".parse()?;
    /// assert!("pro".parse::<PackageId>().is_err());
    /// # Ok::<(), twipla_api::InvalidId>(())
    /// ```
    PackageId, "package id", "the UUID that TWIPLA issued for the package (see the package list)"
}

uuid_id! {
    /// A website, by the UUID that TWIPLA issued for it (`id` of a website). The data
    /// endpoints and the login by API key use this one.
    ///
    /// ```
    /// use twipla_api::TwiplaWebsiteId;
    ///
    /// let id: TwiplaWebsiteId = "e8c3ab71-3d0b-4a7b-9c7c-0cc0a4a6e8a1".parse()?;
    /// # Ok::<(), twipla_api::InvalidId>(())
    /// ```
    TwiplaWebsiteId, "TWIPLA website id", "the UUID in `id` of the website, not the id that you chose"
}

uuid_id! {
    /// A partner (INTP): the UUID that TWIPLA issued in exchange for the public key.
    ///
    /// ```
    /// use twipla_api::PartnerId;
    ///
    /// let id: PartnerId = "7128840a-5347-49a4-8dfa-9022d8dad21a".parse()?;
    /// # Ok::<(), twipla_api::InvalidId>(())
    /// ```
    PartnerId, "partner id", "the UUID that TWIPLA issued for your public key"
}

/// The error for a text that is not a valid id. The message shows it, unless it looks like a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId {
    message: String,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidId {}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Validates a text and converts it into an id.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] if it is empty, `.` or `..` (which would change the
            /// path of a request), or longer than 1024 bytes.
            pub fn new(id: impl AsRef<str>) -> Result<Self, InvalidId> {
                let id = id.as_ref();
                check_text($what, $expected, id)?;
                Ok(Self(id.into()))
            }

            /// Creates an id as a server returns it, without the checks of [`new`](Self::new).
            /// A call that uses it validates it.
            pub fn unchecked(id: impl Into<Arc<str>>) -> Self {
                Self(id.into())
            }

            /// Validates an id of a response, which a request may not be able to carry.
            ///
            /// # Errors
            ///
            /// Those of [`new`](Self::new).
            pub fn check(&self) -> Result<(), InvalidId> {
                check_text($what, $expected, &self.0)
            }

            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        /// Accepts any text, without the checks of `new`: one invalid id of a response
        /// must not make a whole list unreadable. A call that uses it
        /// validates it.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::unchecked)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl PartialEq<String> for $name {
            fn eq(&self, other: &String) -> bool {
                *self.0 == **other
            }
        }

        conversions!($name);
    };
}
use text_id;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Parses the id from text: a UUID in any of its usual formats.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] if the text is not a valid UUID.
            pub fn new(id: impl AsRef<str>) -> Result<Self, InvalidId> {
                let id = id.as_ref();
                Uuid::parse_str(id).map(Self).map_err(|_| InvalidId {
                    message: format!(concat!("invalid ", $what, " {}: expected ", $expected), shown(id)),
                })
            }

            /// Always succeeds. Text ids may be invalid: see [`CustomerId::check`].
            ///
            /// # Errors
            ///
            /// None.
            pub fn check(&self) -> Result<(), InvalidId> {
                Ok(())
            }

            /// Returns the UUID.
            pub fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        conversions!($name);
    };
}
use uuid_id;

/// Implements what both kinds of id have in common, given `new`.
macro_rules! conversions {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), &self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(id: &str) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidId;

            fn try_from(id: &str) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(id: String) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }
    };
}
use conversions;

/// Validates a text id. All other text is valid: percent-encoding keeps it from changing
/// the path.
fn check_text(what: &str, expected: &str, id: &str) -> Result<(), InvalidId> {
    let invalid = |problem: &str| {
        Err(InvalidId {
            message: format!(
                "invalid {what} {}: {problem}, expected {expected}",
                shown(id)
            ),
        })
    };
    match plain_segment(id) {
        Err(InvalidSegment::Empty) => return invalid("must not be empty"),
        Err(InvalidSegment::Dots) => {
            return invalid("means a folder in a URL, however it is encoded");
        }
        Ok(()) => {}
    }
    if what == "API key id" && id.starts_with("twpl-") {
        return Err(InvalidId {
            message: "invalid API key id: this is an API key, expected the `id` that came with it"
                .to_owned(),
        });
    }
    if id.len() > MAX_ID_BYTES {
        return invalid(&format!(
            "has {} bytes, {MAX_ID_BYTES} are allowed",
            id.len()
        ));
    }
    Ok(())
}

/// Checks an id as a path segment. Ids are encoded before they are sent, so `%2e%2e` is valid.
fn plain_segment(id: &str) -> Result<(), InvalidSegment> {
    if id.contains('%') {
        Ok(())
    } else {
        check_segment(id)
    }
}

/// Returns the start of a value from a caller, quoted and escaped.
pub fn shown(value: &str) -> String {
    let value = if looks_secret(value) {
        "<hidden: it looks like a credential>"
    } else {
        value
    };
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{:?}...", &value[..end]),
        None => format!("{value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const UUID: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";

    #[test]
    fn a_partner_may_choose_nearly_any_id() {
        let longest = "x".repeat(MAX_ID_BYTES);
        for id in [
            "cust-42",
            "a/b",
            "a\\b",
            "?",
            "#",
            "%2f",
            "%2e%2e",
            "a\nb",
            "\u{1F98A}",
            " ",
            "...",
            "./x",
            &longest,
        ] {
            let customer = CustomerId::new(id).unwrap();
            assert_eq!(customer.as_str(), id);
            assert_eq!(customer.to_string(), id);
            assert_eq!(WebsiteId::new(id).unwrap(), id);
            assert_eq!(id.parse::<ApiKeyId>().unwrap().as_ref(), id);
        }
    }

    #[test]
    fn ids_that_would_change_a_path_are_rejected() {
        for (id, reason) in [
            (
                String::new(),
                "invalid customer id \"\": must not be empty, expected the id",
            ),
            (".".to_owned(), "invalid customer id \".\": means a folder"),
            (
                "..".to_owned(),
                "invalid customer id \"..\": means a folder",
            ),
            ("x".repeat(10 * 1024), "has 10240 bytes, 1024 are allowed"),
            ("\u{1F98A}".repeat(257), "has 1028 bytes"),
        ] {
            let error = CustomerId::new(id).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(reason), "{text}");
            assert!(text.len() < 600, "{}", text.len());
        }
    }

    #[test]
    fn a_package_id_must_be_a_uuid() {
        let id: PackageId = UUID.parse().unwrap();
        assert_eq!(id.to_string(), UUID);
        assert_eq!(id, PackageId::from(*id.as_uuid()));
        assert_eq!(UUID.to_uppercase().parse::<PackageId>().unwrap(), id);
        for bad in [
            "",
            "pro",
            "7128840a-5347-49a4-8dfa",
            "../7128840a-5347-49a4-8dfa-9022d8dad21a",
        ] {
            let text = bad.parse::<PackageId>().unwrap_err().to_string();
            assert!(text.contains(&format!("{bad:?}")), "{text}");
            assert!(
                text.contains("UUID that TWIPLA issued for the package"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_id_of_a_response_is_checked_when_it_is_used() {
        let id: WebsiteId = serde_json::from_str("\"site-7\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"site-7\"");
        for odd in ["", ".", ".."] {
            let id: WebsiteId = serde_json::from_value(odd.into()).unwrap();
            assert!(id == odd && id.check().is_err());
        }
        assert!(serde_json::from_str::<PartnerId>("\"x\"").is_err());
        let id: PartnerId = serde_json::from_str(&format!("{UUID:?}")).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("{UUID:?}"));
        assert_eq!(format!("{id:?}"), format!("PartnerId({UUID})"));
    }

    #[test]
    fn ids_implement_ord_and_hash() {
        let ids: HashSet<_> = ["b", "a", "b"]
            .map(|id| CustomerId::new(id).unwrap())
            .into();
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort();
        assert_eq!(ids, ["a", "b"]);
    }
}
