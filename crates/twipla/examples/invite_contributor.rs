//! Gives another customer access to a website, and prints who has access.
//!
//! ```text
//! cargo run --example invite_contributor -- site-1 cust-2
//! ```

use std::error::Error;

use twipla::Twipla;
use twipla::types::ContributorRole;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [website, customer] = arguments.as_slice() else {
        return Err("usage: invite_contributor WEBSITE CUSTOMER".into());
    };
    let contributors = Twipla::from_env()?.website(website).contributors();
    contributors.add(customer, ContributorRole::Watcher).await?;
    let team = contributors.list().await?;
    println!("owner: {}", team.owner.email);
    for watcher in &team.contributors.watcher {
        println!("watcher: {}", watcher.email);
    }
    Ok(())
}
