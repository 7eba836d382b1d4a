//! Findings as workflow commands, which GitHub shows at their lines in a pull request.

use std::fmt::Write as _;

use crate::diff::entry::Entry;
use crate::diff::rules::Level;

/// Returns a command for each finding, the worst first: GitHub shows ten of each kind and step.
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
        // It was accepted.
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

/// Escapes the text of a command, which ends at the end of the line.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of a property, which also ends at a colon or comma.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_of_commands_are_escaped() {
        assert_eq!(data("50% of\r\na: b, c"), "50%25 of%0D%0Aa: b, c");
        assert_eq!(property("a%,b:c\n"), "a%25%2Cb%3Ac%0A");
        // An escape in the text is preserved.
        assert_eq!(data("%0A"), "%250A");
    }
}
