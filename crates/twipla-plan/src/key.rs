//! Short hashes of ids and texts, so that 100,000 of them need little memory.

use sha2::{Digest as _, Sha256};

/// The hash of an id. Two of 2^32 ids are equal with a probability of 2^-65.
pub(crate) type Key = u128;

pub(crate) fn key(id: &str) -> Key {
    let digest = Sha256::digest(id.as_bytes());
    digest
        .iter()
        .take(16)
        .fold(0, |key, byte| (key << 8) | Key::from(*byte))
}

/// Returns the first eight bytes of a SHA-256 as a number: the same on every machine and in every version.
pub(crate) fn stable_hash(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(8)
        .fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
}

/// Returns the hash of an e-mail address, ignoring case.
pub(crate) fn email_key(email: &str) -> Key {
    key(&email.trim().to_lowercase())
}

/// Returns the hash of a domain. Servers write one in several ways: with or without
/// scheme, trailing slash and capitals.
pub(crate) fn domain_key(domain: &str) -> u64 {
    let rest = domain.split_once("://").map_or(domain, |(_, rest)| rest);
    stable_hash(&rest.trim_end_matches('/').to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_stable() {
        // The first bytes of `printf cust-42 | sha256sum`.
        assert_eq!(stable_hash("cust-42"), 0x8a3c_5a67_cad5_0858);
        assert_eq!(key("cust-42") >> 64, u128::from(stable_hash("cust-42")));
    }

    #[test]
    fn domain_has_one_key_in_every_spelling() {
        for same in ["https://Example.com/", "http://example.com", "EXAMPLE.COM"] {
            assert_eq!(domain_key(same), domain_key("example.com"), "{same}");
        }
        for other in ["example.com/shop", "www.example.com"] {
            assert_ne!(domain_key(other), domain_key("example.com"), "{other}");
        }
    }
}
