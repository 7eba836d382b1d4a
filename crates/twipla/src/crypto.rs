//! The crypto library for TLS connections and token signatures.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::{BuilderVerifierExt as _, Verifier};

use crate::{Error, ErrorKind, Result};

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
compile_error!(
    "twipla needs a crypto library: enable its feature `ring` (the default) or `aws-lc-rs`"
);

/// A crypto library, for TLS connections and for signatures.
///
/// Each is a feature of this crate. `ring` is the default: a process that
/// uses it gets its first response sooner. `aws-lc-rs` takes about 20 ms to gather
/// entropy when a process needs its first random number, then signs up to twice
/// as fast on processors with AVX-512, and it accepts any key of 2048 to 8192
/// bits, whereas ring accepts 2048, 3072 or 4096 bits and a public exponent from
/// 65537 to 2^33. If both are enabled, `ring` stays the default. Nothing
/// is installed globally; see [Features](crate#features) for programs that use
/// rustls or reqwest themselves.
///
/// ```
/// use twipla::CryptoBackend;
///
/// println!("{:?}", CryptoBackend::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum CryptoBackend {
    /// The crate ring.
    #[cfg(feature = "ring")]
    #[default]
    Ring,
    /// The crate aws-lc-rs.
    #[cfg(feature = "aws-lc-rs")]
    #[cfg_attr(not(feature = "ring"), default)]
    AwsLcRs,
}

impl CryptoBackend {
    /// The enabled libraries, the default one first.
    pub(crate) const ENABLED: &[Self] = &[
        #[cfg(feature = "ring")]
        Self::Ring,
        #[cfg(feature = "aws-lc-rs")]
        Self::AwsLcRs,
    ];

    /// Creates a TLS configuration with the system's root certificates and these additional ones.
    pub(crate) fn tls(self, roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig> {
        let provider = Arc::new(self.provider());
        let failed = |error: rustls::Error| {
            Error::new(
                ErrorKind::Configuration,
                "TLS cannot be set up: does this system have certificates (ca-certificates)?",
            )
            .with_source(error)
        };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(failed)?;
        let config = if roots.is_empty() {
            builder.with_platform_verifier().map_err(failed)?
        } else {
            let verifier = Verifier::new_with_extra_roots(roots, provider).map_err(failed)?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
        };
        Ok(config.with_no_client_auth())
    }

    /// Creates a TLS configuration without roots, if no host uses TLS. Reading the system's certificates takes
    /// milliseconds.
    pub(crate) fn no_tls(self) -> Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(self.provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                Error::new(ErrorKind::Configuration, "TLS cannot be set up").with_source(error)
            })?;
        Ok(builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth())
    }

    fn provider(self) -> CryptoProvider {
        match self {
            #[cfg(feature = "ring")]
            Self::Ring => rustls::crypto::ring::default_provider(),
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs => rustls::crypto::aws_lc_rs::default_provider(),
        }
    }
}
