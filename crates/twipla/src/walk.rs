//! [`Walk`]: the rules by which a list is read from page to page.
//!
//! 1. The counts in `meta` are claims; the entries are facts. A list ends where `total` is reached and `pageTotal`
//!    agrees, or with an empty page, or with two pages in a row that contain nothing new.
//! 2. A page that is not full replaces a missing `pageTotal`. Without a `total`, only pages end a list.
//! 3. One page that contains nothing new is skipped: a server that counts from 1 sends the same page for 0 and 1.
//! 4. `meta.page` is the requested page or, from the first page on, one more (the server labels from 1).
//! 5. Entries of the two pages before are dropped: they moved back when entries were added in front.
//! 6. If `total` fell, entries moved forward: the page before is read again, for entries that moved onto it. The same
//!    applies if `total` grew by more than that page held, and its last entry is not found.
//! 7. If more entries changed than that page held, and nothing on it shows how far the others moved, entries may be
//!    lost: the list fails.
//! 8. Once `total` fell, the position of a short page decides whether it is reached. Entries that existed all the time
//!    are returned exactly once, entries added or deleted meanwhile at most once.
//! 9. More entries than `total`, or fewer at the end, are an error; changes of `total` widen the bounds.
//! 10. An entry from far back is an error: the server repeats itself. So are ten responses without anything new.
//! 11. Without a `total`, deletions cannot be detected. So after each page the one before it is read again:
//!     entries that moved onto it are returned late, after the page that should have followed them. If nothing of that
//!     page is on it any more, entries may be lost: the list fails. This doubles the number of requests.
//!
//! Limits: the ids of a few pages and of entries added in front are kept, whatever the length of the list. Entries
//! are missed unnoticed if one is deleted and another one added between the same two pages, so that `total` does not
//! change; if `total` and `pageTotal` are too low by the same amount; and, without a `total`, if as many are added in
//! front before that page is read again as were deleted, or if the server leaves entries out of a page that is not
//! full.

use std::collections::{HashSet, VecDeque};

use crate::page::PageMeta;

/// How many responses in a row without a new entry, for any reason, end a walk.
const MOST_IDLE: u32 = 10;

/// What has been read of a list so far, and what to request next.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The page to request next.
    ask: u64,
    /// The page that the walk started with.
    start: u64,
    /// Entries requested per page.
    size: u64,
    /// Number of entries returned.
    read: u64,
    /// The page that was accepted last.
    last: Option<Taken>,
    /// Ids returned recently, page by page, each with [`Walk::pushed`] at the time.
    known: VecDeque<(HashSet<String>, u64)>,
    /// By how many positions additions may have pushed entries back in all.
    pushed: u64,
    /// The latest `total`, and by how much it grew and fell in all.
    total: Option<u64>,
    grown: u64,
    fallen: u64,
    /// The value of `meta.page` on page 0: 0 or 1.
    first_label: Option<u64>,
    /// Number of skipped pages with nothing new.
    passed_over: u64,
    /// Whether the last page was skipped.
    repeated: bool,
    /// Number of responses since the last new entry.
    idle: u32,
    /// The first id of all, and the first new one of page 1, 2, 4, 8 and so on:
    /// a cycle of any length repeats one of them.
    landmarks: [Option<String>; 2],
    pages_with_new: u64,
    /// The page that is being read again because there is no `total`.
    check: Option<Check>,
}

/// The page before the last one, read again for entries that moved onto it.
#[derive(Debug)]
struct Check {
    page: Taken,
    /// What to do after it.
    then: Next,
}

/// A page that was accepted, as it was when it contained something new.
#[derive(Debug)]
struct Taken {
    page: u64,
    ids: HashSet<String>,
    last_id: Option<String>,
    /// [`Walk::grown`] and [`Walk::fallen`] when it was last seen.
    grown: u64,
    fallen: u64,
}

impl Taken {
    /// Returns whether the last entry of this page is among these.
    fn ends_in(&self, ids: &[&str]) -> bool {
        ids.iter().any(|id| self.last_id.as_deref() == Some(*id))
    }
}

/// What to do with a page, and after it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// For each entry, whether it is new.
    pub(crate) new: Vec<bool>,
    pub(crate) next: Next,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Request this page.
    Page(u64),
    /// The list is complete.
    End,
    /// The list failed: what does not fit, and the position.
    Fail(String),
}

impl Walk {
    /// Creates a walk from the page `start` on, with `size` entries requested per page.
    pub(crate) fn new(start: u64, size: u64) -> Self {
        Self {
            ask: start,
            start,
            size,
            read: 0,
            last: None,
            known: VecDeque::new(),
            pushed: 0,
            total: None,
            grown: 0,
            fallen: 0,
            first_label: None,
            passed_over: 0,
            repeated: false,
            idle: 0,
            landmarks: [None, None],
            pages_with_new: 0,
            check: None,
        }
    }

    /// Judges the response to the requested page, by the ids of its
    /// entries and its metadata.
    pub(crate) fn judge(&mut self, ids: &[&str], meta: &PageMeta) -> Judgement {
        let mut judgement = self.examine(ids, meta).unwrap_or_else(|what| Judgement {
            new: vec![false; ids.len()],
            next: Next::Fail(what),
        });
        match &mut judgement.next {
            Next::Page(page) => self.ask = *page,
            Next::Fail(what) => {
                *what = format!("cannot read the whole list: {what} ({})", self.position());
            }
            Next::End => {}
        }
        judgement
    }

    /// Describes how far the walk got.
    pub(crate) fn position(&self) -> String {
        format!("at page {}, after {} entries", self.ask, self.read)
    }

    /// Examines a page. After an error, its entries are not returned.
    fn examine(&mut self, ids: &[&str], meta: &PageMeta) -> Result<Judgement, String> {
        self.follow_total(meta.total);
        self.idle += 1;
        if self.idle > MOST_IDLE {
            return Err(format!("{MOST_IDLE} pages in a row brought nothing new"));
        }
        if let Some(check) = self.check.take() {
            return self.check_page_before(check, ids, meta);
        }
        let reread = self.last.as_ref().is_some_and(|last| last.page == self.ask);
        if !reread && let Some(page) = self.to_be_reread(ids) {
            return Ok(Judgement {
                new: vec![false; ids.len()],
                next: Next::Page(page),
            });
        }
        let new = self.new_entries(ids, reread)?;
        let any_new = new.contains(&true);
        self.check_label(meta.page, any_new)?;
        self.check_circle(ids, &new)?;

        // A page that is known because entries were added in front is not a repeat.
        let grew = (self.last.as_ref()).is_some_and(|last| self.grown > last.grown);
        let repeats = !ids.is_empty() && !any_new && !reread && !grew;
        let before = self.take(ids, &new, reread);
        let next = match (self.after(ids, meta, repeats), before) {
            (Err(what), _) => Next::Fail(what),
            (Ok(next), Some(before)) if self.total.is_none() => {
                let page = before.page;
                self.check = Some(Check {
                    page: before,
                    then: next,
                });
                Next::Page(page)
            }
            (Ok(next), _) => next,
        };
        Ok(Judgement { new, next })
    }

    /// Accepts entries that moved onto the page before the last one since it was read.
    fn check_page_before(
        &mut self,
        check: Check,
        ids: &[&str],
        meta: &PageMeta,
    ) -> Result<Judgement, String> {
        let before = &check.page.ids;
        // Entries before these were added, or pushed back from earlier pages.
        let anchor = match ids.iter().position(|id| before.contains(*id)) {
            Some(anchor) => anchor,
            // Nothing can have moved past the first page.
            None if check.page.page == 0 => 0,
            None => {
                return Err(
                    "more entries were added or deleted between two pages than a page holds; \
                     read it again, or with a larger page_size"
                        .to_owned(),
                );
            }
        };
        let mut on_this_page = HashSet::new();
        let new: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(place, id)| {
                place >= anchor
                    && !before.contains(*id)
                    && !self.is_known(id)
                    && on_this_page.insert(*id)
            })
            .collect();
        self.check_label(meta.page, new.contains(&true))?;
        self.check_circle(ids, &new)?;
        self.hand_out(ids, &new);
        self.forget();
        Ok(Judgement {
            new,
            next: check.then,
        })
    }

    fn follow_total(&mut self, total: Option<u64>) {
        let before = self.total.or(total);
        self.total = total.or(self.total);
        if let (Some(before), Some(now)) = (before, total) {
            self.grown = self.grown.saturating_add(now.saturating_sub(before));
            self.fallen = self.fallen.saturating_add(before.saturating_sub(now));
        }
    }

    /// Returns the page to read again before this one is accepted, if the entries that
    /// should come first on this one may have moved.
    fn to_be_reread(&self, ids: &[&str]) -> Option<u64> {
        let last = self.last.as_ref()?;
        let fell = self.fallen > last.fallen;
        let moved_too_far = self.moved(last) > last.ids.len() as u64 && !last.ends_in(ids);
        (fell || moved_too_far).then_some(last.page)
    }

    /// Returns by how much `total` changed since a page was seen.
    fn moved(&self, last: &Taken) -> u64 {
        (self.grown - last.grown).saturating_add(self.fallen - last.fallen)
    }

    /// Returns for each entry whether it has not been returned yet.
    fn new_entries(&self, ids: &[&str], reread: bool) -> Result<Vec<bool>, String> {
        if let Some(last) = self.last.as_ref().filter(|_| reread) {
            self.check_anchor(ids, last)?;
        }
        let mut on_this_page = HashSet::new();
        let new = ids
            .iter()
            .map(|id| !self.is_known(id) && on_this_page.insert(*id));
        Ok(new.collect())
    }

    /// Checks that a page that was read again shows how far its entries moved.
    fn check_anchor(&self, ids: &[&str], last: &Taken) -> Result<(), String> {
        let moved = self.moved(last);
        // Additions may have pushed the end of that page out of this one;
        // deletions only removed entries from the front.
        let grew = self.grown > last.grown;
        let is_anchored = last.ends_in(ids) || !grew && ids.iter().any(|id| last.ids.contains(*id));
        if moved <= last.ids.len() as u64 || is_anchored {
            return Ok(());
        }
        Err(format!(
            "{moved} entries were added or deleted between two pages; read it again, or with a larger page_size"
        ))
    }

    fn is_known(&self, id: &str) -> bool {
        self.known.iter().any(|(page, _)| page.contains(id))
    }

    /// Applies rule 4 as far as possible with a single page.
    pub(crate) fn wrong_label(asked: u64, label: Option<u64>, is_empty: bool) -> Option<String> {
        // The label of a page behind the end does not matter.
        let label = label.filter(|label| !is_empty && *label != asked && *label != asked + 1)?;
        Some(wrong_page(label))
    }

    fn check_label(&mut self, label: Option<u64>, any_new: bool) -> Result<(), String> {
        let Some(label) = label else {
            return Ok(());
        };
        if !any_new {
            // A server that counts from 1 sends the same page for 0 and 1, labelled 1.
            if label == self.ask {
                self.first_label = Some(0);
            }
            return Ok(());
        }
        let first_label = *self
            .first_label
            .get_or_insert(u64::from(label == self.ask + 1));
        if label == self.ask + first_label {
            return Ok(());
        }
        Err(wrong_page(label))
    }

    fn check_circle(&mut self, ids: &[&str], new: &[bool]) -> Result<(), String> {
        let mut new = ids
            .iter()
            .zip(new)
            .filter(|(_, new)| **new)
            .map(|(id, _)| *id);
        let mut landmarks = self.landmarks.iter().flatten();
        if landmarks.any(|landmark| new.clone().any(|id| id == landmark)) {
            return Err("entries from far back turn up again".to_owned());
        }
        if let Some(first) = new.next() {
            self.pages_with_new += 1;
            if self.pages_with_new.is_power_of_two() {
                self.landmarks[1] = Some(first.to_owned());
                self.landmarks[0].get_or_insert_with(|| first.to_owned());
            }
        }
        Ok(())
    }

    /// Returns the page that was accepted before this one.
    fn take(&mut self, ids: &[&str], new: &[bool], reread: bool) -> Option<Taken> {
        // If more was added, a check showed that it did not push anything.
        let pushed = self.last.as_ref().map_or(0, |last| {
            (self.grown - last.grown).min(last.ids.len() as u64)
        });
        self.pushed = self.pushed.saturating_add(pushed);
        let any_new = self.hand_out(ids, new);
        let before = match &mut self.last {
            Some(last) if reread && !any_new => {
                (last.grown, last.fallen) = (self.grown, self.fallen);
                None
            }
            last => last.replace(Taken {
                page: self.ask,
                ids: ids.iter().map(|id| (*id).to_owned()).collect(),
                last_id: ids.last().map(|id| (*id).to_owned()),
                grown: self.grown,
                fallen: self.fallen,
            }),
        };
        self.forget();
        before
    }

    /// Records the new entries as returned. False if there are none.
    fn hand_out(&mut self, ids: &[&str], new: &[bool]) -> bool {
        let handed_out: HashSet<_> = ids
            .iter()
            .zip(new)
            .filter(|(_, new)| **new)
            .map(|(id, _)| (*id).to_owned())
            .collect();
        let any_new = !handed_out.is_empty();
        if any_new {
            self.idle = 0;
            self.read += handed_out.len() as u64;
            self.known.push_back((handed_out, self.pushed));
        }
        any_new
    }

    /// Keeps only the ids of the last pages, and those that additions may have pushed
    /// back to the current position.
    fn forget(&mut self) {
        // Entries that came late without a `total` are counted among them.
        let pages = if self.total.is_none() { 3 } else { 2 };
        let mut kept: u64 = self.known.iter().map(|(page, _)| page.len() as u64).sum();
        while let Some((page, pushed)) = self.known.front()
            && kept - page.len() as u64 >= pages * self.size + (self.pushed - pushed)
        {
            kept -= page.len() as u64;
            self.known.pop_front();
        }
    }

    /// Returns what to do after a page that was accepted.
    fn after(&mut self, ids: &[&str], meta: &PageMeta, repeats: bool) -> Result<Next, String> {
        let size = meta.page_size.filter(|size| *size > 0);
        let expected = self.expected(size);
        if let Some(expected) = expected
            && self.read > expected.saturating_add(self.fallen)
        {
            return Err(format!(
                "the server counts {expected} entries, and gave {}",
                self.read
            ));
        }
        if ids.is_empty() || repeats && self.repeated {
            return self.end(expected, meta.pages);
        }
        self.repeated = repeats;
        self.passed_over += u64::from(repeats);

        let position = (self.ask + 1).saturating_sub(self.passed_over);
        let entries = ids.len() as u64;
        let size = size.map_or(self.size, |size| size.min(self.size));
        let pages = meta.pages.filter(|pages| *pages > 0);
        let is_short = entries < size;
        let is_last = pages.map_or(is_short, |pages| position == pages);
        // Entries that were read and then deleted are not in `total` any more. The
        // position of a short page then shows whether it is the last one.
        let is_whole = if self.fallen == 0 {
            expected == Some(self.read)
        } else {
            let read = (position.saturating_sub(1) * size).saturating_add(entries);
            is_short && self.total == Some(read)
        };
        if is_last && is_whole {
            return Ok(Next::End);
        }
        Ok(Next::Page(self.ask + 1))
    }

    /// Returns how many entries there are from the starting page on, if known.
    fn expected(&self, size: Option<u64>) -> Option<u64> {
        let before = match self.start {
            0 => 0,
            start => start.saturating_mul(size?),
        };
        Some(self.total?.saturating_sub(before))
    }

    /// Checks whether the claims allow the list to end here.
    fn end(&self, expected: Option<u64>, pages: Option<u64>) -> Result<Next, String> {
        match (expected, pages) {
            (Some(expected), _) if self.read.saturating_add(self.grown) < expected => Err(format!(
                "the server counts {expected} entries, and gives no more than {}",
                self.read
            )),
            // One page too many is the mistake of counting from 1.
            (None, Some(pages)) if self.ask + 1 < pages.saturating_add(self.passed_over) => Err(
                format!("the server counts {pages} pages, and there are no more entries"),
            ),
            _ => Ok(Next::End),
        }
    }
}

fn wrong_page(label: u64) -> String {
    format!("the server sent page {label} in its place")
}

#[cfg(test)]
mod tests;
