//! Creates a customer with a website, and prints the snippet for its pages.
//!
//! ```text
//! cargo run --example create_customer -- cust-42 owner@example.com site-7 example.com
//! ```
//!
//! Like all examples except `onboarding`, it takes partner, key and server from the environment (`Twipla::from_env`). To
//! try it without an account, put `cargo run -p twipla-cli -- sandbox --examples --` before the command.

use std::error::Error;

use twipla::Twipla;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [customer, email, website, domain] = arguments.as_slice() else {
        return Err("usage: create_customer CUSTOMER EMAIL WEBSITE DOMAIN".into());
    };
    let twipla = Twipla::from_env()?;
    let created = twipla
        .customers()
        .create(customer, email)
        .website(website, domain)
        .await;
    match created {
        Ok(created) => println!("created {}", created.intp_customer_id),
        // An earlier run created it with the same data.
        Err(error) if error.exists_as_requested() => println!("{customer} exists already"),
        Err(error) => return Err(error.into()),
    }
    let site = twipla.website(website).get().await?;
    println!("{}", site.visa_tracking_code.unwrap_or_default());
    Ok(())
}
