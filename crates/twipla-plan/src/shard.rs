//! Shards: parts of a file for several machines.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::key::stable_hash;

/// Part `index` of `count`: the customers whose hash modulo `count` is `index`.
///
/// The hash is the first eight bytes of the SHA-256 of the customer id, read as a
/// big-endian number, so that every machine and every version agrees.
///
/// ```
/// let shard: twipla_plan::Shard = "0/4".parse()?;
/// assert_eq!(shard.to_string(), "0/4");
/// assert!("4/4".parse::<twipla_plan::Shard>().is_err());
/// # Ok::<(), twipla_plan::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// The whole file.
    pub const ALL: Self = Self { index: 0, count: 1 };

    /// Returns whether a customer belongs to this part.
    ///
    /// ```
    /// use twipla_plan::Shard;
    ///
    /// let parts: Vec<Shard> = ["0/3", "1/3", "2/3"].map(|part| part.parse().unwrap()).to_vec();
    /// let of_customer = parts.iter().filter(|part| part.has("cust-42")).count();
    /// assert_eq!(of_customer, 1);
    /// ```
    pub fn has(self, customer: &str) -> bool {
        stable_hash(customer) % u64::from(self.count) == u64::from(self.index)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text
            .split_once('/')
            .and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((index, count)) if index < count => Ok(Self { index, count }),
            _ => Err(Error::invalid(format!(
                "invalid shard {text:?}: expected I/N with I from 0 to N - 1, such as 0/4"
            ))),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}
