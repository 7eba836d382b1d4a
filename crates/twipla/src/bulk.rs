//! Bulk creates and deletes with bounded concurrency.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::{StreamExt as _, stream};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use crate::client::Twipla;
use crate::ids::{CustomerId, IntoId, PackageId, WebsiteId};
use crate::request::BoxFuture;
use crate::time::later;
use crate::types::{CreatedIntpc, Website};
use crate::{Error, ErrorKind, Result};

impl Twipla {
    /// Sets up bulk creates or deletes, a few at a time.
    pub fn bulk(&self) -> Bulk {
        Bulk::new(self.clone())
    }
}

/// Builder of a bulk run. Created by [`Twipla::bulk`].
///
/// Every item has an outcome, in the order of the input. An interrupted run
/// can be started again with the same input: what already exists exactly as
/// requested, or was already deleted, is [`Outcome::Unchanged`] and not a failure.
///
/// ```
/// use twipla::{NewWebsite, Outcome};
///
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let sites = (0..500).map(|n| NewWebsite::new("cust-42", format!("site-{n}"), format!("{n}.example.com")));
/// let report = twipla.bulk()
///     .concurrency(16)
///     .on_progress(|progress| eprintln!("{} done, {} failed", progress.done, progress.failed))
///     .create_websites(sites)
///     .await?;
/// for (site, outcome) in report.iter() {
///     if let Outcome::Failed(error) = outcome {
///         eprintln!("{} of {}: {error}", site.id(), site.customer());
///     }
/// }
/// # Ok(()) }
/// ```
#[must_use]
#[derive(Clone)]
pub struct Bulk {
    twipla: Twipla,
    concurrency: usize,
    stop_on_error: bool,
    timeout: Option<Duration>,
    progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// The progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Items that are as requested.
    pub done: usize,
    /// Items that failed.
    pub failed: usize,
    /// Items that were not started.
    pub skipped: usize,
}

/// The result of one item.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// It was done by this run.
    Done(T),
    /// Nothing to do: it already existed as requested, or was already deleted. Also
    /// if the response to a delete was lost, and a read shows that it was deleted.
    Unchanged,
    /// It failed; [`Error::is_ambiguous`] says whether it may have been carried out.
    Failed(Error),
    /// It was not started: an earlier item failed, or the run's timeout expired.
    Skipped,
}

impl<T> Outcome<T> {
    /// Returns whether the item is as requested.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Unchanged)
    }
}

/// The results of all items.
#[derive(Debug)]
#[non_exhaustive]
pub struct BulkReport<I, T> {
    /// The items, in the order of the input.
    pub inputs: Vec<I>,
    /// One outcome for each item, in the same order.
    pub outcomes: Vec<Outcome<T>>,
}

impl<I, T> BulkReport<I, T> {
    /// Returns each item with its outcome, in the order of the input.
    pub fn iter(&self) -> impl Iterator<Item = (&I, &Outcome<T>)> {
        self.inputs.iter().zip(&self.outcomes)
    }

    /// Returns whether every item is as requested.
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(Outcome::is_done)
    }
}

/// A customer to be created in bulk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NewCustomer {
    id: String,
    email: String,
    website: Option<(String, String)>,
    package: Option<PackageId>,
}

impl NewCustomer {
    /// Creates a customer with the id that you choose.
    pub fn new(id: impl Into<String>, email: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            email: email.into(),
            website: None,
            package: None,
        }
    }

    /// Returns the id of the customer.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the e-mail address of the customer.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Returns id and domain of the first website, if one was set.
    pub fn first_website(&self) -> Option<(&str, &str)> {
        let (id, domain) = self.website.as_ref()?;
        Some((id, domain))
    }

    /// Adds a first website.
    pub fn website(mut self, id: impl Into<String>, domain: impl Into<String>) -> Self {
        self.website = Some((id.into(), domain.into()));
        self
    }

    /// Sets the package of the customer (account model). If the customer exists
    /// without a website, their package cannot be read: a new run then reports a
    /// conflict instead of [`Outcome::Unchanged`].
    pub fn package(mut self, package: PackageId) -> Self {
        self.package = Some(package);
        self
    }
}

/// A website to be created in bulk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NewWebsite {
    customer: String,
    id: String,
    domain: String,
    package: Option<PackageId>,
}

impl NewWebsite {
    /// Creates a website of a customer, with the ids that you choose.
    pub fn new(
        customer: impl Into<String>,
        id: impl Into<String>,
        domain: impl Into<String>,
    ) -> Self {
        Self {
            customer: customer.into(),
            id: id.into(),
            domain: domain.into(),
            package: None,
        }
    }

    /// Returns the id of the website.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the id of the customer.
    pub fn customer(&self) -> &str {
        &self.customer
    }

    /// Returns the domain of the website.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Sets the package to start on (website model).
    pub fn package(mut self, package: PackageId) -> Self {
        self.package = Some(package);
        self
    }
}

impl Bulk {
    pub(crate) fn new(twipla: Twipla) -> Self {
        Self {
            twipla,
            concurrency: 8,
            stop_on_error: false,
            timeout: None,
            progress: None,
        }
    }

    /// Sets how many items are in progress at once; 8 by default.
    pub fn concurrency(mut self, items: usize) -> Self {
        self.concurrency = items;
        self
    }

    /// Sets whether to start no more items after a failure; by default all are tried.
    pub fn stop_on_error(mut self, stop: bool) -> Self {
        self.stop_on_error = stop;
        self
    }

    /// Sets how long the whole run may take, counted from when it is first polled;
    /// unlimited by default. Each item is also bound by the client's `timeout`.
    ///
    /// When it expires, the run ends with an outcome for every item: items in
    /// progress are [`Outcome::Failed`] with [`ErrorKind::Timeout`] and ambiguous,
    /// because nothing is read back any more, and items not yet started are
    /// [`Outcome::Skipped`]. No more items are taken from a stream that has none ready.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets a function to call after each item, from the task that drives the run. It should be fast.
    pub fn on_progress(mut self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Creates customers.
    pub fn create_customers<I>(self, customers: I) -> BulkRun<NewCustomer, CreatedIntpc>
    where
        I: IntoIterator<Item = NewCustomer>,
        I::IntoIter: Send + 'static,
    {
        self.create_customers_from(stream::iter(customers))
    }

    /// Like [`create_customers`](Self::create_customers), but takes a stream and applies backpressure.
    pub fn create_customers_from<S>(self, customers: S) -> BulkRun<NewCustomer, CreatedIntpc>
    where
        S: Stream<Item = NewCustomer> + Send + 'static,
    {
        self.run(customers, |twipla, new| async move {
            let mut create = twipla
                .customers()
                .create(new.id.as_str(), new.email.as_str());
            if let Some((id, domain)) = &new.website {
                create = create.website(id.as_str(), domain.as_str());
            }
            if let Some(package) = new.package {
                create = create.package(package);
            }
            created(create.await)
        })
    }

    /// Creates websites.
    pub fn create_websites<I>(self, websites: I) -> BulkRun<NewWebsite, Website>
    where
        I: IntoIterator<Item = NewWebsite>,
        I::IntoIter: Send + 'static,
    {
        self.create_websites_from(stream::iter(websites))
    }

    /// Like [`create_websites`](Self::create_websites), but takes a stream and applies backpressure.
    pub fn create_websites_from<S>(self, websites: S) -> BulkRun<NewWebsite, Website>
    where
        S: Stream<Item = NewWebsite> + Send + 'static,
    {
        self.run(websites, |twipla, new| async move {
            let websites = twipla.websites();
            let mut create =
                websites.create(new.customer.as_str(), new.id.as_str(), new.domain.as_str());
            if let Some(package) = new.package {
                create = create.package(package);
            }
            created(create.await)
        })
    }

    /// Deletes customers, each with all of their websites.
    pub fn delete_customers<I, D>(self, ids: I) -> BulkRun<D, ()>
    where
        I: IntoIterator<Item = D>,
        I::IntoIter: Send + 'static,
        D: IntoId<CustomerId> + Clone + Send + 'static,
    {
        self.delete_customers_from(stream::iter(ids))
    }

    /// Like [`delete_customers`](Self::delete_customers), but takes a stream and applies backpressure.
    pub fn delete_customers_from<S, D>(self, ids: S) -> BulkRun<D, ()>
    where
        S: Stream<Item = D> + Send + 'static,
        D: IntoId<CustomerId> + Clone + Send + 'static,
    {
        self.run(ids, |twipla, id| async move {
            gone(twipla.customer(id.into_id()?).delete().await.map(drop))
        })
    }

    /// Deletes websites.
    pub fn delete_websites<I, D>(self, ids: I) -> BulkRun<D, ()>
    where
        I: IntoIterator<Item = D>,
        I::IntoIter: Send + 'static,
        D: IntoId<WebsiteId> + Clone + Send + 'static,
    {
        self.delete_websites_from(stream::iter(ids))
    }

    /// Like [`delete_websites`](Self::delete_websites), but takes a stream and applies backpressure.
    pub fn delete_websites_from<S, D>(self, ids: S) -> BulkRun<D, ()>
    where
        S: Stream<Item = D> + Send + 'static,
        D: IntoId<WebsiteId> + Clone + Send + 'static,
    {
        self.run(ids, |twipla, id| async move {
            gone(twipla.website(id.into_id()?).delete().await.map(drop))
        })
    }

    /// Makes a call for each item of a stream, and applies backpressure. `call`
    /// returns `Ok(None)` if there was nothing to do.
    pub fn run<S, T, F, C>(self, items: S, call: F) -> BulkRun<S::Item, T>
    where
        S: Stream + Send + 'static,
        S::Item: Clone + Send + 'static,
        T: Send + 'static,
        F: Fn(Twipla, S::Item) -> C + Send + 'static,
        C: Future<Output = Result<Option<T>>> + Send + 'static,
    {
        let stopped = Arc::new(AtomicBool::new(false));
        let counted = Arc::new(Mutex::new(Progress::default()));
        let Self {
            twipla,
            concurrency,
            stop_on_error,
            timeout,
            progress,
        } = self;
        let limit = Arc::new(Limit::new(timeout));
        let taken = limit.items(items);
        let outcomes = taken.map(move |item| {
            // Send nothing before the item's turn.
            let work = call(twipla.clone(), item.clone());
            let (stopped, counted, progress) =
                (Arc::clone(&stopped), Arc::clone(&counted), progress.clone());
            let limit = Arc::clone(&limit);
            async move {
                let outcome = if stopped.load(Ordering::Relaxed) || limit.is_up() {
                    Outcome::Skipped
                } else {
                    match limit.bound(work).await {
                        Ok(Some(value)) => Outcome::Done(value),
                        Ok(None) => Outcome::Unchanged,
                        Err(error) => Outcome::Failed(error),
                    }
                };
                if stop_on_error && matches!(outcome, Outcome::Failed(_)) {
                    stopped.store(true, Ordering::Relaxed);
                }
                let now = {
                    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
                    match outcome {
                        Outcome::Done(_) | Outcome::Unchanged => counted.done += 1,
                        Outcome::Failed(_) => counted.failed += 1,
                        Outcome::Skipped => counted.skipped += 1,
                    }
                    *counted
                };
                if let Some(progress) = progress {
                    progress(now);
                }
                (item, outcome)
            }
        });
        BulkRun {
            concurrency,
            outcomes: Box::pin(outcomes.buffered(concurrency.max(1))),
        }
    }
}

/// A bulk run that has not started.
///
/// Awaiting it returns a [`BulkReport`]; as a stream, it returns each item with its
/// outcome in the order of the input, and keeps no more items than are in
/// progress. Dropping it stops the run.
#[must_use = "nothing runs until this is awaited or streamed"]
pub struct BulkRun<I, T> {
    concurrency: usize,
    outcomes: Pin<Box<dyn Stream<Item = (I, Outcome<T>)> + Send>>,
}

impl<I, T> Stream for BulkRun<I, T> {
    type Item = (I, Outcome<T>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.outcomes.as_mut().poll_next(context)
    }
}

impl<I: Send + 'static, T: Send + 'static> IntoFuture for BulkRun<I, T> {
    type Output = Result<BulkReport<I, T>>;
    type IntoFuture = BoxFuture<'static, Result<BulkReport<I, T>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            if self.concurrency == 0 {
                return Err(Error::invalid("invalid concurrency 0: expected at least 1"));
            }
            let (inputs, outcomes) = self.outcomes.unzip().await;
            Ok(BulkReport { inputs, outcomes })
        })
    }
}

/// The timeout of a whole run.
struct Limit {
    timeout: Option<Duration>,
    /// Set when the run is first polled.
    ends_at: OnceLock<Instant>,
}

impl Limit {
    fn new(timeout: Option<Duration>) -> Self {
        Self {
            timeout,
            ends_at: OnceLock::new(),
        }
    }

    /// Returns when the timeout expires. Without a runtime there is no timer, and every item fails by itself.
    fn ends_at(&self) -> Option<Instant> {
        let timeout = self.timeout.filter(|_| Handle::try_current().is_ok())?;
        let start = || later(Instant::now(), timeout);
        Some(*self.ends_at.get_or_init(start))
    }

    fn is_up(&self) -> bool {
        self.ends_at().is_some_and(|end| end <= Instant::now())
    }

    /// Returns the items, until none is ready when the timeout expires.
    fn items<S: Stream>(self: &Arc<Self>, items: S) -> impl Stream<Item = S::Item> + use<S> {
        let limit = Arc::clone(self);
        let state = (Box::pin(items), limit);
        stream::unfold(state, |(mut items, limit)| async move {
            let item = match limit.ends_at() {
                Some(end) => timeout_at(end, items.next()).await.ok().flatten(),
                None => items.next().await,
            };
            Some((item?, (items, limit)))
        })
    }

    async fn bound<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (Some(end), Some(timeout)) = (self.ends_at(), self.timeout) else {
            return work.await;
        };
        timeout_at(end, work).await.unwrap_or_else(|_| {
            let message = format!(
                "the bulk run took longer than {:.3} s",
                timeout.as_secs_f64()
            );
            Err(Error::new(ErrorKind::Timeout, message).with_ambiguous(true))
        })
    }
}

impl fmt::Debug for Bulk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk")
            .field("concurrency", &self.concurrency)
            .field("stop_on_error", &self.stop_on_error)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl<I, T> fmt::Debug for BulkRun<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkRun")
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// Counts a resource that exists exactly as requested as created.
fn created<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(created) => Ok(Some(created)),
        Err(error) if error.exists_as_requested() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Counts a missing resource as deleted.
fn gone(deleted: Result<()>) -> Result<Option<()>> {
    match deleted {
        Ok(()) => Ok(Some(())),
        Err(error) if error.is_gone() => Ok(None),
        Err(error) => Err(error),
    }
}
