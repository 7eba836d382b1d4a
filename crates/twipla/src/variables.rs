//! Client settings from environment variables.

use crate::auth::PrivateKey;
use crate::config::{TwiplaBuilder, config};
use crate::{Error, Result};

/// Reads one variable by its name.
pub(crate) type Var<'a> = &'a dyn Fn(&str) -> Option<String>;

impl TwiplaBuilder {
    /// Creates a builder from the variables of [`Twipla::from_env`](crate::Twipla::from_env), to add other settings.
    ///
    /// # Errors
    ///
    /// Those of [`Twipla::from_env`](crate::Twipla::from_env).
    ///
    /// ```no_run
    /// use twipla::TwiplaBuilder;
    ///
    /// let twipla = TwiplaBuilder::from_env()?.user_agent("shop/1.4").build()?;
    /// # Ok::<(), twipla::Error>(())
    /// ```
    pub fn from_env() -> Result<Self> {
        Self::from_vars(&environment)
    }

    /// Reads the variables with `var`.
    pub(crate) fn from_vars(var: Var<'_>) -> Result<Self> {
        let partner = partner(var).ok_or_else(|| {
            config("TWIPLA_PARTNER_ID is not set: it takes the uuid that TWIPLA issued for your public key")
        })?;
        let key = private_key(var)?.ok_or_else(|| {
            config("no private key: set TWIPLA_PRIVATE_KEY to the PEM text or TWIPLA_PRIVATE_KEY_FILE to its path")
        })?;
        let builder = Self::default().partner(partner, key);
        match server(var)? {
            Some(server) => server.set(builder),
            None => Ok(builder),
        }
    }
}

/// Reads a variable of this process.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub(crate) fn partner(var: Var<'_>) -> Option<String> {
    let id = set(var, "TWIPLA_PARTNER_ID")?;
    Some(id.trim().to_owned())
}

pub(crate) fn private_key(var: Var<'_>) -> Result<Option<PrivateKey>> {
    match (
        set(var, "TWIPLA_PRIVATE_KEY"),
        set(var, "TWIPLA_PRIVATE_KEY_FILE"),
    ) {
        (Some(pem), None) => PrivateKey::from_pem(&pem).map(Some),
        (None, Some(path)) => PrivateKey::from_pem_file(path).map(Some),
        (Some(_), Some(_)) => Err(both("TWIPLA_PRIVATE_KEY", "TWIPLA_PRIVATE_KEY_FILE")),
        (None, None) => Ok(None),
    }
}

/// The server that the variables name.
pub(crate) enum Server {
    Environment(String),
    BaseUrl(String),
}

impl Server {
    pub(crate) fn set(self, builder: TwiplaBuilder) -> Result<TwiplaBuilder> {
        Ok(match self {
            Self::Environment(name) => builder.environment(name.trim().parse()?),
            Self::BaseUrl(url) => builder.base_url(url.trim()),
        })
    }
}

pub(crate) fn server(var: Var<'_>) -> Result<Option<Server>> {
    match (set(var, "TWIPLA_ENVIRONMENT"), set(var, "TWIPLA_BASE_URL")) {
        (Some(_), Some(_)) => Err(both("TWIPLA_ENVIRONMENT", "TWIPLA_BASE_URL")),
        (Some(name), None) => Ok(Some(Server::Environment(name))),
        (None, Some(url)) => Ok(Some(Server::BaseUrl(url))),
        (None, None) => Ok(None),
    }
}

/// Returns the value of a variable that is set and not blank.
pub(crate) fn set(var: Var<'_>, name: &str) -> Option<String> {
    var(name).filter(|value| !value.trim().is_empty())
}

fn both(one: &str, other: &str) -> Error {
    config(format!("{one} and {other} are both set: keep one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn environment_variables_are_validated() {
        let with = |vars: &[(&str, &str)]| {
            let vars: std::collections::HashMap<_, _> = vars
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
            TwiplaBuilder::from_vars(&|name| vars.get(name).cloned())
                .and_then(TwiplaBuilder::build)
                .unwrap_err()
                .to_string()
        };
        let id = ("TWIPLA_PARTNER_ID", "7128840a-5347-49a4-8dfa-9022d8dad21a");
        assert!(with(&[]).contains("TWIPLA_PARTNER_ID is not set"));
        assert!(with(&[id]).contains("TWIPLA_PRIVATE_KEY_FILE"));
        assert!(
            with(&[
                id,
                ("TWIPLA_PRIVATE_KEY", "a"),
                ("TWIPLA_PRIVATE_KEY_FILE", "b")
            ])
            .contains("keep one")
        );
        assert!(
            with(&[id, ("TWIPLA_PRIVATE_KEY_FILE", "no/such/file.pem")])
                .contains("no/such/file.pem")
        );
    }

    #[tokio::test]
    async fn a_client_is_built_from_the_environment() {
        let sandbox = twipla_sandbox::Sandbox::start().await.unwrap();
        let partner = sandbox.website_partner();
        let (id, pem) = (
            partner.id().to_string(),
            partner.private_key_pem().to_owned(),
        );
        let file = std::env::temp_dir().join(format!("twipla-{id}.key"));
        std::fs::write(&file, &pem).unwrap();
        let escaped = pem.replace('\n', "\\n");
        for key in [
            ("TWIPLA_PRIVATE_KEY", pem.as_str()),
            ("TWIPLA_PRIVATE_KEY", escaped.as_str()),
            ("TWIPLA_PRIVATE_KEY_FILE", file.to_str().unwrap()),
        ] {
            let vars = [
                ("TWIPLA_PARTNER_ID", id.as_str()),
                ("TWIPLA_BASE_URL", sandbox.base_url()),
                key,
            ];
            let read = |name: &str| {
                vars.iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            let twipla = TwiplaBuilder::from_vars(&read).unwrap().build().unwrap();
            twipla.packages().list().await.unwrap();
        }
        std::fs::remove_file(file).unwrap();
        let vars = [
            ("TWIPLA_PARTNER_ID", id.as_str()),
            ("TWIPLA_PRIVATE_KEY", &pem),
            ("TWIPLA_ENVIRONMENT", "stage"),
        ];
        let read = |name: &str| {
            vars.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let stage = TwiplaBuilder::from_vars(&read).unwrap().urls().unwrap();
        assert_eq!(
            stage.management.as_url().host_str(),
            Some("stage-api-gateway.va-endpoint.com")
        );
        assert_eq!(
            stage.dashboard.host_str(),
            Some("stage-dashboard-3as.va-endpoint.com")
        );
    }
}
