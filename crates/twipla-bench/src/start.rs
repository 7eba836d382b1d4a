//! From the start of the process to the first response. The parent process measures the time.

use anyhow::Result;
use serde_json::{Value, json};
use twipla::CryptoBackend;

use crate::args::{Client, Operation, Target};
use crate::calls::{Bare, facade, reqwest, twipla};
use crate::measure;

pub(crate) fn run(target: &Target, client: Client) -> Result<Value> {
    measure::pin(measure::Side::Client);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        if client == Client::Twipla {
            let twipla = twipla(target, CryptoBackend::default())?;
            return facade(&twipla, Operation::GetWebsite).await;
        }
        let bare = Bare::new(target, reqwest(client)?)?;
        bare.reqwest(Operation::GetWebsite).await
    })?;
    Ok(json!({ "cpu": measure::micros(measure::cpu()) }))
}
