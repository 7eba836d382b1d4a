//! RSA keys as the crypto library at hand has them, parsed once.

use crate::crypto::CryptoBackend;

/// Something inside the crypto library said no; it does not say why.
pub(super) type Refusal = Box<dyn std::error::Error + Send + Sync>;

/// Neither library takes a public exponent of more than 33 bits.
const EXPONENTS_END: u64 = 1 << 33;

/// How the DER of a private key is wrapped.
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
    allow(clippy::large_enum_variant, reason = "there is one, behind an Arc")
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
    ) -> Result<Self, Refusal> {
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

    /// Whether this library signs with keys of so many bits and this public exponent.
    pub(super) fn takes(backend: CryptoBackend, bits: usize, exponent: u64) -> bool {
        match backend {
            // Its primes are a multiple of 512 bits.
            #[cfg(feature = "ring")]
            CryptoBackend::Ring => {
                matches!(bits, 2048 | 3072 | 4096) && (65537..EXPONENTS_END).contains(&exponent)
            }
            #[cfg(feature = "aws-lc-rs")]
            CryptoBackend::AwsLcRs => {
                (2048..=8192).contains(&bits) && (3..EXPONENTS_END).contains(&exponent)
            }
        }
    }

    /// The keys that this library takes, in words.
    pub(super) fn taken(backend: CryptoBackend) -> &'static str {
        match backend {
            #[cfg(feature = "ring")]
            CryptoBackend::Ring => {
                "2048, 3072 or 4096 bits and a public exponent from 65537 to 2^33"
            }
            #[cfg(feature = "aws-lc-rs")]
            CryptoBackend::AwsLcRs => "2048 to 8192 bits and a public exponent from 3 to 2^33",
        }
    }

    /// Signs with RS256: RSASSA-PKCS1-v1_5 over SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
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

    /// Checks a signature with the public half.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        match self {
            #[cfg(feature = "ring")]
            Self::Ring(_) => {
                use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.public())
                    .verify(message, signature)?;
            }
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs(_) => {
                use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.public())
                    .verify(message, signature)?;
            }
        }
        Ok(())
    }

    /// The public half: `SubjectPublicKeyInfo` (RFC 5280) in DER.
    pub(super) fn public_key_info(&self) -> Vec<u8> {
        // AlgorithmIdentifier of rsaEncryption, whose parameters are NULL.
        const ALGORITHM: [u8; 15] = [
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0x00,
        ];
        // A bit string says first how many bits of its last byte do not count.
        let key = element(0x03, &[&[0], self.public()].concat());
        element(0x30, &[&ALGORITHM[..], &key].concat())
    }

    /// The public half: `RSAPublicKey` (RFC 8017) in DER.
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

/// A DER element with this tag.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length.iter().position(|&byte| byte != 0);
    let length = &length[significant.unwrap_or(length.len() - 1)..];
    let mut element = vec![tag];
    // Short lengths stand for themselves, long ones behind their own length.
    if content.len() >= 0x80 {
        element.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
    }
    element.extend_from_slice(length);
    element.extend_from_slice(content);
    element
}
