//! A signer's public key, to verify its signatures.

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

use super::der::{self, oid};
use super::rsa;
use super::signer::SignerError;
use crate::crypto::CryptoBackend;

/// Verifies an RS256 signature with a public key in PEM.
pub(super) fn verify(pem: &str, message: &[u8], signature: &[u8]) -> Result<(), SignerError> {
    let key = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
        SignerError::new(
            "invalid public key of the signer: expected PEM text that starts with \
             -----BEGIN PUBLIC KEY-----",
        )
    })?;
    let key = rsa_public_key(&key)
        .ok_or_else(|| SignerError::new("invalid public key of the signer: expected an RSA key"))?;
    rsa::verify(CryptoBackend::default(), key, message, signature).map_err(|error| {
        SignerError::new(
            "the signature does not match the signer's public key: check that it uses the key of \
             this public key, with RSASSA-PKCS1-v1_5 and SHA-256",
        )
        .with_source(error)
    })
}

/// Extracts `RSAPublicKey` (RFC 8017) from `SubjectPublicKeyInfo` (RFC 5280).
fn rsa_public_key(info: &[u8]) -> Option<&[u8]> {
    let (info, _) = der::read(der::SEQUENCE, info)?;
    let (algorithm, info) = der::read(der::SEQUENCE, info)?;
    let (algorithm, _parameters) = der::read(der::OBJECT_IDENTIFIER, algorithm)?;
    let (bits, _) = der::read(der::BIT_STRING, info)?;
    let (0, key) = bits.split_first().map(|(&unused, key)| (unused, key))? else {
        return None;
    };
    (algorithm == oid::RSA).then_some(key)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::auth::{PrivateKey, Signer as _};

    fn pem(label: &str, der: &[u8]) -> String {
        let base64 = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
    }

    fn private_key() -> PrivateKey {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        PrivateKey::from_pem(pem("PRIVATE KEY", der.as_ref())).unwrap()
    }

    #[tokio::test]
    async fn only_the_signature_of_the_key_and_message_is_accepted() {
        let (key, other) = (private_key(), private_key());
        let signature = key.sign(b"message").await.unwrap();
        let public = key.public_key_pem().unwrap();
        verify(&public, b"message", &signature).unwrap();
        verify(&public.replace('\n', "\r\n"), b"message", &signature).unwrap();

        let others = other.public_key_pem().unwrap();
        for (pem, message, signature) in [
            (&others, &b"message"[..], &signature[..]),
            (&public, b"another message", &signature),
            (&public, b"message", &signature[1..]),
            (&public, b"message", &[7; 256]),
        ] {
            let error = verify(pem, message, signature).unwrap_err().to_string();
            assert!(error.contains("does not match"), "{error}");
        }
    }

    #[test]
    fn invalid_public_keys_are_named() {
        let key = |algorithm, bits: &[u8]| {
            let algorithm = der::write(der::OBJECT_IDENTIFIER, algorithm);
            let algorithm = der::write(der::SEQUENCE, &algorithm);
            let bits = der::write(der::BIT_STRING, bits);
            let info = der::write(der::SEQUENCE, &[algorithm, bits].concat());
            pem("PUBLIC KEY", &info)
        };
        for (pem, expected) in [
            (String::new(), "expected PEM text"),
            ("hello".to_owned(), "expected PEM text"),
            (pem("PRIVATE KEY", b"secret"), "expected PEM text"),
            (pem("PUBLIC KEY", b"hello"), "expected an RSA key"),
            (key(oid::EC, &[0, 1]), "expected an RSA key"),
            (key(oid::RSA, &[]), "expected an RSA key"),
            (key(oid::RSA, &[3, 1]), "expected an RSA key"),
            (key(oid::RSA, &[0, 1]), "does not match"),
        ] {
            let error = verify(&pem, b"message", &[7; 256]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
