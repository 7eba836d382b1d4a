//! One page of a list.

use serde::Serialize;
use twipla_api::PaginationMeta;

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the page stands; absent where the server does not say.
    pub meta: Option<PageMeta>,
}

impl<T> Page<T> {
    pub(crate) fn new(items: Vec<T>, meta: Option<PaginationMeta>) -> Self {
        // A count below zero means nothing.
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

/// Where a page stands in its list, as the server says it. What is missing or
/// not a whole number is `None`.
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
