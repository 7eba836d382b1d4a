//! One page of a list.

use serde::Serialize;
use twipla_api::PaginationMeta;

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The position of the page; absent if the server does not send it.
    pub meta: Option<PageMeta>,
}

impl<T> Page<T> {
    pub(crate) fn new(items: Vec<T>, meta: Option<PaginationMeta>) -> Self {
        // A negative count is meaningless.
        let count = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
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

/// The position of a page in its list, as reported by the server. Values that are missing or
/// not a whole number are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct PageMeta {
    /// Number of the page, counted from 0.
    pub page: Option<u64>,
    /// Entries per page.
    pub page_size: Option<u64>,
    /// Number of pages.
    pub pages: Option<u64>,
    /// Number of entries in all.
    pub total: Option<u64>,
}
