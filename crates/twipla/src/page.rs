//! Lists: one page at a time, or all entries as a stream.

use std::collections::VecDeque;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use twipla_api::types::PaginationMeta;

use crate::core::Core;
use crate::options::CallOptions;
use crate::request::{BoxFuture, Request};
use crate::retry::RetryPolicy;
use crate::{Error, Result};

/// Entries per page where the caller does not say.
const PAGE_SIZE: u32 = 100;

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the page stands; absent where the server does not say.
    pub meta: Option<PageMeta>,
}

impl<T> Page<T> {
    pub(crate) fn new(items: Vec<T>, meta: Option<PaginationMeta>) -> Self {
        // A count below zero means nothing. The entries are what matters.
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        Self {
            items,
            meta: meta.map(|meta| PageMeta {
                page: count(meta.page),
                page_size: count(meta.page_size),
                pages: count(meta.page_total),
                total: count(meta.total),
            }),
        }
    }
}

/// Where a page stands in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageMeta {
    /// Number of the page, counted from 0.
    pub page: u64,
    /// Entries per page.
    pub page_size: u64,
    /// Number of pages.
    pub pages: u64,
    /// Number of entries in all.
    pub total: u64,
}

/// A list that is read page by page.
///
/// Awaited, it gives one page (the first, or the one of [`page`](Self::page));
/// [`stream`](Self::stream) gives every entry, fetching pages as they are needed.
///
/// ```
/// use futures_util::TryStreamExt as _;
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let first = twipla.customers().list().page_size(20).await?;
/// println!("{} of {:?}", first.items.len(), first.meta.map(|meta| meta.total));
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
    fetch: Fetch<T>,
    page: u32,
    page_size: Option<u32>,
    prefetch: bool,
    options: CallOptions,
}

/// Makes the request for a page, from its number and its size.
pub(crate) type Fetch<T> = Arc<dyn Fn(&Arc<Core>, i64, i64) -> Request<Page<T>> + Send + Sync>;

impl<T: Clone + PartialEq + Send + 'static> List<T> {
    pub(crate) fn new(core: &Arc<Core>, fetch: Fetch<T>) -> Self {
        Self {
            core: Arc::clone(core),
            fetch,
            page: 0,
            page_size: None,
            prefetch: false,
            options: core.options,
        }
    }

    /// The same list of something narrower.
    pub(crate) fn with_fetch(self, fetch: Fetch<T>) -> Self {
        Self { fetch, ..self }
    }

    /// The page to start with, counted from 0.
    pub fn page(mut self, page: u32) -> Self {
        self.page = page;
        self
    }

    /// Entries per page; 100 by default. How many the server allows is not known.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page_size = Some(size);
        self
    }

    /// Prefetches the next page while the current one is consumed; off by default.
    ///
    /// It helps where the work between two entries takes as long as a request.
    /// At most one more page is held in memory. A caller who stops early has
    /// requested a page too many. It needs a Tokio runtime, and a page that is
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

    /// Every entry from the starting page on. Ends with the first error.
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

    /// Every page from the starting page on. Ends with the first error.
    pub fn pages(self) -> impl Stream<Item = Result<Page<T>>> + Send + 'static {
        stream::try_unfold(Pages::new(self), |mut pages| async move {
            Ok(pages.next().await?.map(|page| (page, pages)))
        })
    }

    /// How long the request of each page may take in all, retries included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// How failed attempts of each page are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = policy;
        self
    }

    /// Sends the request for one page and returns the raw JSON `payload`; see
    /// [`Request::raw`].
    pub async fn raw(self) -> Result<serde_json::Value> {
        self.request(i64::from(self.page))?.raw().await
    }

    fn request(&self, page: i64) -> Result<Request<Page<T>>> {
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

impl<T: Clone + PartialEq + Send + 'static> IntoFuture for List<T> {
    type Output = Result<Page<T>>;
    type IntoFuture = BoxFuture<'static, Result<Page<T>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.request(i64::from(self.page))?.await })
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

/// Reads page after page until the list ends.
struct Pages<T> {
    list: List<T>,
    next: Option<i64>,
    /// First entry of the page before, to notice a server that ignores the paging.
    first: Option<T>,
    prefetched: Option<Prefetched<T>>,
}

/// A page that is being fetched. Dropping it aborts the request.
struct Prefetched<T>(JoinHandle<Result<Page<T>>>);

impl<T> Drop for Prefetched<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T: Clone + PartialEq + Send + 'static> Pages<T> {
    fn new(list: List<T>) -> Self {
        let next = Some(i64::from(list.page));
        Self {
            list,
            next,
            first: None,
            prefetched: None,
        }
    }

    async fn next(&mut self) -> Result<Option<Page<T>>> {
        let Some(number) = self.next.take() else {
            return Ok(None);
        };
        let page = match self.prefetched.take() {
            Some(mut prefetched) => match (&mut prefetched.0).await {
                Ok(page) => page?,
                // The runtime went away, or the request panicked: fetch it now.
                Err(_) => self.list.request(number)?.await?,
            },
            None => self.list.request(number)?.await?,
        };
        // An empty page ends the list whatever the metadata claim, so that a
        // server which counts wrongly cannot keep a client going for ever.
        let more = match page.meta {
            _ if page.items.is_empty() => false,
            Some(meta) => u64::try_from(number).is_ok_and(|number| number + 1 < meta.pages),
            // Without metadata the list ends with a page that shows nothing new:
            // a server may give fewer entries than asked for, or always all.
            None if page.items.first() == self.first.as_ref() => return Ok(None),
            None => {
                self.first = page.items.first().cloned();
                true
            }
        };
        self.next = more.then_some(number + 1);
        if let Some(next) = self.next.filter(|_| self.list.prefetch) {
            let request = self.list.request(next)?;
            self.prefetched = Some(Prefetched(tokio::spawn(
                request.into_future().in_current_span(),
            )));
        }
        Ok(Some(page))
    }
}
