//! The journal of a run: a line before each action and a line after it, each
//! synced to disk before anything else happens.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use fs4::TryLockError;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// The version of the format.
const VERSION: u32 = 1;
/// The longest valid line.
const LONGEST_LINE: u64 = 64 * 1024;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    twipla_journal: u32,
    /// The digest of the plan.
    plan: String,
}

/// Any other line. Actions are identified by their number in the plan.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Entry {
    Start {
        start: u64,
    },
    End {
        end: u64,
        outcome: Ended,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ended {
    Done,
    AlreadySo,
    Failed,
    Moved,
    InDoubt,
}

/// The state of an action according to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    /// Nothing.
    Unstarted,
    /// Started, with an unknown outcome.
    InDoubt,
    /// It was tried, and nothing was changed.
    Failed,
    /// It is complete.
    Complete,
}

/// The states of all actions.
#[derive(Debug)]
pub(crate) struct History(Vec<Past>);

/// An open journal. Dropping it closes the file.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    lines: Option<mpsc::Sender<Line>>,
    writer: Option<JoinHandle<()>>,
}

/// A line, and a channel to report that it is on disk.
struct Line {
    text: String,
    written: oneshot::Sender<()>,
}

impl History {
    /// Returns the state of the action with this number, counted from 1.
    pub(crate) fn of(&self, action: u64) -> Past {
        let past = place(action).and_then(|place| self.0.get(place));
        past.copied().unwrap_or(Past::Unstarted)
    }

    /// Sets a state. Returns false if there is no such action.
    fn set(&mut self, action: u64, past: Past) -> bool {
        let known = place(action).and_then(|place| self.0.get_mut(place));
        known.map(|known| *known = past).is_some()
    }

    /// Marks an action as complete.
    pub(crate) fn complete(&mut self, action: u64) {
        self.set(action, Past::Complete);
    }

    /// Returns how many actions are complete.
    pub(crate) fn completed(&self) -> u64 {
        let complete = self.0.iter().filter(|past| **past == Past::Complete);
        complete.count() as u64
    }
}

impl Journal {
    /// Opens the journal of a plan, or creates one. An incomplete last line is
    /// ignored.
    pub(crate) fn open(path: &Path, plan: &str, actions: u64) -> Result<(Self, History)> {
        let failed = |error| Error::io("open the journal", path, error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // Messages of the server may contain personal data.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Refused(format!(
                    "the journal {} is in use: another process applies this plan",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let (history, length) = read(path, &file, plan, actions)?;
        file.set_len(length).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        if length == 0 {
            let header = first_line(plan)?;
            file.write_all(header.as_bytes()).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        sync_folder(path).map_err(failed)?;
        let journal = Self::start(path, file).map_err(failed)?;
        Ok((journal, history))
    }

    /// Starts the thread that writes to `file`.
    fn start(path: &Path, file: File) -> io::Result<Self> {
        let (lines, queue) = mpsc::channel();
        let writer = thread::Builder::new()
            .name("twipla-journal".to_owned())
            .spawn(move || write(file, &queue))?;
        Ok(Self {
            path: path.to_owned(),
            lines: Some(lines),
            writer: Some(writer),
        })
    }

    /// Writes a line, and returns once it is on disk.
    pub(crate) async fn write(&self, entry: &Entry) -> Result<()> {
        let failed = |error| Error::io("write the journal", &self.path, error);
        let mut text = serde_json::to_string(entry).map_err(|error| failed(error.into()))?;
        text.push('\n');
        let (written, is_written) = oneshot::channel();
        if let Some(lines) = &self.lines {
            // If the thread has ended, this fails like the wait below.
            let _ = lines.send(Line { text, written });
        }
        // The thread ends at the first line that cannot be written.
        let ended = || failed(io::Error::other("the disk may be full"));
        is_written.await.map_err(|_| ended())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Converts an action's number, counted from 1, to an index.
fn place(action: u64) -> Option<usize> {
    usize::try_from(action).ok()?.checked_sub(1)
}

/// Writes lines until the journal is closed. Lines that arrive during a sync are
/// synced together.
fn write(mut file: File, queue: &mpsc::Receiver<Line>) {
    while let Ok(first) = queue.recv() {
        let batch: Vec<_> = [first].into_iter().chain(queue.try_iter()).collect();
        let text: String = batch.iter().map(|line| line.text.as_str()).collect();
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_data());
        if written.is_err() {
            return;
        }
        for line in batch {
            // The receiver may have been dropped.
            let _ = line.written.send(());
        }
    }
}

/// Reads a journal: its history, and the length of its complete lines.
fn read(path: &Path, file: &File, plan: &str, actions: u64) -> Result<(History, u64)> {
    let failed = |error| Error::io("read the journal", path, error);
    let invalid =
        |problem: &str| Error::invalid(format!("invalid journal {}: {problem}", path.display()));
    let mut reader = BufReader::new(file);
    let count = usize::try_from(actions).map_err(|_| invalid("the plan is too large"))?;
    let mut history = History(vec![Past::Unstarted; count]);
    let mut length = 0;
    let mut number = 0_u64;
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = reader.by_ref().take(LONGEST_LINE);
        let bytes = bounded.read_until(b'\n', &mut line).map_err(failed)? as u64;
        if bytes == LONGEST_LINE {
            return Err(invalid(&format!("line {} is too long", number + 1)));
        }
        if line.last() != Some(&b'\n') {
            // An empty file or a line that was cut off. A file of another kind is left unchanged.
            if number == 0 && !first_line(plan)?.as_bytes().starts_with(&line) {
                return Err(invalid("expected a journal of this plan"));
            }
            return Ok((history, length));
        }
        number += 1;
        if number == 1 {
            check_first_line(path, &line, plan)?;
        } else {
            let entry: Entry = serde_json::from_slice(&line)
                .map_err(|error| invalid(&format!("line {number} cannot be read: {error}")))?;
            let (action, past) = match entry {
                Entry::Start { start } => (start, Past::InDoubt),
                Entry::End { end, outcome, .. } => (
                    end,
                    match outcome {
                        Ended::Done | Ended::AlreadySo => Past::Complete,
                        Ended::Failed | Ended::Moved => Past::Failed,
                        Ended::InDoubt => Past::InDoubt,
                    },
                ),
            };
            if !history.set(action, past) {
                return Err(invalid(&format!(
                    "line {number} has action {action}, expected 1 to {actions}"
                )));
            }
        }
        length += bytes;
    }
}

fn check_first_line(path: &Path, line: &[u8], plan: &str) -> Result<()> {
    let header: Header = serde_json::from_slice(line).map_err(|_| {
        Error::invalid(format!(
            "invalid journal {}: its first line is not valid",
            path.display()
        ))
    })?;
    if header.twipla_journal != VERSION {
        return Err(Error::invalid(format!(
            "invalid journal {}: it has version {}, expected {VERSION}",
            path.display(),
            header.twipla_journal
        )));
    }
    if header.plan != plan {
        return Err(Error::Refused(format!(
            "the journal {} belongs to another plan: finish that one, or use another journal",
            path.display()
        )));
    }
    Ok(())
}

fn first_line(plan: &str) -> Result<String> {
    let header = Header {
        twipla_journal: VERSION,
        plan: plan.to_owned(),
    };
    let mut line = serde_json::to_string(&header)
        .map_err(|error| Error::Io("cannot write the journal".to_owned(), error.into()))?;
    line.push('\n');
    Ok(line)
}

/// Syncs the name of a new file to disk as well.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_that_cannot_be_written_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read_only = File::open(file.path()).unwrap();
        let journal = Journal::start(file.path(), read_only).unwrap();
        for start in [1, 2] {
            let error = journal.write(&Entry::Start { start }).await.unwrap_err();
            assert!(matches!(error, Error::Io(..)), "{error}");
        }
    }
}
