//! Records of the API: objects with their wire names.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::failure::{Failure, Result};

/// An object of the API, with its wire names.
pub(crate) type Record = Map<String, Value>;

/// Formats a value as a YAML document, or as a part of one.
pub(super) fn yaml(value: &impl Serialize) -> Result<String> {
    serde_saphyr::to_string(value).map_err(|error| {
        Failure::new(
            format!("cannot write YAML: {error}"),
            "use another format with -o",
        )
    })
}

/// Converts any value of the API to a record.
pub(super) fn record(item: &impl Serialize) -> Result<Record> {
    match serde_json::to_value(item) {
        Ok(Value::Object(record)) => Ok(record),
        // A list of plain values, such as domains, has one column.
        Ok(value) => Ok(Map::from_iter([("value".to_owned(), value)])),
        Err(error) => Err(Failure::new(
            format!("cannot write the response as JSON: {error}"),
            "`twipla api GET PATH` shows the raw response",
        )),
    }
}
