//! Ids as types of their own, so that a partner's id and one of TWIPLA's
//! cannot stand in each other's place.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::secret::unless_secret;
use crate::{Error, ErrorKind, Result};

/// The longest id this crate sends, in bytes. TWIPLA documents no limit; this
/// one keeps a percent-encoded path (three bytes for one) under the 8 KiB that
/// common proxies take.
pub(crate) const MAX_ID_BYTES: usize = 1024;

/// How much of a bad value an error shows.
const SHOWN_CHARS: usize = 60;

/// What names a resource: the id itself, or what an id can be read from.
///
/// Calls take `impl IntoId<WebsiteId>` and the like. A value that is no id is
/// not an error of the call that takes it; awaiting the call reports it, before
/// anything is sent.
///
/// Implemented for the id type, a reference to it, `&str`, `String` and
/// `&String`, and for [`Uuid`] where the id is a uuid.
pub trait IntoId<T>: sealed::Sealed {
    /// The id, or why this is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`]; the message shows the value and says what it should be.
    fn into_id(self) -> Result<T>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for &str {}
    impl Sealed for String {}
    impl Sealed for &String {}
    impl Sealed for uuid::Uuid {}
}

string_id! {
    /// A customer (INTPC), by the id that the partner chose for it (`intpCustomerId`).
    ///
    /// Any text of 1 to 1024 bytes but `.` and `..`; slashes, spaces and emoji
    /// arrive at the server as they are.
    ///
    /// ```
    /// use twipla::CustomerId;
    ///
    /// let id = CustomerId::new("cust-42")?;
    /// assert_eq!(id.as_str(), "cust-42");
    /// assert!(CustomerId::new("..").is_err());
    /// # Ok::<(), twipla::Error>(())
    /// ```
    CustomerId, "customer id", "give the id that you chose for the customer"
}

string_id! {
    /// A website, by the id that the partner chose for it (`intpWebsiteId`).
    ///
    /// Any text of 1 to 1024 bytes but `.` and `..`. Not to be mistaken for
    /// [`TwiplaWebsiteId`], the uuid that TWIPLA gave it.
    ///
    /// ```
    /// use twipla::WebsiteId;
    ///
    /// let id: WebsiteId = "shop/de".parse()?;
    /// assert_eq!(id.to_string(), "shop/de");
    /// # Ok::<(), twipla::Error>(())
    /// ```
    WebsiteId, "website id", "give the id that you chose for the website"
}

string_id! {
    /// An API key's id: `id` of the key, not the key itself. The documentation
    /// types it as a string and shows a uuid.
    ///
    /// ```
    /// use twipla::ApiKeyId;
    ///
    /// let id = ApiKeyId::new("48eec9f7-6fbf-4d4f-8b7c-0a8d2bd4b5ac")?;
    /// # Ok::<(), twipla::Error>(())
    /// ```
    ApiKeyId, "API key id", "give the id that TWIPLA issued with the key"
}

uuid_id! {
    /// A package (a price plan): a uuid that TWIPLA issued.
    ///
    /// ```
    /// use twipla::PackageId;
    ///
    /// let id: PackageId = "e8c3ab71-3d0b-4a7b-9c7c-0cc0a4a6e8a1".parse()?;
    /// assert!("pro".parse::<PackageId>().is_err());
    /// # Ok::<(), twipla::Error>(())
    /// ```
    PackageId, "package id", "it must be the uuid that TWIPLA issued for the package (see the package list)"
}

uuid_id! {
    /// A website, by the uuid that TWIPLA gave it (`id` of a website). The data
    /// endpoints and the login by API key take this one.
    ///
    /// ```
    /// use twipla::TwiplaWebsiteId;
    ///
    /// let id: TwiplaWebsiteId = "e8c3ab71-3d0b-4a7b-9c7c-0cc0a4a6e8a1".parse()?;
    /// # Ok::<(), twipla::Error>(())
    /// ```
    TwiplaWebsiteId, "TWIPLA website id", "it must be the uuid in `id` of the website, not the id that you chose"
}

uuid_id! {
    /// A partner (INTP): the uuid that TWIPLA issued in exchange for the public key.
    ///
    /// ```
    /// use twipla::PartnerId;
    ///
    /// let id: PartnerId = "7128840a-5347-49a4-8dfa-9022d8dad21a".parse()?;
    /// # Ok::<(), twipla::Error>(())
    /// ```
    PartnerId, "partner id", "it must be the uuid that TWIPLA issued for your public key"
}

/// The server issues the ids of API keys, as uuids so far.
impl IntoId<ApiKeyId> for Uuid {
    fn into_id(self) -> Result<ApiKeyId> {
        ApiKeyId::new(self.to_string())
    }
}

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $remedy:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes over an id.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::InvalidInput`] where it is empty, `.` or `..` (which
            /// would change the path of a request), or longer than 1024 bytes.
            pub fn new(id: impl AsRef<str>) -> Result<Self> {
                let id = id.as_ref();
                check($what, $remedy, id)?;
                Ok(Self(id.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
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

        conversions!($name);
    };
}
use string_id;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $remedy:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Reads the id from text: a uuid in any of its usual spellings.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::InvalidInput`] where the text is no uuid; the message shows it.
            pub fn new(id: impl AsRef<str>) -> Result<Self> {
                let id = id.as_ref();
                Uuid::parse_str(id).map(Self).map_err(|error| {
                    invalid(format!(concat!($what, " {} is no uuid: ", $remedy), shown(id))).with_source(error)
                })
            }

            /// The uuid itself.
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

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl IntoId<$name> for Uuid {
            fn into_id(self) -> Result<$name> {
                Ok($name(self))
            }
        }

        conversions!($name);
    };
}
use uuid_id;

/// What both sorts of id have in common, given `new`.
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
            type Err = Error;

            fn from_str(id: &str) -> Result<Self> {
                Self::new(id)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;

            fn try_from(id: &str) -> Result<Self> {
                Self::new(id)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(id: String) -> Result<Self> {
                Self::new(id)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }

        impl sealed::Sealed for $name {}
        impl sealed::Sealed for &$name {}

        impl IntoId<$name> for $name {
            fn into_id(self) -> Result<$name> {
                Ok(self)
            }
        }

        impl IntoId<$name> for &$name {
            fn into_id(self) -> Result<$name> {
                Ok(self.clone())
            }
        }

        impl IntoId<$name> for &str {
            fn into_id(self) -> Result<$name> {
                $name::new(self)
            }
        }

        impl IntoId<$name> for String {
            fn into_id(self) -> Result<$name> {
                $name::new(self)
            }
        }

        impl IntoId<$name> for &String {
            fn into_id(self) -> Result<$name> {
                $name::new(self.as_str())
            }
        }
    };
}
use conversions;

/// Everything else is legal: the raw client percent-encodes every byte outside
/// the unreserved set, so no other text can change the shape of a path.
fn check(what: &str, remedy: &str, id: &str) -> Result<()> {
    if id.is_empty() {
        return Err(invalid(format!("{what} is empty: {remedy}")));
    }
    if id == "." || id == ".." {
        return Err(invalid(format!(
            "{what} {id:?} means a folder in a URL, however it is encoded: {remedy}, and choose another one"
        )));
    }
    if what == "API key id" && id.starts_with("twpl-") {
        return Err(invalid(
            "this is an API key, not the id of one: give the `id` that came with the key"
                .to_owned(),
        ));
    }
    if id.len() > MAX_ID_BYTES {
        return Err(invalid(format!(
            "{what} {} has {} bytes, {MAX_ID_BYTES} are allowed: {remedy}, and choose a shorter one",
            shown(id),
            id.len(),
        )));
    }
    Ok(())
}

/// The start of a value that a caller gave, quoted and escaped.
pub(crate) fn shown(value: &str) -> String {
    let value = unless_secret(value);
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{:?}...", &value[..end]),
        None => format!("{value:?}"),
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
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
    fn ids_that_would_change_a_path_are_refused() {
        for (id, reason) in [
            (String::new(), "customer id is empty: give the id"),
            (".".to_owned(), "customer id \".\" means a folder"),
            ("..".to_owned(), "customer id \"..\" means a folder"),
            ("x".repeat(10 * 1024), "has 10240 bytes, 1024 are allowed"),
            ("\u{1F98A}".repeat(257), "has 1028 bytes"),
        ] {
            let error = CustomerId::new(id).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let text = error.to_string();
            assert!(text.contains(reason), "{text}");
            assert!(text.len() < 600, "{}", text.len());
        }
    }

    #[test]
    fn a_package_id_is_a_uuid() {
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
                text.contains("uuid that TWIPLA issued for the package"),
                "{text}"
            );
        }
    }

    #[test]
    fn arguments_of_every_sort_become_ids() {
        fn website(id: impl IntoId<WebsiteId>) -> Result<WebsiteId> {
            id.into_id()
        }
        fn package(id: impl IntoId<PackageId>) -> Result<PackageId> {
            id.into_id()
        }
        let site = WebsiteId::new("site-7").unwrap();
        assert_eq!(website("site-7").unwrap(), site);
        assert_eq!(website("site-7".to_owned()).unwrap(), site);
        let owned = "site-7".to_owned();
        assert_eq!(website(&owned).unwrap(), site);
        assert_eq!(website(&site).unwrap(), site);
        assert_eq!(website(site.clone()).unwrap(), site);
        assert!(website("").is_err());
        let plan = PackageId::new(UUID).unwrap();
        assert_eq!(package(UUID).unwrap(), plan);
        assert_eq!(package(*plan.as_uuid()).unwrap(), plan);
        assert_eq!(package(plan).unwrap(), plan);
        assert!(package("pro").is_err());
    }

    #[test]
    fn reading_json_checks_too() {
        let id: WebsiteId = serde_json::from_str("\"site-7\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"site-7\"");
        assert!(serde_json::from_str::<WebsiteId>("\"..\"").is_err());
        assert!(serde_json::from_str::<PartnerId>("\"x\"").is_err());
        let id: PartnerId = serde_json::from_str(&format!("{UUID:?}")).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("{UUID:?}"));
        assert_eq!(format!("{id:?}"), format!("PartnerId({UUID})"));
    }

    #[test]
    fn ids_sort_and_hash() {
        let ids: HashSet<_> = ["b", "a", "b"]
            .map(|id| CustomerId::new(id).unwrap())
            .into();
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort();
        assert_eq!(ids, ["a", "b"]);
    }
}
