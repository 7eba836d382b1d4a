//! When a request is sent again, and after how long.
//!
//! The rules follow what this API does: it answers 500 where a rule forbids a
//! change, so a 500 is never repeated; and a POST is repeated only where it is
//! certain that the server did nothing with it.

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, StatusCode, header};

/// How failed attempts are repeated.
///
/// ```
/// use std::time::Duration;
/// use twipla::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_attempts(6).max_delay(Duration::from_secs(30));
/// let never = RetryPolicy::none();
/// # let _ = (patient, never);
/// ```
#[derive(Debug, Clone)]
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
    /// Every request is sent once, but for one more time with a new token after a 401.
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// How often a request is sent at the most, the first time included. 0 counts as 1.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Upper bound of the first pause; it doubles with each attempt.
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// Upper bound of any pause that the server did not ask for.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// The longest `Retry-After` that is waited for. A longer one ends the
    /// call, and [`Error::retry_after`](crate::Error::retry_after) tells it.
    pub fn max_retry_after(mut self, delay: Duration) -> Self {
        self.max_retry_after = delay;
        self
    }

    /// How long a request is waited with before it is sent again, after `attempts` that ended with this status; `None`
    /// where it is not sent again.
    ///
    /// For requests that you repeat yourself, by the same rules: GET, HEAD, OPTIONS, PUT and DELETE after 408, 429, 502,
    /// 503 and 504, the others after 429 or 503 with `Retry-After` alone. The pause is random up to a bound that doubles,
    /// or what `retry_after` asks for; a `retry_after` above [`max_retry_after`](Self::max_retry_after) gives `None`. What
    /// to do where no answer came at all is not asked here.
    ///
    /// ```
    /// use http::{Method, StatusCode};
    /// use twipla::RetryPolicy;
    ///
    /// let policy = RetryPolicy::default();
    /// assert!(policy.pause_after(1, &Method::GET, StatusCode::BAD_GATEWAY, None).is_some());
    /// assert!(policy.pause_after(1, &Method::POST, StatusCode::BAD_GATEWAY, None).is_none());
    /// ```
    pub fn pause_after(
        &self,
        attempts: u32,
        method: &Method,
        status: StatusCode,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        let failure = Failure::Status(status, retry_after);
        self.pause(attempts, &failure, Replay::of(method))
    }

    /// The pause before attempt `attempts + 1`, or `None` to give up.
    pub(crate) fn pause(
        &self,
        attempts: u32,
        failure: &Failure,
        replay: Replay,
    ) -> Option<Duration> {
        if attempts >= self.max_attempts || !repeatable(failure, replay) {
            return None;
        }
        if let Some(asked) = failure.retry_after() {
            return (asked <= self.max_retry_after).then_some(asked);
        }
        let ceiling = self
            .base_delay
            .saturating_mul(1 << (attempts.saturating_sub(1)).min(16))
            .min(self.max_delay);
        let ceiling = ceiling.min(LONGEST_PAUSE);
        Some(ceiling.mul_f64(fastrand::f64()))
    }
}

/// No pause is longer, whatever the policy says.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Whether sending a request twice does the same as sending it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replay {
    /// GET, PUT, DELETE.
    Safe,
    /// POST and PATCH.
    Unsafe,
}

impl Replay {
    /// What a method promises.
    pub(crate) fn of(method: &Method) -> Self {
        // The two PATCH operations of this API set a value, but a later change
        // by someone else must not be undone by a repeat.
        if matches!(
            *method,
            Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
        ) {
            Self::Safe
        } else {
            Self::Unsafe
        }
    }
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection was made: the server saw nothing.
    NotSent,
    /// The connection broke, or time ran out, after the request may have arrived.
    Broken,
    /// The server answered.
    Status(StatusCode, Option<Duration>),
}

impl Failure {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(_, after) => *after,
            _ => None,
        }
    }
}

fn repeatable(failure: &Failure, replay: Replay) -> bool {
    match (failure, replay) {
        (Failure::NotSent, _) | (Failure::Broken, Replay::Safe) => true,
        (Failure::Broken, Replay::Unsafe) => false,
        (Failure::Status(status, _), Replay::Safe) => {
            matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504)
        }
        // With Retry-After the server says that it did not take the request.
        (Failure::Status(status, after), Replay::Unsafe) => {
            matches!(status.as_u16(), 429 | 503) && after.is_some()
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

/// Keeps repeats from adding to the load of a server in trouble: a repeat
/// takes a token, a success gives a part of one back.
#[derive(Debug)]
pub(crate) struct Budget(Mutex<f64>);

impl Budget {
    const FULL: f64 = 100.0;
    const REPEAT_COSTS: f64 = 5.0;
    const SUCCESS_GIVES: f64 = 1.0;

    pub(crate) fn new() -> Self {
        Self(Mutex::new(Self::FULL))
    }

    /// Whether a repeat may be sent; takes its cost if so.
    pub(crate) fn take(&self) -> bool {
        let mut left = self.lock();
        let enough = *left >= Self::REPEAT_COSTS;
        if enough {
            *left -= Self::REPEAT_COSTS;
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
    fn what_is_repeated() {
        for (failure, safe, unsafe_) in [
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
            assert_eq!(repeatable(&failure, Replay::Safe), safe, "{failure:?}");
            assert_eq!(repeatable(&failure, Replay::Unsafe), unsafe_, "{failure:?}");
        }
    }

    #[test]
    fn pauses_stay_within_their_ceiling_and_attempts_within_their_number() {
        let policy = RetryPolicy::default();
        for _ in 0..200 {
            assert!(
                policy.pause(1, &status(503), Replay::Safe).unwrap() <= Duration::from_millis(200)
            );
            assert!(
                policy.pause(3, &status(503), Replay::Safe).unwrap() <= Duration::from_millis(800)
            );
        }
        assert_eq!(policy.pause(4, &status(503), Replay::Safe), None);
        let endless = policy.max_attempts(u32::MAX);
        assert!(
            endless.pause(100_000, &status(503), Replay::Safe).unwrap() <= Duration::from_secs(10)
        );
    }

    #[test]
    fn the_server_decides_how_long_up_to_a_limit() {
        let policy = RetryPolicy::default();
        assert_eq!(
            policy.pause(1, &status_after(429, 7), Replay::Unsafe),
            Some(Duration::from_secs(7))
        );
        assert_eq!(
            policy.pause(1, &status_after(429, 3600), Replay::Unsafe),
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
