//! [`Twipla`]: the client that everything starts from.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::Method;
use url::Url;

use crate::Result;
use crate::analytics::Analytics;
use crate::auth::Signer;
use crate::config::TwiplaBuilder;
use crate::core::Core;
use crate::dashboard::DashboardBuilder;
use crate::ids::{CustomerId, IntoId, PackageId, PartnerId, TwiplaWebsiteId, WebsiteId};
use crate::operations;
use crate::raw_request::RawRequest;
use crate::request::Request;
use crate::resources::{
    CustomerRef, Customers, LoginWithApiKey, PackageRef, Packages, WebsiteRef, Websites,
};
use crate::secret::Secret;
use crate::tokens::{CustomerToken, PartnerToken};
use crate::types::CompanyDetails;

/// A client of the TWIPLA 3AS API for one partner (INTP).
///
/// Cheap to clone: clones share connections, token and settings. Create one and
/// reuse it.
///
/// ```no_run
/// use twipla::{PrivateKey, Twipla};
///
/// # async fn f() -> twipla::Result<()> {
/// let twipla = Twipla::builder()
///     .partner("7128840a-5347-49a4-8dfa-9022d8dad21a", PrivateKey::from_pem_file("jwtRS256.key")?)
///     .build()?;
/// let site = twipla.website("site-7").get().await?;
/// println!("{} is {}", site.domain, site.status);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Twipla {
    core: Arc<Core>,
}

impl Twipla {
    /// Returns a builder to set up a client in code.
    pub fn builder() -> TwiplaBuilder {
        TwiplaBuilder::default()
    }

    /// Creates a client from environment variables:
    ///
    /// | variable | value |
    /// |---|---|
    /// | `TWIPLA_PARTNER_ID` | the UUID that TWIPLA issued for your public key |
    /// | `TWIPLA_PRIVATE_KEY` or `TWIPLA_PRIVATE_KEY_FILE` | the PEM text (`\n` is accepted for a line break), or the path of a PEM file |
    /// | `TWIPLA_ENVIRONMENT` or `TWIPLA_BASE_URL` | `production` (the default), `stage` or `dev`; or the URL of another server |
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), naming
    /// the variable that is missing or invalid.
    pub fn from_env() -> Result<Self> {
        TwiplaBuilder::from_env()?.build()
    }

    /// Returns the base URL of the management API.
    pub fn base_url(&self) -> &Url {
        self.core.urls.management.as_url()
    }

    /// Returns the base URL of the data endpoints.
    pub fn data_url(&self) -> &Url {
        self.core.urls.data.as_url()
    }

    /// Returns the origin of the dashboard, such as `https://app-3as.visitor-analytics.io`.
    ///
    /// Use it for the `frame-src` of a Content-Security-Policy and for
    /// [`IframeMessage::is_trusted_origin`](crate::IframeMessage::is_trusted_origin).
    /// No token is minted.
    pub fn dashboard_origin(&self) -> String {
        self.core.urls.dashboard.origin().ascii_serialization()
    }

    /// Returns the partner (INTP) that this client acts for.
    pub fn partner_id(&self) -> PartnerId {
        self.core.minter.partner()
    }

    /// The collection of customers (INTPC): create, list.
    pub fn customers(&self) -> Customers {
        Customers::new(&self.core)
    }

    /// One customer, by the id that you chose. Does not send a request.
    pub fn customer(&self, id: impl IntoId<CustomerId>) -> CustomerRef {
        CustomerRef::new(&self.core, id.into_id())
    }

    /// The collection of websites: create, list.
    pub fn websites(&self) -> Websites {
        Websites::new(&self.core)
    }

    /// One website, by the id that you chose. Does not send a request.
    pub fn website(&self, id: impl IntoId<WebsiteId>) -> WebsiteRef {
        WebsiteRef::new(&self.core, id.into_id())
    }

    /// The collection of packages: create, list.
    pub fn packages(&self) -> Packages {
        Packages::new(&self.core)
    }

    /// One package, by the UUID that TWIPLA issued. Does not send a request.
    pub fn package(&self, id: impl IntoId<PackageId>) -> PackageRef {
        PackageRef::new(&self.core, id.into_id())
    }

    /// Reads the partner's own details: billing mode and subscription model (observed in the Node SDK).
    pub fn company_details(&self) -> Request<CompanyDetails> {
        operations::get_company_details(&self.core)
    }

    /// Reads the server's clock, from the `Date` header of a response to [`company_details`](Self::company_details).
    ///
    /// The time is in whole seconds, or `None` if the server sends no such header. Meant for checking a set-up: tokens
    /// are issued by this machine's clock until the server rejects one, and the client learns the difference from that.
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// if let Some(time) = twipla.server_time().await? {
    ///     println!("the server is {} ahead", time - twipla::chrono::Utc::now());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn server_time(&self) -> Request<Option<DateTime<Utc>>> {
        operations::get_company_details(&self.core).server_date()
    }

    /// The analytics data of one website, read with its API key.
    pub fn analytics(
        &self,
        website: impl IntoId<TwiplaWebsiteId>,
        api_key: impl Into<Secret>,
    ) -> Analytics {
        Analytics::new(&self.core, website.into_id(), api_key.into())
    }

    /// Exchanges an API key for short-lived dashboard tokens, so that the key
    /// never reaches a browser.
    ///
    /// `website` is the id that TWIPLA issued ([`Website::id`](crate::types::Website::id)).
    pub fn login_with_api_key(
        &self,
        website: impl IntoId<TwiplaWebsiteId>,
        api_key: impl Into<Secret>,
    ) -> LoginWithApiKey {
        LoginWithApiKey::new(&self.core, website.into_id(), api_key.into())
    }

    /// Builds the URL of the dashboard of a website for a customer, to be shown in an iframe.
    pub fn dashboard(
        &self,
        customer: impl IntoId<CustomerId>,
        website: impl IntoId<WebsiteId>,
    ) -> DashboardBuilder {
        DashboardBuilder::new(&self.core, customer.into_id(), website.into_id())
    }

    /// Builds the dashboard URL from the `refreshToken` of [`login_with_api_key`](Self::login_with_api_key).
    pub fn dashboard_from_login(&self, refresh_token: impl Into<Secret>) -> DashboardBuilder {
        DashboardBuilder::from_login(&self.core, refresh_token.into())
    }

    /// Returns the partner's token with its expiry, for requests sent by another client.
    ///
    /// It is the token that this client's requests carry: cached, and minted if there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Signing`](crate::ErrorKind::Signing) if the signer fails, and
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) if it takes longer than
    /// [`timeout`](PartnerToken::timeout).
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// let token = twipla.partner_token().await?;
    /// let authorization = format!("Bearer {}", token.expose());
    /// # let _ = authorization; Ok(()) }
    /// ```
    pub fn partner_token(&self) -> PartnerToken {
        PartnerToken::new(&self.core)
    }

    /// Mints a token for one customer (INTPC), for the dashboard only.
    ///
    /// # Errors
    ///
    /// Those of [`partner_token`](Self::partner_token), and
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for an invalid id.
    pub fn customer_token(&self, customer: impl IntoId<CustomerId>) -> CustomerToken {
        CustomerToken::new(&self.core, customer.into_id())
    }

    /// Signs with another key from now on, for key rotation. The cached token is
    /// discarded; in-flight calls keep theirs.
    pub fn replace_signer(&self, signer: impl Signer + 'static) {
        self.core.minter.replace_signer(Arc::new(signer));
    }

    /// Sends an arbitrary request with the client's authentication, retries and
    /// error handling, for operations that this version has no method for.
    ///
    /// `path` starts with a slash and is sent as given, so percent-encode the
    /// values in it.
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// let json = twipla
    ///     .raw_request(http::Method::GET, "/v2/3as/customers")
    ///     .query("page", 0)
    ///     .query("pageSize", 10)
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn raw_request(&self, method: Method, path: impl Into<String>) -> RawRequest {
        RawRequest::new(&self.core, method, path.into())
    }
}

impl TwiplaBuilder {
    /// Validates all settings and builds the client.
    ///
    /// A private key was already verified when it was read; any other [`Signer`] signs
    /// for the first time when the first call needs a token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if a setting is
    /// missing or invalid; the message names the setting and the remedy.
    pub fn build(self) -> Result<Twipla> {
        Ok(Twipla {
            core: Arc::new(self.core()?),
        })
    }
}

impl fmt::Debug for Twipla {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twipla")
            .field("base_url", &self.core.urls.management)
            .finish_non_exhaustive()
    }
}
