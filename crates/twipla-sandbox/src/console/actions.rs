//! The actions of the console's forms.

use chrono::Duration;
use serde_json::{Map, Value, json};

use crate::fault::Fault;
use crate::input::Query;
use crate::reply::ApiError;
use crate::state::World;

/// Runs an action, if the form contains the token of the page.
pub(super) fn carry_out(world: &mut World, action: &str, form: &Query) -> Result<(), ApiError> {
    check_token(world, form)?;
    match action {
        "advance" => advance(world, form),
        "inject" => inject(world, form),
        "clear-fault" => clear_fault(world, form),
        "clear-faults" => {
            world.clear_faults();
            Ok(())
        }
        "reset" => {
            world.reset();
            Ok(())
        }
        _ => Err(ApiError::new(404, "the action is unknown")),
    }
}

/// Only the console's page contains the token, and pages of other origins
/// cannot read it.
fn check_token(world: &World, form: &Query) -> Result<(), ApiError> {
    if form.get("token") == Some(&world.console_token) {
        return Ok(());
    }
    Err(ApiError::new(
        403,
        "invalid token: expected that of this sandbox: reload the page",
    ))
}

fn advance(world: &mut World, form: &Query) -> Result<(), ApiError> {
    let (days, hours) = (number(form, "days")?, number(form, "hours")?);
    let by = Duration::try_days(days)
        .zip(Duration::try_hours(hours))
        .and_then(|(days, hours)| days.checked_add(&hours));
    by.and_then(|by| world.clock.advance(by)).ok_or_else(|| {
        ApiError::bad(
            "invalid time: expected days and hours that are not negative and stay within the calendar",
        )
    })
}

fn inject(world: &mut World, form: &Query) -> Result<(), ApiError> {
    let fault = fault(form)?;
    world
        .faults
        .add(fault)
        .map_err(|error| ApiError::bad(error.to_string()))
}

fn clear_fault(world: &mut World, form: &Query) -> Result<(), ApiError> {
    let fault = u64::try_from(number(form, "number")?).unwrap_or_default();
    if world.faults.remove(fault) {
        Ok(())
    } else {
        Err(ApiError::new(404, "the fault was cleared already"))
    }
}

/// Parses the fault of a form with the parser of the control endpoint.
fn fault(form: &Query) -> Result<Fault, ApiError> {
    let mut fault = Map::new();
    let value = given(form, "value").unwrap_or_default();
    fault.insert(
        "kind".to_owned(),
        kind(given(form, "kind").unwrap_or_default(), value)?,
    );
    for name in ["operation", "moment"] {
        if let Some(text) = given(form, name) {
            fault.insert(name.to_owned(), json!(text));
        }
    }
    for name in ["times", "probability"] {
        if let Some(text) = given(form, name) {
            fault.insert(name.to_owned(), parsed(name, text)?);
        }
    }
    serde_json::from_value(Value::Object(fault))
        .map_err(|error| ApiError::bad(format!("invalid fault: {error}")))
}

/// Returns the kind of a fault as JSON. [`KINDS`] describes the meaning of `value` for each kind.
fn kind(name: &str, value: &str) -> Result<Value, ApiError> {
    Ok(match name {
        "status" => json!({ "status": { "code": parsed("value", value)? } }),
        "rateLimit" => json!({ "rateLimit": { "perSecond": parsed("value", value)?, "burst": 1 } }),
        "missingField" => json!({ "missingField": value }),
        "gateway" | "delay" | "lateCommit" | "commitAfterHangUp" | "clockSkew" => {
            json!({ name: parsed("value", value)? })
        }
        _ => json!(name),
    })
}

/// The kinds in the form: their name, effect, and the meaning of their value.
pub(super) const KINDS: &[(&str, &str, &str)] = &[
    ("status", "respond with a status", "status code"),
    (
        "gateway",
        "respond with a gateway's error page",
        "502 to 504, 520 to 524, or 530",
    ),
    (
        "rateLimit",
        "limit the rate of requests",
        "requests per second",
    ),
    ("delay", "delay the response", "milliseconds"),
    ("hang", "never respond", ""),
    (
        "resetBeforeCommit",
        "close the connection before the commit",
        "",
    ),
    (
        "resetAfterCommit",
        "close the connection after the commit",
        "",
    ),
    (
        "lateCommit",
        "close the connection and commit later",
        "milliseconds",
    ),
    (
        "commitAfterHangUp",
        "commit after the client closed the connection",
        "milliseconds",
    ),
    ("truncatedBody", "truncate the body", ""),
    ("htmlBody", "respond with an HTML page", ""),
    ("emptyBody", "respond with an empty body", ""),
    ("invalidJson", "respond with invalid JSON", ""),
    ("missingField", "remove a field", "name of the field"),
    ("unknownEnumValue", "respond with unknown enum values", ""),
    ("noContent", "respond with 204", ""),
    ("clockSkew", "set the server's clock off", "seconds"),
    ("expiredToken", "treat the token as expired", ""),
];

/// Returns a number of a form; 0 if the field is empty.
fn number(form: &Query, name: &str) -> Result<i64, ApiError> {
    let Some(text) = given(form, name) else {
        return Ok(0);
    };
    text.parse()
        .map_err(|_| ApiError::bad(format!("invalid {name} {text:?}: expected a whole number")))
}

fn parsed(name: &str, text: &str) -> Result<Value, ApiError> {
    serde_json::from_str(text)
        .ok()
        .filter(Value::is_number)
        .ok_or_else(|| ApiError::bad(format!("invalid {name} {text:?}: expected a number")))
}

/// Returns a field of a form, if it is not empty.
fn given<'a>(form: &'a Query, name: &str) -> Option<&'a str> {
    form.get(name)
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_in_the_form_is_a_valid_fault() {
        for (name, _, value) in KINDS {
            let value = match *value {
                "" => "",
                "name of the field" => "domain",
                _ => "503",
            };
            let form = Query::parse(&format!(
                "kind={name}&value={value}&times=1&operation=&moment="
            ));
            let fault = fault(&form).unwrap_or_else(|error| panic!("{name}: {}", error.message()));
            fault.validate().unwrap();
        }
    }
}
