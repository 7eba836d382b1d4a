//! What signs tokens: a key in this process, or one that lives elsewhere.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// What [`Signer::sign`] returns: the raw signature, in a while.
pub type SignFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send + 'a>>;

/// Signs tokens with the partner's private key, wherever that key lives.
///
/// [`PrivateKey`](crate::PrivateKey) is one, for a key in this process. Write
/// another for a KMS or an HSM: sign the message with RSASSA-PKCS1-v1_5 and
/// SHA-256 (`RS256`; AWS KMS calls it `RSASSA_PKCS1_V1_5_SHA_256` with message
/// type `RAW`), and return the bytes of the signature, not base64 of them.
///
/// A token serves many calls, so this is asked about once in seven minutes,
/// plus once for every dashboard URL. It is never asked twice at a time for the
/// same token; it gets 30 seconds. While an older token is valid, neither a slow
/// nor a failing signer holds up a call.
///
/// `Debug` is asked for so that a client can be printed; show no secret in it.
///
/// ```
/// use twipla::{SignFuture, Signer, SignerError};
///
/// /// Stands for the client of a key management service.
/// #[derive(Debug)]
/// struct Kms {
///     key_name: String,
/// }
///
/// impl Kms {
///     async fn call(&self, message: &[u8]) -> Result<Vec<u8>, std::io::Error> {
/// #       let _ = message;
///         // Send `message` to the service; it returns the signature.
///         Err(std::io::Error::other(format!("no service holds {}", self.key_name)))
///     }
/// }
///
/// impl Signer for Kms {
///     fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
///         Box::pin(async move {
///             self.call(message)
///                 .await
///                 .map_err(|error| SignerError::new("the KMS refused to sign").with_source(error))
///         })
///     }
/// }
///
/// let signer: Box<dyn Signer> = Box::new(Kms { key_name: "twipla".into() });
/// ```
pub trait Signer: Send + Sync + fmt::Debug {
    /// Signs `message`, the header and claims of a token as they are sent.
    ///
    /// # Errors
    ///
    /// Whatever kept the signer from it. The call that needs the token fails
    /// with [`ErrorKind::Signing`](crate::ErrorKind::Signing) and this as its source.
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a>;
}

impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        (**self).sign(message)
    }
}

impl<S: Signer + ?Sized> Signer for Box<S> {
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        (**self).sign(message)
    }
}

/// Why a [`Signer`] made no signature.
///
/// It is printed with the error of the call, so keep secrets out of it.
///
/// ```
/// use twipla::SignerError;
///
/// let error = SignerError::new("the HSM is locked");
/// assert_eq!(error.to_string(), "the HSM is locked");
/// ```
// One failure reaches every call that waited for it, hence cheap to clone.
#[derive(Clone, Debug)]
pub struct SignerError {
    message: Arc<str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl SignerError {
    /// `message` is a fragment in lower case that says what failed.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into().into(),
            source: None,
        }
    }

    /// Adds the error behind this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for SignerError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn StdError + 'static))
    }
}
