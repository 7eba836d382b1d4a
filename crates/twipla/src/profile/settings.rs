//! The settings of a profile, and the client built from them.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Result;
use crate::auth::PrivateKey;
use crate::config::{TwiplaBuilder, config};
use crate::environment::Environment;
use crate::ids::PartnerId;
use crate::secret::Secret;
use crate::variables::{self, Var};

/// The variables that override a profile.
const VARIABLES: [&str; 5] = [
    "TWIPLA_PARTNER_ID",
    "TWIPLA_PRIVATE_KEY",
    "TWIPLA_PRIVATE_KEY_FILE",
    "TWIPLA_ENVIRONMENT",
    "TWIPLA_BASE_URL",
];

/// The settings of one client.
///
/// ```
/// use twipla::Environment;
/// use twipla::profile::{Address, KeySource, Profile};
///
/// let key = KeySource::Variable("SHOP_KEY".into());
/// let profile = Profile::new("7128840a-5347-49a4-8dfa-9022d8dad21a".parse()?, key)
///     .address(Address::Environment(Environment::Stage));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub(super) partner_id: PartnerId,
    pub(super) key: KeySource,
    pub(super) address: Address,
}

/// The source of a profile's private key.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum KeySource {
    /// A PEM file.
    File(PathBuf),
    /// An environment variable that contains the PEM text.
    Variable(String),
    /// A program and its arguments, which prints the PEM text. It is run without a shell.
    Command(Vec<String>),
    /// PEM text in the profile itself.
    Pem(Secret),
}

/// The server that a profile is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// One of TWIPLA's environments.
    Environment(Environment),
    /// Another server, as for [`TwiplaBuilder::base_url`].
    Urls {
        /// Address of the management API, and of the other hosts unless they are set here.
        base_url: String,
        /// Address of the data endpoints.
        data_url: Option<String>,
        /// Address of the dashboard.
        dashboard_url: Option<String>,
    },
}

impl Profile {
    /// Creates a profile for production.
    pub fn new(partner_id: PartnerId, key: KeySource) -> Self {
        Self {
            partner_id,
            key,
            address: Address::Environment(Environment::default()),
        }
    }

    /// Sets the server.
    pub fn address(mut self, address: Address) -> Self {
        self.address = address;
        self
    }

    /// Returns the partner.
    pub fn partner_id(&self) -> PartnerId {
        self.partner_id
    }

    /// Returns the source of the private key.
    pub fn key(&self) -> &KeySource {
        &self.key
    }

    /// Returns the server.
    pub fn server(&self) -> &Address {
        &self.address
    }

    /// Returns a builder with these settings, overridden by the variables that are set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the key cannot be read, or a variable is
    /// invalid.
    pub fn builder(&self) -> Result<TwiplaBuilder> {
        self.builder_with(&variables::environment)
    }

    /// Returns the names of the variables that are set and override this profile.
    pub fn overridden_by(&self) -> Vec<&'static str> {
        let is_set = |name: &&str| variables::set(&variables::environment, name).is_some();
        VARIABLES.into_iter().filter(is_set).collect()
    }

    fn builder_with(&self, var: Var<'_>) -> Result<TwiplaBuilder> {
        let key = match variables::private_key(var)? {
            Some(key) => key,
            None => self.key.read(var)?,
        };
        let builder = match variables::partner(var) {
            Some(partner) => TwiplaBuilder::default().partner(partner, key),
            None => TwiplaBuilder::default().partner(self.partner_id, key),
        };
        match variables::server(var)? {
            Some(server) => server.set(builder),
            None => Ok(self.address.set(builder)),
        }
    }
}

impl KeySource {
    fn read(&self, var: Var<'_>) -> Result<PrivateKey> {
        match self {
            Self::File(path) => PrivateKey::from_pem_file(path),
            Self::Variable(name) => {
                let pem = variables::set(var, name).map(Secret::from).ok_or_else(|| {
                    config(format!(
                        "{name} is not set: the profile expects the private key in it, as PEM text"
                    ))
                })?;
                PrivateKey::from_pem(pem.expose())
            }
            Self::Command(command) => PrivateKey::from_pem(output_of(command)?.expose()),
            Self::Pem(pem) => PrivateKey::from_pem(pem.expose()),
        }
    }
}

/// Shows the source without the key.
impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Command(command) => write!(f, "command {}", command.join(" ")),
            Self::Pem(_) => f.write_str("in the profile"),
        }
    }
}

impl Address {
    fn set(&self, mut builder: TwiplaBuilder) -> TwiplaBuilder {
        match self {
            Self::Environment(environment) => builder.environment(*environment),
            Self::Urls {
                base_url,
                data_url,
                dashboard_url,
            } => {
                builder = builder.base_url(base_url);
                if let Some(url) = data_url {
                    builder = builder.data_url(url);
                }
                if let Some(url) = dashboard_url {
                    builder = builder.dashboard_url(url);
                }
                builder
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(environment) => environment.fmt(f),
            Self::Urls { base_url, .. } => f.write_str(base_url),
        }
    }
}

/// Returns what a program prints. It may ask its user on the terminal.
fn output_of(command: &[String]) -> Result<Secret> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(config(
            "invalid private_key_command: expected a program and its arguments",
        ));
    };
    let failed = |cause: String| {
        config(format!(
            "cannot get the private key from the command {program:?}: {cause}"
        ))
    };
    let output = Command::new(program)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    // Do not show the text: it may be a part of the key.
    let text = String::from_utf8(output.stdout)
        .map_err(|_| failed("it printed bytes that are not UTF-8, expected PEM text".into()))?;
    Ok(Secret::from(text))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::Twipla;

    const OTHER: &str = "00000000-0000-4000-8000-000000000001";

    async fn sandbox() -> (twipla_sandbox::Sandbox, PartnerId, String) {
        let sandbox = twipla_sandbox::Sandbox::start().await.unwrap();
        let partner = sandbox.website_partner();
        let pem = partner.private_key_pem().to_owned();
        (sandbox, partner.id(), pem)
    }

    fn build(profile: &Profile, vars: &[(&str, &str)]) -> Result<Twipla> {
        let vars: HashMap<&str, &str> = vars.iter().copied().collect();
        let var = |name: &str| vars.get(name).map(|value| (*value).to_owned());
        profile.builder_with(&var)?.build()
    }

    #[tokio::test]
    async fn each_key_source_builds_a_client() {
        let (sandbox, partner, pem) = sandbox().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("partner.key");
        std::fs::write(&file, &pem).unwrap();
        let cat = ["cat", file.to_str().unwrap()].map(str::to_owned).to_vec();
        let sources = [
            KeySource::File(file.clone()),
            KeySource::Variable("SHOP_KEY".into()),
            KeySource::Pem(Secret::from(pem.as_str())),
            #[cfg(unix)]
            KeySource::Command(cat),
        ];
        for source in sources {
            let profile = Profile::new(partner, source.clone()).address(Address::Urls {
                base_url: sandbox.base_url().to_owned(),
                data_url: None,
                dashboard_url: Some("https://dashboard.example.com".into()),
            });
            let twipla = build(&profile, &[("SHOP_KEY", &pem)]).unwrap();
            assert_eq!(
                twipla.company_details().await.unwrap().id,
                partner,
                "{source}"
            );
            assert_eq!(twipla.dashboard_origin(), "https://dashboard.example.com");
        }
    }

    #[tokio::test]
    async fn each_variable_overrides_the_profile_separately() {
        let (sandbox, partner, pem) = sandbox().await;
        let profile = Profile::new(partner, KeySource::Pem(Secret::from(pem.as_str())))
            .address(Address::Environment(Environment::Stage));
        let stage = build(&profile, &[]).unwrap();
        assert!(stage.base_url().as_str().contains("stage"));
        let other = build(&profile, &[("TWIPLA_PARTNER_ID", OTHER)]).unwrap();
        assert_eq!(other.partner_id().to_string(), OTHER);
        assert!(other.base_url().as_str().contains("stage"));
        let server = build(&profile, &[("TWIPLA_BASE_URL", sandbox.base_url())]).unwrap();
        assert_eq!(server.company_details().await.unwrap().id, partner);
        let dev = build(&profile, &[("TWIPLA_ENVIRONMENT", "dev")]).unwrap();
        assert_eq!(
            dev.base_url().as_str().trim_end_matches('/'),
            Environment::Dev.base_url()
        );
        let error = build(&profile, &[("TWIPLA_PRIVATE_KEY_FILE", "no/such.key")]).unwrap_err();
        assert!(error.to_string().contains("no/such.key"), "{error}");
    }

    #[test]
    fn a_missing_key_is_named_without_its_value() {
        let id: PartnerId = OTHER.parse().unwrap();
        for (source, expected) in [
            (
                KeySource::Variable("SHOP_KEY".into()),
                "SHOP_KEY is not set",
            ),
            (KeySource::Command(vec![]), "private_key_command"),
            (
                KeySource::Command(vec!["no-such-program".into(), "hunter2".into()]),
                "no-such-program",
            ),
            #[cfg(unix)]
            (
                KeySource::Command(vec!["false".into(), "hunter2".into()]),
                "exit status: 1",
            ),
        ] {
            let error = build(&Profile::new(id, source), &[])
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(expected) && !error.contains("hunter2"),
                "{error}"
            );
        }
        let profile = Profile::new(id, KeySource::Pem(Secret::from("hunter2")));
        assert!(!format!("{profile:?} {}", profile.key()).contains("hunter2"));
    }
}
