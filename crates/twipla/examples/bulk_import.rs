//! Creates the websites listed on standard input, one `WEBSITE DOMAIN` per line. Safe to run again.
//!
//! ```text
//! printf 'shop-1 1.example.com\nshop-2 2.example.com\n' | cargo run --example bulk_import -- cust-1
//! ```

use std::error::Error;
use std::io;

use twipla::{NewWebsite, Outcome, Twipla};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let customer = std::env::args()
        .nth(1)
        .ok_or("usage: bulk_import CUSTOMER")?;
    let mut sites = Vec::new();
    for line in io::stdin().lines() {
        let line = line?;
        let (website, domain) = line
            .split_once(' ')
            .ok_or("invalid line: expected WEBSITE DOMAIN")?;
        sites.push(NewWebsite::new(&customer, website, domain));
    }
    let report = Twipla::from_env()?
        .bulk()
        .concurrency(8)
        .create_websites(sites)
        .await?;
    for (site, outcome) in report.iter() {
        match outcome {
            Outcome::Done(_) => println!("{}: created", site.id()),
            Outcome::Unchanged => println!("{}: exists already", site.id()),
            Outcome::Failed(error) => println!("{}: {error}", site.id()),
            other => println!("{}: {other:?}", site.id()),
        }
    }
    if report.is_complete() {
        Ok(())
    } else {
        Err("some websites are missing".into())
    }
}
