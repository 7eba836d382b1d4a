//! The truth after a call that no answer settled.
//!
//! The caller chooses the ids of customers and websites, so a look tells what
//! became of a create, and it can be sent again where nothing is there: the
//! server refuses an id that is in use. A change of subscription, a package and
//! an API key have no such id: they are looked at, and never sent again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use tokio::time::Instant;

use super::{CustomerRef, WebsiteRef, websites};
use crate::arg::Arg;
use crate::call::{BoxFuture, later};
use crate::client::Core;
use crate::ids::{CustomerId, WebsiteId};
use crate::request::Request;
use crate::retry::{Failure, Replay};
use crate::types::Website;
use crate::{Error, ErrorKind, Result, Settled};

/// What a look found under the id of a create.
pub(crate) enum Found<T> {
    /// What was asked for.
    Same(T),
    /// Something else, in words.
    Other(String),
    Nothing,
}

/// Sends a create until it is known what became of it.
///
/// - no answer settled it, or one without a body: a look decides, and where nothing is there it is sent again;
/// - the server refused: if the id is in use, the error says so (this API answers 400 for that).
pub(crate) async fn create<T, S, L>(core: &Arc<Core>, send: S, look: L) -> Result<T>
where
    T: Send + 'static,
    S: Fn() -> Request<T> + Send,
    L: AsyncLook<T>,
{
    let deadline = later(Instant::now(), core.settings.timeout);
    // An earlier attempt may have done it: then a refusal is no refusal.
    let mut in_doubt = false;
    let mut attempts = 0;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let error = match send().timeout(left).await {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        attempts += error.attempts().max(1);
        let error = error.with_attempts(attempts);
        let refused = error.status() == Some(StatusCode::BAD_REQUEST);
        if !(refused || error.is_ambiguous()) {
            return Err(error.with_ambiguous(in_doubt));
        }
        // In a box: a create that is answered carries no room for a look.
        match Box::pin(look.look()).await {
            Ok(Found::Same(found)) if in_doubt || error.is_ambiguous() => {
                return Ok(found);
            }
            Ok(Found::Same(_)) => return Err(conflict(error, "it is what was asked for")),
            Ok(Found::Other(what)) => {
                // Whether this is what was asked for, in other words, cannot be told.
                let ambiguous = in_doubt || error.is_ambiguous();
                return Err(conflict(error, &what).with_ambiguous(ambiguous));
            }
            // Reads may lag behind, so a thing that is refused as a duplicate may
            // not be seen yet.
            Ok(Found::Nothing) if error.is_ambiguous() || in_doubt => {
                in_doubt = true;
                let pause = core
                    .settings
                    .retry
                    .pause(attempts, &Failure::Broken, Replay::Safe);
                let in_time = |pause: &Duration| later(Instant::now(), *pause) < deadline;
                match pause.filter(|pause| in_time(pause) && core.budget.take()) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error.with_ambiguous(true)),
                }
            }
            Ok(Found::Nothing) => return Err(error),
            // Nothing more can be known.
            Err(_) => return Err(error.with_ambiguous(in_doubt || !refused)),
        }
    }
}

/// Looks under the id of a create.
pub(crate) trait AsyncLook<T>: Send + Sync {
    fn look(&self) -> impl Future<Output = Result<Found<T>>> + Send;
}

impl<T, F, Fut> AsyncLook<T> for F
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Result<Found<T>>> + Send,
{
    fn look(&self) -> impl Future<Output = Result<Found<T>>> + Send {
        self()
    }
}

/// The moment from which on a thing counts as just made, by the server's clock
/// as far as that is known.
pub(crate) fn since(core: &Core) -> DateTime<Utc> {
    core.minter.now() - TimeDelta::seconds(5)
}

/// Finds out whether a change of a website's subscription is in force.
pub(crate) fn website_change<A>(
    core: &Arc<Core>,
    id: &Arg<WebsiteId>,
    applied: A,
) -> impl FnOnce() -> BoxFuture<'static, Option<Settled>> + Send + use<A>
where
    A: FnOnce(&Website) -> bool + Send + 'static,
{
    let website = id.get().map(|id| WebsiteRef::new(core, Ok(id)));
    || {
        Box::pin(async move {
            website
                .ok()?
                .get()
                .await
                .ok()
                .map(|site| verdict(applied(&site)))
        })
    }
}

/// Finds out whether a change of an account's subscription is in force. The
/// API shows no account's subscription but on the websites that share it.
pub(crate) fn account_change<A>(
    core: &Arc<Core>,
    id: &Arg<CustomerId>,
    applied: A,
) -> impl FnOnce() -> BoxFuture<'static, Option<Settled>> + Send + use<A>
where
    A: FnOnce(&Website) -> bool + Send + 'static,
{
    let websites = websites::list(core, Some(id.clone())).page_size(1);
    || {
        Box::pin(async move {
            let page = websites.await.ok()?;
            page.items.first().map(|site| verdict(applied(site)))
        })
    }
}

/// Finds out whether an account is gone.
pub(crate) fn account_gone(
    core: &Arc<Core>,
    id: &Arg<CustomerId>,
) -> impl FnOnce() -> BoxFuture<'static, Option<Settled>> + Send + use<> {
    let customer = id.get().map(|id| CustomerRef::new(core, Ok(id)));
    || {
        Box::pin(async move {
            match customer.ok()?.get().await {
                Ok(_) => Some(Settled::NotApplied),
                Err(error) if error.is_not_found() => Some(Settled::Applied),
                Err(_) => None,
            }
        })
    }
}

fn verdict(applied: bool) -> Settled {
    if applied {
        Settled::Applied
    } else {
        Settled::NotApplied
    }
}

fn conflict(error: Error, what: &str) -> Error {
    let said = error.message().to_owned();
    let message = if error.status().is_some() {
        format!("the id is in use, {what}: {said}")
    } else {
        format!("the id is in use, {what}")
    };
    error
        .with_message(message)
        .with_kind(ErrorKind::Conflict)
        .with_ambiguous(false)
}
