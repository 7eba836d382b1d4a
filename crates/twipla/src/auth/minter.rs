//! The tokens of a client: minted once, kept, renewed in time.
//!
//! A mint is a *flight*: a future that all who need its token share. Dropping
//! one of them loses nothing, for the flight is kept here and, if its first poll
//! does not finish it (as it does with a key in this process), the runtime
//! drives it on. It could be left to the next caller instead, but a future that
//! nobody polls may hold a lock of the signer's that others wait for.

use std::collections::VecDeque;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use http::HeaderValue;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::claims::Draft;
use super::clock::{Clock, later};
use super::signer::{Signer, SignerError};
use crate::ids::{CustomerId, PartnerId};
use crate::secret::Secret;
use crate::{Error, ErrorKind, Result};

/// How long a signer may take.
const SIGN_TIMEOUT: Duration = Duration::from_secs(30);
/// A token is renewed when this part of its life is over: a different part each
/// time, so that many processes do not ask their signer at the same moment.
const RENEW_AFTER: std::ops::Range<f64> = 0.70..0.85;
/// The most that a token is left unused at its end, for the way to the server.
const MAX_MARGIN: TimeDelta = TimeDelta::seconds(15);
/// Clocks this far apart explain a refused token. A `Date` header is good to
/// about a second.
const CLOCK_MOVED: TimeDelta = TimeDelta::seconds(5);
/// Pauses between failed renewals, while the old token lasts.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A token that was looked at is given out for so long without another look. This clock stands still while a machine
/// sleeps, and the token's end does not: a second is what a call after that may come too late.
const SETTLED_FOR: Duration = Duration::from_secs(1);
/// Beyond any use, and far from the end of the calendar.
const MAX_LIFETIME: TimeDelta = TimeDelta::days(365);
/// Sizes of RS256 signatures: keys of 2048 to 8192 bits.
const SIGNATURE_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// A signed token and its end.
///
/// It is a credential until then: `Debug` shows the expiry alone.
pub struct Token {
    text: Secret,
    header_value: HeaderValue,
    expires_at: DateTime<Utc>,
    /// Last moment at which it is given out.
    usable_until: DateTime<Utc>,
    /// When it is time for the next one.
    renew_at: DateTime<Utc>,
    /// Which mint made it; 0 for a customer's token.
    serial: u64,
    /// Which key signed it.
    signer: u64,
    /// By which clock.
    skew: TimeDelta,
}

impl Token {
    /// The token (a JWT) as it follows `Bearer`. Keep it out of logs.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// When it ends, by the server's clock as far as that is known.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// `Bearer <token>`, marked as sensitive.
    pub(crate) fn header_value(&self) -> &HeaderValue {
        &self.header_value
    }

    /// A token that was issued by a clock since found wrong may be one that is
    /// expired or not yet valid for the server.
    fn usable(&self, moment: Moment) -> bool {
        moment.now < self.usable_until && !moved(moment.skew, self.skew)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Mints the tokens of one partner.
pub(crate) struct Minter(Arc<Inner>);

struct Inner {
    partner: PartnerId,
    lifetime: TimeDelta,
    clock: Clock,
    /// What callers get without a look at the state; set under its lock, so that it never outlives a change of it.
    settled: ArcSwapOption<Settled>,
    state: RwLock<State>,
}

/// A token that needs no second look until some moment.
struct Settled {
    token: Arc<Token>,
    until: Instant,
}

struct State {
    /// The key in use, and behind it the one before, if the key was changed.
    signers: VecDeque<Numbered>,
    token: Option<Arc<Token>>,
    flight: Option<InFlight>,
    failures: u32,
    /// Not before this is a failed renewal tried again.
    pause_until: Option<DateTime<Utc>>,
    /// The key was changed, and the token is still the old one's.
    outdated: bool,
    last_number: u64,
}

#[derive(Clone)]
struct Numbered {
    number: u64,
    signer: Arc<dyn Signer>,
}

type Flight = Shared<BoxFuture<'static, Result<Arc<Token>, SignerError>>>;

struct InFlight {
    serial: u64,
    flight: Flight,
    skew: TimeDelta,
    /// Ends the task that drives the flight when nobody can want it any more.
    task: Option<AbortOnDrop>,
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A flight to wait for.
struct Boarding {
    flight: Flight,
    /// Its serial, for the one who started it.
    started: Option<u64>,
    /// The flight that it takes the place of, to be dropped outside the lock.
    replaced: Option<InFlight>,
}

/// What the clock showed when a call looked.
#[derive(Clone, Copy)]
struct Moment {
    now: DateTime<Utc>,
    skew: TimeDelta,
}

impl Minter {
    /// Signs nothing yet.
    pub(crate) fn new(partner: PartnerId, signer: Arc<dyn Signer>, lifetime: Duration) -> Self {
        Self(Arc::new(Inner {
            partner,
            lifetime: TimeDelta::from_std(lifetime)
                .map_or(MAX_LIFETIME, |lifetime| lifetime.min(MAX_LIFETIME)),
            clock: Clock::new(),
            settled: ArcSwapOption::empty(),
            state: RwLock::new(State {
                signers: VecDeque::from([Numbered { number: 1, signer }]),
                token: None,
                flight: None,
                failures: 0,
                pause_until: None,
                outdated: false,
                last_number: 1,
            }),
        }))
    }

    /// Who the tokens are for.
    pub(crate) fn partner(&self) -> PartnerId {
        self.0.partner
    }

    /// The server's time, as far as it is known.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// Sets the clock by the `Date` header of an answer. Differences over 24
    /// hours are not believed.
    pub(crate) fn learn_clock(&self, server_date: DateTime<Utc>) {
        if !self.0.clock.learn(server_date) {
            tracing::warn!(
                server_date = %server_date,
                "the server's Date header is more than a day off and is not believed"
            );
        }
        let _state = self.0.write();
        self.0.settled.store(None);
    }

    /// The token for partner endpoints, if it needs no second look.
    ///
    /// Neither a lock nor the calendar: this is on the way of every call.
    pub(crate) fn settled(&self, now: Instant) -> Option<Arc<Token>> {
        let settled = self.0.settled.load();
        let settled = settled.as_ref()?;
        (now < settled.until).then(|| Arc::clone(&settled.token))
    }

    /// The token for partner endpoints. It comes at once while one is valid,
    /// even while the next one is on its way; else when the signer made it.
    pub(crate) async fn partner_token(&self) -> Result<Arc<Token>> {
        if let Some(token) = self.settled(Instant::now()) {
            return Ok(token);
        }
        let moment = self.0.moment();
        {
            let state = self.0.read();
            if let Some(token) = state.settled_token(moment) {
                self.0.settle(&state, &token, moment);
                return Ok(token);
            }
        }
        let (old, mut boarding) = {
            let mut state = self.0.write();
            // Someone else may have been faster.
            if let Some(token) = state.settled_token(moment) {
                return Ok(token);
            }
            let old = state.token.clone().filter(|token| token.usable(moment));
            (old, self.0.board(&mut state, moment.skew))
        };
        self.drive(&mut boarding);
        match (old, boarding.flight.peek()) {
            (_, Some(Ok(new))) => Ok(Arc::clone(new)),
            (Some(old), _) => Ok(old),
            (None, _) => boarding.flight.await.map_err(signing),
        }
    }

    /// A token in place of one that the server refused with 401: a newer one if
    /// there is one by now, else a newly signed one.
    ///
    /// Learn the clock before. If the token should have been good, and the key
    /// was changed before, the other one of the two keys signs: the server may
    /// not know the new one yet, or the old one any more.
    pub(crate) async fn refresh_after_rejection(&self, rejected: &Token) -> Result<Arc<Token>> {
        let moment = self.0.moment();
        let (mut boarding, discarded) = {
            let mut state = self.0.write();
            let mut discarded = None;
            self.0.settled.store(None);
            match &state.token {
                Some(token) if token.serial != rejected.serial && token.usable(moment) => {
                    return Ok(Arc::clone(token));
                }
                Some(token) if token.serial == rejected.serial => {
                    state.token = None;
                    // One that expired on its way says nothing about its key.
                    let was_good = rejected.usable(moment);
                    if was_good && state.try_other_key(rejected.signer) {
                        discarded = state.flight.take();
                    }
                }
                _ => {}
            }
            (self.0.board(&mut state, moment.skew), discarded)
        };
        drop(discarded);
        self.drive(&mut boarding);
        boarding.flight.await.map_err(signing)
    }

    /// A token that lets `customer` see the dashboard. Signed anew each time.
    pub(crate) async fn customer_token(&self, customer: &CustomerId) -> Result<Token> {
        let signers = self.0.read().signers.clone();
        let order = self.0.order(Some(customer), 0).map_err(signing)?;
        order.mint(signers).await.map_err(signing)
    }

    /// Lets another key sign from now on. No call fails over it: the token at
    /// hand serves until the new key made one, and the key before stands in
    /// where the new one cannot sign or the server does not know it yet.
    pub(crate) fn replace_signer(&self, signer: Arc<dyn Signer>) {
        let discarded = {
            let mut state = self.0.write();
            self.0.settled.store(None);
            state.last_number += 1;
            let number = state.last_number;
            state.signers.truncate(1);
            state.signers.push_front(Numbered { number, signer });
            state.outdated = state.token.is_some();
            state.failures = 0;
            state.pause_until = None;
            state.flight.take()
        };
        drop(discarded);
    }

    /// Gives a new flight its first poll, and what is left of it to the runtime.
    fn drive(&self, boarding: &mut Boarding) {
        drop(boarding.replaced.take());
        let Some(serial) = boarding.started else {
            return;
        };
        if boarding.flight.clone().now_or_never().is_some() {
            return;
        }
        // Without a runtime, those who wait for the flight drive it.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let task = AbortOnDrop(
            runtime
                .spawn(boarding.flight.clone().map(drop))
                .abort_handle(),
        );
        let mut state = self.0.write();
        if let Some(current) = state
            .flight
            .as_mut()
            .filter(|current| current.serial == serial)
        {
            current.task = Some(task);
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
    /// The token, if it is good and nothing needs to be started.
    fn settled_token(&self, moment: Moment) -> Option<Arc<Token>> {
        let token = self.token.as_ref().filter(|token| token.usable(moment))?;
        let due = moment.now >= token.renew_at || self.outdated;
        let paused = self.pause_until.is_some_and(|until| moment.now < until);
        (!due || paused || self.flight.is_some()).then(|| Arc::clone(token))
    }

    /// Puts the other key first, if `refused` is the one in use and there is another.
    fn try_other_key(&mut self, refused: u64) -> bool {
        let other = self.signers.len() > 1
            && self
                .signers
                .front()
                .is_some_and(|first| first.number == refused);
        if other {
            self.signers.rotate_left(1);
        }
        other
    }
}

impl Inner {
    // A poisoned lock holds sound state: no code of others runs under it.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the next calls have this token at once, as long as nothing needs to be started.
    fn settle(&self, state: &State, token: &Arc<Token>, moment: Moment) {
        let renewal = token.renew_at.signed_duration_since(moment.now).to_std();
        if let (false, Ok(time)) = (state.outdated, renewal) {
            self.settled.store(Some(Arc::new(Settled {
                token: Arc::clone(token),
                until: Instant::now() + time.min(SETTLED_FOR),
            })));
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            now: self.clock.now(),
            skew: self.clock.skew(),
        }
    }

    /// Joins the flight under way, or starts one if there is none, or one that
    /// goes by a wrong clock.
    fn board(self: &Arc<Self>, state: &mut State, skew: TimeDelta) -> Boarding {
        if let Some(current) = state
            .flight
            .as_ref()
            .filter(|current| !moved(current.skew, skew))
        {
            return Boarding {
                flight: current.flight.clone(),
                started: None,
                replaced: None,
            };
        }
        state.last_number += 1;
        let serial = state.last_number;
        let signers = state.signers.clone();
        let order = self.order(None, serial);
        // Weak, for the flight is kept in what it would keep alive.
        let inner = Arc::downgrade(self);
        let flight = async move {
            let outcome = match order {
                Ok(order) => order.mint(signers).await.map(Arc::new),
                Err(error) => Err(error),
            };
            if let Some(inner) = inner.upgrade() {
                inner.land(serial, &outcome);
            }
            outcome
        }
        .boxed()
        .shared();
        let replaced = state.flight.replace(InFlight {
            serial,
            flight: flight.clone(),
            skew,
            task: None,
        });
        Boarding {
            flight,
            started: Some(serial),
            replaced,
        }
    }

    /// Notes what became of a flight, unless another one took its place.
    fn land(&self, serial: u64, outcome: &Result<Arc<Token>, SignerError>) {
        let mut state = self.write();
        if state
            .flight
            .as_ref()
            .is_none_or(|current| current.serial != serial)
        {
            return;
        }
        let landed = state.flight.take();
        self.settled.store(None);
        match outcome {
            Ok(token) => {
                // The second key made it because the first could not.
                if state
                    .signers
                    .front()
                    .is_some_and(|first| first.number != token.signer)
                {
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
                    self.clock.now(),
                    TimeDelta::from_std(pause).unwrap_or_else(|_| TimeDelta::zero()),
                ));
                tracing::warn!(error = %error, "no new token: the signer failed");
            }
        }
        drop(state);
        // Outside the lock: this may drop a future of the caller's own signer.
        drop(landed);
    }

    fn order(&self, customer: Option<&CustomerId>, serial: u64) -> Result<Order, SignerError> {
        let Moment { now, skew } = self.moment();
        let draft = Draft::new(self.partner, customer, now, self.lifetime)
            .map_err(|error| SignerError::new("the claims cannot be written").with_source(error))?;
        Ok(Order {
            draft,
            lifetime: self.lifetime,
            serial,
            skew,
        })
    }
}

/// A token to be signed.
struct Order {
    draft: Draft,
    lifetime: TimeDelta,
    serial: u64,
    skew: TimeDelta,
}

impl Order {
    /// Signs with the first key that can.
    async fn mint(self, signers: VecDeque<Numbered>) -> Result<Token, SignerError> {
        let mut failure = SignerError::new("there is no signer");
        for Numbered { number, signer } in signers {
            match signature(&*signer, self.draft.message.as_bytes()).await {
                Ok(signature) => return self.seal(&signature, number),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn seal(self, signature: &[u8], signer: u64) -> Result<Token, SignerError> {
        let Draft {
            issued_at,
            expires_at,
            ..
        } = self.draft;
        let text = self.draft.seal(signature);
        let mut header_value = HeaderValue::try_from(format!("Bearer {text}"))
            .map_err(|error| SignerError::new("the token fits no header").with_source(error))?;
        header_value.set_sensitive(true);
        let margin = (self.lifetime / 20).min(MAX_MARGIN);
        let life = self.lifetime.to_std().unwrap_or(Duration::ZERO);
        let part = RENEW_AFTER.start + fastrand::f64() * (RENEW_AFTER.end - RENEW_AFTER.start);
        let before_renewal = life.mul_f64(part);
        Ok(Token {
            text: Secret::from(text),
            header_value,
            expires_at,
            usable_until: later(expires_at, -margin),
            renew_at: later(
                issued_at,
                TimeDelta::from_std(before_renewal).unwrap_or(self.lifetime),
            ),
            serial: self.serial,
            signer,
            skew: self.skew,
        })
    }
}

/// One signature, whatever the signer does: hang, panic, return something else.
async fn signature(signer: &dyn Signer, message: &[u8]) -> Result<Vec<u8>, SignerError> {
    // The future is made inside, so that a panic of `sign` itself is caught too.
    let signing = AssertUnwindSafe(async {
        match Handle::try_current() {
            Ok(_) => tokio::time::timeout(SIGN_TIMEOUT, signer.sign(message))
                .await
                .unwrap_or_else(|_| {
                    Err(SignerError::new(format!(
                        "the signer gave no answer in {} s",
                        SIGN_TIMEOUT.as_secs()
                    )))
                }),
            Err(_) => signer.sign(message).await,
        }
    });
    let signature = signing
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(SignerError::new("the signer panicked")))?;
    if SIGNATURE_BYTES.contains(&signature.len()) {
        Ok(signature)
    } else {
        Err(SignerError::new(format!(
            "the signer returned {} bytes, and an RS256 signature has 256 to 1024: \
             return the raw RSASSA-PKCS1-v1_5 signature of a key of 2048 bits or more",
            signature.len()
        )))
    }
}

fn moved(one: TimeDelta, other: TimeDelta) -> bool {
    (one - other).abs() >= CLOCK_MOVED
}

fn signing(error: SignerError) -> Error {
    Error::new(
        ErrorKind::Signing,
        format!("no token could be signed: {error}"),
    )
    .with_source(error)
}

#[cfg(test)]
mod tests;
