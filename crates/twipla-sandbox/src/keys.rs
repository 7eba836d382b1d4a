//! RSA keys: generated, or loaded from a private key.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;

use crate::error::Error;

/// A key pair as PEM.
pub(crate) struct PemPair {
    pub(crate) private: String,
    pub(crate) public: String,
}

impl PemPair {
    /// The public key of a partner that keeps the private key.
    pub(crate) fn public_only(public: String) -> Self {
        Self {
            private: String::new(),
            public,
        }
    }
}

/// Generates a key pair of 2048 bits, the size that the reference page
/// requires.
pub(crate) fn generate() -> Result<PemPair, Error> {
    let failed = |what: &str| Error::new(format!("{what} an RSA key"));
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed("cannot generate"))?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| failed("cannot encode"))?;
    Ok(PemPair {
        private: pem("PRIVATE KEY", private.as_ref()),
        public: public_of(&pair)?,
    })
}

/// Returns the key pair of a private key in PKCS#8.
pub(crate) fn from_private(private: String) -> Result<PemPair, Error> {
    let invalid = || {
        Error::new(
            "invalid private key: expected an RSA key of at least 2048 bits as PKCS#8 PEM, which \
             begins with `-----BEGIN PRIVATE KEY-----`: convert it with `openssl pkcs8 -topk8 -nocrypt -in KEY`",
        )
    };
    let der = PrivatePkcs8KeyDer::from_pem_slice(private.as_bytes()).map_err(|_| invalid())?;
    let pair = KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| invalid())?;
    let public = public_of(&pair)?;
    Ok(PemPair { private, public })
}

fn public_of(pair: &KeyPair) -> Result<String, Error> {
    let public: PublicKeyX509Der<'_> = pair
        .public_key()
        .as_der()
        .map_err(|_| Error::new("cannot encode an RSA key"))?;
    Ok(pem("PUBLIC KEY", public.as_ref()))
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
