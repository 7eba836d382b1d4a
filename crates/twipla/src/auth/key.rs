//! The partner's private key: read from PEM, checked, and kept parsed.

use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::der::{self, oid};
use super::rsa::{Format, RsaKey};
use super::signer::{SignFuture, Signer, SignerError};
use crate::crypto::CryptoBackend;
use crate::{Error, ErrorKind, Result};
use twipla_api::looks_secret;

/// Far larger than any supported key. A wrong path may name an endless file.
const MAX_PEM_BYTES: usize = 64 * 1024;

/// The partner's RSA private key, ready to sign.
///
/// Accepts PEM text, PKCS#1 (`BEGIN RSA PRIVATE KEY`) or PKCS#8 (`BEGIN PRIVATE
/// KEY`), of 2048, 3072 or 4096 bits; with the feature `aws-lc-rs` of any size
/// from 2048 to 8192 bits ([`CryptoBackend`]). Anything else is an error that
/// names the command to generate or convert a key. Cheap to clone; `Debug` shows only
/// the size.
///
/// ```no_run
/// use twipla::PrivateKey;
///
/// let key = PrivateKey::from_pem_file("jwtRS256.key")?;
/// // Send this to TWIPLA to get a partner id.
/// println!("{}", key.public_key_pem()?);
/// # Ok::<(), twipla::Error>(())
/// ```
//
// `jsonwebtoken` writes the token's header, but does not sign: its `EncodingKey`
// holds DER and parses (and checks) the key again for every signature, which
// more than doubles the cost, and its provider takes function pointers, so a
// parsed key cannot be passed in. Its global `encode` also panics in an
// application whose features enable both of its backends, or neither. The
// library underneath is called instead, with a key that is parsed once.
#[derive(Clone)]
pub struct PrivateKey {
    key: Arc<RsaKey>,
    bits: usize,
}

impl PrivateKey {
    /// Reads a key from PEM text, and verifies it with a trial signature.
    ///
    /// The default [`CryptoBackend`] signs or, if it does not support the key,
    /// another enabled one that does.
    ///
    /// The text may come from an environment variable: a literal `\n`,
    /// a space or a Windows line ending counts as a new line.
    ///
    /// ```
    /// use twipla::PrivateKey;
    ///
    /// let error = PrivateKey::from_pem("-----BEGIN PUBLIC KEY-----\n...").unwrap_err();
    /// assert!(error.to_string().contains("public key"));
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if the text is not PEM, or contains an encrypted
    /// key, a public key, a certificate, or a key that is not RSA, in OpenSSH's format,
    /// shorter than 2048 bits or damaged. The message names the command that helps, and
    /// shows no part of the text.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        Self::from_pem_with_any(pem.as_ref(), CryptoBackend::ENABLED)
    }

    /// Like [`from_pem`](Self::from_pem), but signs with this library.
    ///
    /// ```no_run
    /// # fn f(pem: &str) -> twipla::Result<()> {
    /// use twipla::{CryptoBackend, PrivateKey};
    ///
    /// let key = PrivateKey::from_pem_with(pem, CryptoBackend::default())?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `from_pem`.
    pub fn from_pem_with(pem: impl AsRef<[u8]>, backend: CryptoBackend) -> Result<Self> {
        Self::from_pem_with_any(pem.as_ref(), &[backend])
    }

    /// Uses the first of these libraries that supports the key.
    fn from_pem_with_any(bytes: &[u8], backends: &[CryptoBackend]) -> Result<Self> {
        if bytes.len() > MAX_PEM_BYTES {
            return Err(key_error(format!(
                "is larger than {MAX_PEM_BYTES} bytes, so it is not a private key: {MAKE_ONE}"
            )));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| not_text(bytes))?;
        if text.contains('\0') {
            return Err(not_text(bytes));
        }
        // Environment files and CI settings often keep the text on one line.
        let text = Zeroizing::new(text.replace("\\r", "").replace("\\n", "\n"));
        let block = find_key(&text)?;
        let der = block.decode()?;
        Self::from_der(backends, block.format, &der)
    }

    /// Like [`from_pem`](Self::from_pem), but reads a file.
    ///
    /// # Errors
    ///
    /// Those of `from_pem`, and [`ErrorKind::Configuration`] if the file cannot be
    /// read. The message names the file.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if looks_secret(&path.to_string_lossy()) {
            return Err(config_error(
                "the path of the private key is the key itself: pass it to from_pem, or set TWIPLA_PRIVATE_KEY",
            ));
        }
        let pem = read_bounded(path).map_err(|error| {
            config_error(format!(
                "cannot read the private key file {}: check the path and its permissions",
                path.display()
            ))
            .with_source(error)
        })?;
        Self::from_pem(&*pem).map_err(|error| {
            config_error(format!(
                "private key file {}: {}",
                path.display(),
                error.message()
            ))
        })
    }

    /// Returns the public key as PEM (X.509 `BEGIN PUBLIC KEY`), which the partner sends
    /// to TWIPLA. This is the text that `openssl rsa -in KEY -pubout` prints.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn public_key_pem(&self) -> Result<String> {
        let der = self.key.public_key_info();
        let base64 = STANDARD.encode(&der);
        let mut pem = String::with_capacity(base64.len() + base64.len() / 64 + 64);
        pem.push_str("-----BEGIN PUBLIC KEY-----\n");
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = tail;
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        Ok(pem)
    }

    /// Returns the size of the key (its modulus) in bits.
    pub fn bits(&self) -> usize {
        self.bits
    }

    fn from_der(backends: &[CryptoBackend], format: Format, der: &[u8]) -> Result<Self> {
        let (modulus, exponent) = public_numbers(format, der)?;
        let bits = bit_length(modulus);
        if bits < 2048 {
            return Err(key_error(format!(
                "has {bits} bits, but RS256 needs at least 2048: {MAKE_ONE}, and send its public key to TWIPLA"
            )));
        }
        let exponent = saturating_u64(exponent);
        let backends = backends.iter().copied();
        let fits = |backend: &CryptoBackend| RsaKey::supports(*backend, bits, exponent);
        let Some(backend) = backends.clone().find(fits) else {
            let supported =
                |backend| format!("{backend:?} supports {}", RsaKey::supported(backend));
            let supported: Vec<_> = backends.map(supported).collect();
            return Err(key_error(format!(
                "has {bits} bits and the public exponent {exponent}, but {}: {MAKE_ONE}, or use another CryptoBackend",
                supported.join(", ")
            )));
        };
        let key = RsaKey::parse(backend, format, der).map_err(|error| {
            key_error(format!(
                "is damaged: check it with \"openssl rsa -check -noout -in KEY\", or {MAKE_ONE}"
            ))
            .with_source(error)
        })?;
        let key = Self {
            key: Arc::new(key),
            bits,
        };
        key.verify()?;
        Ok(key)
    }

    /// Signs once and verifies the signature. A key whose halves do not belong
    /// together would otherwise fail later, with a 401 for every call.
    fn verify(&self) -> Result<()> {
        const TRIAL: &[u8] = b"twipla trial signature";
        let signature = self
            .sign_now(TRIAL)
            .map_err(|error| key_error(format!("cannot sign: {MAKE_ONE}")).with_source(error))?;
        self.key.verify(TRIAL, &signature).map_err(|error| {
            key_error(format!("does not match its own public key: {MAKE_ONE}")).with_source(error)
        })
    }

    fn sign_now(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.key
            .sign(message)
            .map_err(|error| SignerError::new("the private key cannot sign").with_source(error))
    }
}

impl Signer for PrivateKey {
    // Half a millisecond for 2048 bits, once per token: not worth another thread.
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        Box::pin(std::future::ready(self.sign_now(message)))
    }

    fn public_key_pem(&self) -> Option<String> {
        Self::public_key_pem(self).ok()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(RSA, {} bits, ..)", self.bits)
    }
}

const MAKE_ONE: &str = "make a new key with \"openssl genrsa -out jwtRS256.key 2048\"";
const DECRYPT: &str =
    "write it without a passphrase with \"openssl rsa -in KEY -out jwtRS256.key\"";
const CONVERT: &str = "convert it in place with \"ssh-keygen -p -m PEM -f KEY\"";

/// The block of a private key in a PEM text.
struct KeyBlock<'a> {
    format: Format,
    body: &'a str,
}

impl KeyBlock<'_> {
    fn decode(&self) -> Result<Zeroizing<Vec<u8>>> {
        let base64: Zeroizing<String> = Zeroizing::new(
            self.body
                .chars()
                .filter(|c| !c.is_ascii_whitespace())
                .collect(),
        );
        // The decoder's error is left out: it quotes a byte of the key.
        STANDARD
            .decode(base64.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| {
                key_error(
                    "contains something other than base64 between its BEGIN and END lines: \
                 copy the whole file, with nothing added",
                )
            })
    }
}

/// Returns the only private key among the blocks of a PEM text, which may also contain a
/// certificate or parameters.
fn find_key(text: &str) -> Result<KeyBlock<'_>> {
    let mut found = None;
    let mut other = None;
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let Some((label, after)) = after.split_once("-----") else {
            break;
        };
        let end = format!("-----END {label}-----");
        let (body, tail) = after.split_once(end.as_str()).unwrap_or((after, ""));
        let complete = after.contains(end.as_str());
        rest = tail;
        let format = match label {
            "RSA PRIVATE KEY" if body.contains("ENCRYPTED") => return Err(encrypted()),
            "RSA PRIVATE KEY" => Format::Pkcs1,
            "PRIVATE KEY" => Format::Pkcs8,
            label => {
                other.get_or_insert(label);
                continue;
            }
        };
        if !complete {
            return Err(key_error(format!(
                "is cut off, because the line \"{end}\" is missing: copy the whole file"
            )));
        }
        if found.replace(KeyBlock { format, body }).is_some() {
            return Err(key_error("consists of two private keys: keep one of them"));
        }
    }
    found.ok_or_else(|| match other {
        Some(label) => wrong_label(label),
        None => not_pem(text),
    })
}

fn wrong_label(label: &str) -> Error {
    match label {
        "ENCRYPTED PRIVATE KEY" => encrypted(),
        "OPENSSH PRIVATE KEY" => key_error(format!("is in OpenSSH's own format: {CONVERT}")),
        "EC PRIVATE KEY" | "EC PARAMETERS" => not_rsa("an EC key"),
        "DSA PRIVATE KEY" => not_rsa("a DSA key"),
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => key_error(
            "is a certificate: use the private key that belongs to it (\"openssl genrsa\" writes one)",
        ),
        label if label.ends_with("PUBLIC KEY") => public_key(),
        _ => key_error(format!(
            "is PEM of something other than a private key: {MAKE_ONE}"
        )),
    }
}

fn not_pem(text: &str) -> Error {
    let text = text.trim().trim_matches(['"', '\'']);
    if text.is_empty() {
        return key_error(format!("is empty: {MAKE_ONE}"));
    }
    if text.starts_with("ssh-") || text.starts_with("ecdsa-") {
        return public_key();
    }
    if text.starts_with("PuTTY-User-Key-File") {
        return key_error(
            "is in PuTTY's own format: convert it with \"puttygen KEY -O private-openssh -o jwtRS256.key\"",
        );
    }
    // The base64 of "-----BEGIN ".
    if text.starts_with("LS0tLS1CRUdJTi") {
        return key_error("is base64 of a PEM text: decode it first (\"base64 -d\")");
    }
    key_error(format!(
        "is not PEM text, which starts with -----BEGIN: for the path of a file use from_pem_file \
         (TWIPLA_PRIVATE_KEY_FILE), otherwise {MAKE_ONE}"
    ))
}

fn not_text(bytes: &[u8]) -> Error {
    match bytes {
        // The start of every RSA key in DER: a sequence whose length takes two bytes.
        [0x30, 0x82, ..] => key_error(
            "is DER, not PEM: convert it with \"openssl rsa -inform DER -in KEY -out jwtRS256.key\"",
        ),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, ..] => {
            key_error("is UTF-16 text: save it as UTF-8 or ASCII")
        }
        _ => key_error(format!("is not text: {MAKE_ONE}")),
    }
}

fn encrypted() -> Error {
    key_error(format!("is encrypted with a passphrase: {DECRYPT}"))
}

fn public_key() -> Error {
    key_error(
        "is the public key, which goes to TWIPLA: use the private key, from the file that \
         \"openssl genrsa -out jwtRS256.key 2048\" wrote",
    )
}

fn not_rsa(what: &str) -> Error {
    key_error(format!("is {what}, but RS256 needs RSA: {MAKE_ONE}"))
}

/// Returns modulus and public exponent of an RSA key, big-endian.
fn public_numbers(format: Format, der: &[u8]) -> Result<(&[u8], &[u8])> {
    let damaged = || {
        key_error(format!(
            "is damaged (the base64 does not hold a key in DER): {MAKE_ONE}"
        ))
    };
    let rsa = match format {
        Format::Pkcs1 => der,
        Format::Pkcs8 => {
            let (algorithm, key) = pkcs8(der).ok_or_else(damaged)?;
            match algorithm {
                oid::RSA => key,
                oid::RSA_PSS => return Err(not_rsa("an RSA key for PSS only")),
                oid::EC => return Err(not_rsa("an EC key")),
                oid::ED25519 => return Err(not_rsa("an Ed25519 key")),
                _ => return Err(not_rsa("not an RSA key")),
            }
        }
    };
    pkcs1_public(rsa).ok_or_else(damaged)
}

/// Returns algorithm and inner key of `PrivateKeyInfo` (RFC 5208).
fn pkcs8(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (info, _) = der::read(der::SEQUENCE, der)?;
    let (_version, info) = der::read(der::INTEGER, info)?;
    let (algorithm, info) = der::read(der::SEQUENCE, info)?;
    let (algorithm, _parameters) = der::read(der::OBJECT_IDENTIFIER, algorithm)?;
    let (key, _attributes) = der::read(der::OCTET_STRING, info)?;
    Some((algorithm, key))
}

/// Returns `n` and `e` of `RSAPrivateKey` (RFC 8017), big-endian.
fn pkcs1_public(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, _) = der::read(der::SEQUENCE, der)?;
    let (_version, key) = der::read(der::INTEGER, key)?;
    let (modulus, key) = der::read(der::INTEGER, key)?;
    let (exponent, _) = der::read(der::INTEGER, key)?;
    Some((modulus, exponent))
}

/// Reads a big-endian number, saturating.
fn saturating_u64(number: &[u8]) -> u64 {
    if bit_length(number) > 64 {
        return u64::MAX;
    }
    number
        .iter()
        .fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

fn bit_length(number: &[u8]) -> usize {
    let significant = number
        .iter()
        .position(|&byte| byte != 0)
        .map_or(&[][..], |first| &number[first..]);
    significant.first().map_or(0, |first| {
        significant.len() * 8 - first.leading_zeros() as usize
    })
}

fn read_bounded(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    // Room for everything: a vector that grows leaves copies of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PEM_BYTES + 1));
    let limit = u64::try_from(MAX_PEM_BYTES + 1).unwrap_or(u64::MAX);
    std::fs::File::open(path)?
        .take(limit)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn key_error(problem: impl fmt::Display) -> Error {
    config_error(format!("the private key {problem}"))
}

fn config_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

#[cfg(test)]
mod tests;
