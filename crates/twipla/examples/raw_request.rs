//! Sends a request that this version has no method for, with the client's tokens, retries and errors.
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
    let answer = Twipla::from_env()?.raw_request(Method::GET, path).await?;
    println!("{answer:#}");
    Ok(())
}
