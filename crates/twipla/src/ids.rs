//! Ids as arguments of calls.

use twipla_api::InvalidId;
pub(crate) use twipla_api::ids::shown;
pub use twipla_api::{ApiKeyId, CustomerId, PackageId, PartnerId, TwiplaWebsiteId, WebsiteId};

use crate::{Error, Result};

/// An id, or a text to parse as one.
///
/// Calls take `impl IntoId<WebsiteId>` and the like. If the value is not a valid
/// id, the error is deferred: awaiting the call reports it,
/// before anything is sent.
///
/// Implemented for the id type, a reference to it, `&str`, `String` and
/// `&String`. An id of another kind does not compile:
///
/// ```compile_fail,E0277
/// fn f(twipla: twipla::Twipla, site: twipla::types::Website) {
///     let _ = twipla.package(site.id);            // the id of a website
/// }
/// ```
///
/// ```compile_fail,E0277
/// fn f(twipla: twipla::Twipla, site: twipla::types::Website) {
///     let _ = twipla.website("site-7").subscription().upgrade(site.id);
/// }
/// ```
///
/// ```
/// fn f(twipla: twipla::Twipla, site: twipla::types::Website, pro: twipla::PackageId) {
///     let _ = twipla.package(site.package_id);
///     let _ = twipla.website(&site.intp_website_id).subscription().upgrade(pro);
///     assert!(site.package_id != pro && site.intp_website_id == "site-7");
/// }
/// ```
pub trait IntoId<T>: sealed::Sealed {
    /// Converts the value into the id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput). The message
    /// shows the value and says what was expected.
    fn into_id(self) -> Result<T>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for &str {}
    impl Sealed for String {}
    impl Sealed for &String {}
}

impl From<InvalidId> for Error {
    fn from(error: InvalidId) -> Self {
        Self::invalid(error.to_string())
    }
}

macro_rules! into_id {
    ($($name:ident)*) => {$(
        impl sealed::Sealed for $name {}
        impl sealed::Sealed for &$name {}

        impl IntoId<$name> for $name {
            fn into_id(self) -> Result<$name> {
                self.check()?;
                Ok(self)
            }
        }

        impl IntoId<$name> for &$name {
            fn into_id(self) -> Result<$name> {
                self.clone().into_id()
            }
        }

        impl IntoId<$name> for &str {
            fn into_id(self) -> Result<$name> {
                Ok($name::new(self)?)
            }
        }

        impl IntoId<$name> for String {
            fn into_id(self) -> Result<$name> {
                Ok($name::new(self)?)
            }
        }

        impl IntoId<$name> for &String {
            fn into_id(self) -> Result<$name> {
                Ok($name::new(self)?)
            }
        }
    )*};
}

into_id!(CustomerId WebsiteId ApiKeyId PackageId TwiplaWebsiteId PartnerId);

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";

    #[test]
    fn arguments_of_every_type_become_ids() {
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
        let error = website("").unwrap_err();
        assert!(error.is_invalid_input(), "{error}");
        let plan = PackageId::new(UUID).unwrap();
        assert_eq!(package(UUID).unwrap(), plan);
        assert_eq!(package(plan).unwrap(), plan);
        assert!(package("pro").is_err());
    }

    #[test]
    fn an_id_of_a_response_is_checked_when_it_is_used() {
        let restriction: twipla_api::types::PackageRestriction =
            serde_json::from_str(r#"{"intpWebsiteId":".."}"#).unwrap();
        let id = restriction.intp_website_id.unwrap();
        let result: Result<WebsiteId> = id.into_id();
        assert!(result.unwrap_err().is_invalid_input());
    }
}
