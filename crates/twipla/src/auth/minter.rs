//! The tokens of a client: minted once, cached, and refreshed before they expire.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::clock::{Clock, ServerTime};
use super::pending_mint::{MintReceiver, MintResult, PendingMint};
use super::signer::{Signer, SignerError};
use super::signing::current_runtime;
use super::token::{SignerSlot, Token, UnsignedToken};
use crate::ids::{CustomerId, PartnerId};
use crate::retry::server_date;
use crate::{Error, ErrorKind, Result};

/// The longest pause between failed refreshes, while the old token is still valid.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many rejected tokens are replaced immediately. It takes this many to correct a
/// wrong clock, to undo a wrong correction, and to try the other signer.
const FREE_REJECTIONS: u32 = 3;
/// The longest pause between signatures while the server rejects every token.
const LONGEST_REJECTED_PAUSE: Duration = Duration::from_secs(60);
/// Rejections this long ago no longer count, if a later token was accepted.
const RECOVERED_AFTER: Duration = Duration::from_secs(60);
/// How many mints a call waits for. A mint ends without a result if its runtime ends.
const MAX_MINTS: usize = 3;
/// How long a validated token is handed out without revalidation. The clock for
/// this stops while a machine sleeps, and the token's expiry does not: a
/// call right after that may be late by this much.
const CACHED_FOR: Duration = Duration::from_secs(1);
/// Longer than any sensible lifetime, and far from the end of the calendar.
const MAX_LIFETIME: TimeDelta = TimeDelta::days(365);

/// Mints the tokens of one partner.
pub(crate) struct Minter(Arc<Inner>);

struct Inner {
    partner: PartnerId,
    lifetime: TimeDelta,
    clock: Clock,
    /// The token that calls get without a lock. Set under the lock of `state`, so that it
    /// never outlives a change of it.
    cached: ArcSwapOption<CachedToken>,
    /// Serial of the token that the server accepted last.
    accepted: AtomicU64,
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
    /// At most one for each runtime, signer and clock.
    pending: Vec<PendingMint>,
    /// Failed mints since the last one that succeeded.
    failures: Backoff,
    /// The number of rejected tokens that were replaced.
    rejections: Backoff,
    /// Serial of the last of them.
    last_rejected: u64,
    /// The signer was replaced, and the token is still signed by the one before.
    outdated: bool,
    last_number: u64,
}

/// What a call gets that needs a token.
enum TokenOrMint {
    Token(Arc<Token>),
    Mint(MintReceiver),
}

impl Minter {
    pub(crate) fn new(partner: PartnerId, signer: Arc<dyn Signer>, lifetime: Duration) -> Self {
        Self::with_clock(partner, signer, lifetime, Clock::new(Utc::now))
    }

    fn with_clock(
        partner: PartnerId,
        signer: Arc<dyn Signer>,
        lifetime: Duration,
        clock: Clock,
    ) -> Self {
        let lifetime = TimeDelta::from_std(lifetime).unwrap_or(MAX_LIFETIME);
        Self(Arc::new(Inner {
            partner,
            lifetime: lifetime.min(MAX_LIFETIME),
            clock,
            cached: ArcSwapOption::empty(),
            accepted: AtomicU64::new(0),
            state: RwLock::new(State {
                signers: VecDeque::from([SignerSlot { number: 1, signer }]),
                token: None,
                pending: Vec::new(),
                failures: Backoff::default(),
                rejections: Backoff::default(),
                last_rejected: 0,
                outdated: false,
                last_number: 1,
            }),
        }))
    }

    /// Returns the partner that the tokens are for.
    pub(crate) fn partner(&self) -> PartnerId {
        self.0.partner
    }

    /// Returns the server's time, as far as it is known.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.time().now
    }

    /// Records that the server accepted a token, and checks the clock by its response.
    ///
    /// Takes no lock, does not allocate, and reads the `Date` header only while
    /// the clock is corrected: this runs for every successful call.
    pub(crate) fn accepted(&self, token: &Token, headers: &HeaderMap) {
        if self.0.accepted.load(Ordering::Relaxed) != token.serial {
            self.0.accepted.store(token.serial, Ordering::Relaxed);
        }
        if self.0.clock.is_corrected()
            && let Some(date) = server_date(headers)
            && self.0.clock.learn_from_success(token.issued, date)
        {
            self.0.cached.store(None);
        }
    }

    /// Returns the token for partner endpoints, if it needs no revalidation.
    ///
    /// Takes no lock and does not read the system clock: this runs for every call.
    pub(crate) fn cached(&self, now: Instant) -> Option<Arc<Token>> {
        let cached = self.0.cached.load();
        let cached = cached.as_ref()?;
        (now < cached.until).then(|| Arc::clone(&cached.token))
    }

    /// Returns the token for partner endpoints: immediately while one is valid, even if a
    /// refresh is pending, else as soon as the signer has signed one.
    pub(crate) async fn partner_token(&self) -> Result<Arc<Token>> {
        if let Some(token) = self.cached(Instant::now()) {
            return Ok(token);
        }
        for _ in 0..MAX_MINTS {
            match self.0.token_or_mint().map_err(signing_error)? {
                TokenOrMint::Token(token) => return Ok(token),
                TokenOrMint::Mint(mint) => {
                    if let Some(result) = mint.wait().await {
                        return result.map_err(signing_error);
                    }
                }
            }
        }
        Err(signing_error(SignerError::new(
            "the Tokio runtime ended before the signer responded",
        )))
    }

    /// Returns a token to replace one that the server rejected with 401: a newer one if
    /// there is one, else a newly signed one. `None` if tokens are rejected
    /// repeatedly: every signature may cost money, so another one has to wait.
    ///
    /// If the token should have been valid, something is changed for the next one:
    /// the clock, by the `Date` header of the response, or else the signer, if it was
    /// replaced before. The server may not know the new key yet, or no longer know
    /// the old one.
    pub(crate) async fn refresh_after_rejection(
        &self,
        rejected: &Token,
        date: Option<DateTime<Utc>>,
    ) -> Result<Option<Arc<Token>>> {
        {
            let (now, time) = (Instant::now(), self.0.clock.time());
            let mut state = self.0.write();
            let in_use = state.token.clone();
            if let Some(token) = in_use.filter(|token| token.serial == rejected.serial) {
                // The rejection of a token that expired in transit says nothing about its clock and key.
                if token.is_usable(time) {
                    let accepted = self.0.accepted.load(Ordering::Relaxed);
                    if !state.may_replace(&token, accepted, now) {
                        // If it was accepted before, it may be accepted again.
                        return Ok((accepted == token.serial).then_some(token));
                    }
                    self.0.clock.learn_from_rejection(date);
                    if token.is_usable(self.0.clock.time()) {
                        state.try_other_signer(token.signer);
                    }
                }
                state.token = None;
                self.0.cached.store(None);
            }
        }
        self.partner_token().await.map(Some)
    }

    /// Mints a token that lets `customer` open the dashboard. A new one each time.
    pub(crate) async fn customer_token(&self, customer: &CustomerId) -> Result<Token> {
        let signers = self.0.read().signers.clone();
        let (time, lifetime) = (self.0.clock.time(), self.0.lifetime);
        let unsigned = UnsignedToken::new(self.0.partner, Some(customer), time, lifetime, 0);
        let signed = unsigned.map_err(signing_error)?.sign(signers).await;
        signed.map_err(signing_error)
    }

    /// Signs with another key from now on. No call fails because of this: the
    /// cached token is used until the new signer has signed one, and the previous
    /// signer is used if the new one fails or the server does not know its key yet.
    pub(crate) fn replace_signer(&self, signer: Arc<dyn Signer>) {
        let mut state = self.0.write();
        self.0.cached.store(None);
        state.last_number += 1;
        let number = state.last_number;
        let unused = state.signers.split_off(1);
        state.signers.push_front(SignerSlot { number, signer });
        state.outdated = state.token.is_some();
        state.failures = Backoff::default();
        state.rejections = Backoff::default();
        drop(state);
        // Dropping may run code of the caller, so the lock is released before.
        drop(unused);
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
    /// Returns the token, if it is usable and no mint needs to be started.
    fn fresh_token(&self, now: Instant, time: ServerTime) -> Option<Arc<Token>> {
        let token = self.token.as_ref().filter(|token| token.is_usable(time))?;
        let due = time.now >= token.refresh_at || self.outdated;
        let signer = self.first_signer();
        let is_pending = |mint: &PendingMint| mint.is_alive(now) && mint.is_current(signer, time);
        let wait = || self.failures.is_pausing(now) || self.pending.iter().any(is_pending);
        (!due || wait()).then(|| Arc::clone(token))
    }

    /// Returns the number of the signer that is asked first.
    fn first_signer(&self) -> u64 {
        self.signers.front().map_or(0, |first| first.number)
    }

    /// Returns whether to sign another token in place of a rejected one. `accepted` is the
    /// serial of the token that was accepted last.
    fn may_replace(&mut self, rejected: &Token, accepted: u64, now: Instant) -> bool {
        let replacement_worked = accepted > self.last_rejected;
        if replacement_worked && !self.rejections.has_failed_within(RECOVERED_AFTER, now) {
            self.rejections = Backoff::default();
        }
        let allowed =
            self.rejections.failures() < FREE_REJECTIONS || !self.rejections.is_pausing(now);
        if allowed {
            self.rejections.record(now, LONGEST_REJECTED_PAUSE);
            self.last_rejected = rejected.serial;
        }
        allowed
    }

    /// Moves the other signer, if there is one, to the front, before the rejected one.
    fn try_other_signer(&mut self, rejected: u64) {
        if self.first_signer() == rejected {
            self.signers.rotate_left(1);
        }
    }
}

impl Inner {
    // The state behind a poisoned lock is valid: nothing can leave it half changed.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Caches this token for the next calls, but not if a refresh is due.
    /// The caller holds the lock of `state`.
    fn cache(&self, token: &Arc<Token>, time: ServerTime) {
        let left = token.refresh_at.signed_duration_since(time.now);
        if let Ok(left) = left.to_std() {
            self.cached.store(Some(Arc::new(CachedToken {
                token: Arc::clone(token),
                until: Instant::now() + left.min(CACHED_FOR),
            })));
        }
    }

    /// Returns the token if one is usable, or the mint to wait for. Starts a mint if one is due.
    fn token_or_mint(self: &Arc<Self>) -> Result<TokenOrMint, SignerError> {
        let (now, time) = (Instant::now(), self.clock.time());
        {
            let state = self.read();
            if let Some(token) = state.fresh_token(now, time) {
                self.cache(&token, time);
                return Ok(TokenOrMint::Token(token));
            }
        }
        let mut state = self.write();
        // Another call may have been faster, or may have corrected the clock.
        let time = self.clock.time();
        if let Some(token) = state.fresh_token(now, time) {
            return Ok(TokenOrMint::Token(token));
        }
        let mint = self.join_or_start(&mut state, now, time);
        match &state.token {
            Some(token) if token.is_usable(time) => Ok(TokenOrMint::Token(Arc::clone(token))),
            _ => mint.map(TokenOrMint::Mint),
        }
    }

    /// Joins the mint that is pending on this runtime. Starts one if there is none,
    /// or if it uses a signer or a clock that was replaced since.
    fn join_or_start(
        self: &Arc<Self>,
        state: &mut State,
        now: Instant,
        time: ServerTime,
    ) -> Result<MintReceiver, SignerError> {
        let runtime = current_runtime()?;
        state.pending.retain(|mint| mint.is_alive(now));
        let signer = state.first_signer();
        let mut pending = state.pending.iter();
        let joined = pending.find(|mint| mint.runs_on(&runtime) && mint.is_current(signer, time));
        if let Some(mint) = joined {
            return Ok(mint.receiver());
        }
        state.last_number += 1;
        let serial = state.last_number;
        let unsigned = UnsignedToken::new(self.partner, None, time, self.lifetime, serial)?;
        let signers = state.signers.clone();
        // Weak, so that the task does not keep an unused client alive.
        let inner = Arc::downgrade(self);
        let mint = async move {
            let result = unsigned.sign(signers).await.map(Arc::new);
            if let Some(inner) = inner.upgrade() {
                inner.finish(serial, &result);
            }
            result
        };
        let mint = PendingMint::spawn(&runtime, serial, signer, time, mint);
        let receiver = mint.receiver();
        state.pending.push(mint);
        Ok(receiver)
    }

    /// Stores the result of a mint, unless it was given up, or its signer or
    /// clock was replaced since.
    fn finish(&self, serial: u64, result: &MintResult) {
        let mut state = self.write();
        let Some(index) = state.pending.iter().position(|it| it.serial == serial) else {
            return;
        };
        let mint = state.pending.swap_remove(index);
        if !mint.is_current(state.first_signer(), self.clock.time()) {
            return;
        }
        self.cached.store(None);
        match result {
            Ok(token) => {
                // The second signer signed it because the first could not.
                if state.first_signer() != token.signer {
                    state.signers.rotate_left(1);
                }
                state.token = Some(Arc::clone(token));
                state.failures = Backoff::default();
                state.outdated = false;
            }
            Err(error) => {
                state.failures.record(Instant::now(), LONGEST_PAUSE);
                drop(state);
                tracing::warn!(error = %error, "cannot sign a token");
            }
        }
    }
}

fn signing_error(error: SignerError) -> Error {
    let message = format!("cannot sign a token: {error}");
    Error::new(ErrorKind::Signing, message).with_source(error)
}

#[cfg(test)]
mod tests;
