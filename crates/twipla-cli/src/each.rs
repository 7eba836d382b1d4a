//! Applying the same change to several items.

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::terminal;

/// How a change to one item succeeded.
pub(crate) enum Done {
    /// It is done.
    Now,
    /// The call failed, but a read-back shows that the change took effect.
    AsRead,
}

/// The outcomes of the same change to several items.
#[derive(Default)]
pub(crate) struct Each {
    done: usize,
    failures: Vec<(String, Failure)>,
}

impl Each {
    /// Records and prints one outcome.
    pub(crate) fn note(&mut self, id: &str, done: &str, outcome: Result<Done>) {
        match outcome {
            Ok(outcome) => {
                self.done += 1;
                let how = match outcome {
                    Done::Now => "",
                    Done::AsRead => ", as read back after the call failed",
                };
                terminal::note(&format!("{id}: {done}{how}"));
            }
            Err(failure) => self.failures.push((id.to_owned(), failure)),
        }
    }

    /// Ends with the failure itself for a single item, or names those of several that failed.
    pub(crate) fn end(mut self) -> Result<()> {
        let failed = self.failures.len();
        let total = self.done + failed;
        match self.failures.pop() {
            None => Ok(()),
            Some((_, failure)) if total == 1 => Err(failure),
            Some(last) => {
                self.failures.push(last);
                for (id, failure) in &self.failures {
                    terminal::note(&format!("{id}: {}", failure.what()));
                }
                let ids: Vec<&str> = self.failures.iter().map(|(id, _)| id.as_str()).collect();
                let what = format!("{failed} of {total} failed: {}", ids.join(", "));
                Err(Failure::new(what, "run the command again for those").with_exit(self.exit()))
            }
        }
    }

    /// Returns the exit code: ambiguous outcomes come first, then partial success.
    fn exit(&self) -> Exit {
        let mut exits = self.failures.iter().map(|(_, failure)| failure.exit());
        if exits.clone().any(|exit| exit == Exit::Ambiguous) {
            return Exit::Ambiguous;
        }
        if self.done > 0 {
            return Exit::Partly;
        }
        let first = exits.next().unwrap_or(Exit::Failed);
        if exits.all(|exit| exit == first) {
            first
        } else {
            Exit::Failed
        }
    }
}
