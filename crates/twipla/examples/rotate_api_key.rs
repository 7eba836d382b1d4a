//! Replaces an API key without downtime: both keys work until the new one is stored.
//!
//! ```text
//! cargo run --example rotate_api_key -- site-1 reports reports.key
//! ```

use std::error::Error;
use std::io;

use twipla::{Secret, Twipla};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [website, name, file] = arguments.as_slice() else {
        return Err("usage: rotate_api_key WEBSITE NAME FILE".into());
    };
    let keys = Twipla::from_env()?.website(website).api_keys();
    let old = keys.list().await?.into_iter().find(|key| key.name == *name);
    let Some(old) = old else {
        let new = keys.create(name).await?;
        store(file, &new.api_key)?;
        println!("created {name}, which did not exist");
        return Ok(());
    };
    let rotation = keys.rotate(old.id).await?;
    if let Err(error) = store(file, &rotation.new_key().api_key) {
        // Nobody knows the secret of the new key, so it is useless.
        rotation.abandon().await?;
        return Err(error.into());
    }
    rotation.confirm().await?;
    println!("replaced {name}");
    Ok(())
}

/// Writes the secret to a file. Replace this with your secret store.
fn store(file: &str, secret: &Secret) -> io::Result<()> {
    std::fs::write(file, secret.expose())
}
