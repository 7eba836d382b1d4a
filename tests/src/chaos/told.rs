//! What a caller is told of a call, in the terms in which it can be true or false.

use twipla::{ChangeState, Error, ErrorKind, Result};

use super::ask::{Ask, Call, Change, Expected};
use super::send::Reply;

/// What the result of a call claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It succeeded.
    Done,
    /// It failed, and this call made the change.
    Applied,
    /// It failed, and what was asked for is in force.
    InForce,
    /// It failed, and what was asked for was not in force when it was read back.
    NotApplied {
        /// And it will not be.
        certain: bool,
    },
    /// It failed or was not needed, and what was asked for is so.
    Exists,
    /// It failed, and a key was made whose secret is lost.
    SecretLost,
    /// It failed or was not tried, and nothing was done.
    NotDone,
    /// It failed, and something may have been done.
    Open,
}

impl Told {
    pub(super) fn of(result: &Result<Reply>) -> Self {
        let error = match result {
            Ok(Reply::Unchanged) => return Self::Exists,
            Ok(Reply::Skipped) => return Self::NotDone,
            Ok(_) => return Self::Done,
            Err(error) => error,
        };
        match error.change_state() {
            Some(ChangeState::Applied) => Self::Applied,
            Some(ChangeState::InForce) => Self::InForce,
            Some(ChangeState::NotApplied) => Self::NotApplied {
                certain: !error.is_ambiguous(),
            },
            _ if error.is_ambiguous() => Self::Open,
            _ if error.kind() == ErrorKind::SecretLost => Self::SecretLost,
            _ if error.exists_as_requested() => Self::Exists,
            _ => Self::NotDone,
        }
    }

    /// Whether nothing is left to happen.
    pub(super) fn is_certain(self) -> bool {
        !matches!(self, Self::Open | Self::NotApplied { certain: false })
    }

    /// Whether the caller may count on what was asked for.
    pub(super) fn is_in_force(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Applied | Self::InForce | Self::Exists
        )
    }
}

/// Whether a fault of the run, or what the sandbox does without one, explains the error.
pub(super) fn is_explained(error: &Error, call: &Call) -> bool {
    // A change is read back only after an ambiguous attempt.
    let was_ambiguous = error.is_ambiguous() || error.change_state().is_some();
    match error.kind() {
        ErrorKind::Connection
        | ErrorKind::Timeout
        | ErrorKind::Decode
        | ErrorKind::Server
        | ErrorKind::RateLimited
        | ErrorKind::Auth => true,
        ErrorKind::SecretLost => matches!(call.ask, Ask::CreateKey { .. } | Ask::RotateKey { .. }),
        // A delete that was carried out at the first attempt is not found at the second.
        ErrorKind::NotFound => was_ambiguous || call.expected == Expected::Refusal,
        // A create that was carried out at the first attempt is refused at the second.
        ErrorKind::Rejected => {
            let status = error.status().map(|status| status.as_u16());
            was_ambiguous
                || matches!(status, Some(408 | 499))
                || is_unknown_status(error, call)
                || call.expected == Expected::Refusal
        }
        ErrorKind::Conflict => call.expected == Expected::Refusal,
        _ => false,
    }
}

/// Of a subscription whose status it does not know, `change_to` does not say that nothing is to be done.
fn is_unknown_status(error: &Error, call: &Call) -> bool {
    matches!(call.ask, Ask::Change(_, Change::MoveTo { .. })) && error.status().is_none()
}
