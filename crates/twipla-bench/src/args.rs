//! What a measurement is told on its command line.

use clap::{Args, ValueEnum};

/// What is sent for each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operation {
    /// One website.
    GetWebsite,
    /// A page of 100 customers.
    ListCustomers,
    /// A customer with a website.
    CreateCustomer,
}

/// Who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// The facade, which signs its own token.
    Twipla,
    /// reqwest with a token that never changes, into the same types.
    Reqwest,
    /// The same, but TLS by ring, as the facade has it.
    ReqwestRing,
    /// hyper with a token that never changes, into the same types.
    Hyper,
}

/// What signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// The crate ring.
    Ring,
    /// The crate aws-lc-rs.
    AwsLcRs,
}

impl From<Backend> for twipla::CryptoBackend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Ring => Self::Ring,
            Backend::AwsLcRs => Self::AwsLcRs,
        }
    }
}

/// Where the server and the key are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// Address of the server
    #[arg(long)]
    pub(crate) url: String,
    /// File with the private key
    #[arg(long)]
    pub(crate) key: std::path::PathBuf,
}
