//! Checks with schemathesis that the sandbox behaves as the contract says.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::document;
use crate::external::{self, Venv};
use crate::layout::{self, Layout};
use crate::lock::Lock;
use crate::sandbox::{Partner, Sandbox, token};

/// Creates what the calls need: a customer, a website, a key.
const SEED: &str = include_str!("conformance_seed.py");

/// Operations that remove what other calls need. They run last.
const ENDING: [&str; 4] = [
    "delete_customer",
    "delete_website",
    "deactivate_website_subscription",
    "deactivate_intpc_subscription",
];

/// The options of `cargo xtask conformance`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Generated examples for each operation.
    pub max_examples: u32,
    /// Folder for a recording of every request.
    pub report: Option<PathBuf>,
}

/// Runs schemathesis once for each partner of the sandbox.
pub fn run(layout: &Layout, options: &Options) -> Result<()> {
    let lock = Lock::load(layout)?;
    let contract = fs::read_to_string(layout.contract()).with_context(|| {
        format!(
            "cannot read {}: run `cargo xtask regen`",
            layout.show(&layout.contract())
        )
    })?;
    let contract: Value =
        serde_json::from_str(&contract).context("openapi/twipla-3as.json is not valid JSON")?;
    let venv = Venv::with(layout, &lock, "schemathesis")?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let sandbox = Sandbox::start(layout, scratch.path())?;
    println!("sandbox: {}", sandbox.base_url);
    for partner in &sandbox.partners {
        check(
            layout,
            &contract,
            &venv,
            &sandbox,
            partner,
            scratch.path(),
            options,
        )
        .with_context(|| format!("partner {}, {} model", partner.id, partner.model))?;
        println!("conformance, {} model: ok", partner.model);
    }
    Ok(())
}

fn check(
    layout: &Layout,
    contract: &Value,
    venv: &Venv,
    sandbox: &Sandbox,
    partner: &Partner,
    scratch: &Path,
    options: &Options,
) -> Result<()> {
    let token = token(partner)?;
    let mut command = venv.command("python");
    let seeded = external::run(
        command
            .args(["-c", SEED, &sandbox.base_url, &partner.model])
            .env("TWIPLA_TOKEN", &token),
    )?;
    ensure!(
        seeded.success,
        "cannot set up a customer, a website and a key:\n{}",
        seeded.all
    );
    let seed: Seed = serde_json::from_str(&seeded.out).context("the setup printed no ids")?;

    let config = scratch.join(format!("schemathesis-{}.toml", partner.model));
    layout::write_atomically(
        &config,
        &configuration(contract, sandbox, &token, &seed, options.max_examples)?,
    )?;
    for (part, filter) in [
        ("living", "--exclude-operation-id"),
        ("ending", "--include-operation-id"),
    ] {
        let mut command = venv.command("schemathesis");
        command
            .current_dir(scratch)
            .arg("--config-file")
            .arg(&config)
            .arg("run")
            .arg(layout.contract());
        for id in ENDING {
            command.arg(filter).arg(id);
        }
        if let Some(folder) = &options.report {
            let folder = std::path::absolute(folder.join(format!("{}-{part}", partner.model)))
                .context("cannot find the folder of the report")?;
            command
                .args(["--report", "har", "--report-dir"])
                .arg(folder);
        }
        let status = command.status().context("cannot run schemathesis")?;
        ensure!(
            status.success(),
            "the sandbox does not match the contract, see above"
        );
    }
    Ok(())
}

/// Returns the configuration file of schemathesis.
fn configuration(
    contract: &Value,
    sandbox: &Sandbox,
    token: &str,
    seed: &Seed,
    max_examples: u32,
) -> Result<String> {
    let config = json!({
        "base-url": sandbox.base_url,
        "continue-on-failure": true,
        "request-timeout": 10.0,
        "warnings": false,
        "generation": { "max-examples": max_examples, "deterministic": true, "database": "none" },
        "phases": { "stateful": { "enabled": false } },
        "checks": {
            "enabled": false,
            "not_a_server_error": { "enabled": true },
            "status_code_conformance": { "enabled": true },
            "content_type_conformance": { "enabled": true },
            "response_schema_conformance": { "enabled": true },
        },
        "auth": { "openapi": { "partnerToken": { "bearer": token }, "apiKey": { "api_key": seed.api_key } } },
        "dictionaries": {
            "customers": { "values": [seed.customer] },
            "websites": { "values": [seed.website] },
            "website-ids": { "values": [seed.website_id] },
            "packages": { "values": seed.packages },
            "key-ids": { "values": seed.api_key_ids },
            "keys": { "values": [seed.api_key] },
        },
        "parameters": parameters(),
        "operations": operations(contract)?,
    });
    toml::to_string(&config).context("cannot write the configuration of schemathesis")
}

/// Returns ids that exist, which most calls use.
fn parameters() -> Value {
    let often = |name: &str| json!({ "dictionary": name, "probability": 0.8 });
    json!({
        "path.intpCustomerId": often("customers"),
        "path.intpWebsiteId": often("websites"),
        "path.websiteId": often("website-ids"),
        "path.packageId": often("packages"),
        "path.targetId": often("websites"),
        "path.apiKeyId": often("key-ids"),
        "query.intpCustomerId": often("customers"),
        "query.intpWebsiteId": often("websites"),
        "body.intpCustomerId": often("customers"),
        "body.intpcId": often("customers"),
        "body.intpWebsiteId": often("websites"),
        "body.packageId": often("packages"),
        "body.websiteId": often("website-ids"),
        "body.apiKey": often("keys"),
        "body.intpc.id": often("customers"),
        "body.website.package.id": often("packages"),
    })
}

/// Returns the settings that differ for some operations.
fn operations(contract: &Value) -> Result<Vec<Value>> {
    let all = document::operations(contract);
    for id in ENDING {
        ensure!(
            all.iter().any(|operation| operation.id == id),
            "the contract no longer has the operation {id}"
        );
    }
    // A rejected subscription change responds with 500, as documented.
    let refusing = all
        .iter()
        .filter(|operation| operation.value["responses"].get("500").is_some());
    let entry = |id: &str| json!({ "include-operation-id": id, "checks": { "not_a_server_error": { "enabled": false } } });
    Ok(refusing.map(|operation| entry(operation.id)).collect())
}

/// The ids that the setup created.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seed {
    customer: String,
    website: String,
    website_id: String,
    packages: Vec<String>,
    api_key: String,
    api_key_ids: Vec<String>,
}
