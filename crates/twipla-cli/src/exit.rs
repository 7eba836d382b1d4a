//! Exit codes.

use std::process::ExitCode;

/// The exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done.
    Done,
    /// 1: it failed, and nothing was changed.
    Failed,
    /// 2: the arguments or settings are invalid; nothing was sent.
    Usage,
    /// 2, of `plan`: there is something to do.
    Changes,
    /// 3: not found.
    NotFound,
    /// 4: the server rejected it.
    Refused,
    /// 5: it failed, and the server may have carried it out.
    Ambiguous,
    /// 6: partly done.
    Partly,
    /// 130: interrupted.
    Interrupted,
    /// The exit code of a command that was run in the sandbox.
    Other(u8),
}

/// The table in the help of the program.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  failed; nothing was changed
    2  wrong arguments or settings; nothing was sent
    3  not found
    4  refused by the server
    5  failed, and the server may have carried it out
    6  partly done
  130  interrupted";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage | Exit::Changes => 2,
            Exit::NotFound => 3,
            Exit::Refused => 4,
            Exit::Ambiguous => 5,
            Exit::Partly => 6,
            Exit::Interrupted => 130,
            Exit::Other(code) => code,
        })
    }
}
