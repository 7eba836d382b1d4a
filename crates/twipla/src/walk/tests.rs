//! Tests of a walk against a server with every quirk.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// A server that returns pages of `entries`, with configurable quirks.
#[derive(Debug, Clone)]
struct Server {
    entries: Vec<u32>,
    /// The most entries it returns per page.
    cap: u64,
    /// Whether it computes the offset from the requested size, however many it returns.
    cap_loses: bool,
    /// Whether it counts from 1, and treats 0 like 1.
    from_one: bool,
    label: Label,
    total: Claim,
    pages: Claim,
    page_size: Claim,
    which: Which,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Label {
    AsAsked,
    FromOne,
    Always(u64),
    None,
}

/// How a number in `meta` differs from the right one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Claim {
    Right,
    /// Null, text, a fraction: anything but a whole number.
    None,
    OffBy(i64),
    Always(u64),
}

/// Which page it returns.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Which {
    Asked,
    /// The last one instead of those behind it.
    Clamped,
    /// This one, whatever was requested.
    Always(u64),
    /// Everything, whatever was requested.
    Everything,
    /// It starts over behind the last one.
    Circle,
    /// Nothing instead of this one.
    Without(u64),
}

impl Claim {
    fn of(self, right: u64) -> Option<u64> {
        match self {
            Self::Right => Some(right),
            Self::None => None,
            Self::OffBy(by) => Some(right.saturating_add_signed(by)),
            Self::Always(value) => Some(value),
        }
    }
}

impl Server {
    fn new(count: u32) -> Self {
        Self {
            entries: (0..count).collect(),
            cap: u64::MAX,
            cap_loses: false,
            from_one: false,
            label: Label::AsAsked,
            total: Claim::Right,
            pages: Claim::Right,
            page_size: Claim::Right,
            which: Which::Asked,
        }
    }

    fn reply(&self, asked: u64, size: u64) -> (Vec<String>, PageMeta) {
        let given = size.min(self.cap);
        let step = if self.cap_loses { size } else { given };
        let total = self.entries.len() as u64;
        let pages = total.div_ceil(step);
        let page = if self.from_one {
            asked.max(1) - 1
        } else {
            asked
        };
        let page = match self.which {
            Which::Asked | Which::Everything | Which::Without(_) => page,
            Which::Clamped => page.min(pages.saturating_sub(1)),
            Which::Always(page) => page,
            Which::Circle => page % pages.max(1),
        };
        let (skip, take) = match self.which {
            Which::Everything => (0, total),
            Which::Without(without) if page == without => (0, 0),
            _ => (page * step, given),
        };
        let entries = self.entries.iter().skip(usize::try_from(skip).unwrap());
        let entries = entries.take(usize::try_from(take).unwrap());
        let meta = PageMeta {
            page: match self.label {
                Label::AsAsked if self.from_one => Some(page + 1),
                Label::AsAsked => Some(page),
                Label::FromOne => Some(page + 1),
                Label::Always(label) => Some(label),
                Label::None => None,
            },
            page_size: self.page_size.of(given),
            pages: self.pages.of(pages),
            total: self.total.of(total),
        };
        (entries.map(ToString::to_string).collect(), meta)
    }
}

struct Outcome {
    read: Vec<u32>,
    requests: usize,
    result: Result<(), String>,
}

/// Reads the whole list, and calls `between` after each request.
fn read(
    server: &mut Server,
    start: u64,
    size: u64,
    mut between: impl FnMut(&mut Server, &[u32]),
) -> Outcome {
    let mut walk = Walk::new(start, size);
    let (mut all, mut requests, mut asked) = (Vec::new(), 0, start);
    let result = loop {
        requests += 1;
        assert!(requests < 2_000, "endless");
        let (ids, meta) = server.reply(asked, size);
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let judgement = walk.judge(&ids, &meta);
        let new: Vec<u32> = (ids.iter().zip(judgement.new))
            .filter(|(_, new)| *new)
            .map(|(id, _)| id.parse().unwrap())
            .collect();
        all.extend(&new);
        match judgement.next {
            Next::Page(page) => asked = page,
            Next::End => break Ok(()),
            Next::Fail(what) => break Err(what),
        }
        between(server, &new);
    };
    Outcome {
        read: all,
        requests,
        result,
    }
}

fn undisturbed(server: &Server) -> Outcome {
    read(&mut server.clone(), 0, 10, |_, _| {})
}

#[test]
fn a_correct_server_gets_one_request_per_page() {
    for (count, requests) in [(0, 1), (1, 1), (9, 1), (10, 1), (11, 2), (20, 2), (25, 3)] {
        let outcome = undisturbed(&Server::new(count));
        assert_eq!(outcome.result, Ok(()), "{count}");
        assert_eq!(outcome.requests, requests, "{count}");
        assert_eq!(outcome.read, (0..count).collect::<Vec<_>>());
    }
}

#[test]
fn a_quirk_costs_requests_but_never_entries() {
    let whole = Server::new(25);
    let full = Server::new(30);
    let with = |server: &Server, change: fn(&mut Server)| {
        let mut server = server.clone();
        change(&mut server);
        server
    };
    for (quirk, server, requests) in [
        (
            "pageTotal 0",
            with(&whole, |s| s.pages = Claim::Always(0)),
            3,
        ),
        ("pageTotal null", with(&whole, |s| s.pages = Claim::None), 3),
        (
            "pageTotal null, last page full",
            with(&full, |s| s.pages = Claim::None),
            4,
        ),
        (
            "pageTotal one too few",
            with(&whole, |s| s.pages = Claim::OffBy(-1)),
            4,
        ),
        (
            "pageTotal one too many",
            with(&whole, |s| s.pages = Claim::OffBy(1)),
            4,
        ),
        (
            "pageTotal 1",
            with(&whole, |s| s.pages = Claim::Always(1)),
            4,
        ),
        (
            "pageTotal huge",
            with(&whole, |s| s.pages = Claim::Always(u64::MAX)),
            4,
        ),
        ("total null", with(&whole, |s| s.total = Claim::None), 7),
        (
            "pageSize wrong",
            with(&whole, |s| s.page_size = Claim::Always(3)),
            3,
        ),
        ("no label", with(&whole, |s| s.label = Label::None), 3),
        (
            "labels from 1",
            with(&whole, |s| s.label = Label::FromOne),
            3,
        ),
        ("pages from 1", with(&whole, |s| s.from_one = true), 4),
        ("page size capped", with(&whole, |s| s.cap = 5), 5),
        (
            "all at once",
            with(&whole, |s| s.which = Which::Everything),
            3,
        ),
        ("clamped", with(&whole, |s| s.which = Which::Clamped), 3),
        (
            "pages from 1 and nothing in meta",
            with(&whole, |s| {
                s.from_one = true;
                (s.total, s.pages, s.page_size, s.label) =
                    (Claim::None, Claim::None, Claim::None, Label::None);
            }),
            9,
        ),
        (
            "clamped and nothing in meta",
            with(&whole, |s| {
                s.which = Which::Clamped;
                (s.total, s.pages, s.page_size, s.label) =
                    (Claim::None, Claim::None, Claim::None, Label::None);
            }),
            9,
        ),
        (
            "all at once and nothing in meta",
            with(&whole, |s| {
                s.which = Which::Everything;
                (s.total, s.pages, s.page_size, s.label) =
                    (Claim::None, Claim::None, Claim::None, Label::None);
            }),
            5,
        ),
    ] {
        let outcome = undisturbed(&server);
        assert_eq!(outcome.result, Ok(()), "{quirk}");
        assert_eq!(outcome.read, server.entries, "{quirk}");
        assert!(
            outcome.requests <= requests,
            "{quirk}: {} requests",
            outcome.requests
        );
    }
}

#[test]
fn errors_say_what_does_not_fit_and_the_position() {
    let whole = Server::new(25);
    let with = |change: fn(&mut Server)| {
        let mut server = whole.clone();
        change(&mut server);
        server
    };
    for (server, read, message) in [
        (
            with(|s| s.total = Claim::OffBy(2)),
            25,
            "the server counts 27 entries, and gives no more than 25 (at page 3, after 25 entries)",
        ),
        (
            with(|s| s.total = Claim::OffBy(-3)),
            25,
            "the server counts 22 entries, and gave 25 (at page 2, after 25 entries)",
        ),
        (
            with(|s| s.total = Claim::Always(10)),
            20,
            "the server counts 10 entries, and gave 20 (at page 1, after 20 entries)",
        ),
        (
            with(|s| (s.total, s.pages) = (Claim::Always(20), Claim::Always(1))),
            25,
            "the server counts 20 entries, and gave 25 (at page 2, after 25 entries)",
        ),
        (
            with(|s| s.which = Which::Always(0)),
            10,
            "the server counts 25 entries, and gives no more than 10 (at page 2, after 10 entries)",
        ),
        (
            with(|s| s.which = Which::Without(1)),
            10,
            "the server counts 25 entries, and gives no more than 10 (at page 1, after 10 entries)",
        ),
        (
            with(|s| (s.which, s.total) = (Which::Without(1), Claim::None)),
            10,
            "the server counts 3 pages, and there are no more entries (at page 1, after 10 entries)",
        ),
        (
            with(|s| (s.cap, s.cap_loses) = (5, true)),
            15,
            "the server counts 25 entries, and gives no more than 15 (at page 3, after 15 entries)",
        ),
        (
            with(|s| s.label = Label::Always(0)),
            10,
            "the server sent page 0 in its place (at page 1, after 10 entries)",
        ),
        (
            with(|s| s.label = Label::Always(7)),
            0,
            "the server sent page 7 in its place (at page 0, after 0 entries)",
        ),
    ] {
        let outcome = undisturbed(&server);
        let expected = format!("cannot read the whole list: {message}");
        assert_eq!(outcome.result, Err(expected), "{server:?}");
        assert_eq!(outcome.read.len(), read, "{server:?}");
    }
}

#[test]
fn a_cycle_of_any_length_ends() {
    for count in [10, 20, 25, 35, 70, 130, 1_000] {
        let mut server = Server::new(count);
        (server.which, server.label) = (Which::Circle, Label::None);
        (server.total, server.pages) = (Claim::None, Claim::None);
        let outcome = undisturbed(&server);
        assert_eq!(outcome.result.is_ok(), count <= 35, "{:?}", outcome.result);
        assert!(outcome.requests <= 1_000 / 10 * 3 + 5);
    }
}

#[test]
fn an_endless_list_stops_at_its_total() {
    let mut server = Server::new(10_000);
    server.total = Claim::Always(50);
    let outcome = undisturbed(&server);
    assert!(outcome.result.is_err());
    assert_eq!(outcome.requests, 6);
}

#[test]
fn an_alternating_total_ends() {
    let mut server = Server::new(1_000);
    let mut turn = 0;
    let outcome = read(&mut server, 0, 10, |server, _| {
        turn += 1;
        server.total = Claim::OffBy(if turn % 2 == 0 { 0 } else { -5 });
    });
    let message = outcome.result.unwrap_err();
    assert!(message.contains("brought nothing new"), "{message}");
}

#[test]
fn a_caller_may_delete_every_entry_it_receives() {
    for count in [1, 10, 25, 30, 95] {
        let mut server = Server::new(count);
        let outcome = read(&mut server, 0, 10, |server, new| {
            server.entries.retain(|entry| !new.contains(entry));
        });
        assert_eq!(outcome.result, Ok(()), "{count}");
        assert_eq!(outcome.read, (0..count).collect::<Vec<_>>());
    }
}

#[test]
fn too_many_changes_between_two_pages_fail() {
    let mut server = Server::new(100);
    let outcome = read(&mut server, 0, 10, |server, _| {
        if server.entries.len() == 100 {
            server.entries.drain(..25);
        }
    });
    let message = outcome.result.unwrap_err();
    assert!(
        message.contains("25 entries were added or deleted between two pages"),
        "{message}"
    );
}

#[test]
fn pages_pushed_back_repeatedly_are_not_repeats() {
    let mut server = Server::new(25);
    let outcome = read(&mut server, 0, 10, |server, _| {
        let added = u32::try_from(server.entries.len()).unwrap();
        if added < 55 {
            server.entries.splice(0..0, 1_000 + added..1_010 + added);
        }
    });
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.read, (0..25).collect::<Vec<_>>());
}

#[test]
fn many_entries_added_behind_do_not_matter() {
    let mut server = Server::new(30);
    let outcome = read(&mut server, 0, 10, |server, _| {
        if server.entries.len() == 30 {
            server.entries.extend(100..150);
        }
    });
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.read.len(), 80);
}

#[test]
fn a_walk_from_a_later_page_counts_from_there() {
    let outcome = read(&mut Server::new(45), 2, 10, |_, _| {});
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.read, (20..45).collect::<Vec<_>>());
    assert_eq!(outcome.requests, 3);
    let outcome = read(&mut Server::new(45), 9, 10, |_, _| {});
    assert_eq!(outcome.result, Ok(()));
    assert!(outcome.read.is_empty());
    let mut from_one = Server::new(45);
    from_one.from_one = true;
    let outcome = read(&mut from_one, 2, 10, |_, _| {});
    assert!(outcome.result.is_err(), "page 2 is another one there");
}

#[test]
fn memory_use_is_constant() {
    let mut walk = Walk::new(0, 100);
    for page in 0..10_000_u64 {
        let ids: Vec<_> = (page * 100..page * 100 + 100)
            .map(|id| id.to_string())
            .collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let judgement = walk.judge(&ids, &PageMeta::default());
        if page == 0 {
            assert_eq!(judgement.next, Next::Page(1));
        } else {
            assert_eq!(judgement.next, Next::Page(page - 1));
            let ids: Vec<_> = (page * 100 - 100..page * 100)
                .map(|id| id.to_string())
                .collect();
            let ids: Vec<_> = ids.iter().map(String::as_str).collect();
            let judgement = walk.judge(&ids, &PageMeta::default());
            assert_eq!(judgement.next, Next::Page(page + 1));
        }
        assert!(walk.known.iter().map(|(page, _)| page.len()).sum::<usize>() <= 300);
    }
    assert_eq!(walk.read, 1_000_000);
}

#[test]
fn without_a_total_entries_that_moved_forward_are_returned_late() {
    let mut server = Server::new(25);
    server.total = Claim::None;
    let outcome = read(&mut server, 0, 10, |server, new| {
        if new.contains(&0) {
            server.entries.remove(4);
        }
        if new.contains(&15) {
            server.entries.drain(..3);
        }
    });
    assert_eq!(outcome.result, Ok(()));
    let read: BTreeSet<_> = outcome.read.iter().copied().collect();
    assert_eq!(outcome.read.len(), 25, "{:?}", outcome.read);
    assert_eq!(read, (0..25).collect());
}

#[test]
fn without_a_total_a_deleted_page_fails_unless_it_is_the_first() {
    let mut server = Server::new(50);
    server.total = Claim::None;
    let gone = |from: u32| {
        read(&mut server.clone(), 0, 10, move |server, new| {
            if new.contains(&from) {
                server.entries.retain(|entry| !new.contains(entry));
            }
        })
    };
    let message = gone(10).result.unwrap_err();
    assert!(message.contains("than a page holds"), "{message}");
    let outcome = gone(0);
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.read.len(), 50);
    // Nothing is left behind the page, and its entries are on the one before.
    let outcome = read(&mut server, 0, 10, |server, new| {
        if new.contains(&39) {
            server.entries.drain(..25);
        }
    });
    assert!(outcome.result.is_err(), "{:?}", outcome.read);
}

/// A change of the list between two requests.
#[derive(Debug, Clone)]
enum Event {
    Nothing,
    Delete(Vec<prop::sample::Index>),
    Add(Vec<prop::sample::Index>),
}

fn event() -> impl Strategy<Value = Event> {
    let places = || prop::collection::vec(any::<prop::sample::Index>(), 1..12);
    prop_oneof![
        3 => Just(Event::Nothing),
        1 => places().prop_map(Event::Delete),
        1 => places().prop_map(Event::Add),
    ]
}

fn claim() -> impl Strategy<Value = Claim> {
    prop_oneof![
        4 => Just(Claim::Right),
        1 => Just(Claim::None),
        1 => (-2_i64..=2).prop_map(Claim::OffBy),
        1 => (0_u64..40).prop_map(Claim::Always),
    ]
}

prop_compose! {
    fn server()(
        count in 0_u32..60,
        cap in prop_oneof![3 => Just(u64::MAX), 1 => 1_u64..8],
        cap_loses in prop::bool::weighted(0.2),
        from_one in prop::bool::weighted(0.2),
        label in prop_oneof![
            4 => Just(Label::AsAsked), 1 => Just(Label::FromOne), 1 => Just(Label::None), 1 => (0_u64..4).prop_map(Label::Always),
        ],
        total in claim(),
        pages in claim(),
        page_size in claim(),
        which in prop_oneof![
            5 => Just(Which::Asked), 1 => Just(Which::Clamped), 1 => Just(Which::Circle), 1 => Just(Which::Everything),
            1 => (0_u64..4).prop_map(Which::Always), 1 => (0_u64..4).prop_map(Which::Without),
        ],
    ) -> Server {
        Server { entries: (0..count).collect(), cap, cap_loses, from_one, label, total, pages, page_size, which }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever a server does, a list that ends without an error is complete, and every list ends.
    #[test]
    fn a_list_is_complete_or_fails(server in server(), size in 1_u64..12) {
        let mut server = server;
        // Only a right `total` shows that entries were left out.
        if server.cap_loses || matches!(server.which, Which::Always(_) | Which::Without(_)) {
            server.total = Claim::Right;
        }
        // Two counts that are too low by the same amount cannot be detected.
        let count = server.entries.len() as u64;
        if server.total.of(count).is_some_and(|total| total < count) {
            server.pages = Claim::Right;
        }
        let outcome = read(&mut server.clone(), 0, size, |_, _| {});
        let read: BTreeSet<_> = outcome.read.iter().copied().collect();
        prop_assert_eq!(read.len(), outcome.read.len(), "an entry was returned twice");
        prop_assert!(outcome.requests <= 3 * server.entries.len() + 12);
        match outcome.result {
            Ok(()) => prop_assert_eq!(outcome.read, server.entries),
            Err(message) => prop_assert!(message.contains("after")),
        }
    }

    /// Without a `total`, entries that existed all the time are returned exactly once as well,
    /// if others delete, or add no more than a page at a time.
    #[test]
    fn unchanged_entries_are_returned_once_without_a_total(
        count in 0_u32..60,
        size in 1_u64..12,
        deletes in any::<bool>(),
        from_one in prop::bool::weighted(0.2),
        mut events in prop::collection::vec(event(), 0..24),
    ) {
        let mut server = Server::new(count);
        (server.total, server.pages, server.from_one) = (Claim::None, Claim::None, from_one);
        let mut stayed: BTreeSet<_> = (0..count).collect();
        let mut added = 1_000;
        let outcome = read(&mut server, 0, size, |server, _| match events.pop() {
            Some(Event::Delete(places)) if deletes => for place in places {
                if !server.entries.is_empty() {
                    let gone = server.entries.remove(place.index(server.entries.len()));
                    stayed.remove(&gone);
                }
            },
            Some(Event::Add(places)) if !deletes => for place in places.iter().take(usize::try_from(size).unwrap()) {
                server.entries.insert(place.index(server.entries.len() + 1), added);
                added += 1;
            },
            _ => {}
        });
        let read: BTreeSet<_> = outcome.read.iter().copied().collect();
        prop_assert_eq!(read.len(), outcome.read.len(), "an entry was returned twice: {:?}", outcome.read);
        if outcome.result.is_ok() {
            let missing: Vec<_> = stayed.difference(&read).collect();
            prop_assert!(missing.is_empty(), "missing: {:?}", missing);
        }
    }

    /// While others add and delete, entries that existed all the time are returned exactly once.
    #[test]
    fn unchanged_entries_are_returned_once(
        count in 0_u32..60,
        size in 1_u64..12,
        from_one in prop::bool::weighted(0.2),
        pages in claim(),
        mut events in prop::collection::vec(event(), 0..12),
    ) {
        let mut server = Server::new(count);
        (server.pages, server.from_one) = (pages, from_one);
        let mut stayed: BTreeSet<_> = (0..count).collect();
        let mut added = 1_000;
        let outcome = read(&mut server, 0, size, |server, _| match events.pop() {
            None | Some(Event::Nothing) => {}
            Some(Event::Delete(places)) => for place in places {
                if !server.entries.is_empty() {
                    let gone = server.entries.remove(place.index(server.entries.len()));
                    stayed.remove(&gone);
                }
            },
            Some(Event::Add(places)) => for place in places {
                server.entries.insert(place.index(server.entries.len() + 1), added);
                added += 1;
            },
        });
        let read: BTreeSet<_> = outcome.read.iter().copied().collect();
        prop_assert_eq!(read.len(), outcome.read.len(), "an entry was returned twice: {:?}", outcome.read);
        if outcome.result.is_ok() {
            let missing: Vec<_> = stayed.difference(&read).collect();
            prop_assert!(missing.is_empty(), "missing: {:?}", missing);
        }
    }
}
