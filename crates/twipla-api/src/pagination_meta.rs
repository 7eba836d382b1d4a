//! [`PaginationMeta`], the wire type of what a list says about its pages.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::Count;

/// Where a page stands in its list.
///
/// These numbers describe the entries; a wrong one must not make the entries
/// unreadable. They are read like a [`Count`], and one that is missing or
/// not a whole number is `None`.
///
/// ```
/// use twipla_api::PaginationMeta;
///
/// let meta: PaginationMeta = serde_json::from_str(r#"{"page": 0, "pageTotal": "3", "total": null}"#)?;
/// assert_eq!((meta.page, meta.page_size, meta.page_total, meta.total), (Some(0), None, Some(3), None));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(rename = "paginationMeta")
)]
#[serde(rename_all = "camelCase", default)]
pub struct PaginationMeta {
    /// Number of this page, counted from 0.
    #[serde(deserialize_with = "whole_number")]
    #[cfg_attr(feature = "schemars", schemars(with = "i64"))]
    pub page: Option<i64>,
    /// Entries per page.
    #[serde(deserialize_with = "whole_number")]
    #[cfg_attr(feature = "schemars", schemars(with = "i64"))]
    pub page_size: Option<i64>,
    /// Number of pages.
    #[serde(deserialize_with = "whole_number")]
    #[cfg_attr(feature = "schemars", schemars(with = "i64"))]
    pub page_total: Option<i64>,
    /// Number of entries in all.
    #[serde(deserialize_with = "whole_number")]
    #[cfg_attr(feature = "schemars", schemars(with = "i64"))]
    pub total: Option<i64>,
}

fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(Count::deserialize(&value).ok().map(Count::get))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_every_form_and_anything_else_is_none() {
        for (text, want) in [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("\"3\"", Some(3)),
            ("-1", Some(-1)),
            ("2.5", None),
            ("\"2.5\"", None),
            ("\"many\"", None),
            ("null", None),
            ("true", None),
            ("[3]", None),
            ("{\"is\": 3}", None),
            ("1e300", None),
        ] {
            let json = format!(
                r#"{{"page":{text},"pageSize":{text},"pageTotal":{text},"total":{text},"next":1}}"#
            );
            let got: PaginationMeta = serde_json::from_str(&json).unwrap();
            let all = PaginationMeta {
                page: want,
                page_size: want,
                page_total: want,
                total: want,
            };
            assert_eq!(got, all, "{text}");
        }
        let empty: PaginationMeta = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, PaginationMeta::default());
    }
}
