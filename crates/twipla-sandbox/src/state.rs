//! The state of a sandbox, behind one lock.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use crate::account::{Account, Website};
use crate::auth::{self, Bearer, RejectedTokens, SignedToken};
use crate::clock::Clock;
use crate::commits::CommitLog;
use crate::faults::Faults;
use crate::record::RequestLog;

/// The state of one sandbox.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) accounts: HashMap<Uuid, Account>,
    /// The accounts to restore on a reset.
    pub(crate) origin: HashMap<Uuid, Account>,
    /// The number of resets so far.
    pub(crate) resets: u64,
    /// The public key of each partner.
    pub(crate) keys: HashMap<Uuid, DecodingKey>,
    pub(crate) logins: Vec<Login>,
    pub(crate) faults: Faults,
    pub(crate) rejected_tokens: RejectedTokens,
    pub(crate) requests: RequestLog,
    pub(crate) commits: CommitLog,
    /// Required for every change made by the console: only its own page knows
    /// it.
    pub(crate) console_token: String,
    /// Key that signs the forms of the dashboard, so that they cannot be
    /// forged.
    pub(crate) form_key: [u8; 32],
}

/// A refresh token that was issued for an API key.
pub(crate) struct Login {
    pub(crate) refresh_token: String,
    pub(crate) website: Uuid,
    pub(crate) until: DateTime<Utc>,
}

/// The state, shared by all connections. A single lock suffices because the
/// rules are short, and it makes exactly one of several identical creates
/// succeed.
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

    /// Notifies watchers that something may have changed.
    pub(crate) fn notify(&self) {
        self.changed.send_replace(());
    }

    /// Returns a receiver that is notified of changes from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        // A rule changes the state only after its last check, so the state is
        // consistent even after a panic.
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
            rejected_tokens: RejectedTokens::default(),
            requests: RequestLog::default(),
            commits: CommitLog::default(),
            console_token: Uuid::new_v4().simple().to_string(),
            form_key: rand::random(),
        }
    }

    /// Restores the initial accounts, time, faults and logs. Keeps the
    /// partners.
    pub(crate) fn reset(&mut self) {
        self.accounts.clone_from(&self.origin);
        self.logins.clear();
        self.clock.reset();
        self.clear_faults();
        self.requests.clear();
        self.commits.clear();
        self.resets += 1;
    }

    /// Returns the owner of a token, validated with the server's clock, or
    /// `None` if the token is invalid.
    pub(crate) fn bearer(&self, token: &str, now: DateTime<Utc>) -> Option<Bearer> {
        if self.rejected_tokens.contains(token, now) {
            return None;
        }
        auth::verify(token, now, |partner| self.keys.get(&partner).cloned())
    }

    /// Like [`bearer`](Self::bearer), but accepts an expired token.
    pub(crate) fn signed_token(&self, token: &str, now: DateTime<Utc>) -> Option<SignedToken> {
        if self.rejected_tokens.contains(token, now) {
            return None;
        }
        auth::verify_signed(token, now, |partner| self.keys.get(&partner).cloned())
    }

    /// Removes all faults and their effects on tokens.
    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
        self.rejected_tokens.clear();
    }

    /// Returns the website of an API key that is valid at this billing time.
    pub(crate) fn website_of_key(&self, secret: &str, time: DateTime<Utc>) -> Option<&Website> {
        self.accounts
            .values()
            .find_map(|account| account.website_of_key(secret, time))
    }

    /// Returns the data of all partners, without secrets.
    pub(crate) fn snapshot(&self) -> Value {
        let now = self.clock.billing_time(self.clock.now());
        let mut accounts: Vec<_> = self.accounts.values().collect();
        accounts.sort_by_key(|account| account.id);
        json!({ "partners": accounts.iter().map(|account| account.snapshot(now)).collect::<Vec<_>>() })
    }
}
