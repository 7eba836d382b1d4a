//! Lists: one page at a time, or all entries as a stream.

use std::collections::VecDeque;
use std::future::IntoFuture;
use std::sync::Arc;

use futures_core::Stream;
use futures_util::stream;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::arg::Arg;
use crate::call::BoxFuture;
use crate::ids::CustomerId;
use crate::request::Request;
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
    fetch: Arc<Fetch<T>>,
    page: u32,
    page_size: Option<u32>,
    read_ahead: bool,
    pub(crate) customer: Option<Arg<CustomerId>>,
}

/// Makes the request for a page.
type Fetch<T> = dyn Fn(PageArgs) -> Request<Page<T>> + Send + Sync;

/// Which page to fetch, of which customer.
pub(crate) struct PageArgs {
    pub(crate) page: i64,
    pub(crate) page_size: i64,
    pub(crate) customer: Option<Arg<CustomerId>>,
}

impl<T: Clone + PartialEq + Send + 'static> List<T> {
    pub(crate) fn new(
        fetch: impl Fn(PageArgs) -> Request<Page<T>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            fetch: Arc::new(fetch),
            page: 0,
            page_size: None,
            read_ahead: false,
            customer: None,
        }
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

    /// Asks for the next page while the entries of this one are read.
    ///
    /// It helps where the work between two entries takes as long as a request;
    /// at most one page more is held in memory. Off by default: a caller who
    /// stops early would have asked for a page too many. It needs a Tokio
    /// runtime, and a page that is on its way is given up with the stream.
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// use futures_util::TryStreamExt as _;
    ///
    /// let mut sites = std::pin::pin!(twipla.websites().list().page_size(100).read_ahead(true).stream());
    /// while let Some(site) = sites.try_next().await? {
    ///     println!("{}", site.domain); // or anything that takes its time
    /// }
    /// # Ok(()) }
    /// ```
    pub fn read_ahead(mut self, ahead: bool) -> Self {
        self.read_ahead = ahead;
        self
    }

    /// Every entry from the starting page on. Ends with the first error.
    pub fn stream(self) -> impl Stream<Item = Result<T>> + Send + 'static {
        let pages = Walk::new(self);
        stream::try_unfold(
            (pages, VecDeque::new()),
            |(mut walk, mut ready)| async move {
                loop {
                    if let Some(item) = ready.pop_front() {
                        return Ok(Some((item, (walk, ready))));
                    }
                    match walk.next().await? {
                        Some(page) => ready = page.items.into(),
                        None => return Ok(None),
                    }
                }
            },
        )
    }

    /// Every page from the starting page on. Ends with the first error.
    pub fn pages(self) -> impl Stream<Item = Result<Page<T>>> + Send + 'static {
        stream::try_unfold(Walk::new(self), |mut walk| async move {
            Ok(walk.next().await?.map(|page| (page, walk)))
        })
    }

    /// Sends the request for one page, and returns its entries as JSON.
    pub async fn raw(self) -> Result<serde_json::Value> {
        self.request()?.raw().await
    }

    fn request(&self) -> Result<Request<Page<T>>> {
        self.at(i64::from(self.page))
    }

    fn at(&self, page: i64) -> Result<Request<Page<T>>> {
        Ok((self.fetch)(PageArgs {
            page,
            page_size: self.size()?,
            customer: self.customer.clone(),
        }))
    }

    fn size(&self) -> Result<i64> {
        match self.page_size {
            Some(0) => Err(Error::invalid(
                "page_size is 0: a page has at least one entry",
            )),
            Some(size) => Ok(i64::from(size)),
            None => Ok(i64::from(PAGE_SIZE)),
        }
    }
}

impl<T: Clone + PartialEq + Send + 'static> IntoFuture for List<T> {
    type Output = Result<Page<T>>;
    type IntoFuture = BoxFuture<'static, Result<Page<T>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.request()?.await })
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

/// Goes from page to page until the list ends.
struct Walk<T> {
    list: List<T>,
    next: Option<i64>,
    /// Start of the page before, to notice a server that ignores the paging.
    first: Option<T>,
    /// The next page, on its way already.
    ahead: Option<Ahead<T>>,
}

/// A page that is given up when nobody waits for it any more.
struct Ahead<T>(JoinHandle<Result<Page<T>>>);

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T: Clone + PartialEq + Send + 'static> Walk<T> {
    fn new(list: List<T>) -> Self {
        let next = Some(i64::from(list.page));
        Self {
            list,
            next,
            first: None,
            ahead: None,
        }
    }

    async fn next(&mut self) -> Result<Option<Page<T>>> {
        let Some(number) = self.next.take() else {
            return Ok(None);
        };
        let page = match self.ahead.take() {
            Some(mut ahead) => match (&mut ahead.0).await {
                Ok(page) => page?,
                // The runtime went away, or the request panicked: ask as if nothing had been asked.
                Err(_) => self.list.at(number)?.await?,
            },
            None => self.list.at(number)?.await?,
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
        if let Some(next) = self.next.filter(|_| self.list.read_ahead) {
            let request = self.list.at(next)?;
            self.ahead = Some(Ahead(tokio::spawn(request.into_future().in_current_span())));
        }
        Ok(Some(page))
    }
}
