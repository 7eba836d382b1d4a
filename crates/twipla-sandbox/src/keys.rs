//! RSA keys, generated when the sandbox starts.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Error;

/// A private key and the public one that goes with it, both as PEM.
pub(crate) struct PemPair {
    pub(crate) private: String,
    pub(crate) public: String,
}

impl PemPair {
    /// The public key of a partner who keeps the private one.
    pub(crate) fn public_only(public: String) -> Self {
        Self {
            private: String::new(),
            public,
        }
    }
}

/// Generates a key pair of 2048 bits, the size that the reference page asks for.
pub(crate) fn generate() -> Result<PemPair, Error> {
    let failed = |what: &str| Error::new(format!("{what} an RSA key"));
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed("cannot generate"))?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| failed("cannot encode"))?;
    let public: PublicKeyX509Der<'_> = pair
        .public_key()
        .as_der()
        .map_err(|_| failed("cannot encode"))?;
    Ok(PemPair {
        private: pem("PRIVATE KEY", private.as_ref()),
        public: pem("PUBLIC KEY", public.as_ref()),
    })
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut lines = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII, so any index is a character boundary.
        let (line, tail) = rest.split_at(rest.len().min(64));
        lines.push_str(line);
        lines.push('\n');
        rest = tail;
    }
    lines + &format!("-----END {label}-----\n")
}
