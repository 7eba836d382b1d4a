//! The interface to what signs tokens: a key in this process, or one held elsewhere.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// The future returned by [`Signer::sign`], which resolves to the raw signature.
pub type SignFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send + 'a>>;

/// Signs tokens with the partner's private key, wherever that key is held.
///
/// [`PrivateKey`](crate::PrivateKey) implements it for a key in this process. Implement
/// it for a KMS or an HSM: sign the message with RSASSA-PKCS1-v1_5 and
/// SHA-256 (`RS256`; AWS KMS calls it `RSASSA_PKCS1_V1_5_SHA_256` with message
/// type `RAW`), and return the bytes of the signature, not their base64.
///
/// A token is used for many calls, so a signer is asked about once every seven
/// minutes, and once for every dashboard URL. It has 30 seconds to respond. While
/// an older token is valid, neither a slow nor a failing signer delays a call.
///
/// Calls that wait for the same token share one signature. If one client is used
/// on several Tokio runtimes, each of them may ask for its own signature. If
/// the server rejects every token, a new one is signed less and less often, down to
/// about one a minute.
///
/// `Debug` is required so that a client can be printed. Do not show secrets in it.
///
/// ```
/// use twipla::{SignFuture, Signer, SignerError};
///
/// /// A placeholder for the client of a key management service.
/// #[derive(Debug)]
/// struct Kms {
///     key_name: String,
///     public_key: String,
/// }
///
/// impl Kms {
///     async fn call(&self, message: &[u8]) -> Result<Vec<u8>, std::io::Error> {
/// #       let _ = message;
///         // Send `message` to the service; it returns the signature.
///         Err(std::io::Error::other(format!("no key is called {}", self.key_name)))
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
///
///     fn public_key_pem(&self) -> Option<String> {
///         Some(self.public_key.clone())
///     }
/// }
/// ```
pub trait Signer: Send + Sync + fmt::Debug {
    /// Signs `message`: the header and claims of a token, encoded as they are sent.
    ///
    /// # Errors
    ///
    /// Any reason why it could not be signed. The call that needs the token fails with
    /// [`ErrorKind::Signing`](crate::ErrorKind::Signing) and this error as its source.
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a>;

    /// Returns the public key as PEM (`BEGIN PUBLIC KEY`), if this signer knows it.
    ///
    /// Every signature is then verified before its token is used. So a signer
    /// that uses another key or another algorithm fails with an error that says
    /// so, not with a 401 for every call. AWS KMS returns the key, in DER, from
    /// `GetPublicKey`: read it once, when the signer is built.
    fn public_key_pem(&self) -> Option<String> {
        None
    }
}

impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        (**self).sign(message)
    }

    fn public_key_pem(&self) -> Option<String> {
        (**self).public_key_pem()
    }
}

impl<S: Signer + ?Sized> Signer for Box<S> {
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        (**self).sign(message)
    }

    fn public_key_pem(&self) -> Option<String> {
        (**self).public_key_pem()
    }
}

/// The error of a [`Signer`] that could not sign.
///
/// It is printed with the error of the call, so keep secrets out of it.
///
/// ```
/// use twipla::SignerError;
///
/// let error = SignerError::new("the HSM is locked");
/// assert_eq!(error.to_string(), "the HSM is locked");
/// ```
// Cheap to clone, because every call that waited for the signature gets it.
#[derive(Clone, Debug)]
pub struct SignerError {
    message: Arc<str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl SignerError {
    /// Creates an error; `message` is a fragment in lower case that says what failed.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into().into(),
            source: None,
        }
    }

    /// Adds the error that caused this one.
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
