//! Requests one signature from a signer that may hang, panic or return garbage.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

use super::public_key::verify;
use super::signer::{Signer, SignerError};
use crate::{Error, ErrorKind, Result};

/// How long a signer may take.
const SIGN_TIMEOUT: Duration = Duration::from_secs(30);
/// Sizes of RS256 signatures: keys of 2048 to 8192 bits.
const SIGNATURE_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Bounds the time for a token: it must be signed before `deadline`, which `limit` set.
pub(crate) async fn sign_within<T>(
    deadline: Instant,
    limit: Duration,
    signing: impl Future<Output = Result<T>>,
) -> Result<T> {
    // Without a runtime there is no timer, and no signature: that error is more specific.
    if Handle::try_current().is_err() {
        return signing.await;
    }
    timeout_at(deadline, signing).await.unwrap_or_else(|_| {
        let message = format!(
            "the signer did not make a token within {:.3} s",
            limit.as_secs_f64()
        );
        Err(Error::new(ErrorKind::Timeout, message))
    })
}

/// Asks for one signature, and verifies it if the signer knows its public key.
pub(super) async fn sign(signer: &dyn Signer, message: &[u8]) -> Result<Vec<u8>, SignerError> {
    current_runtime()?;
    // `Signer::sign` is called inside, so that a panic before it returns a future is caught too.
    let signing = AssertUnwindSafe(async {
        let signature = timeout(SIGN_TIMEOUT, signer.sign(message)).await?;
        Ok::<_, Elapsed>((signature, signer.public_key_pem()))
    });
    let (signature, public_key) = match signing.catch_unwind().await {
        Ok(Ok((signature, public_key))) => (signature?, public_key),
        Ok(Err(_)) => {
            return Err(SignerError::new(format!(
                "the signer did not respond within {} s",
                SIGN_TIMEOUT.as_secs()
            )));
        }
        Err(_) => return Err(SignerError::new("the signer panicked")),
    };
    if !SIGNATURE_BYTES.contains(&signature.len()) {
        return Err(SignerError::new(format!(
            "invalid signature of {} bytes: expected the raw RSASSA-PKCS1-v1_5 signature \
             of a key of at least 2048 bits, which has 256 to 1024 bytes",
            signature.len()
        )));
    }
    if let Some(pem) = public_key {
        verify(&pem, message, &signature)?;
    }
    Ok(signature)
}

/// Returns the runtime that this is called on.
pub(super) fn current_runtime() -> Result<Handle, SignerError> {
    Handle::try_current().map_err(|_| {
        SignerError::new(
            "no Tokio runtime is running: await the call inside one, such as #[tokio::main] starts",
        )
    })
}
