//! `twipla profile`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use serde::Serialize;
use twipla::profile::{Address, KeySource, Profile as Settings, Profiles};
use twipla::{Environment, PartnerId, PrivateKey, Secret};

use crate::complete;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::files;
use crate::output::{Column, Columns};
use crate::terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// Add or replace a profile; asks for missing values on a terminal
    ///
    /// The key stays where it is, unless --copy-key is given.
    #[command(after_help = "Examples:
  twipla profile add shop --partner 7128840a-5347-49a4-8dfa-9022d8dad21a --key-file partner.key
  twipla profile add shop --partner 7128840a-5347-49a4-8dfa-9022d8dad21a --environment stage --key-variable SHOP_KEY
  twipla profile add shop --partner 7128840a-5347-49a4-8dfa-9022d8dad21a --key-command 'op read op://shop/twipla/key'")]
    Add(Add),
    /// List all profiles
    #[command(after_help = "Examples:\n  twipla profile list")]
    List,
    /// Make a profile the default
    #[command(after_help = "Examples:\n  twipla profile use shop")]
    Use {
        #[arg(add = ArgValueCompleter::new(complete::profiles))]
        name: String,
    },
    /// Show a profile, or the default one
    #[command(after_help = "Examples:\n  twipla profile show shop")]
    Show {
        #[arg(add = ArgValueCompleter::new(complete::profiles))]
        name: Option<String>,
    },
    /// Remove a profile; its key file is kept
    #[command(after_help = "Examples:\n  twipla profile remove shop --yes")]
    Remove {
        #[arg(add = ArgValueCompleter::new(complete::profiles))]
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    name: String,
    /// The UUID that TWIPLA issued for your public key
    #[arg(long, value_name = "UUID")]
    partner: Option<PartnerId>,
    /// production (the default), stage or dev
    #[arg(long, value_name = "NAME", conflicts_with = "base_url")]
    environment: Option<Environment>,
    /// URL of another server
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// URL of another server for the data endpoints
    #[arg(long, value_name = "URL", requires = "base_url")]
    data_url: Option<String>,
    /// URL of another server for the dashboard
    #[arg(long, value_name = "URL", requires = "base_url")]
    dashboard_url: Option<String>,
    #[command(flatten)]
    key: Key,
    /// Copy the text of the key file into the profile
    #[arg(long, requires = "key_file")]
    copy_key: bool,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct Key {
    /// PEM file with the key
    #[arg(id = "key_file", long = "key-file", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Environment variable with the key, as PEM text
    #[arg(long = "key-variable", value_name = "NAME")]
    variable: Option<String>,
    /// Command that prints the key; it is not run in a shell
    #[arg(long = "key-command", value_name = "COMMAND")]
    command: Option<String>,
}

const COLUMNS: Columns<'_> = Columns {
    shown: &[
        Column {
            title: "profile",
            path: "profile",
        },
        Column {
            title: "default",
            path: "default",
        },
        Column {
            title: "partner",
            path: "partner",
        },
        Column {
            title: "server",
            path: "server",
        },
        Column {
            title: "key",
            path: "key",
        },
    ],
    others: &["dataUrl", "dashboardUrl"],
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    profile: &'a str,
    default: bool,
    partner: PartnerId,
    server: String,
    key: String,
    data_url: Option<&'a str>,
    dashboard_url: Option<&'a str>,
}

impl Profile {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let mut profiles = Profiles::load()?;
        match self {
            Self::Add(add) => add.run(profiles).await,
            Self::List => {
                let shown = profiles
                    .iter()
                    .map(|(name, profile)| show(&profiles, name, profile));
                context.output.all(&COLUMNS, shown)
            }
            Self::Use { name } => {
                profiles.set_default(&name)?;
                profiles.save()?;
                terminal::note(&format!("{name} is now the default"));
                Ok(())
            }
            Self::Show { name } => {
                let name = name.as_deref().or(profiles.default_name()).ok_or_else(|| {
                    Failure::usage(
                        "there is no default profile",
                        "pass a name from `twipla profile list`",
                    )
                })?;
                let shown = show(&profiles, name, profiles.get(name)?);
                context.output.one(&COLUMNS, &shown)
            }
            Self::Remove { name } => {
                profiles.get(&name)?;
                context
                    .confirm(&format!("remove the profile {name}"))
                    .await?;
                profiles.remove(&name)?;
                profiles.save()?;
                terminal::note(&format!("{name}: removed"));
                Ok(())
            }
        }
    }
}

impl Add {
    async fn run(self, mut profiles: Profiles) -> Result<()> {
        let partner = if let Some(partner) = self.partner {
            partner
        } else {
            let text = ask_for("partner", "Partner id (the UUID that TWIPLA issued)").await?;
            text.parse().map_err(|error| {
                Failure::usage(format!("{error}"), "pass the UUID as TWIPLA shows it")
            })?
        };
        let key = match self.key.source()? {
            Some(source) => source,
            None => file(&PathBuf::from(
                ask_for("key-file", "File of the private key").await?,
            ))?,
        };
        let key = match key {
            KeySource::File(path) if self.copy_key => {
                let pem = files::read(&path)?;
                PrivateKey::from_pem(&pem)?;
                KeySource::Pem(Secret::from(pem))
            }
            other => other,
        };
        let address = match self.base_url {
            Some(base_url) => Address::Urls {
                base_url,
                data_url: self.data_url,
                dashboard_url: self.dashboard_url,
            },
            None => Address::Environment(self.environment.unwrap_or_default()),
        };
        let is_new = profiles
            .insert(&self.name, Settings::new(partner, key).address(address))?
            .is_none();
        if profiles.default_name().is_none() {
            profiles.set_default(&self.name)?;
        }
        profiles.save()?;
        let what = if is_new { "added" } else { "replaced" };
        terminal::note(&format!(
            "{}: {what} in {}",
            self.name,
            profiles.path().display()
        ));
        terminal::note(&format!(
            "`twipla auth check --profile {}` checks it",
            self.name
        ));
        Ok(())
    }
}

impl Key {
    fn source(self) -> Result<Option<KeySource>> {
        if let Some(path) = self.file {
            return file(&path).map(Some);
        }
        if let Some(command) = self.command {
            let words = shlex::split(&command).filter(|words| !words.is_empty());
            let words = words.ok_or_else(|| {
                Failure::usage(
                    "invalid --key-command: expected a program and its arguments",
                    "close every quote",
                )
            })?;
            return Ok(Some(KeySource::Command(words)));
        }
        Ok(self.variable.map(KeySource::Variable))
    }
}

/// Checks the key file and stores its absolute path, because commands are run in other folders.
fn file(path: &std::path::Path) -> Result<KeySource> {
    PrivateKey::from_pem_file(path)?;
    let full = std::path::absolute(path).map_err(|error| {
        Failure::usage(
            format!("invalid path {}: {error}", path.display()),
            "pass an absolute path",
        )
    })?;
    Ok(KeySource::File(full))
}

async fn ask_for(option: &str, question: &str) -> Result<String> {
    if !terminal::is_interactive() {
        return Err(Failure::usage(
            format!("cannot ask for --{option}: standard input is not a terminal"),
            format!("pass --{option}; `twipla profile add --help` has examples"),
        ));
    }
    terminal::ask(question).await
}

fn show<'a>(profiles: &Profiles, name: &'a str, profile: &'a Settings) -> Shown<'a> {
    let (data_url, dashboard_url) = match profile.server() {
        Address::Urls {
            data_url,
            dashboard_url,
            ..
        } => (data_url.as_deref(), dashboard_url.as_deref()),
        _ => (None, None),
    };
    Shown {
        profile: name,
        default: profiles.default_name() == Some(name),
        partner: profile.partner_id(),
        server: profile.server().to_string(),
        key: profile.key().to_string(),
        data_url,
        dashboard_url,
    }
}
