use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};

use super::*;

/// Returns one key for all tests, generated at run time so that no key is checked in.
fn pkcs8_der() -> &'static [u8] {
    static DER: OnceLock<Vec<u8>> = OnceLock::new();
    DER.get_or_init(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        der.as_ref().to_vec()
    })
}

fn pkcs1_der() -> &'static [u8] {
    pkcs8(pkcs8_der()).unwrap().1
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<_> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn pkcs8_of(oid: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = der::write(der::SEQUENCE, &der::write(der::OBJECT_IDENTIFIER, oid));
    der::write(
        der::SEQUENCE,
        &[
            der::write(der::INTEGER, &[0]),
            algorithm,
            der::write(der::OCTET_STRING, key),
        ]
        .concat(),
    )
}

fn error_message(pem: impl AsRef<[u8]>) -> String {
    let error = PrivateKey::from_pem(pem).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

#[test]
fn valid_keys_are_read_in_every_form() {
    let pkcs8 = pem("PRIVATE KEY", pkcs8_der());
    let pkcs1 = pem("RSA PRIVATE KEY", pkcs1_der());
    let certificate = pem("CERTIFICATE", b"whatever");
    for text in [
        pkcs8.clone(),
        pkcs1.clone(),
        pkcs8.replace('\n', "\r\n"),
        pkcs1.replace('\n', "\\n"),
        pkcs8.replace('\n', "\\r\\n"),
        pkcs8.replace('\n', " "),
        pkcs1.replace('\n', "\n    "),
        format!("\"{}\"", pkcs8.replace('\n', "\\n")),
        format!("\u{feff}  {pkcs8}"),
        format!("{certificate}{pkcs8}"),
        format!("Bag Attributes\n{pkcs1}{certificate}"),
        pkcs8.trim_end().to_owned(),
    ] {
        let key = PrivateKey::from_pem(&text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(key.bits(), 2048);
        assert_eq!(format!("{key:?}"), "PrivateKey(RSA, 2048 bits, ..)");
    }
}

#[test]
fn unsupported_sizes_and_exponents_are_named() {
    let public = |bits: usize, exponent: &[u8]| {
        let n = [&[0, 0x80][..], &vec![7; bits / 8 - 1]].concat();
        let numbers = [
            der::write(der::INTEGER, &[0]),
            der::write(der::INTEGER, &n),
            der::write(der::INTEGER, exponent),
        ];
        pem(
            "RSA PRIVATE KEY",
            &der::write(der::SEQUENCE, &numbers.concat()),
        )
    };
    let error_message = |backend, bits, exponent: &[u8]| {
        let key = PrivateKey::from_pem_with(public(bits, exponent), backend);
        key.unwrap_err().to_string()
    };
    for &backend in CryptoBackend::ENABLED {
        let supported = RsaKey::supported(backend);
        for (bits, exponent, want) in [
            (
                8200,
                &[1, 0, 1][..],
                "has 8200 bits and the public exponent 65537, but",
            ),
            (2048, &[1], "has 2048 bits and the public exponent 1, but"),
        ] {
            let error = error_message(backend, bits, exponent);
            assert!(error.contains(want) && error.contains(supported), "{error}");
            assert!(error.contains("use another CryptoBackend"), "{error}");
        }
        // A supported size is parsed, and then found not to be a key.
        for bits in [2048, 3072, 4096] {
            let error = error_message(backend, bits, &[1, 0, 1]);
            assert!(error.contains("is damaged"), "{error}");
        }
    }
    #[cfg(feature = "ring")]
    for (bits, exponent) in [
        (2560, &[1, 0, 1][..]),
        (3000, &[1, 0, 1]),
        (2048, &[3]),
        (2048, &[2, 0, 0, 0, 1]),
    ] {
        let error = error_message(CryptoBackend::Ring, bits, exponent);
        assert!(
            error.contains("Ring supports keys of 2048, 3072 or 4096"),
            "{error}"
        );
    }
    // If the caller does not choose, a library that supports the key is used.
    #[cfg(all(feature = "ring", feature = "aws-lc-rs"))]
    for (bits, exponent) in [(2560, &[1, 0, 1][..]), (2048, &[3])] {
        let error = PrivateKey::from_pem(public(bits, exponent)).unwrap_err();
        assert!(error.to_string().contains("is damaged"), "{error}");
    }
}

#[tokio::test]
async fn signature_is_accepted_by_jsonwebtoken() {
    let key = PrivateKey::from_pem(pem("PRIVATE KEY", pkcs8_der())).unwrap();
    let message = b"header.claims";
    let signature = key.sign(message).await.unwrap();
    assert_eq!(signature.len(), 256);
    let public = key.public_key_pem().unwrap();
    assert!(public.lines().all(|line| line.len() <= 64), "{public}");
    let decoding = jsonwebtoken::DecodingKey::from_rsa_pem(public.as_bytes()).unwrap();
    let verifier = (jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.verifier_factory)(
        &jsonwebtoken::Algorithm::RS256,
        &decoding,
    )
    .unwrap();
    assert!(verifier.verify(message, &signature).is_ok());
    assert!(verifier.verify(b"header.other", &signature).is_err());
}

#[test]
fn invalid_keys_are_rejected_with_a_remedy() {
    let noise: Vec<u8> = (0..300).map(|_| fastrand::u8(..)).collect();
    let short = {
        let n = [&[0, 0x80][..], &noise[..127]].concat();
        der::write(
            der::SEQUENCE,
            &[
                der::write(der::INTEGER, &[0]),
                der::write(der::INTEGER, &n),
                der::write(der::INTEGER, &[1, 0, 1]),
            ]
            .concat(),
        )
    };
    let mut damaged = pkcs8_der().to_vec();
    damaged[600] ^= 0x55;
    let good = pem("PRIVATE KEY", pkcs8_der());
    let half = &good[..good.len() / 2];
    let traditional = format!(
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{}\n-----END RSA PRIVATE KEY-----",
        STANDARD.encode(&noise)
    );
    let public = PrivateKey::from_pem(&good)
        .unwrap()
        .public_key_pem()
        .unwrap();
    #[rustfmt::skip]
    let table: Vec<(String, &str, &str)> = vec![
        (String::new(), "is empty", "openssl genrsa"),
        (" \n ".into(), "is empty", "openssl genrsa"),
        ("hello".into(), "not PEM", "from_pem_file"),
        ("/etc/twipla/jwtRS256.key".into(), "not PEM", "TWIPLA_PRIVATE_KEY_FILE"),
        (STANDARD.encode(&good), "base64 of a PEM", "base64 -d"),
        (pem("ENCRYPTED PRIVATE KEY", &noise), "encrypted", "openssl rsa -in"),
        (traditional, "encrypted", "openssl rsa -in"),
        (public, "is the public key", "use the private key"),
        (pem("RSA PUBLIC KEY", &noise), "is the public key", "use the private key"),
        ("ssh-rsa AAAAB3Nza me@host".into(), "is the public key", "use the private key"),
        (pem("CERTIFICATE", &noise), "certificate", "openssl genrsa"),
        (pem("EC PRIVATE KEY", &noise), "an EC key", "openssl genrsa"),
        (pem("PRIVATE KEY", &pkcs8_of(oid::EC, &noise)), "an EC key", "openssl genrsa"),
        (pem("PRIVATE KEY", &pkcs8_of(oid::ED25519, &noise)), "an Ed25519 key", "openssl genrsa"),
        (pem("PRIVATE KEY", &pkcs8_of(oid::RSA_PSS, pkcs1_der())), "PSS only", "openssl genrsa"),
        (pem("PRIVATE KEY", &pkcs8_of(&[1, 2, 3], &noise)), "not an RSA key", "openssl genrsa"),
        (pem("DSA PRIVATE KEY", &noise), "a DSA key", "openssl genrsa"),
        (pem("OPENSSH PRIVATE KEY", &noise), "OpenSSH", "ssh-keygen -p -m PEM"),
        ("PuTTY-User-Key-File-3: ssh-rsa".into(), "PuTTY", "puttygen"),
        (pem("RSA PRIVATE KEY", &short), "has 1024 bits", "openssl genrsa"),
        (pem("PRIVATE KEY", &pkcs8_of(oid::RSA, &short)), "has 1024 bits", "openssl genrsa"),
        (pem("PRIVATE KEY", &noise[..40]), "damaged", "openssl genrsa"),
        (pem("RSA PRIVATE KEY", &[]), "damaged", "openssl genrsa"),
        (pem("PRIVATE KEY", &damaged), "damaged", "openssl rsa -check"),
        (pem("RSA PRIVATE KEY", pkcs8_der()), "damaged", "openssl genrsa"),
        (half.to_owned(), "cut off", "copy the whole file"),
        (good.replace('z', "\u{e4}"), "other than base64", "copy the whole file"),
        (format!("{good}{good}"), "two private keys", "keep one"),
        (pem("SOMETHING", &noise), "something other", "openssl genrsa"),
        ("-----BEGIN ".into(), "not PEM", "openssl genrsa"),
        ("-".repeat(MAX_PEM_BYTES + 1), "larger than 65536 bytes", "openssl genrsa"),
    ];
    for (text, problem, remedy) in table {
        let message = error_message(&text);
        assert!(
            message.contains(problem),
            "{message}\nmust contain {problem:?}"
        );
        assert!(
            message.contains(remedy),
            "{message}\nmust contain {remedy:?}"
        );
        let body = text.lines().nth(1).filter(|line| line.len() > 20);
        assert!(body.is_none_or(|body| !message.contains(body)), "{message}");
    }
}

#[test]
fn binary_input_is_recognised() {
    assert!(error_message(pkcs8_der()).contains("is DER"));
    let utf16: Vec<u8> = "\u{feff}-----BEGIN"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(error_message(&utf16).contains("UTF-16"));
    assert!(error_message(&utf16[2..]).contains("UTF-16"));
    assert!(error_message([0x80, 0x81, 0x82]).contains("is not text"));
}

#[test]
fn from_pem_file_names_the_file_in_errors() {
    let error = PrivateKey::from_pem_file("no/such/file.pem").unwrap_err();
    assert!(error.to_string().contains("no/such/file.pem"), "{error}");
    let folder = std::env::temp_dir().join(format!("twipla-key-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("key.pem");
    std::fs::write(&path, pem("PRIVATE KEY", pkcs8_der())).unwrap();
    assert_eq!(PrivateKey::from_pem_file(&path).unwrap().bits(), 2048);
    std::fs::write(&path, "hello").unwrap();
    let error = PrivateKey::from_pem_file(&path).unwrap_err().to_string();
    assert!(
        error.contains("key.pem") && error.contains("not PEM"),
        "{error}"
    );
    // No more of a file is read than it takes to see that it is too large.
    std::fs::write(&path, vec![b'-'; MAX_PEM_BYTES + 1]).unwrap();
    let error = PrivateKey::from_pem_file(&path).unwrap_err().to_string();
    assert!(error.contains("is larger than"), "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
}
