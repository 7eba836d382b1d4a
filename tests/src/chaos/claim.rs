//! What the result of a call claims, in terms that can be true or false.

use twipla::{ChangeState, Error, ErrorKind, Result};

use super::ask::{Ask, Call, Change, Expected};
use super::send::Reply;

/// The claim of the result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It succeeded.
    Done,
    /// It failed, and this call made the change.
    Applied,
    /// It failed, and the requested state applies.
    InForce,
    /// It failed, and the requested state did not apply when it was read back.
    NotApplied {
        /// And it will not.
        certain: bool,
    },
    /// It failed or was not needed, and the requested state applies.
    Exists,
    /// It failed, and a key was created whose secret is lost.
    SecretLost,
    /// It failed or was not tried, and nothing was done.
    NotDone,
    /// It failed, and something may have been done.
    Open,
}

impl Claim {
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

    /// Reports whether nothing more can happen.
    pub(super) fn is_certain(self) -> bool {
        !matches!(self, Self::Open | Self::NotApplied { certain: false })
    }

    /// Reports whether the caller can rely on the requested state.
    pub(super) fn is_in_force(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Applied | Self::InForce | Self::Exists
        )
    }
}

/// Reports whether a fault of the run, or the normal behaviour of the sandbox, explains the error.
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
        // A delete that was carried out at the first attempt finds nothing at the second.
        ErrorKind::NotFound => was_ambiguous || call.expected == Expected::Refusal,
        // A create that was carried out at the first attempt is rejected at the second.
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

/// Reports whether `change_to` could not decide because of an unknown status.
fn is_unknown_status(error: &Error, call: &Call) -> bool {
    matches!(call.ask, Ask::Change(_, Change::MoveTo { .. })) && error.status().is_none()
}
