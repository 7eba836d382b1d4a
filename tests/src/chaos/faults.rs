//! The faults of a run.

use std::time::Duration;

use twipla_sandbox::{Fault, FaultKind, Sandbox};

use crate::setup::respond;

/// A fault with its name in the report.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) name: &'static str,
    fault: Fault,
    /// Whether it affects a share of the requests, rather than those that it selects.
    has_share: bool,
    /// Whether the request may be carried out after its caller gave up.
    pub(super) may_be_late: bool,
}

impl Trouble {
    fn new(name: &'static str, kind: FaultKind) -> Self {
        Self {
            name,
            fault: Fault::new(kind),
            has_share: true,
            may_be_late: false,
        }
    }

    fn before_or_after_commit(mut self) -> Self {
        self.fault = self.fault.before_or_after_commit();
        self
    }

    fn late(mut self) -> Self {
        self.may_be_late = true;
        self
    }
}

/// Returns the most common faults of networks and overloaded servers.
pub(super) fn common() -> Vec<Trouble> {
    let soon = &[("retry-after", "0")];
    vec![
        Trouble::new("reset before the commit", FaultKind::ResetBeforeCommit),
        Trouble::new("reset after the commit", FaultKind::ResetAfterCommit),
        Trouble::new("truncated body", FaultKind::TruncatedBody),
        Trouble::new("HTML body", FaultKind::HtmlBody),
        Trouble::new("empty body", FaultKind::EmptyBody),
        Trouble::new("broken JSON", FaultKind::InvalidJson),
        Trouble::new("204", FaultKind::NoContent),
        Trouble::new("hang", FaultKind::Hang),
        Trouble::new("delay", FaultKind::Delay(Duration::from_millis(50))).late(),
        Trouble::new("expired token", FaultKind::ExpiredToken),
        Trouble::new("429", respond(429, soon, "")),
        Trouble::new("502", respond(502, &[], "")),
        Trouble::new("503 with Retry-After", respond(503, soon, "")),
        Trouble::new("503", respond(503, &[], "")),
    ]
}

/// Returns all faults that a sandbox supports.
pub(super) fn all() -> Vec<Trouble> {
    let boom = r#"{"message":"boom"}"#;
    let mut all = common();
    for (name, code) in [
        ("gateway 502", 502),
        ("gateway 503", 503),
        ("gateway 504", 504),
        ("gateway 520", 520),
        ("gateway 521", 521),
        ("gateway 522", 522),
        ("gateway 523", 523),
        ("gateway 524", 524),
        ("gateway 530", 530),
    ] {
        all.push(Trouble::new(name, FaultKind::Gateway(code)).before_or_after_commit());
    }
    all.extend([
        Trouble::new("408", respond(408, &[], "")).before_or_after_commit(),
        Trouble::new("499", respond(499, &[], "")).before_or_after_commit(),
        Trouble::new("500", respond(500, &[], boom)).before_or_after_commit(),
        Trouble::new("501", respond(501, &[], boom)),
        Trouble::new("hang, before or after the commit", FaultKind::Hang).before_or_after_commit(),
        Trouble::new(
            "late commit, soon",
            FaultKind::LateCommit(Duration::from_millis(5)),
        )
        .late(),
        Trouble::new(
            "late commit",
            FaultKind::LateCommit(Duration::from_millis(150)),
        )
        .late(),
        Trouble::new(
            "commit after hang-up",
            FaultKind::CommitAfterHangUp(Duration::from_millis(50)),
        )
        .late(),
        Trouble::new(
            "status is missing",
            FaultKind::MissingField("status".to_owned()),
        ),
        Trouble::new("unknown enum value", FaultKind::UnknownEnumValue),
        Trouble::new("clock two hours ahead", FaultKind::ClockSkew(7200)),
        Trouble::new("clock two hours behind", FaultKind::ClockSkew(-7200)),
    ]);
    all
}

/// A gateway that allows 50 requests per second.
pub(super) fn rate_limit() -> Trouble {
    let kind = FaultKind::RateLimit {
        per_second: 50.0,
        burst: 50,
    };
    Trouble {
        has_share: false,
        ..Trouble::new("rate limit", kind)
    }
}

/// Injects faults that affect `rate` of all requests, each of them equally often.
pub(super) fn inject(sandbox: &Sandbox, troubles: &[Trouble], rate: f64, seed: u64) {
    let dice = troubles.iter().filter(|trouble| trouble.has_share);
    // The first matching fault wins, so the shares do not simply add up.
    #[allow(clippy::cast_precision_loss, reason = "a few dozen")]
    let share = 1.0 - (1.0 - rate).powf(1.0 / dice.count().max(1) as f64);
    // The sandbox rejects a fault with a share of 0; this one is close enough.
    let share = share.max(f64::MIN_POSITIVE);
    for (n, trouble) in (0..).zip(troubles) {
        let fault = trouble.fault.clone();
        sandbox.inject(if trouble.has_share {
            fault.probability(share, seed.wrapping_mul(1000).wrapping_add(n))
        } else {
            fault
        });
    }
}
