//! Reads requests: fields of a JSON body, and query parameters, with errors that name them.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::reply::Refusal;

/// A JSON object of a request, or one inside it.
pub(crate) struct Fields<'a> {
    fields: &'a Map<String, Value>,
    at: String,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(body: Option<&'a Value>) -> Result<Self, Refusal> {
        match body {
            Some(Value::Object(fields)) => Ok(Self {
                fields,
                at: String::new(),
            }),
            Some(_) => Err(Refusal::bad("the body must be an object")),
            None => Err(Refusal::bad("the body is missing")),
        }
    }

    /// A field that is there and not null.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Null counts as absent: whether the real server tells them apart is not known.
    pub(crate) fn optional(&self, name: &str) -> Option<&'a Value> {
        self.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        match self.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(Value::String(_)) => Err(self.wrong(name, "must not be empty")),
            Some(_) => Err(self.wrong(name, "must be a string")),
            None => Err(self.wrong(name, "is required")),
        }
    }

    pub(crate) fn text_opt(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.optional(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "must be a string")),
        }
    }

    pub(crate) fn uuid(&self, name: &str) -> Result<Uuid, Refusal> {
        let text = self.text(name)?;
        parse_uuid(text).ok_or_else(|| self.wrong(name, "must be a uuid"))
    }

    pub(crate) fn uuid_opt(&self, name: &str) -> Result<Option<Uuid>, Refusal> {
        match self.optional(name) {
            None => Ok(None),
            Some(_) => self.uuid(name).map(Some),
        }
    }

    pub(crate) fn bool_or_false(&self, name: &str) -> Result<bool, Refusal> {
        match self.optional(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong(name, "must be a boolean")),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<f64, Refusal> {
        match self.get(name) {
            Some(Value::Number(number)) => Ok(number.as_f64().unwrap_or_default()),
            Some(_) => Err(self.wrong(name, "must be a number")),
            None => Err(self.wrong(name, "is required")),
        }
    }

    pub(crate) fn whole(&self, name: &str) -> Result<i64, Refusal> {
        let number = self.number(name)?;
        #[allow(clippy::cast_possible_truncation)]
        let whole = number as i64;
        #[allow(clippy::cast_precision_loss)]
        if (whole as f64 - number).abs() > f64::EPSILON {
            return Err(self.wrong(name, "must be a whole number"));
        }
        Ok(whole)
    }

    pub(crate) fn date_opt(&self, name: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
        let Some(text) = self.text_opt(name)? else {
            return Ok(None);
        };
        DateTime::parse_from_rfc3339(text)
            .map(|at| Some(at.with_timezone(&Utc)))
            .map_err(|_| self.wrong(name, "must be a date-time"))
    }

    /// One of the values of an enum.
    pub(crate) fn one_of<T: Clone + AsRef<str>>(
        &self,
        name: &str,
        known: &[T],
    ) -> Result<T, Refusal> {
        let text = self.text(name)?;
        known
            .iter()
            .find(|value| (*value).as_ref() == text)
            .cloned()
            .ok_or_else(|| self.wrong(name, "is none of the values allowed"))
    }

    pub(crate) fn object_opt(&self, name: &str) -> Result<Option<Fields<'a>>, Refusal> {
        match self.optional(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Fields {
                fields,
                at: format!("{}{name}.", self.at),
            })),
            Some(_) => Err(self.wrong(name, "must be an object")),
        }
    }

    pub(crate) fn object(&self, name: &str) -> Result<Fields<'a>, Refusal> {
        self.object_opt(name)?
            .ok_or_else(|| self.wrong(name, "is required"))
    }

    pub(crate) fn list(&self, name: &str) -> Result<&'a [Value], Refusal> {
        match self.optional(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.wrong(name, "must be a list")),
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<&'a str>, Refusal> {
        self.list(name)?
            .iter()
            .map(|item| {
                item.as_str()
                    .ok_or_else(|| self.wrong(name, "must be a list of strings"))
            })
            .collect()
    }

    /// The objects of a list.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, Refusal> {
        self.list(name)?
            .iter()
            .enumerate()
            .map(|(n, item)| match item {
                Value::Object(fields) => Ok(Fields {
                    fields,
                    at: format!("{}{name}[{n}].", self.at),
                }),
                _ => Err(self.wrong(name, "must be a list of objects")),
            })
            .collect()
    }

    fn wrong(&self, name: &str, why: &str) -> Refusal {
        Refusal::bad(format!("{}{name} {why}", self.at))
    }
}

/// A uuid in its usual form; other notations are none for this API.
pub(crate) fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::parse_str(text).ok())
        .flatten()
}

/// Query parameters, decoded.
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

    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Refusal::bad(format!("the query parameter {name} is required")))
    }

    /// A whole number of at least `least`, as `3` or `3.0`.
    pub(crate) fn whole(&self, name: &str, least: usize) -> Result<Option<usize>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let digits = text.strip_suffix(".0").unwrap_or(text);
        match digits.parse::<usize>() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(Refusal::bad(format!(
                "the query parameter {name} must be a whole number of at least {least}"
            ))),
        }
    }
}
