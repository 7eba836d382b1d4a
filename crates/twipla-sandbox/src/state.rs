//! Everything that the sandbox remembers, behind one lock.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use crate::account::{Account, Website};
use crate::auth::{self, Bearer, RefusedTokens, SignedToken};
use crate::clock::Clock;
use crate::commits::CommitLog;
use crate::faults::Faults;
use crate::record::RequestLog;

/// The state of one sandbox.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) accounts: HashMap<Uuid, Account>,
    /// The accounts as a reset makes them again.
    pub(crate) origin: HashMap<Uuid, Account>,
    /// How often the sandbox was reset.
    pub(crate) resets: u64,
    /// The public key of each partner.
    pub(crate) keys: HashMap<Uuid, DecodingKey>,
    pub(crate) logins: Vec<Login>,
    pub(crate) faults: Faults,
    pub(crate) refused_tokens: RefusedTokens,
    pub(crate) requests: RequestLog,
    pub(crate) commits: CommitLog,
    /// Every change that the console asks for carries it: only its page knows it.
    pub(crate) console_token: String,
    /// Signs the forms of the dashboard, so that nobody else can fill them in.
    pub(crate) form_key: [u8; 32],
}

/// A refresh token that was issued for an API key.
pub(crate) struct Login {
    pub(crate) refresh_token: String,
    pub(crate) website: Uuid,
    pub(crate) until: DateTime<Utc>,
}

/// The state, shared by all connections. One lock for everything: the rules are
/// short, and of several identical creates exactly one must succeed.
pub(crate) struct SharedWorld {
    world: Mutex<World>,
    changed: watch::Sender<()>,
}

impl SharedWorld {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            changed: watch::Sender::new(()),
        }
    }

    /// Tells those who watch that something may have changed.
    pub(crate) fn notify(&self) {
        self.changed.send_replace(());
    }

    /// Sees each change from now on, or the last of several.
    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        // A rule changes state only once nothing can fail any more, so the
        // state is whole even after a panic.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            accounts: HashMap::new(),
            origin: HashMap::new(),
            resets: 0,
            keys: HashMap::new(),
            logins: Vec::new(),
            faults: Faults::default(),
            refused_tokens: RefusedTokens::default(),
            requests: RequestLog::default(),
            commits: CommitLog::default(),
            console_token: hex(&rand::random()),
            form_key: rand::random(),
        }
    }

    /// Puts everything back to how it was at the first start: accounts, time,
    /// faults and logs. The partners stay.
    pub(crate) fn reset(&mut self) {
        self.accounts.clone_from(&self.origin);
        self.logins.clear();
        self.clock.reset();
        self.clear_faults();
        self.requests.clear();
        self.commits.clear();
        self.resets += 1;
    }

    /// Who a token speaks for, by the server's clock; `None` for an invalid one.
    pub(crate) fn bearer(&self, token: &str, now: DateTime<Utc>) -> Option<Bearer> {
        if self.refused_tokens.contains(token, now) {
            return None;
        }
        auth::verify(token, now, |partner| self.keys.get(&partner).cloned())
    }

    /// A token as [`bearer`](Self::bearer) takes it, but for its expiry.
    pub(crate) fn signed_token(&self, token: &str, now: DateTime<Utc>) -> Option<SignedToken> {
        if self.refused_tokens.contains(token, now) {
            return None;
        }
        auth::verify_signed(token, now, |partner| self.keys.get(&partner).cloned())
    }

    /// Removes all faults, and what they left behind.
    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
        self.refused_tokens.clear();
    }

    /// The website that an API key belongs to, if the key is valid at this billing time.
    pub(crate) fn website_of_key(&self, secret: &str, time: DateTime<Utc>) -> Option<&Website> {
        self.accounts
            .values()
            .find_map(|account| account.website_of_key(secret, time))
    }

    /// Everything about the partners, without secrets.
    pub(crate) fn snapshot(&self) -> Value {
        let now = self.clock.billing_time(self.clock.now());
        let mut accounts: Vec<_> = self.accounts.values().collect();
        accounts.sort_by_key(|account| account.id);
        json!({ "partners": accounts.iter().map(|account| account.snapshot(now)).collect::<Vec<_>>() })
    }
}

fn hex(bytes: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*bytes))
}
