//! Mistakes in the Python driver, which the vectors must detect.

use std::process::Command;

use super::{Error, folder};

/// A mistake that can be switched on.
#[derive(Debug)]
pub struct Mistake {
    /// Its name.
    pub name: String,
    /// What the binding does wrong.
    pub what: String,
}

/// Returns every mistake in `mistakes.py`.
///
/// # Errors
///
/// If it cannot be run.
pub fn mistakes() -> Result<Vec<Mistake>, Error> {
    let [program, arguments @ ..] = &mistaken("--list")[..] else {
        return Ok(Vec::new());
    };
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cannot list the mistakes: {said}").into());
    }
    Ok(String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, what)| Mistake {
            name: name.to_owned(),
            what: what.to_owned(),
        })
        .collect())
}

/// Returns the command that runs the driver with a mistake.
pub fn mistaken(name: &str) -> Vec<String> {
    let script = folder().join("mistakes.py");
    vec![
        "python3".to_owned(),
        script.display().to_string(),
        name.to_owned(),
    ]
}
