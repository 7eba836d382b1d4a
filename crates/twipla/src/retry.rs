//! When a request is retried, and after how long.
//!
//! The rules follow what this API does. It answers 500 where a rule forbids a
//! change, so a 500 is never retried. A POST is retried only where it is certain
//! that the server did not act on it.

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, StatusCode, header};
use twipla_api::Idempotency;

/// Whether and when failed attempts are retried.
///
/// ```
/// use std::time::Duration;
/// use twipla::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_attempts(6).max_delay(Duration::from_secs(30));
/// let never = RetryPolicy::none();
/// # let _ = (patient, never);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
}

impl Default for RetryPolicy {
    /// Four attempts, full jitter from 200 ms doubling to at most 10 s, and a
    /// `Retry-After` of up to 60 s is waited for.
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// Never retries, except once with a fresh token after a 401.
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// The most attempts of one request, the first one included; 4 by default. 0 counts as 1.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The upper bound of the first delay, 200 ms by default. It doubles with each attempt.
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// The upper bound of any delay that the server did not ask for; 10 s by default.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// The longest `Retry-After` that is waited for, 60 s by default. A longer
    /// one ends the call, and [`Error::retry_after`](crate::Error::retry_after) returns it.
    pub fn max_retry_after(mut self, delay: Duration) -> Self {
        self.max_retry_after = delay;
        self
    }

    /// The delay before the next attempt, or `None` if the request must not be retried.
    ///
    /// For requests that you retry yourself by the same rules, after `attempts`
    /// of them, the last of which ended with `status`: GET, HEAD, OPTIONS, PUT
    /// and DELETE after 408, 429, 502, 503 and 504, and other methods only after
    /// 429 or 503 with `Retry-After`. The delay is random up to a bound that
    /// doubles, or what `retry_after` asks for. A `retry_after` above
    /// [`max_retry_after`](Self::max_retry_after) gives `None`.
    ///
    /// ```
    /// use http::{Method, StatusCode};
    /// use twipla::RetryPolicy;
    ///
    /// let policy = RetryPolicy::default();
    /// assert!(policy.delay_after(1, &Method::GET, StatusCode::BAD_GATEWAY, None).is_some());
    /// assert!(policy.delay_after(1, &Method::POST, StatusCode::BAD_GATEWAY, None).is_none());
    /// ```
    pub fn delay_after(
        &self,
        attempts: u32,
        method: &Method,
        status: StatusCode,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        let failure = Failure::Status(status, retry_after);
        self.delay(attempts, &failure, Idempotency::of_method(method))
    }

    pub(crate) fn most_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The delay before attempt `attempts + 1`, or `None` to give up.
    pub(crate) fn delay(
        &self,
        attempts: u32,
        failure: &Failure,
        idempotency: Idempotency,
    ) -> Option<Duration> {
        if attempts >= self.max_attempts || !is_retryable(failure, idempotency) {
            return None;
        }
        if let Some(asked) = failure.retry_after() {
            return (asked <= self.max_retry_after).then_some(asked);
        }
        let ceiling = self
            .base_delay
            .saturating_mul(1 << (attempts.saturating_sub(1)).min(16))
            .min(self.max_delay);
        let ceiling = ceiling.min(LONGEST_DELAY);
        Some(ceiling.mul_f64(fastrand::f64()))
    }
}

/// No delay is longer, whatever the policy says.
const LONGEST_DELAY: Duration = Duration::from_secs(60 * 60);

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The request cannot be built.
    NotBuilt,
    /// No connection was made: the server saw nothing.
    NotSent,
    /// The connection broke, or time ran out, after the request may have arrived.
    Broken,
    /// The server answered with something that cannot be used.
    Unusable,
    /// The server answered with this status, and perhaps `Retry-After`.
    Status(StatusCode, Option<Duration>),
}

impl Failure {
    /// Whether a change may have been carried out although the attempt failed.
    pub(crate) fn is_ambiguous(&self) -> bool {
        match self {
            Self::NotBuilt | Self::NotSent => false,
            Self::Broken | Self::Unusable => true,
            Self::Status(status, retry_after) => is_ambiguous_status(*status, *retry_after),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(_, after) => *after,
            _ => None,
        }
    }
}

/// A gateway that gave up does not know whether the server acted on the request.
fn is_ambiguous_status(status: StatusCode, retry_after: Option<Duration>) -> bool {
    matches!(status.as_u16(), 408 | 502 | 504) || status == 503 && retry_after.is_none()
}

fn is_retryable(failure: &Failure, idempotency: Idempotency) -> bool {
    let may_repeat = idempotency != Idempotency::NotIdempotent;
    match failure {
        Failure::NotBuilt | Failure::Unusable => false,
        Failure::NotSent => true,
        Failure::Broken => may_repeat,
        // With Retry-After the server says that it did not take the request.
        Failure::Status(status, Some(_)) if matches!(status.as_u16(), 429 | 503) => true,
        Failure::Status(status, _) => {
            may_repeat && matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504)
        }
    }
}

/// Reads `Retry-After`, in seconds or as an HTTP date, against the server's own
/// `Date` where it sends one. Anything else counts as absent.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at: DateTime<Utc> = httpdate::parse_http_date(value).ok()?.into();
    let from = server_date(headers).unwrap_or(now);
    Some((at - from).to_std().unwrap_or(Duration::ZERO))
}

/// The server's clock, as its `Date` header tells it.
pub(crate) fn server_date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let value = headers.get(header::DATE)?.to_str().ok()?;
    httpdate::parse_http_date(value).ok().map(Into::into)
}

/// Keeps retries from adding to the load of a server in trouble: a retry takes
/// five tokens, a success gives one back.
#[derive(Debug)]
pub(crate) struct Budget(Mutex<f64>);

impl Budget {
    const FULL: f64 = 100.0;
    const RETRY_COSTS: f64 = 5.0;
    const SUCCESS_GIVES: f64 = 1.0;

    pub(crate) fn new() -> Self {
        Self(Mutex::new(Self::FULL))
    }

    /// Whether a retry may be sent; takes its cost if so.
    pub(crate) fn take(&self) -> bool {
        let mut left = self.lock();
        let enough = *left >= Self::RETRY_COSTS;
        if enough {
            *left -= Self::RETRY_COSTS;
        }
        enough
    }

    pub(crate) fn success(&self) {
        let mut left = self.lock();
        *left = (*left + Self::SUCCESS_GIVES).min(Self::FULL);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, f64> {
        // A number is never half-written: a poisoned lock holds a good one.
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> Failure {
        Failure::Status(StatusCode::from_u16(code).unwrap(), None)
    }

    fn status_after(code: u16, seconds: u64) -> Failure {
        Failure::Status(
            StatusCode::from_u16(code).unwrap(),
            Some(Duration::from_secs(seconds)),
        )
    }

    #[test]
    fn retries_follow_the_failure_and_the_idempotency() {
        for (failure, idempotent, not_idempotent) in [
            (Failure::NotBuilt, false, false),
            (Failure::Unusable, false, false),
            (Failure::NotSent, true, true),
            (Failure::Broken, true, false),
            (status(400), false, false),
            (status(401), false, false),
            (status(404), false, false),
            (status(408), true, false),
            (status(409), false, false),
            (status(429), true, false),
            (status_after(429, 1), true, true),
            (status(500), false, false),
            (status_after(500, 1), false, false),
            (status(502), true, false),
            (status_after(502, 1), true, false),
            (status(503), true, false),
            (status_after(503, 1), true, true),
            (status(504), true, false),
        ] {
            for idempotency in [Idempotency::Safe, Idempotency::Idempotent] {
                assert_eq!(
                    is_retryable(&failure, idempotency),
                    idempotent,
                    "{failure:?}"
                );
            }
            assert_eq!(
                is_retryable(&failure, Idempotency::NotIdempotent),
                not_idempotent,
                "{failure:?}"
            );
        }
    }

    #[test]
    fn delays_and_attempts_stay_within_their_limits() {
        let policy = RetryPolicy::default();
        for _ in 0..200 {
            assert!(
                policy
                    .delay(1, &status(503), Idempotency::Idempotent)
                    .unwrap()
                    <= Duration::from_millis(200)
            );
            assert!(
                policy
                    .delay(3, &status(503), Idempotency::Idempotent)
                    .unwrap()
                    <= Duration::from_millis(800)
            );
        }
        assert_eq!(policy.delay(4, &status(503), Idempotency::Idempotent), None);
        let endless = policy.max_attempts(u32::MAX);
        assert!(
            endless
                .delay(100_000, &status(503), Idempotency::Idempotent)
                .unwrap()
                <= Duration::from_secs(10)
        );
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_limit() {
        let policy = RetryPolicy::default();
        assert_eq!(
            policy.delay(1, &status_after(429, 7), Idempotency::NotIdempotent),
            Some(Duration::from_secs(7))
        );
        assert_eq!(
            policy.delay(1, &status_after(429, 3600), Idempotency::NotIdempotent),
            None
        );
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date() {
        let now = "2026-03-01T00:00:00Z".parse().unwrap();
        let read = |value: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            if let Some(date) = date {
                headers.insert(header::DATE, date.parse().unwrap());
            }
            retry_after(&headers, now)
        };
        assert_eq!(read("120", None), Some(Duration::from_secs(120)));
        assert_eq!(
            read("Sun, 01 Mar 2026 00:00:30 GMT", None),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            read(
                "Sun, 01 Mar 2026 02:00:30 GMT",
                Some("Sun, 01 Mar 2026 02:00:00 GMT")
            ),
            Some(Duration::from_secs(30)),
            "the server's own clock counts"
        );
        assert_eq!(
            read("Sun, 01 Mar 2020 00:00:30 GMT", None),
            Some(Duration::ZERO)
        );
        for garbage in ["soon", "-1", "1.5", "99999999999999999999999", "2026-03-01"] {
            assert_eq!(read(garbage, None), None, "{garbage}");
        }
    }

    #[test]
    fn the_budget_runs_dry_and_fills_again() {
        let budget = Budget::new();
        assert_eq!((0..100).filter(|_| budget.take()).count(), 20);
        (0..5).for_each(|_| budget.success());
        assert!(budget.take());
        assert!(!budget.take());
    }
}
