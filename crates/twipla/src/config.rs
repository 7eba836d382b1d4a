//! [`TwiplaBuilder`]: the settings of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use url::Url;

use twipla_api::BaseUrl;

use crate::auth::{Minter, PrivateKey, Signer};
use crate::connection::{Connections, TransportSettings, Transports};
use crate::core::{BaseUrls, Core};
use crate::crypto::CryptoBackend;
use crate::environment::Environment;
use crate::ids::{IntoId, PartnerId};
use crate::options::CallOptions;
use crate::pace::{Pacers, RateLimit};
use crate::proxy::{self, is_loopback};
use crate::retry::{Budget, RetryPolicy};
use crate::{Error, ErrorKind, Result};

/// Builder of a [`Twipla`](crate::Twipla). Start with [`Twipla::builder`](crate::Twipla::builder).
///
/// Nothing is validated until [`build`](Self::build), so that a chain needs no
/// `?` in between.
///
/// ```no_run
/// use std::time::Duration;
/// use twipla::{Environment, PrivateKey, RetryPolicy, Twipla};
///
/// # fn main() -> twipla::Result<()> {
/// let twipla = Twipla::builder()
///     .partner("7128840a-5347-49a4-8dfa-9022d8dad21a", PrivateKey::from_pem_file("partner.key")?)
///     .environment(Environment::Stage)
///     .timeout(Duration::from_secs(20))
///     .retry(RetryPolicy::default().max_attempts(2))
///     .user_agent("shop/1.4")
///     .build()?;
/// # Ok(()) }
/// ```
#[must_use]
pub struct TwiplaBuilder {
    partner: Option<(Result<PartnerId>, Arc<dyn Signer>)>,
    environment: Environment,
    base_url: Option<String>,
    data_url: Option<String>,
    dashboard_url: Option<String>,
    allow_plain_http: bool,
    token_lifetime: Duration,
    user_agent: Option<String>,
    options: CallOptions,
    rate_limit: Option<RateLimit>,
    adaptive_rate: bool,
    crypto_backend: CryptoBackend,
    connect_timeout: Duration,
    pool_idle_timeout: Duration,
    max_in_flight: usize,
    http1_only: bool,
    proxy: Option<String>,
    root_certificates: Vec<u8>,
    http_client: Option<reqwest::Client>,
}

impl Default for TwiplaBuilder {
    fn default() -> Self {
        Self {
            partner: None,
            environment: Environment::default(),
            base_url: None,
            data_url: None,
            dashboard_url: None,
            allow_plain_http: false,
            // As in the Node and PHP SDKs and the sample of the reference page.
            token_lifetime: Duration::from_secs(600),
            user_agent: None,
            options: CallOptions::default(),
            rate_limit: None,
            adaptive_rate: true,
            crypto_backend: CryptoBackend::default(),
            connect_timeout: Duration::from_secs(10),
            pool_idle_timeout: Duration::from_secs(50),
            max_in_flight: 100,
            http1_only: false,
            proxy: None,
            root_certificates: Vec::new(),
            http_client: None,
        }
    }
}

impl TwiplaBuilder {
    /// Sets the partner (INTP) and its private key. `partner` is the UUID that
    /// TWIPLA issued in exchange for the public key.
    pub fn partner(self, partner: impl IntoId<PartnerId>, key: PrivateKey) -> Self {
        self.signer(partner, key)
    }

    /// Sets the partner, with a key that is held elsewhere (a KMS, an HSM).
    pub fn signer(
        mut self,
        partner: impl IntoId<PartnerId>,
        signer: impl Signer + 'static,
    ) -> Self {
        self.partner = Some((partner.into_id(), Arc::new(signer)));
        self
    }

    /// Selects one of TWIPLA's environments; production by default.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Sets another server, such as the sandbox: it then serves the API, the data
    /// endpoints and the dashboard, unless those are set separately.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets another host for the data endpoints, such as that of a white label.
    pub fn data_url(mut self, url: impl Into<String>) -> Self {
        self.data_url = Some(url.into());
        self
    }

    /// Sets another address of the dashboard, such as a domain of your own.
    pub fn dashboard_url(mut self, url: impl Into<String>) -> Self {
        self.dashboard_url = Some(url.into());
        self
    }

    /// Allows `http://` to hosts other than this machine. Anyone on the network
    /// path can then read the tokens.
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.allow_plain_http = allow;
        self
    }

    /// Sets how long a token lives; ten minutes by default. At least 30 seconds.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Sets how long a call may take in all, retries and delays included; 90 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// Sets how long one attempt may take; 30 s by default.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.attempt_timeout = timeout;
        self
    }

    /// Sets how long connecting may take; 10 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long a connection may idle and still be reused; 50 s by default.
    ///
    /// Servers close idle connections eventually, most after 5 to 75 s.
    /// A read that fails on a closed one is sent again immediately, without
    /// charging the retry budget. A change that fails on one would be ambiguous,
    /// so changes never use a connection that has been idle for longer than 2 s,
    /// or this setting if it is shorter.
    pub fn pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.pool_idle_timeout = timeout;
        self
    }

    /// Sets how many requests may be in flight at once; 100 by default.
    ///
    /// Further requests wait for their turn, which counts towards the
    /// [`timeout`](Self::timeout) of their calls. Over HTTP/1.1 each request in
    /// flight takes a connection.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// Uses HTTP/1.1 even where a server supports HTTP/2.
    pub fn http1_only(mut self, only: bool) -> Self {
        self.http1_only = only;
        self
    }

    /// Sets the proxy for all requests except those to this machine, instead of the
    /// one from the environment: `http://proxy.example.com:3128`, with
    /// `user:password@` before the host if it requires authentication.
    ///
    /// By default, `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` name the proxy for
    /// each URL scheme, and `NO_PROXY` lists the hosts to connect to directly:
    /// `internal.example.com,10.0.0.0/8`. The lower-case names work too. They are
    /// read by [`build`](Self::build), which fails if one that applies is
    /// malformed. Loopback addresses never use a proxy.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Trusts additional root certificates, such as those of a company's proxy,
    /// as PEM text with one or more of them. The system's certificates stay trusted.
    ///
    /// Where the system keeps its certificates in files, as on Linux,
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name files to use instead.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.root_certificates.extend_from_slice(pem.as_ref());
        self.root_certificates.push(b'\n');
        self
    }

    /// Sends requests with a client of your own, for instance with a resolver, a
    /// client certificate or a proxy that this builder has no setting for.
    ///
    /// The client must not
    ///
    /// - follow redirects: they could carry the token to another host
    ///   (`redirect(reqwest::redirect::Policy::none())`);
    /// - retry: this crate does, where it is safe (`retry(reqwest::retry::never())`);
    /// - have timeouts below those of this builder (`timeout`, `read_timeout`):
    ///   they would cut off a request that may have been carried out;
    /// - keep idle connections longer than the server does (`pool_idle_timeout`,
    ///   below 5 s to be safe), or a change may be lost on a closed one.
    ///
    /// Its connection pool cannot be replaced: after a timeout over HTTP/2, the next
    /// attempt may use the same connection. Set `http2_keep_alive_interval`
    /// or `http1_only`. TLS, proxies, `User-Agent` and the connect timeout are
    /// configured on that client: if this builder's settings for them are used as
    /// well, [`build`](Self::build) fails.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Sets how failed attempts are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = policy;
        self
    }

    /// Limits the requests of this client and its clones to each host: `per_second`
    /// on average, with bursts of up to `burst` after a pause. No limit by default.
    /// Waiting counts towards the timeout of a call.
    pub fn rate_limit(mut self, per_second: f64, burst: u32) -> Self {
        self.rate_limit = Some(RateLimit { per_second, burst });
        self
    }

    /// Sets whether all calls of this client to a host slow down together once it answers
    /// 429, or 503 with `Retry-After`; on by default. A `Retry-After` of 0 does
    /// not slow them down. If disabled, each call only waits for its own retries.
    pub fn adaptive_rate(mut self, adaptive: bool) -> Self {
        self.adaptive_rate = adaptive;
        self
    }

    /// Sets the largest response that is read, in bytes; 16 MiB by default.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.options.max_body = bytes;
        self
    }

    /// Sets a name that is put before `twipla-rust/VERSION` in the `User-Agent` header.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// Sets the library for TLS connections. The one for signatures is chosen with the key:
    /// [`PrivateKey::from_pem_with`].
    pub fn crypto_backend(mut self, backend: CryptoBackend) -> Self {
        self.crypto_backend = backend;
        self
    }

    /// Validates all settings. [`build`](Self::build) creates a client from the result.
    pub(crate) fn core(mut self) -> Result<Core> {
        let urls = self.urls()?;
        let (partner, signer) = self.partner.take().ok_or_else(|| {
            config("no partner is set: call partner(id, key) or signer(id, signer)")
        })?;
        let partner = partner.map_err(|error| error.with_kind(ErrorKind::Configuration))?;
        if self.token_lifetime < Duration::from_secs(30) {
            return Err(config(
                "invalid token_lifetime: expected at least 30 seconds, or a token would expire while requests carry it",
            ));
        }
        if let Some(RateLimit { per_second, burst }) = self.rate_limit
            && !(per_second.is_finite() && per_second >= 0.001 && burst >= 1)
        {
            return Err(config(format!(
                "invalid rate_limit of {per_second} a second, {burst} at once: expected at least 0.001 and 1"
            )));
        }
        let connections = Connections::new(
            self.transports(&urls)?,
            self.pool_idle_timeout,
            self.max_in_flight,
        )?;
        let (management, data) = (urls.management.as_url(), urls.data.as_url());
        let is_one_host = management.origin() == data.origin();
        Ok(Core {
            connections,
            pacers: Pacers::new(self.rate_limit, self.adaptive_rate, is_one_host),
            urls,
            minter: Arc::new(Minter::new(partner, signer, self.token_lifetime)),
            options: self.options,
            budget: Budget::new(),
        })
    }

    fn transports(&self, urls: &BaseUrls) -> Result<Transports> {
        if let Some(client) = &self.http_client {
            let clashes = [
                ("user_agent", self.user_agent.is_some()),
                ("http1_only", self.http1_only),
                ("proxy", self.proxy.is_some()),
                ("root_certificates", !self.root_certificates.is_empty()),
            ];
            if let Some((name, _)) = clashes.iter().find(|(_, is_set)| *is_set) {
                return Err(config(format!(
                    "{name} and http_client are both set: set it on that client"
                )));
            }
            return Ok(Transports::Own(client.clone()));
        }
        // No request is sent to the dashboard's host.
        let servers = [urls.management.as_url(), urls.data.as_url()];
        let proxies = match &self.proxy {
            Some(url) => vec![proxy::explicit(url)?],
            None => proxy::from_vars(&servers, |name| {
                std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
            })?,
        };
        // Plain HTTP to another host may go through a proxy that uses TLS.
        let speaks_tls = servers
            .iter()
            .any(|url| url.scheme() == "https" || !is_loopback(url));
        let mut tls = if speaks_tls {
            let roots = certificates(&self.root_certificates)?;
            self.crypto_backend.tls(roots)?
        } else {
            self.crypto_backend.no_tls()?
        };
        if cfg!(feature = "http2") && !self.http1_only {
            tls.alpn_protocols.push(b"h2".to_vec());
        }
        tls.alpn_protocols.push(b"http/1.1".to_vec());
        Ok(Transports::Made(Box::new(TransportSettings {
            tls,
            user_agent: user_agent(self.user_agent.as_deref())?,
            connect_timeout: self.connect_timeout,
            http1_only: self.http1_only,
            proxies,
        })))
    }

    pub(crate) fn urls(&self) -> Result<BaseUrls> {
        let url = |name: &str, own: Option<&String>, preset: &str| {
            let text = own
                .or(self.base_url.as_ref())
                .map_or(preset, String::as_str);
            check_url(name, text, self.allow_plain_http)
        };
        let base_url = |name: &str, url: Url| {
            BaseUrl::try_from(url).map_err(|error| config(format!("invalid {name}: {error}")))
        };
        let management = url("base_url", None, self.environment.base_url())?;
        let data = url(
            "data_url",
            self.data_url.as_ref(),
            self.environment.data_url(),
        )?;
        Ok(BaseUrls {
            management: base_url("base_url", management)?,
            data: base_url("data_url", data)?,
            dashboard: url(
                "dashboard_url",
                self.dashboard_url.as_ref(),
                self.environment.dashboard_url(),
            )?,
        })
    }
}

impl fmt::Debug for TwiplaBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwiplaBuilder")
            .field("environment", &self.environment)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

fn check_url(name: &str, text: &str, allow_plain_http: bool) -> Result<Url> {
    let parsed = Url::parse(text);
    // Show nothing that may be a password.
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    let text = if text.contains('@') {
        "<with a user name>"
    } else {
        bare
    };
    let url = parsed.map_err(|error| {
        config(format!(
            "invalid {name} {text:?}: expected a URL like https://host"
        ))
        .with_source(error)
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(config(format!(
            "{name} carries a user name or a password: remove them"
        )));
    }
    let plain_allowed = allow_plain_http || is_loopback(&url);
    match url.scheme() {
        "https" => {}
        "http" if plain_allowed => {}
        "http" => {
            return Err(config(format!(
                "{name} {text:?} is plain http, which shows tokens to everyone on the way: \
                 use https, or call allow_plain_http(true)"
            )));
        }
        other => {
            return Err(config(format!(
                "{name} {text:?} has the scheme {other}: use https"
            )));
        }
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(config(format!(
            "{name} {text:?} has a query or a fragment: remove it"
        )));
    }
    Ok(url)
}

/// Builds the `User-Agent` header. Without an application name it is static, and copies do not allocate.
fn user_agent(application: Option<&str>) -> Result<HeaderValue> {
    const OWN: &str = concat!("twipla-rust/", env!("CARGO_PKG_VERSION"));
    match application {
        Some(name) => HeaderValue::from_str(&format!("{name} {OWN}")).map_err(|error| {
            config(format!(
                "user_agent {name:?} has characters that no header can carry: use visible ASCII"
            ))
            .with_source(error)
        }),
        None => Ok(HeaderValue::from_static(OWN)),
    }
}

/// Parses the certificates of a PEM text, which may be empty.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    const EXPECTED: &str = "invalid root_certificates: expected PEM text with certificates";
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| config(EXPECTED).with_source(error))?;
    if certificates.is_empty() && !pem.is_empty() {
        return Err(config(EXPECTED));
    }
    let mut readable = rustls::RootCertStore::empty();
    for certificate in &certificates {
        readable
            .add(certificate.clone())
            .map_err(|error| config(EXPECTED).with_source(error))?;
    }
    Ok(certificates)
}

pub(crate) fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_allowed_to_this_machine_only() {
        for url in [
            "http://127.0.0.1:8787",
            "http://localhost:1",
            "http://[::1]:9",
            "https://example.com/api",
        ] {
            assert!(check_url("base_url", url, false).is_ok(), "{url}");
        }
        for url in [
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "ftp://example.com",
            "example.com",
            "https://user:pw@example.com",
            "http://user:pw@example.com",
            "user:pw@example.com",
            "https://example.com/?a=b",
        ] {
            let error = check_url("base_url", url, false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains("base_url"), "{error}");
            assert!(!error.to_string().contains("pw@"), "{error}");
        }
        assert!(check_url("base_url", "http://example.com", true).is_ok());
    }
}
