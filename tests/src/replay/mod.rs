//! The wire vectors, and what holds a binding against them.
//!
//! A vector says what is called, in the terms of the contract, which requests
//! that must give, what comes back, and what that means. [`Player`] plays the
//! responses on loopback and records the requests; [`compare`] holds both the
//! requests and the answer of the binding against the vector. The facade and
//! bindings in other languages go through the same code. The format is
//! described in `tests/vectors/README.md`.

mod compare;
mod driver;
mod mistakes;
mod player;
mod run;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use twipla::PrivateKey;
use twipla_sandbox::{Model, PartnerConfig, Sandbox};
use uuid::Uuid;

pub use self::compare::compare;
pub use self::mistakes::{Mistake, mistaken, mistakes};
pub use self::player::{Player, Recorded};
pub use self::run::{Driver, run};

/// Where dashboard addresses begin. Nothing is sent there.
pub const DASHBOARD_URL: &str = "https://dashboard.example.com";

/// What goes wrong around the vectors, as opposed to in a binding.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// One file of vectors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The operation that all cases are about, in the files of operations.
    pub operation: Option<String>,
    /// What the file is about, in the others.
    pub about: Option<String>,
    /// Where the requests of all cases must arrive.
    #[serde(default)]
    pub server: Server,
    /// The cases.
    pub cases: Vec<Case>,
    /// Name of the file, without its extension.
    #[serde(skip)]
    pub name: String,
}

impl File {
    /// What the cases are counted under: the name, but for the many files of operations.
    pub fn topic(&self) -> &str {
        match self.operation {
            Some(_) => "operations",
            None => &self.name,
        }
    }
}

/// A server of the player.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Server {
    /// The API: `TWIPLA_BASE_URL`.
    #[default]
    Api,
    /// The data endpoints: `TWIPLA_DATA_URL`.
    Data,
    /// A host to which redirects lead and nothing may be sent.
    #[serde(skip)]
    Elsewhere,
}

impl Server {
    /// The path of its base URL. The host of the data endpoints has one.
    pub fn base_path(self) -> &'static str {
        match self {
            Self::Data => "/api",
            Self::Api | Self::Elsewhere => "",
        }
    }
}

/// One vector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Case {
    /// Unique in its file.
    pub name: String,
    /// What it shows.
    pub why: String,
    /// What is to be done.
    #[serde(default, rename = "do")]
    pub action: Action,
    /// The call, in the terms of the contract.
    pub call: Value,
    /// Requests that must be sent, in this order, and what answers them.
    #[serde(default)]
    pub exchanges: Vec<Exchange>,
    /// What may be sent after that; nothing where it is absent.
    pub more: Option<More>,
    /// What the last answer means.
    pub result: Option<Outcome>,
    /// The token that must come out.
    pub token: Option<Value>,
    /// The address that must come out.
    pub url: Option<Value>,
    /// Why a body does not fit the contract.
    pub off_contract: Option<String>,
    /// Where the requests must arrive, as the file says.
    #[serde(skip)]
    pub server: Server,
}

/// What a binding may send of its own accord, after the exchanges of a case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct More {
    /// What it may be.
    pub allow: Allow,
    /// Seconds that must pass before the last request is sent again.
    pub wait: Option<f64>,
    /// What answers the first of it, where that is not yet `response`.
    pub first: Option<Response>,
    /// What answers it; where it is absent, the last response once more.
    pub response: Option<Response>,
    /// What the call then gives, where that differs.
    pub result: Option<Outcome>,
}

/// What may be sent after the exchanges of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Allow {
    /// Requests that read.
    Reads,
    /// The last request again, and requests that read.
    Retries,
}

/// What is to be done in a case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// One operation is called.
    #[default]
    Call,
    /// A list is read to its end.
    ListAll,
    /// A token is made.
    Token,
    /// An address of the dashboard is made.
    DashboardUrl,
}

impl Action {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::ListAll => "list_all",
            Self::Token => "token",
            Self::DashboardUrl => "dashboard_url",
        }
    }
}

/// A request and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What must be sent.
    pub request: Request,
    /// What comes back.
    pub response: Response,
}

/// A request that must be sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, percent-encoded.
    pub path: String,
    /// The query, decoded.
    pub query: Map<String, Value>,
    /// Values or matchers of some headers.
    pub headers: Map<String, Value>,
    /// The body as JSON; null where there is none.
    pub body: Value,
}

/// What comes back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// The body as JSON.
    pub body: Option<Value>,
    /// The body as it is, where it is no JSON.
    pub text: Option<String>,
}

/// What an answer means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum Outcome {
    /// Success with this value; null where there is none.
    Ok(Value),
    /// A failure of which this is known.
    Error(Map<String, Value>),
}

/// A partner that signs, with a key of this run.
#[derive(Debug)]
pub struct Signing {
    /// Id of the partner.
    pub partner: Uuid,
    /// The private key, in PEM.
    pub private_pem: String,
    /// The public key, in PEM.
    pub public_pem: String,
}

impl Signing {
    /// Makes a key.
    pub async fn new() -> Result<Self, Error> {
        // The sandbox makes keys; nothing else of it is needed.
        let config = PartnerConfig::new(Uuid::new_v4(), Model::Website);
        let sandbox = Sandbox::builder().partner(config.clone()).start().await?;
        let partner = sandbox.website_partner();
        let key = PrivateKey::from_pem(partner.private_key_pem())?;
        Ok(Self {
            partner: partner.id().into(),
            private_pem: partner.private_key_pem().to_owned(),
            public_pem: key.public_key_pem()?,
        })
    }
}

/// The folder of the vectors.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Every file, sorted by name.
///
/// # Errors
///
/// Where one cannot be read; the message names it.
pub fn load(folder: &Path) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for folder in [folder.to_owned(), folder.join("operations")] {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let Some(name) = name.strip_suffix(".json").filter(|name| *name != "schema") else {
                continue;
            };
            let text = fs::read_to_string(&path)?;
            let mut file: File = serde_json::from_str(&text)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            name.clone_into(&mut file.name);
            for case in &mut file.cases {
                case.server = file.server;
            }
            files.push(file);
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
