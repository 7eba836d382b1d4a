//! Sends a request for which the client has no method, with its authentication, retries and error handling.
//!
//! ```text
//! cargo run --example raw_request -- /v2/3as/packages
//! ```

use std::error::Error;

use twipla::Twipla;
use twipla::http::Method;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: raw_request PATH")?;
    let response = Twipla::from_env()?.raw_request(Method::GET, path).await?;
    println!("{response:#}");
    Ok(())
}
