//! The tokens of a client: minted once, cached, and refreshed before they expire.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{BoxFuture, Shared};
use tokio::time::Instant;

use super::clock::{Clock, ServerTime, clock_moved, later};
use super::pending_mint::{MintResult, PendingMint, spawn};
use super::signer::{Signer, SignerError};
use super::token::{SignerSlot, Token, UnsignedToken};
use crate::ids::{CustomerId, PartnerId};
use crate::{Error, ErrorKind, Result};

/// Pauses between failed refreshes, while the old token is still valid.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a validated token is handed out without revalidation. The clock for
/// this stands still while a machine sleeps, and the token's expiry does not: a
/// call right after that may be late by this much.
const CACHED_FOR: Duration = Duration::from_secs(1);
/// Beyond any use, and far from the end of the calendar.
const MAX_LIFETIME: TimeDelta = TimeDelta::days(365);

/// Mints the tokens of one partner.
pub(crate) struct Minter(Arc<Inner>);

struct Inner {
    partner: PartnerId,
    lifetime: TimeDelta,
    clock: Clock,
    /// What calls get without a lock. Set under the lock of `state`, so that it
    /// never outlives a change of it.
    cached: ArcSwapOption<CachedToken>,
    state: RwLock<State>,
}

/// A token that needs no revalidation until some moment.
struct CachedToken {
    token: Arc<Token>,
    until: Instant,
}

struct State {
    /// The signer in use, followed by the one before it, if it was replaced.
    signers: VecDeque<SignerSlot>,
    token: Option<Arc<Token>>,
    pending: Option<PendingMint>,
    failures: u32,
    /// A failed refresh is not tried again before this.
    pause_until: Option<DateTime<Utc>>,
    /// The signer was replaced, and the token is still by the one before.
    outdated: bool,
    last_number: u64,
}

/// A pending mint to wait for.
struct Joined {
    result: Shared<BoxFuture<'static, MintResult>>,
    /// Its serial, for the one who started it.
    started: Option<u64>,
    /// The mint that it replaces, to be dropped outside the lock.
    replaced: Option<PendingMint>,
}

impl Minter {
    pub(crate) fn new(partner: PartnerId, signer: Arc<dyn Signer>, lifetime: Duration) -> Self {
        let lifetime = TimeDelta::from_std(lifetime).unwrap_or(MAX_LIFETIME);
        Self(Arc::new(Inner {
            partner,
            lifetime: lifetime.min(MAX_LIFETIME),
            clock: Clock::new(),
            cached: ArcSwapOption::empty(),
            state: RwLock::new(State {
                signers: VecDeque::from([SignerSlot { number: 1, signer }]),
                token: None,
                pending: None,
                failures: 0,
                pause_until: None,
                outdated: false,
                last_number: 1,
            }),
        }))
    }

    /// The server's time, as far as it is known.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.time().now
    }

    /// Sets the clock by the `Date` header of a response. Differences of more
    /// than 24 hours are ignored.
    pub(crate) fn learn_clock(&self, server_date: DateTime<Utc>) {
        if !self.0.clock.learn(server_date) {
            tracing::warn!(
                server_date = %server_date,
                "ignoring the server's Date header: it is more than a day off"
            );
        }
        let _state = self.0.write();
        self.0.cached.store(None);
    }

    /// The token for partner endpoints, if it needs no revalidation.
    ///
    /// Takes no lock and reads no calendar: every call passes here.
    pub(crate) fn cached(&self, now: Instant) -> Option<Arc<Token>> {
        let cached = self.0.cached.load();
        let cached = cached.as_ref()?;
        (now < cached.until).then(|| Arc::clone(&cached.token))
    }

    /// The token for partner endpoints: at once while one is valid, even if a
    /// refresh is pending, else as soon as the signer has made one.
    pub(crate) async fn partner_token(&self) -> Result<Arc<Token>> {
        if let Some(token) = self.cached(Instant::now()) {
            return Ok(token);
        }
        let time = self.0.clock.time();
        {
            let state = self.0.read();
            if let Some(token) = state.fresh_token(time) {
                self.0.cache(&state, &token, time);
                return Ok(token);
            }
        }
        let (old, mut mint) = {
            let mut state = self.0.write();
            // Another call may have been faster.
            if let Some(token) = state.fresh_token(time) {
                return Ok(token);
            }
            let old = state.token.clone().filter(|token| token.is_usable(time));
            (old, self.0.join_or_start(&mut state, time.skew))
        };
        self.spawn(&mut mint);
        match (old, mint.result.peek()) {
            (_, Some(Ok(new))) => Ok(Arc::clone(new)),
            (Some(old), _) => Ok(old),
            (None, _) => mint.result.await.map_err(signing_error),
        }
    }

    /// A token to replace one that the server rejected with 401: a newer one if
    /// there already is one, else a newly signed one.
    ///
    /// Call [`learn_clock`](Self::learn_clock) first. If the token should have
    /// been accepted, and the signer was replaced before, the other of the two
    /// signs: the server may not know the new key yet, or no longer know the old one.
    pub(crate) async fn refresh_after_rejection(&self, rejected: &Token) -> Result<Arc<Token>> {
        let time = self.0.clock.time();
        let (mut mint, discarded) = {
            let mut state = self.0.write();
            let mut discarded = None;
            self.0.cached.store(None);
            match &state.token {
                Some(token) if token.serial != rejected.serial && token.is_usable(time) => {
                    return Ok(Arc::clone(token));
                }
                Some(token) if token.serial == rejected.serial => {
                    state.token = None;
                    // A token that expired on its way says nothing about its key.
                    if rejected.is_usable(time) && state.try_other_signer(rejected.signer) {
                        discarded = state.pending.take();
                    }
                }
                _ => {}
            }
            (self.0.join_or_start(&mut state, time.skew), discarded)
        };
        drop(discarded);
        self.spawn(&mut mint);
        mint.result.await.map_err(signing_error)
    }

    /// A token that lets `customer` open the dashboard. A new one each time.
    pub(crate) async fn customer_token(&self, customer: &CustomerId) -> Result<Token> {
        let signers = self.0.read().signers.clone();
        let unsigned = self.0.unsigned(Some(customer), 0).map_err(signing_error)?;
        unsigned.sign(signers).await.map_err(signing_error)
    }

    /// Signs with another key from now on. No call fails because of this: the
    /// cached token is used until the new signer has made one, and the signer
    /// before it signs where the new one fails or the server does not know its key yet.
    pub(crate) fn replace_signer(&self, signer: Arc<dyn Signer>) {
        let discarded = {
            let mut state = self.0.write();
            self.0.cached.store(None);
            state.last_number += 1;
            let number = state.last_number;
            state.signers.truncate(1);
            state.signers.push_front(SignerSlot { number, signer });
            state.outdated = state.token.is_some();
            state.failures = 0;
            state.pause_until = None;
            state.pending.take()
        };
        drop(discarded);
    }

    /// Lets the runtime drive a mint that was just started.
    fn spawn(&self, mint: &mut Joined) {
        drop(mint.replaced.take());
        let Some(serial) = mint.started else {
            return;
        };
        let Some(task) = spawn(&mint.result) else {
            return;
        };
        let mut state = self.0.write();
        if let Some(pending) = state.pending.as_mut().filter(|it| it.serial == serial) {
            pending.driven_by(task);
        }
    }
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minter")
            .field("partner", &self.0.partner)
            .field("lifetime", &self.0.lifetime)
            .finish_non_exhaustive()
    }
}

impl State {
    /// The token, if it is usable and no mint needs to be started.
    fn fresh_token(&self, time: ServerTime) -> Option<Arc<Token>> {
        let token = self.token.as_ref().filter(|token| token.is_usable(time))?;
        let due = time.now >= token.refresh_at || self.outdated;
        let paused = self.pause_until.is_some_and(|until| time.now < until);
        (!due || paused || self.pending.is_some()).then(|| Arc::clone(token))
    }

    /// Moves the other signer to the front, if the rejected one is there and there is another.
    fn try_other_signer(&mut self, rejected: u64) -> bool {
        let in_use = self.signers.front().map(|first| first.number);
        let other = self.signers.len() > 1 && in_use == Some(rejected);
        if other {
            self.signers.rotate_left(1);
        }
        other
    }
}

impl Inner {
    // The state behind a poisoned lock is sound: only code of this module runs under it.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands this token to the next calls without a lock, until a refresh is due.
    fn cache(&self, state: &State, token: &Arc<Token>, time: ServerTime) {
        let left = token.refresh_at.signed_duration_since(time.now).to_std();
        if let (false, Ok(left)) = (state.outdated, left) {
            self.cached.store(Some(Arc::new(CachedToken {
                token: Arc::clone(token),
                until: Instant::now() + left.min(CACHED_FOR),
            })));
        }
    }

    /// Joins the pending mint. Starts one if there is none, or if it goes by a wrong clock.
    fn join_or_start(self: &Arc<Self>, state: &mut State, skew: TimeDelta) -> Joined {
        let pending = state.pending.as_ref();
        if let Some(pending) = pending.filter(|it| !clock_moved(it.skew, skew)) {
            return Joined {
                result: pending.result.clone(),
                started: None,
                replaced: None,
            };
        }
        state.last_number += 1;
        let serial = state.last_number;
        let signers = state.signers.clone();
        let unsigned = self.unsigned(None, serial);
        // Weak, because `state` keeps the future.
        let inner = Arc::downgrade(self);
        let mint = PendingMint::new(serial, skew, async move {
            let result = match unsigned {
                Ok(unsigned) => unsigned.sign(signers).await.map(Arc::new),
                Err(error) => Err(error),
            };
            if let Some(inner) = inner.upgrade() {
                inner.finish(serial, &result);
            }
            result
        });
        Joined {
            result: mint.result.clone(),
            started: Some(serial),
            replaced: state.pending.replace(mint),
        }
    }

    /// Takes over the result of a mint, unless another mint took its place.
    fn finish(&self, serial: u64, result: &MintResult) {
        let mut state = self.write();
        if state.pending.as_ref().is_none_or(|it| it.serial != serial) {
            return;
        }
        let finished = state.pending.take();
        self.cached.store(None);
        match result {
            Ok(token) => {
                // The second signer made it because the first could not.
                if state.signers.front().map(|first| first.number) != Some(token.signer) {
                    state.signers.rotate_left(1);
                }
                state.token = Some(Arc::clone(token));
                state.failures = 0;
                state.pause_until = None;
                state.outdated = false;
            }
            Err(error) => {
                let pause = FIRST_PAUSE
                    .saturating_mul(1 << state.failures.min(8))
                    .min(LONGEST_PAUSE)
                    .mul_f64(0.5 + fastrand::f64() / 2.0);
                state.failures = state.failures.saturating_add(1);
                state.pause_until = Some(later(
                    self.clock.time().now,
                    TimeDelta::from_std(pause).unwrap_or_else(|_| TimeDelta::zero()),
                ));
                tracing::warn!(error = %error, "cannot sign a token");
            }
        }
        drop(state);
        // Outside the lock: this may drop a future of the caller's own signer.
        drop(finished);
    }

    fn unsigned(
        &self,
        customer: Option<&CustomerId>,
        serial: u64,
    ) -> Result<UnsignedToken, SignerError> {
        let time = self.clock.time();
        UnsignedToken::new(self.partner, customer, time, self.lifetime, serial)
    }
}

fn signing_error(error: SignerError) -> Error {
    let message = format!("cannot sign a token: {error}");
    Error::new(ErrorKind::Signing, message).with_source(error)
}

#[cfg(test)]
mod tests;
