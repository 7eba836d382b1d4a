//! [`List`]: one page of a list at a time, or all entries as a stream.
//!
//! [`Walk`] has the rules by which a stream goes from page to page.

use std::collections::VecDeque;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use twipla_api::Operation;

use crate::core::Core;
use crate::options::CallOptions;
use crate::page::Page;
use crate::request::{BoxFuture, Request};
use crate::retry::RetryPolicy;
use crate::walk::{Next, Walk};
use crate::{Error, ErrorKind, Result};

/// Entries per page unless the caller sets it.
const PAGE_SIZE: u32 = 100;

/// A list that is read page by page.
///
/// Awaiting it returns one page (the first, or that of [`page`](Self::page));
/// [`stream`](Self::stream) returns every entry, fetching pages as needed.
///
/// ```
/// use futures_util::TryStreamExt as _;
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let first = twipla.customers().list().page_size(20).await?;
/// println!("{} of {:?}", first.items.len(), first.meta.and_then(|meta| meta.total));
///
/// let mut sites = Box::pin(twipla.websites().list().for_customer("cust-42").stream());
/// while let Some(site) = sites.try_next().await? {
///     println!("{}", site.domain);
/// }
/// # Ok(()) }
/// ```
#[must_use = "a list is read when it is awaited or streamed"]
pub struct List<T> {
    core: Arc<Core>,
    operation: &'static str,
    fetch: Fetch<T>,
    id: fn(&T) -> &str,
    page: u32,
    page_size: Option<u32>,
    prefetch: bool,
    options: CallOptions,
}

/// Builds the request for a page, from its number and its size.
pub(crate) type Fetch<T> = Arc<dyn Fn(&Arc<Core>, i64, i64) -> Request<Page<T>> + Send + Sync>;

impl<T: Send + 'static> List<T> {
    /// Creates a list; `id` returns the id of an entry.
    pub(crate) fn new(
        core: &Arc<Core>,
        operation: &'static Operation,
        fetch: Fetch<T>,
        id: fn(&T) -> &str,
    ) -> Self {
        Self {
            core: Arc::clone(core),
            operation: operation.id,
            fetch,
            id,
            page: 0,
            page_size: None,
            prefetch: false,
            options: core.options,
        }
    }

    /// Returns the same list with another way to fetch its pages.
    pub(crate) fn with_fetch(self, fetch: Fetch<T>) -> Self {
        Self { fetch, ..self }
    }

    /// Sets the page to start with, counted from 0.
    pub fn page(mut self, page: u32) -> Self {
        self.page = page;
        self
    }

    /// Sets the entries per page; 100 by default. The server's maximum is not known.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page_size = Some(size);
        self
    }

    /// Prefetches the next page while the current one is consumed; off by default.
    ///
    /// This helps if processing a page takes about as long as a request.
    /// At most one more page is held in memory. If the stream is dropped early, one
    /// page was requested in vain. Requires a Tokio runtime; a page that is
    /// being fetched is dropped with the stream.
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// use futures_util::TryStreamExt as _;
    ///
    /// let mut sites = std::pin::pin!(twipla.websites().list().page_size(100).prefetch(true).stream());
    /// while let Some(site) = sites.try_next().await? {
    ///     println!("{}", site.domain); // or anything that takes its time
    /// }
    /// # Ok(()) }
    /// ```
    pub fn prefetch(mut self, prefetch: bool) -> Self {
        self.prefetch = prefetch;
        self
    }

    /// Streams every entry from the starting page on, until the first error.
    ///
    /// Each entry is returned exactly once, even if entries are added or deleted
    /// meanwhile (also by you, while reading), and even if the server caps the
    /// page size, counts pages from 1, or reports wrong counts.
    ///
    /// # Errors
    ///
    /// Besides the errors of a call, [`ErrorKind::Decode`] if the pages do not
    /// add up to the list that the server announces, so that entries may be
    /// missing. The message says what does not fit, and how many entries were read.
    ///
    /// # Limits
    ///
    /// Only the ids of a few pages are kept to detect duplicates, so memory use is
    /// constant. If one entry is deleted and another one added between the same
    /// two pages, `total` does not change, and an entry may be missed.
    ///
    /// If the server sends no `total`, each page is read once more after the
    /// next one, to find entries that moved onto it after deletions. That doubles
    /// the requests, entries may be returned out of order, and the stream fails if
    /// a whole page was deleted meanwhile. Without a `total` it is impossible to
    /// detect that as many entries were added as deleted before a page was read
    /// again, or that the server left entries out.
    pub fn stream(self) -> impl Stream<Item = Result<T>> + Send + 'static {
        stream::try_unfold(
            (Pages::new(self), VecDeque::new()),
            |(mut pages, mut ready)| async move {
                loop {
                    if let Some(item) = ready.pop_front() {
                        return Ok(Some((item, (pages, ready))));
                    }
                    match pages.next().await? {
                        Some(page) => ready = page.items.into(),
                        None => return Ok(None),
                    }
                }
            },
        )
    }

    /// Streams every page from the starting page on, until the first error.
    pub fn pages(self) -> impl Stream<Item = Result<Page<T>>> + Send + 'static {
        stream::try_unfold(Pages::new(self), |mut pages| async move {
            Ok(pages.next().await?.map(|page| (page, pages)))
        })
    }

    /// Sets how long the request of each page may take in all, retries included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// Sets how failed attempts of each page are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = policy;
        self
    }

    /// Sends the request for one page and returns the raw JSON `payload`; see
    /// [`Request::raw`].
    pub async fn raw(self) -> Result<serde_json::Value> {
        self.request(u64::from(self.page))?.raw().await
    }

    fn request(&self, page: u64) -> Result<Request<Page<T>>> {
        let page = i64::try_from(page).unwrap_or(i64::MAX);
        Ok((self.fetch)(&self.core, page, self.size()?).with_options(self.options))
    }

    fn size(&self) -> Result<i64> {
        match self.page_size {
            Some(0) => Err(Error::invalid("invalid page_size 0: expected at least 1")),
            Some(size) => Ok(i64::from(size)),
            None => Ok(i64::from(PAGE_SIZE)),
        }
    }
}

impl<T: Send + 'static> IntoFuture for List<T> {
    type Output = Result<Page<T>>;
    type IntoFuture = BoxFuture<'static, Result<Page<T>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let asked = u64::from(self.page);
            let request = self.request(asked)?.refuse(move |page| {
                let label = page.meta.and_then(|meta| meta.page);
                let what = Walk::wrong_label(asked, label, page.items.is_empty())?;
                Some(format!("requested page {asked}, but {what}"))
            });
            request.await
        })
    }
}

impl<T> std::fmt::Debug for List<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("List")
            .field("page", &self.page)
            .field("page_size", &self.page_size)
            .finish_non_exhaustive()
    }
}

/// The state of a walk through the pages of a list.
struct Pages<T> {
    list: List<T>,
    walk: Walk,
    next: Next,
    is_first: bool,
    prefetched: Option<Prefetched<T>>,
}

/// A page that is being fetched. Dropping it aborts the request.
struct Prefetched<T>(JoinHandle<Result<Page<T>>>);

impl<T> Drop for Prefetched<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T: Send + 'static> Pages<T> {
    fn new(list: List<T>) -> Self {
        let start = u64::from(list.page);
        let size = u64::from(list.page_size.unwrap_or(PAGE_SIZE));
        Self {
            walk: Walk::new(start, size),
            next: Next::Page(start),
            list,
            is_first: true,
            prefetched: None,
        }
    }

    async fn next(&mut self) -> Result<Option<Page<T>>> {
        loop {
            let number = match std::mem::replace(&mut self.next, Next::End) {
                Next::Page(number) => number,
                Next::End => return Ok(None),
                Next::Fail(message) => {
                    let error = Error::new(ErrorKind::Decode, message);
                    return Err(error.with_operation(self.list.operation));
                }
            };
            let mut page = self
                .fetch(number)
                .await
                .map_err(|error| self.place(error))?;
            let ids: Vec<_> = page.items.iter().map(self.list.id).collect();
            let judgement = self.walk.judge(&ids, &page.meta.unwrap_or_default());
            self.next = judgement.next;
            self.start_prefetch()?;

            let mut new = judgement.new.into_iter();
            page.items.retain(|_| new.next() == Some(true));
            // An empty list has one empty page.
            let is_empty_list = self.is_first && self.next == Next::End;
            self.is_first = false;
            if !page.items.is_empty() || is_empty_list {
                return Ok(Some(page));
            }
        }
    }

    async fn fetch(&mut self, number: u64) -> Result<Page<T>> {
        if let Some(mut prefetched) = self.prefetched.take() {
            // If the runtime has ended or the request panicked, it is sent again.
            if let Ok(page) = (&mut prefetched.0).await {
                return page;
            }
        }
        self.list.request(number)?.await
    }

    fn start_prefetch(&mut self) -> Result<()> {
        if let Next::Page(number) = self.next
            && self.list.prefetch
        {
            let request = self.list.request(number)?;
            self.prefetched = Some(Prefetched(tokio::spawn(
                request.into_future().in_current_span(),
            )));
        }
        Ok(())
    }

    /// Adds to an error where in the list the response could not be read.
    fn place(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Decode {
            return error;
        }
        let message = format!("{} ({})", error.message(), self.walk.position());
        error.with_message(message)
    }
}
