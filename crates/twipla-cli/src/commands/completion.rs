//! `twipla completion`

use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use crate::context::Context;
use crate::failure::Result;

/// Print a script that makes a shell complete commands, options and ids
///
/// Ids are read from the server of the default profile, or of the TWIPLA_ variables.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  twipla completion bash > ~/.local/share/bash-completion/completions/twipla
  twipla completion zsh > ~/.zfunc/_twipla
  twipla completion fish > ~/.config/fish/completions/twipla.fish
  twipla completion powershell >> $PROFILE")]
pub(crate) struct Completion {
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Completion {
    pub(crate) fn run(self, context: &mut Context) -> Result<()> {
        let completer: &dyn EnvCompleter = match self.shell {
            Shell::Bash => &Bash,
            Shell::Elvish => &Elvish,
            Shell::Fish => &Fish,
            Shell::Powershell => &Powershell,
            Shell::Zsh => &Zsh,
        };
        let mut script = Vec::new();
        completer.write_registration("COMPLETE", "twipla", "twipla", "twipla", &mut script)?;
        context.output.bytes(&script)
    }
}
