//! The sandbox's own certificate authority, for clients that have the https
//! hosts of the real server built in.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::Error;

/// The hosts of the real servers in production, stage and dev (API, data
/// endpoints and dashboard), and those of one partner.
pub(crate) const KNOWN_HOSTS: &[&str] = &[
    "api-gateway.visitor-analytics.io",
    "app-3as.visitor-analytics.io",
    "lb-api.visitor-analytics.io",
    "stage-api-gateway.va-endpoint.com",
    "stage-dashboard-3as.va-endpoint.com",
    "stage-api.va-endpoint.com",
    "api-gateway.va-endpoint.com",
    "dev-dashboard-3as.va-endpoint.com",
    "dev-dashboard.va-endpoint.com",
    "dev-api.va-endpoint.com",
    "api.session-replays.io",
    "api.analytics.typo3.com",
    "dashboard.analytics.typo3.com",
];

/// Validity of the authority, long enough that clients need to trust it only
/// once.
const AUTHORITY_YEARS: i32 = 10;
/// Validity of the server certificate; some clients reject longer ones.
const CERTIFICATE: TimeDelta = TimeDelta::days(397);
/// Allows for clients whose clock is slow.
const BACKDATED: TimeDelta = TimeDelta::days(2);

/// The authority's certificate, and the key that signs server certificates.
pub(crate) struct Authority {
    certificate: String,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn generate() -> Result<Self, Error> {
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = authority().self_signed(&key).map_err(failed)?.pem();
        Ok(Self { certificate, key })
    }

    /// Loads the authority of an earlier start.
    pub(crate) fn from_pem(certificate: String, key: &str) -> Result<Self, Error> {
        let key = KeyPair::from_pem(key)
            .map_err(|error| Error::new("invalid key of the authority").with_source(error))?;
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|_| Error::new("invalid certificate of the authority: expected PEM"))?;
        let public = key.subject_public_key_info();
        if !der.windows(public.len()).any(|part| part == public) {
            return Err(Error::new(
                "the certificate of the authority does not match its key",
            ));
        }
        Ok(Self { certificate, key })
    }

    pub(crate) fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// Creates a TLS configuration for the known host names, those of this
    /// machine, and `more`.
    pub(crate) fn server_config(
        &self,
        listen: SocketAddr,
        more: &[String],
    ) -> Result<Arc<ServerConfig>, Error> {
        let mut names: Vec<String> = KNOWN_HOSTS.iter().map(|host| (*host).to_owned()).collect();
        names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        names.push(listen.ip().to_string());
        names.extend(more.iter().cloned());
        names.sort();
        names.dedup();

        let mut params = valid(Utc::now() - BACKDATED, Utc::now() + CERTIFICATE);
        params
            .distinguished_name
            .push(DnType::CommonName, "twipla-sandbox");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        for name in names {
            params.subject_alt_names.push(subject(&name)?);
        }
        let key = KeyPair::generate().map_err(failed)?;
        let issuer = Issuer::new(authority(), &self.key);
        let certificate = params.signed_by(&key, &issuer).map_err(failed)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(Error::new)?;

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .map_err(failed)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Returns the parameters of the authority's certificate. Server certificates
/// refer only to its name and key.
fn authority() -> CertificateParams {
    let now = Utc::now();
    let mut params = valid(
        now - BACKDATED,
        now.with_year(now.year() + AUTHORITY_YEARS)
            .unwrap_or(now + TimeDelta::days(3650)),
    );
    params.distinguished_name.push(
        DnType::CommonName,
        "twipla-sandbox authority, for tests only",
    );
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn valid(from: DateTime<Utc>, until: DateTime<Utc>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let day = |at: DateTime<Utc>| {
        // Month and day always fit.
        let part = |number: u32| u8::try_from(number).unwrap_or(1);
        date_time_ymd(at.year(), part(at.month()), part(at.day()))
    };
    params.not_before = day(from);
    params.not_after = day(until);
    params
}

fn subject(name: &str) -> Result<SanType, Error> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    name.try_into().map(SanType::DnsName).map_err(|error| {
        Error::new(format!(
            "invalid host name {name:?}: expected ASCII for a certificate"
        ))
        .with_source(error)
    })
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new("cannot create a certificate").with_source(error)
}
