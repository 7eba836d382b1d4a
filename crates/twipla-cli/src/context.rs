//! The context of all commands: the client, the output, and confirmations.

use std::time::Duration;

use twipla::profile::Profiles;
use twipla::{Environment, PrivateKey, Twipla, TwiplaBuilder};
use twipla_sandbox::{Partner, Sandbox};

use crate::failure::{Failure, Result};
use crate::interrupt::Interrupt;
use crate::options::{Model, Options};
use crate::output::Output;
use crate::terminal;

/// The `User-Agent` of this program.
const USER_AGENT: &str = concat!("twipla-cli/", env!("CARGO_PKG_VERSION"));

/// The context of a command.
pub(crate) struct Context {
    /// Standard output, in the selected format.
    pub(crate) output: Output,
    /// Ctrl-C. It stops all commands except those that handle it themselves.
    pub(crate) interrupt: Interrupt,
    /// The arguments of this program, for its manual.
    pub(crate) program: fn() -> clap::Command,
    profile: Option<String>,
    sandbox: Option<Model>,
    timeout: Option<Duration>,
    rate: Option<f64>,
    yes: bool,
    connected: Option<Connected>,
    is_changing: bool,
}

/// A client, created when a command first needs it.
struct Connected {
    twipla: Twipla,
    /// The profile that it was created from.
    profile: Option<String>,
    /// The server of `--sandbox`. It ends with this program.
    sandbox: Option<Sandbox>,
}

impl Context {
    pub(crate) fn new(options: Options, program: fn() -> clap::Command) -> Result<Self> {
        Ok(Self {
            output: Output::new(options.output, options.fields, terminal::width()),
            interrupt: Interrupt::listen(),
            program,
            // Checked here and not by clap: a variable that is always set does not conflict with --sandbox.
            profile: options
                .profile
                .or_else(|| std::env::var("TWIPLA_PROFILE").ok()),
            sandbox: options.sandbox,
            timeout: options.timeout.map(seconds).transpose()?,
            rate: None,
            yes: options.yes,
            connected: None,
            is_changing: false,
        })
    }

    /// Limits the requests per second of the client, before it is created.
    pub(crate) fn limit_rate(&mut self, per_second: Option<f64>) {
        self.rate = per_second;
    }

    /// Returns the client, for a command that only reads.
    pub(crate) async fn client(&mut self) -> Result<Twipla> {
        if let Some(connected) = &self.connected {
            return Ok(connected.twipla.clone());
        }
        let connected = self.connect().await?;
        let twipla = connected.twipla.clone();
        self.connected = Some(connected);
        Ok(twipla)
    }

    /// Returns the client, for a command that changes something. Prints to standard error what it does, for whom and where.
    pub(crate) async fn client_to(&mut self, change: &str) -> Result<Twipla> {
        let twipla = self.client().await?;
        self.is_changing = true;
        terminal::note(&format!("{change} {}", self.whereabouts()));
        Ok(twipla)
    }

    /// Like [`client_to`](Self::client_to), for changes that cannot be undone: asks first, unless `--yes` was given.
    pub(crate) async fn client_to_destroy(&mut self, change: &str) -> Result<Twipla> {
        let twipla = self.client().await?;
        if self.yes {
            return self.client_to(change).await;
        }
        self.confirm(&format!("{change} {}", self.whereabouts()))
            .await?;
        self.is_changing = true;
        Ok(twipla)
    }

    /// Asks for confirmation, unless `--yes` was given.
    pub(crate) async fn confirm(&self, change: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !terminal::is_interactive() {
            return Err(Failure::usage(
                format!(
                    "cannot {change}: it needs confirmation, and standard input is not a terminal"
                ),
                "pass --yes",
            ));
        }
        if terminal::ask_yes(&format!("{}?", capital(change))).await? {
            return Ok(());
        }
        Err(Failure::new(
            "not confirmed; nothing was done",
            "answer y, or pass --yes",
        ))
    }

    /// Returns whether a command announced a change.
    pub(crate) fn is_changing(&self) -> bool {
        self.is_changing
    }

    /// Returns whether the server is a sandbox started by this program.
    pub(crate) fn is_in_sandbox(&self) -> bool {
        self.connected
            .as_ref()
            .is_some_and(|connected| connected.sandbox.is_some())
    }

    /// Prints what an interrupt may leave behind.
    pub(crate) fn report_interrupt(&self) {
        terminal::note(if self.is_changing {
            "interrupted: the server may have carried out the change; check the current state"
        } else {
            "interrupted"
        });
    }

    /// Describes partner, server and profile.
    pub(crate) fn whereabouts(&self) -> String {
        let Some(connected) = &self.connected else {
            return String::new();
        };
        let partner = connected.twipla.partner_id();
        if connected.sandbox.is_some() {
            return format!("as partner {partner} in a sandbox");
        }
        let server = server_name(&connected.twipla);
        match &connected.profile {
            Some(profile) => format!("as partner {partner} on {server} (profile {profile})"),
            None => format!("as partner {partner} on {server}"),
        }
    }

    async fn connect(&self) -> Result<Connected> {
        if let Some(model) = self.sandbox {
            let sandbox = start_sandbox(Sandbox::builder()).await?;
            let partner = partner_of(&sandbox, model);
            let twipla = self.build(sandbox_client(&sandbox, &partner)?)?;
            examples(&twipla, model).await?;
            return Ok(Connected {
                twipla,
                profile: None,
                sandbox: Some(sandbox),
            });
        }
        let profiles = Profiles::load()?;
        let name = match self.profile.as_deref() {
            // An empty name means no profile, whatever the default is.
            Some("") => None,
            Some(name) => Some(name),
            None => profiles.default_name(),
        };
        let builder = match name {
            Some(name) => {
                let profile = profiles.get(name)?;
                let variables = profile.overridden_by();
                if !variables.is_empty() {
                    let verb = if variables.len() == 1 {
                        "overrides"
                    } else {
                        "override"
                    };
                    terminal::note(&format!(
                        "{} {verb} the profile {name}",
                        variables.join(", ")
                    ));
                }
                profile.builder()?
            }
            None => TwiplaBuilder::from_env()?,
        };
        Ok(Connected {
            twipla: self.build(builder)?,
            profile: name.map(str::to_owned),
            sandbox: None,
        })
    }

    fn build(&self, builder: TwiplaBuilder) -> Result<Twipla> {
        let mut builder = builder.user_agent(USER_AGENT);
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(rate) = self.rate {
            builder = builder.rate_limit(rate, 1);
        }
        Ok(builder.build()?)
    }
}

/// Starts a server of the API in this process.
pub(crate) async fn start_sandbox(builder: twipla_sandbox::Builder) -> Result<Sandbox> {
    builder.start().await.map_err(|error| {
        let remedy = "correct the input";
        Failure::new(format!("cannot start the sandbox: {error}"), remedy)
    })
}

/// Returns the sandbox's partner with this subscription model.
pub(crate) fn partner_of(sandbox: &Sandbox, model: Model) -> Partner {
    match model {
        Model::Website => sandbox.website_partner(),
        Model::Account => sandbox.account_partner(),
    }
}

/// Returns a builder of a client for a partner of the sandbox.
pub(crate) fn sandbox_client(sandbox: &Sandbox, partner: &Partner) -> Result<TwiplaBuilder> {
    let key = PrivateKey::from_pem(partner.private_key_pem())?;
    let builder = Twipla::builder().partner(partner.id(), key);
    let builder = builder.base_url(sandbox.base_url());
    Ok(match sandbox.ca_certificate_pem() {
        Some(certificate) => builder.root_certificates(certificate),
        None => builder,
    })
}

/// Creates two customers with three websites as examples.
pub(crate) async fn examples(twipla: &Twipla, model: Model) -> Result<()> {
    let packages = twipla.packages().list().await?;
    let package = packages.iter().find(|package| package.price > 0.0);
    for (customer, website) in [("cust-1", "site-1"), ("cust-2", "site-3")] {
        let mut create = twipla
            .customers()
            .create(customer, format!("{customer}@example.com"))
            .website(website, format!("{website}.example.com"));
        if let Some(package) = package {
            create = match model {
                Model::Website => create.website_package(package.id),
                Model::Account => create.package(package.id),
            };
        }
        create.await?;
    }
    let second = twipla
        .websites()
        .create("cust-1", "site-2", "site-2.example.com");
    second.await?;
    Ok(())
}

/// Returns the name of an environment, or the address of another server.
fn server_name(twipla: &Twipla) -> String {
    let url = twipla.base_url().as_str().trim_end_matches('/');
    let known = [
        Environment::Production,
        Environment::Stage,
        Environment::Dev,
    ];
    known
        .into_iter()
        .find(|environment| environment.base_url() == url)
        .map_or_else(|| url.to_owned(), |environment| environment.to_string())
}

fn seconds(seconds: f64) -> Result<Duration> {
    let timeout = Duration::try_from_secs_f64(seconds).ok();
    timeout.filter(|timeout| !timeout.is_zero()).ok_or_else(|| {
        Failure::usage(
            format!("invalid --timeout {seconds}: expected seconds"),
            "pass a number above zero, such as 30",
        )
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
