//! The command line of a measurement.

use clap::{Args, ValueEnum};

/// The operation to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operation {
    /// One website.
    GetWebsite,
    /// A page of 100 customers.
    ListCustomers,
    /// A customer with a website.
    CreateCustomer,
}

/// The client to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// The facade, which signs its own token.
    Twipla,
    /// reqwest with a fixed token, decoding into the same types.
    Reqwest,
    /// The same, with TLS by ring, as in the facade.
    ReqwestRing,
    /// hyper with a fixed token, decoding into the same types.
    Hyper,
}

/// The signing library.
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

/// The server, and the files that a client needs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// URL of the server
    #[arg(long)]
    pub(crate) url: String,
    /// File with the private key
    #[arg(long)]
    pub(crate) key: std::path::PathBuf,
}
