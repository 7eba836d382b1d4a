//! `twipla snippet`

use clap::Args;
use clap_complete::ArgValueCompleter;

use crate::complete;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// Print the tracking code of a website
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  twipla snippet site-7 > snippet.html
  twipla snippet site-7 --max-privacy")]
pub(crate) struct Snippet {
    #[arg(add = ArgValueCompleter::new(complete::websites))]
    website: String,
    /// The code for the maximum privacy mode
    #[arg(long)]
    max_privacy: bool,
}

impl Snippet {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let website = context
            .client()
            .await?
            .website(self.website.as_str())
            .get()
            .await?;
        let code = if self.max_privacy {
            website.visa_max_privacy_mode_tracking_code
        } else {
            website.visa_tracking_code
        };
        let code = code.ok_or_else(|| {
            Failure::new(
                format!(
                    "the server returned no such tracking code for the website {}",
                    self.website
                ),
                format!(
                    "`twipla websites get {} -o json` shows the whole response",
                    self.website
                ),
            )
            .with_exit(Exit::NotFound)
        })?;
        context.output.text(&code)
    }
}
