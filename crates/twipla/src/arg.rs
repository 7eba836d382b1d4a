//! An argument that was checked when it was given, and is complained about
//! when a call is made of it: so that naming a thing needs no question mark.

use std::fmt;
use std::sync::Arc;

use crate::{Error, ErrorKind, Result};

#[derive(Clone)]
pub(crate) struct Arg<T>(std::result::Result<T, (ErrorKind, Arc<str>)>);

impl<T: Clone> Arg<T> {
    pub(crate) fn get(&self) -> Result<T> {
        self.0
            .clone()
            .map_err(|(kind, message)| Error::new(kind, &*message))
    }
}

impl<T> From<Result<T>> for Arg<T> {
    fn from(given: Result<T>) -> Self {
        Self(given.map_err(|error| (error.kind(), Arc::from(error.message()))))
    }
}

impl<T: fmt::Debug> fmt::Debug for Arg<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(value) => value.fmt(f),
            Err((_, message)) => write!(f, "<{message}>"),
        }
    }
}
