//! `twipla man`

use std::path::PathBuf;

use clap::Args;

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::terminal;

/// Print the manual page, or write all of them into a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  twipla man | man -l -
  twipla man --out ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self, context: &mut Context) -> Result<()> {
        let command = (context.program)();
        let Some(folder) = self.out else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            return context.output.bytes(&page);
        };
        let written = std::fs::create_dir_all(&folder)
            .and_then(|()| clap_mangen::generate_to(command, &folder));
        written.map_err(|error| {
            Failure::new(
                format!("cannot write manual pages to {}: {error}", folder.display()),
                "pass a writable folder",
            )
        })?;
        terminal::note(&format!("manual pages are in {}", folder.display()));
        Ok(())
    }
}
