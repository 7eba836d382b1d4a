//! The wire vectors, and the comparison of a binding with them.
//!
//! A vector contains a call in the terms of the contract, the requests that it must send, the responses, and the expected
//! result. [`Player`] plays the responses on loopback and records the requests; [`compare`] compares both the requests and
//! the answer of the binding with the vector. The facade and bindings in other languages use the same code. The format is
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

/// The base of dashboard URLs. Nothing is sent there.
pub const DASHBOARD_URL: &str = "https://dashboard.example.com";

/// A problem of the vectors or the environment, as opposed to the binding.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// One file of vectors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The operation of all cases, in the files of operations.
    pub operation: Option<String>,
    /// The topic, in the other files.
    pub about: Option<String>,
    /// The server that must receive the requests of all cases.
    #[serde(default)]
    pub server: Server,
    /// The cases.
    pub cases: Vec<Case>,
    /// Name of the file, without its extension.
    #[serde(skip)]
    pub name: String,
}

impl File {
    /// Returns the topic for the counts: the name, except for the many files of operations.
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
    /// A host to which redirects lead, and which must not receive anything.
    #[serde(skip)]
    Elsewhere,
}

impl Server {
    /// Returns the path of its base URL, which only the data endpoints have.
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
    /// What to do.
    #[serde(default, rename = "do")]
    pub action: Action,
    /// The call, in the terms of the contract.
    pub call: Value,
    /// The requests that must be sent, in this order, and their responses.
    #[serde(default)]
    pub exchanges: Vec<Exchange>,
    /// What may be sent after that; nothing if it is absent.
    pub more: Option<More>,
    /// The meaning of the last response.
    pub result: Option<Outcome>,
    /// The expected token.
    pub token: Option<Value>,
    /// The expected URL.
    pub url: Option<Value>,
    /// Why a body does not fit the contract.
    pub off_contract: Option<String>,
    /// The server that must receive the requests, from the file.
    #[serde(skip)]
    pub server: Server,
}

/// What a binding may additionally send after the exchanges of a case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct More {
    /// What it may be.
    pub allow: Allow,
    /// The number of seconds that must pass before the last request is sent again.
    pub wait: Option<f64>,
    /// The first response, if it differs from `response`.
    pub first: Option<Response>,
    /// The response; if it is absent, the last one is repeated.
    pub response: Option<Response>,
    /// The result of the call in this case, if it differs.
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

/// What to do in a case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// One operation is called.
    #[default]
    Call,
    /// A list is read to its end.
    ListAll,
    /// A token is created.
    Token,
    /// A dashboard URL is created.
    DashboardUrl,
}

impl Action {
    /// Returns its name in the vectors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::ListAll => "list_all",
            Self::Token => "token",
            Self::DashboardUrl => "dashboard_url",
        }
    }
}

/// A request and its response.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What must be sent.
    pub request: Request,
    /// The response.
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
    /// The body as JSON; null if there is none.
    pub body: Value,
}

/// A response.
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
    /// The body as text, if it is not JSON.
    pub text: Option<String>,
}

/// The meaning of a response.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum Outcome {
    /// Success with this value; null if there is none.
    Ok(Value),
    /// A failure with these properties.
    Error(Map<String, Value>),
}

/// A partner with a key that was generated for this run.
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
    /// Generates a key.
    pub async fn new() -> Result<Self, Error> {
        // The sandbox generates keys; nothing else of it is needed.
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

/// Returns the folder of the vectors.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Loads every file, sorted by name.
///
/// # Errors
///
/// If one cannot be read; the error names it.
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
