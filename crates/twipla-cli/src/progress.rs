//! The progress of a long command: a bar or a message on a terminal, an occasional line elsewhere.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use twipla_plan::Progress;

use crate::terminal;

/// How often a line is written if there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// A progress bar with rate and time left.
#[derive(Clone)]
pub(crate) struct Bar {
    bar: ProgressBar,
    /// When the last line was written, if there is no terminal.
    lines: Option<Arc<Mutex<Instant>>>,
}

impl Bar {
    pub(crate) fn start(total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self {
                bar: ProgressBar::hidden(),
                lines: Some(Arc::new(Mutex::new(Instant::now()))),
            };
        }
        let bar = ProgressBar::new(total);
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, lines: None }
    }

    pub(crate) fn at(&self, progress: &Progress) {
        let message = message(progress);
        self.bar.set_position(progress.ended());
        self.bar.set_message(message.clone());
        let Some(lines) = &self.lines else { return };
        let mut last = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PAUSE {
            *last = Instant::now();
            let (ended, total) = (progress.ended(), progress.total);
            terminal::note(&format!("{ended} of {total}, {message}"));
        }
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn message(progress: &Progress) -> String {
    let rate = format!("{:.0}/s", progress.per_second());
    match progress.time_left() {
        Some(left) => format!("{rate}, {} left", duration(left)),
        None => rate,
    }
}

fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A message about current work of unknown size.
#[derive(Clone)]
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    pub(crate) fn start() -> Self {
        if std::io::stderr().is_terminal() {
            Self(ProgressBar::new_spinner())
        } else {
            Self(ProgressBar::hidden())
        }
    }

    pub(crate) fn say(&self, message: String) {
        self.0.set_message(message);
        self.0.tick();
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_use_the_unit_that_fits() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_660, "1 h 1 min"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }
}
