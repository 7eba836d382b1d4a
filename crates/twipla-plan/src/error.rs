//! The error type of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

/// The result of a fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a plan could not be made or applied.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file or an option is invalid; the message names it and what was expected.
    Invalid(String),
    /// A safety check failed; the message says what would allow it.
    Refused(String),
    /// A file cannot be read or written.
    Io(String, io::Error),
    /// A call of the API failed.
    Api(twipla::Error),
}

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    /// Creates the error of a file operation; `doing` is a verb such as "read".
    pub(crate) fn io(doing: &str, path: &Path, error: io::Error) -> Self {
        Self::Io(format!("cannot {doing} {}", path.display()), error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(message) | Self::Refused(message) => f.write_str(message),
            Self::Io(what, error) => write!(f, "{what}: {error}"),
            Self::Api(error) => error.fmt(f),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Invalid(_) | Self::Refused(_) => None,
            Self::Io(_, error) => Some(error),
            Self::Api(error) => error.source(),
        }
    }
}

impl From<twipla::Error> for Error {
    fn from(error: twipla::Error) -> Self {
        Self::Api(error)
    }
}
