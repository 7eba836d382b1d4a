//! TWIPLA's environments and their addresses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

/// One of TWIPLA's environments.
///
/// ```
/// use twipla::Environment;
///
/// assert_eq!("stage".parse::<Environment>()?, Environment::Stage);
/// assert!(Environment::default().base_url().starts_with("https://"));
/// // In settings it has the same names.
/// assert_eq!(serde_json::to_string(&Environment::Dev)?, r#""dev""#);
/// assert_eq!(serde_json::from_str::<Environment>(r#""production""#)?, Environment::Production);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Environment {
    /// Production.
    #[default]
    Production,
    /// TWIPLA's staging environment.
    Stage,
    /// TWIPLA's development environment.
    Dev,
}

impl Environment {
    /// Returns the address of the 3AS API (observed in the official SDKs).
    pub fn base_url(self) -> &'static str {
        match self {
            Self::Production => "https://api-gateway.visitor-analytics.io",
            Self::Stage => "https://stage-api-gateway.va-endpoint.com",
            Self::Dev => "https://api-gateway.va-endpoint.com",
        }
    }

    /// Returns the address of the data endpoints (inferred: no official client shows it).
    pub fn data_url(self) -> &'static str {
        match self {
            Self::Production => "https://lb-api.visitor-analytics.io/api",
            Self::Stage => "https://stage-api.va-endpoint.com/api",
            Self::Dev => "https://dev-api.va-endpoint.com/api",
        }
    }

    /// Returns the address of the dashboard (documented for production, else observed).
    pub fn dashboard_url(self) -> &'static str {
        match self {
            Self::Production => "https://app-3as.visitor-analytics.io",
            Self::Stage => "https://stage-dashboard-3as.va-endpoint.com",
            Self::Dev => "https://dev-dashboard-3as.va-endpoint.com",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Production => "production",
            Self::Stage => "stage",
            Self::Dev => "dev",
        })
    }
}

impl std::str::FromStr for Environment {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "production" => Ok(Self::Production),
            "stage" => Ok(Self::Stage),
            "dev" => Ok(Self::Dev),
            _ => Err(Error::new(
                ErrorKind::Configuration,
                format!("unknown environment {name:?}: use production, stage or dev"),
            )),
        }
    }
}
