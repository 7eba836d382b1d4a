//! Which requests are retried, and after what delay.
//!
//! The rules follow what this API does. It answers 500 where a rule forbids a
//! change, so a 500 is never retried. A POST is retried only if it is certain
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
    /// Allows four attempts, with full jitter from 200 ms doubling to at most 10 s, and
    /// honours `Retry-After` up to 60 s.
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
    /// Creates a policy that never retries, except once with a fresh token after a 401.
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// Sets the most attempts of one request, the first one included; 4 by default. 0 counts as 1.
    ///
    /// If more than one is allowed, up to ten responses that ask for a wait (429,
    /// or 503 with `Retry-After`) are not counted: the server did not process the request,
    /// and other clients of the same limit may have been faster.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the upper bound of the first delay, 200 ms by default. It doubles with each attempt.
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// Sets the upper bound of any delay that the server did not ask for; 10 s by default.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Sets the longest `Retry-After` to wait for, 60 s by default. A longer
    /// one ends the call, and [`Error::retry_after`](crate::Error::retry_after) returns it.
    pub fn max_retry_after(mut self, delay: Duration) -> Self {
        self.max_retry_after = delay;
        self
    }

    /// Returns the delay before the next attempt, or `None` if the request must not be retried.
    ///
    /// For requests that you retry yourself by the same rules, after `attempts`
    /// of them, the last of which ended with `status`: GET, HEAD, OPTIONS, PUT
    /// and DELETE after 408, 429, 502 to 504, 520 to 524 and 530, and other methods
    /// only after 429 or 503 with `Retry-After`. The delay is random up to a bound that
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

    /// Returns what the server asked for, capped at the longest delay.
    pub(crate) fn bounded_retry_after(&self, failure: &Failure) -> Option<Duration> {
        failure
            .retry_after()
            .filter(|asked| *asked <= self.max_retry_after)
    }

    pub(crate) fn most_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// Returns the delay before attempt `attempts + 1`, or `None` to give up.
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

/// How many responses that ask for a wait are not counted as attempts.
pub(crate) const MOST_REFUSALS: u32 = 10;

/// The longest delay, whatever the policy says.
const LONGEST_DELAY: Duration = Duration::from_secs(60 * 60);

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The request cannot be built.
    NotBuilt,
    /// No connection was established: the server saw nothing.
    NotSent,
    /// The connection broke, or the attempt timed out, after the request may have arrived.
    Broken,
    /// The server sent a response that cannot be used.
    Unusable,
    /// The server sent this error status, and perhaps `Retry-After`.
    Status(StatusCode, Option<Duration>),
}

impl Failure {
    /// Returns whether a change may have been carried out although the attempt failed.
    pub(crate) fn is_ambiguous(&self) -> bool {
        match self {
            Self::NotBuilt | Self::NotSent => false,
            Self::Broken | Self::Unusable => true,
            Self::Status(status, retry_after) => is_ambiguous_status(*status, *retry_after),
        }
    }

    /// Returns whether the server says that it did not process the request because
    /// there are too many.
    pub(crate) fn is_throttled(&self) -> bool {
        match self {
            Self::Status(status, retry_after) => {
                *status == StatusCode::TOO_MANY_REQUESTS
                    || *status == StatusCode::SERVICE_UNAVAILABLE && retry_after.is_some()
            }
            _ => false,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(_, after) => *after,
            _ => None,
        }
    }
}

/// Returns whether the server may have acted on a request that it answered with this status.
///
/// A gateway that gave up does not know, and neither does a server that failed
/// half-way. The server did not do what it does not implement (501, 505), and a 503
/// with `Retry-After` means that it did not process the request.
fn is_ambiguous_status(status: StatusCode, retry_after: Option<Duration>) -> bool {
    match status.as_u16() {
        408 | 499 => true,
        501 | 505 => false,
        503 => retry_after.is_none(),
        code => code >= 500,
    }
}

/// Returns whether a gateway sends this status when it cannot reach the server: 520 to
/// 524 and 530 come from Cloudflare, the others from any gateway.
fn is_gateway_status(status: StatusCode) -> bool {
    matches!(status.as_u16(), 502..=504 | 520..=524 | 530)
}

fn is_retryable(failure: &Failure, idempotency: Idempotency) -> bool {
    let may_repeat = idempotency != Idempotency::NotIdempotent;
    match failure {
        Failure::NotBuilt | Failure::Unusable => false,
        Failure::NotSent => true,
        Failure::Broken => may_repeat,
        // Retry-After means that the server did not process the request.
        Failure::Status(status, Some(_)) if matches!(status.as_u16(), 429 | 503) => true,
        Failure::Status(status, _) => {
            may_repeat && (matches!(status.as_u16(), 408 | 429) || is_gateway_status(*status))
        }
    }
}

/// The longest `Retry-After`. A longer one is capped: it means "never", and this still
/// fits into every clock.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Parses `Retry-After`, in seconds or as an HTTP date, relative to the server's own
/// `Date` if it sends one. Anything else counts as absent.
///
/// Never shorter than asked for: a fraction is rounded up to a second, and of
/// several values the longest counts. A time in the past is 0.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let from = server_date(headers).unwrap_or(now);
    let values = headers.get_all(header::RETRY_AFTER).iter();
    values
        .filter_map(|value| delay_of(value.to_str().ok()?.trim(), from))
        .max()
        .map(|delay| delay.min(LONGEST_RETRY_AFTER))
}

fn delay_of(value: &str, from: DateTime<Utc>) -> Option<Duration> {
    if let Ok(at) = httpdate::parse_http_date(value) {
        return Some((DateTime::from(at) - from).to_std().unwrap_or_default());
    }
    // Rust also reads "inf" and "nan" as numbers.
    let is_number = value.ends_with(|c: char| c.is_ascii_digit() || c == '.');
    let seconds: f64 = value.parse().ok().filter(|_| is_number)?;
    // A value too large for a duration, or for a number at all, counts as the longest.
    let delay = Duration::try_from_secs_f64(seconds.ceil().max(0.0));
    Some(delay.unwrap_or(LONGEST_RETRY_AFTER))
}

/// Parses the server's clock from its `Date` header.
pub(crate) fn server_date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let value = headers.get(header::DATE)?.to_str().ok()?;
    httpdate::parse_http_date(value).ok().map(Into::into)
}

/// Keeps retries from adding to the load of a struggling server: a retry takes
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

    /// Takes the cost of a retry, and returns whether it may be sent.
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
        // A number is never half-written, so the value behind a poisoned lock is valid.
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
            (status(499), false, false),
            (status(501), false, false),
            (status(505), false, false),
            (status(519), false, false),
            (status(520), true, false),
            (status(524), true, false),
            (status(525), false, false),
            (status(530), true, false),
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
    fn a_failure_is_ambiguous_unless_the_server_cannot_have_acted() {
        for (failure, ambiguous) in [
            (Failure::NotBuilt, false),
            (Failure::NotSent, false),
            (Failure::Broken, true),
            (Failure::Unusable, true),
            (status(302), false),
            (status(400), false),
            (status(401), false),
            (status(404), false),
            (status(408), true),
            (status(409), false),
            (status(429), false),
            (status_after(429, 1), false),
            (status(499), true),
            (status(500), true),
            (status_after(500, 1), true),
            (status(501), false),
            (status(502), true),
            (status_after(502, 1), true),
            (status(503), true),
            (status_after(503, 1), false),
            (status(504), true),
            (status(505), false),
            (status(520), true),
            (status(599), true),
        ] {
            assert_eq!(failure.is_ambiguous(), ambiguous, "{failure:?}");
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
    fn retry_after_is_honoured_up_to_a_limit() {
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
    fn retry_after_is_parsed_as_seconds_or_date() {
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
        for (value, seconds) in [
            ("0", 0),
            (" 7 ", 7),
            ("0.2", 1),
            ("1.5", 2),
            ("2.0", 2),
            ("1e2", 100),
            ("-1", 0),
            ("-0.5", 0),
            ("-1e300", 0),
            ("99999999999999999999999", LONGEST_RETRY_AFTER.as_secs()),
            ("1e400", LONGEST_RETRY_AFTER.as_secs()),
            (
                "Fri, 31 Dec 9999 23:59:59 GMT",
                LONGEST_RETRY_AFTER.as_secs(),
            ),
        ] {
            assert_eq!(
                read(value, None),
                Some(Duration::from_secs(seconds)),
                "{value}"
            );
        }
        for garbage in [
            "",
            "soon",
            "-",
            "2026-03-01",
            "inf",
            "nan",
            "infinity",
            "1,5",
            "5 s",
        ] {
            assert_eq!(read(garbage, None), None, "{garbage}");
        }
    }

    #[test]
    fn the_longest_of_several_retry_afters_counts() {
        let mut headers = HeaderMap::new();
        for value in ["2", "garbage", "9.5", "-3"] {
            headers.append(header::RETRY_AFTER, value.parse().unwrap());
        }
        assert_eq!(
            retry_after(&headers, Utc::now()),
            Some(Duration::from_secs(10))
        );
    }

    #[test]
    fn the_budget_is_used_up_and_refilled() {
        let budget = Budget::new();
        assert_eq!((0..100).filter(|_| budget.take()).count(), 20);
        (0..5).for_each(|_| budget.success());
        assert!(budget.take());
        assert!(!budget.take());
    }
}
