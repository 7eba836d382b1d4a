//! A signed token, and a token that still needs its signature.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderValue;

use super::claims::UnsignedJwt;
use super::clock::{ServerTime, later};
use super::signer::{Signer, SignerError};
use super::signing::sign;
use crate::ids::{CustomerId, PartnerId};
use crate::secret::Secret;

/// A token is refreshed after this share of its lifetime. The share is random, so
/// that many processes do not ask their signer at the same time.
const REFRESH_AFTER: std::ops::Range<f64> = 0.70..0.85;
/// How long before its expiry a token is no longer used, at most, because
/// a request needs time to reach the server.
const MAX_MARGIN: TimeDelta = TimeDelta::seconds(15);

/// A signed token and its expiry.
///
/// It is a credential until it expires: `Debug` shows only the expiry.
pub struct Token {
    text: Secret,
    header_value: HeaderValue,
    expires_at: DateTime<Utc>,
    /// When it is no longer used, shortly before it expires.
    usable_until: DateTime<Utc>,
    /// When to mint the next one.
    pub(super) refresh_at: DateTime<Utc>,
    /// Number of the mint that made it; 0 for a customer's token.
    pub(super) serial: u64,
    /// Number of the signer that signed it.
    pub(super) signer: u64,
    pub(super) issued: ServerTime,
}

impl Token {
    /// Returns the token (a JWT) as it follows `Bearer`. Keep it out of logs.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Returns when it expires, in server time as far as that is known.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Returns `Bearer <token>`, marked as sensitive.
    pub(crate) fn header_value(&self) -> &HeaderValue {
        &self.header_value
    }

    /// Returns whether the server should accept it. If the clock was put back since, the
    /// token may not be valid yet.
    pub(super) fn is_usable(&self, time: ServerTime) -> bool {
        time.now < self.usable_until && !time.moved_back_since(self.issued)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A signer and its number, which is unique within a client.
#[derive(Clone, Debug)]
pub(super) struct SignerSlot {
    pub(super) number: u64,
    pub(super) signer: Arc<dyn Signer>,
}

/// A token to be signed.
#[derive(Debug)]
pub(super) struct UnsignedToken {
    jwt: UnsignedJwt,
    lifetime: TimeDelta,
    serial: u64,
    issued: ServerTime,
}

impl UnsignedToken {
    /// Encodes a token of `partner` itself, or of one of its customers.
    pub(super) fn new(
        partner: PartnerId,
        customer: Option<&CustomerId>,
        issued: ServerTime,
        lifetime: TimeDelta,
        serial: u64,
    ) -> Result<Self, SignerError> {
        let jwt = UnsignedJwt::new(partner, customer, issued.now, lifetime)
            .map_err(|error| SignerError::new("invalid claims").with_source(error))?;
        Ok(Self {
            jwt,
            lifetime,
            serial,
            issued,
        })
    }

    /// Signs it with the first of these signers that succeeds.
    pub(super) async fn sign(self, signers: VecDeque<SignerSlot>) -> Result<Token, SignerError> {
        let mut failure = SignerError::new("there is no signer");
        for SignerSlot { number, signer } in signers {
            match sign(&*signer, self.jwt.message.as_bytes()).await {
                Ok(signature) => return self.attach_signature(&signature, number),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn attach_signature(self, signature: &[u8], signer: u64) -> Result<Token, SignerError> {
        let expires_at = self.jwt.expires_at;
        let text = self.jwt.attach_signature(signature);
        let mut header_value =
            HeaderValue::try_from(format!("Bearer {text}")).map_err(|error| {
                SignerError::new("the token is not a valid header value").with_source(error)
            })?;
        header_value.set_sensitive(true);
        let margin = (self.lifetime / 20).min(MAX_MARGIN);
        let life = self.lifetime.to_std().unwrap_or(Duration::ZERO);
        let share =
            REFRESH_AFTER.start + fastrand::f64() * (REFRESH_AFTER.end - REFRESH_AFTER.start);
        let before_refresh = TimeDelta::from_std(life.mul_f64(share)).unwrap_or(self.lifetime);
        Ok(Token {
            text: Secret::from(text),
            header_value,
            expires_at,
            usable_until: later(expires_at, -margin),
            refresh_at: later(self.issued.now, before_refresh),
            serial: self.serial,
            signer,
            issued: self.issued,
        })
    }
}
