//! The commands, each in its own file: its arguments, and its implementation.

mod analytics;
mod api;
mod apply;
mod auth;
mod completion;
mod customers;
mod dashboard;
mod domains;
mod keys;
mod man;
mod packages;
mod plan;
mod profile;
mod sandbox;
mod snippet;
mod subscription;
mod support;
mod team;
mod websites;

use clap::Subcommand;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Customers: list, get, create, delete
    #[command(subcommand, visible_alias = "customer")]
    Customers(customers::Customers),
    /// Websites: list, get, create, delete
    #[command(subcommand, visible_alias = "website")]
    Websites(websites::Websites),
    /// Subscriptions: show, upgrade, downgrade, set, cancel, resume, deactivate
    #[command(subcommand)]
    Subscription(subscription::Subscription),
    /// Packages: list, get, create, rename, assign, unassign
    #[command(subcommand, visible_alias = "package")]
    Packages(packages::Packages),
    /// API keys of a website: list, get, create, rotate, delete
    #[command(subcommand, visible_alias = "key")]
    Keys(keys::Keys),
    /// People with access to a website: list, get, add, remove
    #[command(subcommand)]
    Team(team::Team),
    /// Further domains of a website: list, add, remove
    #[command(subcommand, visible_alias = "domain")]
    Domains(domains::Domains),
    /// The URL of a website's dashboard, or the dashboard itself
    Dashboard(dashboard::Dashboard),
    /// The tracking code of a website
    Snippet(snippet::Snippet),
    /// The analytics data of a website, as tables and plots
    #[command(subcommand)]
    Analytics(analytics::Analytics),
    /// Show the changes that would bring the server to the state of a file
    Plan(plan::PlanCommand),
    /// Bring the server to the state of a file or a plan
    Apply(apply::ApplyCommand),
    /// Any other request
    Api(api::Api),
    /// Check that partner, key and server fit together
    #[command(subcommand)]
    Auth(auth::Auth),
    /// Named settings: add, list, use, show, remove
    #[command(subcommand)]
    Profile(profile::Profile),
    /// A server of the API on this machine, and a command or a shell that uses it
    Sandbox(sandbox::SandboxCommand),
    /// Shell completion
    Completion(completion::Completion),
    /// Manual pages
    Man(man::Man),
}

pub(crate) async fn run(command: Command, context: &mut Context) -> Result<Exit> {
    if let Command::Sandbox(command) = command {
        // Ctrl-C is for the command that runs in it.
        return command.run(context).await;
    }
    if let Command::Apply(command) = command {
        // On Ctrl-C it waits for the actions in progress.
        return command.run(context).await;
    }
    let interrupt = context.interrupt.clone();
    tokio::select! {
        result = run_other(command, context) => result,
        () = interrupt.wait() => Ok(Exit::Interrupted),
    }
}

/// Runs a command that may be stopped at any point.
async fn run_other(command: Command, context: &mut Context) -> Result<Exit> {
    match command {
        Command::Sandbox(command) => return command.run(context).await,
        Command::Apply(command) => return command.run(context).await,
        Command::Plan(command) => return command.run(context).await,
        Command::Customers(command) => command.run(context).await,
        Command::Websites(command) => command.run(context).await,
        Command::Subscription(command) => command.run(context).await,
        Command::Packages(command) => command.run(context).await,
        Command::Keys(command) => command.run(context).await,
        Command::Team(command) => command.run(context).await,
        Command::Domains(command) => command.run(context).await,
        Command::Dashboard(command) => command.run(context).await,
        Command::Snippet(command) => command.run(context).await,
        Command::Analytics(command) => command.run(context).await,
        Command::Api(command) => command.run(context).await,
        Command::Auth(command) => command.run(context).await,
        Command::Profile(command) => command.run(context).await,
        Command::Completion(command) => command.run(context),
        Command::Man(command) => command.run(context),
    }?;
    Ok(Exit::Done)
}
