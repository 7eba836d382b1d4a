//! Prints all websites with their packages, holding one page of the list in memory at a time.
//!
//! ```text
//! cargo run --example list_websites
//! ```

use std::error::Error;

use futures_util::TryStreamExt as _;
use twipla::Twipla;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let twipla = Twipla::from_env()?;
    let mut sites = Box::pin(twipla.websites().list().prefetch(true).stream());
    while let Some(site) = sites.try_next().await? {
        println!(
            "{}\t{}\t{}\t{}",
            site.intp_website_id, site.domain, site.package_name, site.status
        );
    }
    Ok(())
}
