//! RSA private keys of either crypto library.

use super::der;
use crate::crypto::CryptoBackend;

/// An error of the crypto library, without details.
pub(super) type CryptoError = Box<dyn std::error::Error + Send + Sync>;

/// Both libraries only support public exponents below this.
const EXPONENT_LIMIT: u64 = 1 << 33;

/// Encoding of a private key in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `RSAPrivateKey` (RFC 8017).
    Pkcs1,
    /// `PrivateKeyInfo` (RFC 5208).
    Pkcs8,
}

/// A private key, ready to sign.
#[cfg_attr(
    all(feature = "ring", feature = "aws-lc-rs"),
    allow(clippy::large_enum_variant, reason = "a key is kept behind an Arc")
)]
pub(super) enum RsaKey {
    #[cfg(feature = "ring")]
    Ring(ring::rsa::KeyPair),
    #[cfg(feature = "aws-lc-rs")]
    AwsLcRs(aws_lc_rs::rsa::KeyPair),
}

impl RsaKey {
    /// Parses a key.
    pub(super) fn parse(
        backend: CryptoBackend,
        format: Format,
        der: &[u8],
    ) -> Result<Self, CryptoError> {
        match backend {
            #[cfg(feature = "ring")]
            CryptoBackend::Ring => Ok(Self::Ring(match format {
                Format::Pkcs1 => ring::rsa::KeyPair::from_der(der)?,
                Format::Pkcs8 => ring::rsa::KeyPair::from_pkcs8(der)?,
            })),
            #[cfg(feature = "aws-lc-rs")]
            CryptoBackend::AwsLcRs => Ok(Self::AwsLcRs(match format {
                Format::Pkcs1 => aws_lc_rs::rsa::KeyPair::from_der(der)?,
                Format::Pkcs8 => aws_lc_rs::rsa::KeyPair::from_pkcs8(der)?,
            })),
        }
    }

    /// Returns whether this library can sign with a key of this size and public exponent.
    pub(super) fn supports(backend: CryptoBackend, bits: usize, exponent: u64) -> bool {
        match backend {
            // Requires primes of a multiple of 512 bits.
            #[cfg(feature = "ring")]
            CryptoBackend::Ring => {
                matches!(bits, 2048 | 3072 | 4096) && (65537..EXPONENT_LIMIT).contains(&exponent)
            }
            #[cfg(feature = "aws-lc-rs")]
            CryptoBackend::AwsLcRs => {
                (2048..=8192).contains(&bits) && (3..EXPONENT_LIMIT).contains(&exponent)
            }
        }
    }

    /// Describes the keys that this library can sign with, for messages.
    pub(super) fn supported(backend: CryptoBackend) -> &'static str {
        match backend {
            #[cfg(feature = "ring")]
            CryptoBackend::Ring => {
                "keys of 2048, 3072 or 4096 bits with a public exponent from 65537 to 2^33"
            }
            #[cfg(feature = "aws-lc-rs")]
            CryptoBackend::AwsLcRs => {
                "keys of 2048 to 8192 bits with a public exponent from 3 to 2^33"
            }
        }
    }

    /// Signs with RS256: RSASSA-PKCS1-v1_5 over SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match self {
            #[cfg(feature = "ring")]
            Self::Ring(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let random = ring::rand::SystemRandom::new();
                let encoding = &ring::signature::RSA_PKCS1_SHA256;
                pair.sign(encoding, &random, message, &mut signature)?;
                Ok(signature)
            }
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = aws_lc_rs::rand::SystemRandom::new();
                let encoding = &aws_lc_rs::signature::RSA_PKCS1_SHA256;
                pair.sign(encoding, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }

    /// Verifies a signature with the public key.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let backend = match self {
            #[cfg(feature = "ring")]
            Self::Ring(_) => CryptoBackend::Ring,
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs(_) => CryptoBackend::AwsLcRs,
        };
        verify(backend, self.public(), message, signature)
    }

    /// Returns the public key as `SubjectPublicKeyInfo` (RFC 5280) in DER.
    pub(super) fn public_key_info(&self) -> Vec<u8> {
        // AlgorithmIdentifier of rsaEncryption, with NULL as its parameters.
        const ALGORITHM: [u8; 15] = [
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0x00,
        ];
        // A bit string starts with the number of unused bits in its last byte.
        let key = der::write(der::BIT_STRING, &[&[0], self.public()].concat());
        der::write(der::SEQUENCE, &[&ALGORITHM[..], &key].concat())
    }

    /// Returns the public key as `RSAPublicKey` (RFC 8017) in DER.
    fn public(&self) -> &[u8] {
        match self {
            #[cfg(feature = "ring")]
            Self::Ring(pair) => pair.public().as_ref(),
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs(pair) => {
                use aws_lc_rs::signature::KeyPair as _;
                pair.public_key().as_ref()
            }
        }
    }
}

/// Verifies an RS256 signature with a public key: `RSAPublicKey` (RFC 8017) in DER.
pub(super) fn verify(
    backend: CryptoBackend,
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError> {
    match backend {
        #[cfg(feature = "ring")]
        CryptoBackend::Ring => {
            use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key)
                .verify(message, signature)?;
        }
        #[cfg(feature = "aws-lc-rs")]
        CryptoBackend::AwsLcRs => {
            use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key)
                .verify(message, signature)?;
        }
    }
    Ok(())
}
