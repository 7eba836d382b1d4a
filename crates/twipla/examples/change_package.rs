//! Moves a website to a package, up or down, and prints when that takes effect.
//!
//! ```text
//! cargo run --example change_package -- site-1 Pro
//! ```

use std::error::Error;

use twipla::resources::PackageChange;
use twipla::types::BillingInterval;
use twipla::{ChangeState, Twipla};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [website, package] = arguments.as_slice() else {
        return Err("usage: change_package WEBSITE PACKAGE".into());
    };
    let twipla = Twipla::from_env()?;
    let package = twipla
        .packages()
        .find(package)
        .period(BillingInterval::Monthly)
        .await?;
    match twipla
        .website(website)
        .subscription()
        .change_to(package.id)
        .await
    {
        Ok(PackageChange::Upgraded(now)) => {
            println!("on {} until {}", package.name, now.expires_at);
        }
        Ok(PackageChange::DowngradePlanned(now)) => {
            println!("{} from {} on", package.name, now.expires_at);
        }
        Ok(other) => println!("{other:?}"),
        // The response was lost, but reading the website back showed that the change was applied.
        Err(error) if error.change_state() == Some(ChangeState::Applied) => {
            println!("on {}", package.name);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
