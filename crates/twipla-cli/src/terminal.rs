//! Notes and questions to the user on standard error.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anstyle::Style;

use crate::failure::{Failure, Result};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
/// The width of a terminal that does not report it.
const USUAL_WIDTH: usize = 80;

/// Prints something that is not data.
pub(crate) fn note(text: &str) {
    anstream::eprintln!("{DIM}{text}{DIM:#}");
}

/// Returns whether a user can answer questions.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Returns the width of the terminal on standard output, if it is one.
pub(crate) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let size = terminal_size::terminal_size_of(io::stdout());
    Some(size.map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0)))
}

/// Asks until the answer is not empty.
pub(crate) async fn ask(question: &str) -> Result<String> {
    loop {
        let answer = read_answer(&format!("{question}: ")).await?;
        if !answer.is_empty() {
            return Ok(answer);
        }
    }
}

/// Asks for confirmation. Anything but yes counts as no.
pub(crate) async fn ask_yes(question: &str) -> Result<bool> {
    let answer = read_answer(&format!("{question} [y/N] ")).await?;
    Ok(["y", "yes"].contains(&answer.to_ascii_lowercase().as_str()))
}

/// Reads one line, without its end. It is read on a separate thread, so that an interrupt is noticed meanwhile.
async fn read_answer(prompt: &str) -> Result<String> {
    anstream::eprint!("{BOLD}{prompt}{BOLD:#}");
    io::stderr().flush()?;
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = match read.await {
        Ok(Ok(line)) => line,
        Ok(Err(error)) => return Err(unanswered(&error.to_string())),
        Err(error) => return Err(unanswered(&error.to_string())),
    };
    if line.is_empty() {
        return Err(unanswered("the input ended"));
    }
    Ok(line.trim().to_owned())
}

fn unanswered(cause: &str) -> Failure {
    Failure::new(
        format!("cannot read the answer: {cause}"),
        "pass the value as an option",
    )
}
