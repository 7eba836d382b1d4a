//! [`PaginationMeta`], the wire type of the pagination fields of a list.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Count;

/// The position of a page in its list.
///
/// These numbers are only informative, so a wrong one must not make the entries
/// unreadable. They are parsed like a [`Count`], and one that is missing or
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
#[serde(rename_all = "camelCase", from = "Map<String, Value>")]
pub struct PaginationMeta {
    /// Number of this page, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<i64>,
    /// Entries per page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i64>,
    /// Number of pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_total: Option<i64>,
    /// Number of entries in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

impl From<Map<String, Value>> for PaginationMeta {
    fn from(fields: Map<String, Value>) -> Self {
        let number = |name| {
            let count = Count::deserialize(fields.get(name)?);
            count.ok().map(Count::get)
        };
        Self {
            page: number("page"),
            page_size: number("pageSize"),
            page_total: number("pageTotal"),
            total: number("total"),
        }
    }
}

/// Describes what is serialized, which is narrower than what is accepted.
#[cfg(feature = "schemars")]
impl schemars::JsonSchema for PaginationMeta {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "paginationMeta".into()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        concat!(module_path!(), "::PaginationMeta").into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let is_written = generator.contract().is_serialize();
        let number = |description: &str| {
            if is_written {
                return serde_json::json!({ "description": description, "type": "integer" });
            }
            serde_json::json!({ "description": description })
        };
        schemars::json_schema!({
            "description": "Where a page stands in its list.",
            "type": "object",
            "properties": {
                "page": number("Number of this page, counted from 0."),
                "pageSize": number("Entries per page."),
                "pageTotal": number("Number of pages."),
                "total": number("Number of entries in all."),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_parsed_in_every_form_and_anything_else_is_none() {
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
