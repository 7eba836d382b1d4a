//! Prints the URL of a website's dashboard, and the Content-Security-Policy that a page needs to embed it.
//!
//! ```text
//! cargo run --example dashboard_url -- cust-1 site-1
//! ```

use std::error::Error;

use twipla::Twipla;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [customer, website] = arguments.as_slice() else {
        return Err("usage: dashboard_url CUSTOMER WEBSITE".into());
    };
    let twipla = Twipla::from_env()?;
    let url = twipla
        .dashboard(customer, website)
        .locale("de")
        .allow_upgrade(true)
        .await?;
    println!(
        "Content-Security-Policy: frame-src {}",
        twipla.dashboard_origin()
    );
    // The URL contains a token: show it only to this customer, and do not log it.
    println!("{}", url.as_str());
    Ok(())
}
