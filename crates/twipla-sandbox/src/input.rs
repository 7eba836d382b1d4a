//! Parses fields of a JSON body and query parameters. Errors name the field.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::reply::ApiError;

/// Larger numbers with a fraction or an exponent cannot be converted exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A JSON object of a request, at the top level or nested.
pub(crate) struct Fields<'a> {
    fields: &'a Map<String, Value>,
    at: String,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(body: Option<&'a Value>) -> Result<Self, ApiError> {
        match body {
            Some(Value::Object(fields)) => Ok(Self {
                fields,
                at: String::new(),
            }),
            Some(_) => Err(ApiError::bad("the body must be an object")),
            None => Err(ApiError::bad("the body is missing")),
        }
    }

    /// Returns a field. Null counts as missing, because it is not known whether
    /// the real server distinguishes them.
    pub(crate) fn optional(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Rejects unknown fields where ignoring them would change the meaning of
    /// the request.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        let mut names = self.fields.keys().map(String::as_str);
        match names.find(|name| !known.contains(name)) {
            Some(name) => Err(self.error(name, "is not known")),
            None => Ok(()),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<&'a str, ApiError> {
        match self.optional(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(Value::String(_)) => Err(self.error(name, "must not be empty")),
            Some(_) => Err(self.error(name, "must be a string")),
            None => Err(self.error(name, "is required")),
        }
    }

    pub(crate) fn text_opt(&self, name: &str) -> Result<Option<&'a str>, ApiError> {
        match self.optional(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.error(name, "must be a string")),
        }
    }

    pub(crate) fn uuid(&self, name: &str) -> Result<Uuid, ApiError> {
        let text = self.text(name)?;
        parse_uuid(text).ok_or_else(|| self.error(name, "must be a uuid"))
    }

    /// Parses an optional UUID. One official client sends an empty string for
    /// none.
    pub(crate) fn uuid_opt(&self, name: &str) -> Result<Option<Uuid>, ApiError> {
        match self.text_opt(name)? {
            None | Some("") => Ok(None),
            Some(_) => self.uuid(name).map(Some),
        }
    }

    pub(crate) fn bool_or_false(&self, name: &str) -> Result<bool, ApiError> {
        match self.optional(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.error(name, "must be a boolean")),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<f64, ApiError> {
        match self.optional(name) {
            Some(Value::Number(number)) => Ok(number.as_f64().unwrap_or_default()),
            Some(_) => Err(self.error(name, "must be a number")),
            None => Err(self.error(name, "is required")),
        }
    }

    pub(crate) fn whole(&self, name: &str) -> Result<i64, ApiError> {
        if let Some(whole) = self.optional(name).and_then(Value::as_i64) {
            return Ok(whole);
        }
        let number = self.number(name)?;
        if number.fract() != 0.0 {
            return Err(self.error(name, "must be a whole number"));
        }
        if number.abs() > MAX_EXACT {
            return Err(self.error(name, "is too large a number"));
        }
        #[allow(
            clippy::cast_possible_truncation,
            reason = "it is whole and small enough"
        )]
        let whole = number as i64;
        Ok(whole)
    }

    pub(crate) fn date_opt(&self, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        let Some(text) = self.text_opt(name)? else {
            return Ok(None);
        };
        DateTime::parse_from_rfc3339(text)
            .map(|at| Some(at.with_timezone(&Utc)))
            .map_err(|_| self.error(name, "must be a date-time"))
    }

    /// Parses one of the values of an enum.
    pub(crate) fn one_of<T: Clone + AsRef<str>>(
        &self,
        name: &str,
        known: &[T],
    ) -> Result<T, ApiError> {
        let text = self.text(name)?;
        known
            .iter()
            .find(|value| (*value).as_ref() == text)
            .cloned()
            .ok_or_else(|| self.error(name, "is not one of the allowed values"))
    }

    pub(crate) fn object_opt(&self, name: &str) -> Result<Option<Fields<'a>>, ApiError> {
        match self.optional(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Fields {
                fields,
                at: format!("{}{name}.", self.at),
            })),
            Some(_) => Err(self.error(name, "must be an object")),
        }
    }

    pub(crate) fn object(&self, name: &str) -> Result<Fields<'a>, ApiError> {
        self.object_opt(name)?
            .ok_or_else(|| self.error(name, "is required"))
    }

    pub(crate) fn list(&self, name: &str) -> Result<&'a [Value], ApiError> {
        match self.optional(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.error(name, "must be a list")),
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<&'a str>, ApiError> {
        self.list(name)?
            .iter()
            .map(|item| {
                item.as_str()
                    .ok_or_else(|| self.error(name, "must be a list of strings"))
            })
            .collect()
    }

    /// Returns the objects of a list.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, ApiError> {
        self.list(name)?
            .iter()
            .enumerate()
            .map(|(n, item)| match item {
                Value::Object(fields) => Ok(Fields {
                    fields,
                    at: format!("{}{name}[{n}].", self.at),
                }),
                _ => Err(self.error(name, "must be a list of objects")),
            })
            .collect()
    }

    fn error(&self, name: &str, why: &str) -> ApiError {
        ApiError::bad(format!("{}{name} {why}", self.at))
    }
}

/// Parses a UUID with hyphens; this API accepts no other notation.
pub(crate) fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::parse_str(text).ok())
        .flatten()
}

/// Decoded query parameters.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(raw: &str) -> Self {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text)
                .decode_utf8_lossy()
                .into_owned()
        };
        Self(
            raw.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns all parameters in order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| ApiError::bad(format!("the query parameter {name} is required")))
    }

    /// Parses a whole number of at least `least`, such as `3` or `3.0`.
    pub(crate) fn whole(&self, name: &str, least: usize) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let digits = text.strip_suffix(".0").unwrap_or(text);
        match digits.parse::<usize>() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(ApiError::bad(format!(
                "the query parameter {name} must be a whole number of at least {least}"
            ))),
        }
    }
}
