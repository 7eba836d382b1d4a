//! [`DeferredId`]: a validated argument whose error is deferred until the call is awaited, so
//! that naming a resource needs no `?`.

use std::fmt;
use std::sync::Arc;

use crate::{Error, ErrorKind, Result};

#[derive(Clone)]
pub(crate) struct DeferredId<T>(std::result::Result<T, (ErrorKind, Arc<str>)>);

impl<T> DeferredId<T> {
    pub(crate) fn get(&self) -> Result<&T> {
        self.0
            .as_ref()
            .map_err(|(kind, message)| Error::new(*kind, &**message))
    }
}

impl<T> From<Result<T>> for DeferredId<T> {
    fn from(given: Result<T>) -> Self {
        Self(given.map_err(|error| (error.kind(), Arc::from(error.message()))))
    }
}

impl<T: fmt::Debug> fmt::Debug for DeferredId<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(value) => value.fmt(f),
            Err((_, message)) => write!(f, "<{message}>"),
        }
    }
}
