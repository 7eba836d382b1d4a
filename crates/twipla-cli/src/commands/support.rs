//! Code shared by several commands.

use clap::Args;
use futures_util::TryStreamExt as _;
use serde::Serialize;
use twipla::{ChangeState, Error, List};

use crate::context::Context;
use crate::each::Done;
use crate::failure::Result;
use crate::output::Columns;

/// Options for reading a list.
#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// Stop after this many entries
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Request this many entries at once
    #[arg(long, value_name = "N", default_value_t = 100)]
    page_size: u32,
}

impl ListOptions {
    /// Writes a list while it is read.
    pub(crate) async fn write<T: Serialize + Send + 'static>(
        self,
        list: List<T>,
        context: &mut Context,
        columns: &Columns<'_>,
    ) -> Result<()> {
        let limit = self.limit.unwrap_or(usize::MAX);
        let page = u32::try_from(limit).unwrap_or(u32::MAX);
        let size = self.page_size.min(page.max(1));
        // If everything is read, the next page is fetched while this one is written.
        let list = list.page_size(size).prefetch(self.limit.is_none());
        let mut items = Box::pin(list.stream());
        let mut written = 0;
        let mut writer = context.output.list(columns)?;
        while written < limit
            && let Some(item) = items.try_next().await?
        {
            writer.push(&item)?;
            written += 1;
        }
        writer.end()
    }
}

/// Counts a change whose response was lost as done if a read-back shows that it is.
pub(crate) fn done<T>(result: Result<T, Error>) -> Result<Done> {
    match result {
        Ok(_) => Ok(Done::Now),
        Err(error) if is_in_force(&error) => Ok(Done::AsRead),
        Err(error) => Err(error.into()),
    }
}

/// Returns whether a change is active although its call failed.
pub(crate) fn is_in_force(error: &Error) -> bool {
    matches!(
        error.change_state(),
        Some(ChangeState::Applied | ChangeState::InForce)
    )
}

/// Names one item by its id, many by their number.
pub(crate) fn named(one: &str, many: &str, ids: &[String]) -> String {
    match ids {
        [id] => format!("{one} {id}"),
        ids if ids.len() <= 5 => format!("{many} {}", ids.join(", ")),
        ids => format!("{many} {}, … ({} in all)", ids[..3].join(", "), ids.len()),
    }
}
