//! Findings as workflow commands: GitHub shows them at their lines in a pull request.

use std::fmt::Write as _;

use crate::diff::entry::Entry;
use crate::diff::rules::Level;

/// A command for each finding, the worst first: GitHub shows ten of each kind and step.
pub(super) fn github(entries: &[Entry<'_>], summary: &str) -> String {
    let mut text = String::new();
    for entry in entries {
        let _ = writeln!(text, "{}", command(entry));
    }
    let _ = writeln!(text, "{summary}");
    text
}

fn command(entry: &Entry<'_>) -> String {
    let finding = entry.finding;
    let name = match (finding.level, entry.accepted) {
        // Somebody looked at it.
        (_, Some(_)) | (Level::Info, None) => "notice",
        (Level::Breaking, None) => "error",
        (Level::Warning, None) => "warning",
    };
    let mut command = format!("::{name} ");
    if let Some(place) = entry.places.map(|places| &places.marked)
        && let Some(file) = &place.file
    {
        let _ = write!(
            command,
            "file={},line={},col={},",
            property(file),
            place.position.line,
            place.position.column
        );
    }
    let title = format!("{} {}", finding.level.name(), finding.id);
    let _ = write!(
        command,
        "title={}::{}",
        property(&title),
        data(&entry.details())
    );
    command
}

/// The text of a command: it ends at the end of the line, and `%` escapes.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, which ends at a colon or comma, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_command_is_escaped() {
        assert_eq!(data("50% of\r\na: b, c"), "50%25 of%0D%0Aa: b, c");
        assert_eq!(property("a%,b:c\n"), "a%25%2Cb%3Ac%0A");
        // An escape in the text stays what it was.
        assert_eq!(data("%0A"), "%250A");
    }
}
