//! Error messages: what happened, what to do, and whether the server may have acted.

use std::io;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use twipla::{ChangeState, Error, ErrorKind};

use crate::exit::Exit;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = Style::new().bold();

/// A failure, in two lines.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What happened.
    what: String,
    /// What to do.
    remedy: String,
    exit: Exit,
    /// Whether it is certain that the server did nothing.
    is_unchanged: bool,
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// Creates a failure of this program.
    pub(crate) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: remedy.into(),
            exit: Exit::Failed,
            is_unchanged: false,
        }
    }

    /// Creates a failure for invalid arguments.
    pub(crate) fn usage(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(what, remedy).with_exit(Exit::Usage)
    }

    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes it to standard error. `changing` is whether the command changes something.
    pub(crate) fn report(self, changing: bool) -> ExitCode {
        if self.exit == Exit::Done {
            return self.exit.into();
        }
        let unchanged = if changing && self.is_unchanged {
            "; nothing was changed"
        } else {
            ""
        };
        anstream::eprintln!("{ERROR}error:{ERROR:#} {}{unchanged}", self.what);
        anstream::eprintln!("{HELP}help:{HELP:#}  {}", self.remedy);
        self.exit.into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = exit(&error);
        Self {
            exit,
            remedy: remedy(&error),
            what: format!("{error:#}"),
            is_unchanged: !matches!(exit, Exit::Ambiguous | Exit::Partly),
        }
    }
}

impl From<io::Error> for Failure {
    /// Converts an error of standard output. A reader that closes it early is not an error.
    fn from(error: io::Error) -> Self {
        let failure = Self::new(
            format!("cannot write the output: {error}"),
            "check the target of standard output",
        );
        match error.kind() {
            io::ErrorKind::BrokenPipe => failure.with_exit(Exit::Done),
            _ => failure,
        }
    }
}

fn exit(error: &Error) -> Exit {
    if error.is_ambiguous() {
        return Exit::Ambiguous;
    }
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::Configuration => Exit::Usage,
        ErrorKind::NotFound => Exit::NotFound,
        ErrorKind::Auth | ErrorKind::Conflict | ErrorKind::Rejected => Exit::Refused,
        ErrorKind::SecretLost => Exit::Partly,
        // This API answers 500 where a rule forbids a change.
        ErrorKind::Server if error.change_state() == Some(ChangeState::NotApplied) => Exit::Refused,
        _ => Exit::Failed,
    }
}

fn remedy(error: &Error) -> String {
    if error.is_ambiguous() {
        return "the server may have carried it out: check the current state before you try again"
            .into();
    }
    let remedy = match error.kind() {
        ErrorKind::InvalidInput => "correct the argument; the command's `--help` has examples",
        ErrorKind::Configuration => {
            "set it with `twipla profile` or the TWIPLA_ variables; without an account, use `twipla --sandbox …`"
        }
        ErrorKind::Signing => "check the private key with `twipla auth check`",
        ErrorKind::Connection => {
            "check the network, the proxy variables and the address with `twipla auth check`"
        }
        ErrorKind::Timeout => "try again, or allow more time with --timeout SECONDS",
        ErrorKind::Auth
            if error
                .operation()
                .is_some_and(|name| name.starts_with("query_")) =>
        {
            "check the API key: `twipla keys list` lists those of the website"
        }
        ErrorKind::Auth => "check partner, key and environment with `twipla auth check`",
        ErrorKind::NotFound => "check the id with `list`",
        ErrorKind::Conflict if error.exists_as_requested() => {
            "there is nothing to do: it exists exactly as requested"
        }
        ErrorKind::Conflict => "choose another, or check what exists with `get` or `list`",
        ErrorKind::RateLimited => {
            return match error.retry_after() {
                Some(delay) => format!("try again in {} s", delay.as_secs().max(1)),
                None => "try again later".into(),
            };
        }
        ErrorKind::Rejected => "correct the request",
        ErrorKind::Server if error.change_state().is_some() => {
            "a rule of the server may forbid it: check the subscription and the packages"
        }
        ErrorKind::Server => "try again later",
        ErrorKind::Decode => "`twipla api GET PATH` shows the raw response",
        ErrorKind::SecretLost => "delete that key with `twipla keys delete`, then create another",
        _ => "try again",
    };
    remedy.into()
}
