//! Completions of profiles, and of ids from the server if a profile is available.

use std::ffi::OsStr;
use std::time::Duration;

use clap_complete::CompletionCandidate;
use twipla::profile::{KeySource, Profile, Profiles};
use twipla::{RetryPolicy, Twipla, TwiplaBuilder};

/// The longest wait, because a shell waits for its completions.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many ids are offered: the first page.
const IDS: u32 = 100;

pub(crate) fn profiles(current: &OsStr) -> Vec<CompletionCandidate> {
    let profiles = Profiles::load();
    let names = profiles.iter().flat_map(Profiles::iter);
    matching(
        current,
        names.map(|(name, profile)| (name.to_owned(), profile.server().to_string())),
    )
}

pub(crate) fn customers(current: &OsStr) -> Vec<CompletionCandidate> {
    let page = ask(async |twipla| twipla.customers().list().page_size(IDS).await);
    let customers = page.map(|page| page.items).unwrap_or_default();
    let ids = customers.into_iter();
    matching(
        current,
        ids.map(|customer| (customer.intp_customer_id.to_string(), customer.email)),
    )
}

pub(crate) fn websites(current: &OsStr) -> Vec<CompletionCandidate> {
    let page = ask(async |twipla| twipla.websites().list().page_size(IDS).await);
    let websites = page.map(|page| page.items).unwrap_or_default();
    let ids = websites.into_iter();
    matching(
        current,
        ids.map(|website| (website.intp_website_id.to_string(), website.domain)),
    )
}

pub(crate) fn packages(current: &OsStr) -> Vec<CompletionCandidate> {
    let packages = ask(async |twipla| twipla.packages().list().await).unwrap_or_default();
    let names = packages.into_iter().map(|package| {
        let price = format!("{} {} {}", package.price, package.currency, package.period);
        (package.name, price)
    });
    matching(current, names)
}

fn matching(
    current: &OsStr,
    offers: impl Iterator<Item = (String, String)>,
) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    offers
        .filter(|(text, _)| text.starts_with(&*current) && !text.chars().any(char::is_control))
        .map(|(text, help)| CompletionCandidate::new(text).help(Some(help.into())))
        .collect()
}

/// Asks the server for completions. After any error there are none, and the user sees no message.
fn ask<T>(call: impl AsyncFnOnce(Twipla) -> twipla::Result<T>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    runtime.block_on(async {
        let twipla = client()?
            .timeout(PATIENCE)
            .retry(RetryPolicy::none())
            .build();
        call(twipla.ok()?).await.ok()
    })
}

fn client() -> Option<TwiplaBuilder> {
    let profiles = Profiles::load().ok()?;
    let named = std::env::var("TWIPLA_PROFILE").ok();
    let name = match named.as_deref() {
        Some("") => None,
        Some(name) => Some(name),
        None => profiles.default_name(),
    };
    match name {
        Some(name) => profiles
            .get(name)
            .ok()
            .filter(|profile| is_silent(profile))?
            .builder()
            .ok(),
        None => TwiplaBuilder::from_env().ok(),
    }
}

/// Returns whether the key can be read without asking the user, as a key command may do.
fn is_silent(profile: &Profile) -> bool {
    !matches!(profile.key(), KeySource::Command(_))
}
