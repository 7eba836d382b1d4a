//! [`Twipla`]: the client that everything starts from.

use std::fmt;
use std::sync::Arc;

use http::Method;
use url::Url;

use crate::Result;
use crate::analytics::Analytics;
use crate::auth::{Minter, Signer, Token};
use crate::bulk::Bulk;
use crate::config::{Builder, Hosts, Settings};
use crate::dashboard::DashboardBuilder;
use crate::ids::{CustomerId, IntoId, PackageId, TwiplaWebsiteId, WebsiteId};
use crate::request::{FreeRequest, Request};
use crate::resources::{
    CustomerRef, Customers, LoginWithApiKey, PackageRef, Packages, WebsiteRef, Websites,
};
use crate::retry::Budget;
use crate::secret::Secret;
use crate::types::CompanyDetails;

/// A client of the TWIPLA 3AS API for one partner (INTP).
///
/// Cheap to clone: clones share connections, token and settings. Make one and
/// keep it.
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

/// What all clones share.
pub(crate) struct Core {
    pub(crate) http: reqwest::Client,
    /// Without a trailing slash: the path of a free request is put behind it.
    pub(crate) base: String,
    pub(crate) data: String,
    /// Builds the requests of the management API, and of the data API.
    pub(crate) api: Arc<twipla_api::Client>,
    pub(crate) data_api: Arc<twipla_api::Client>,
    pub(crate) dashboard: Url,
    pub(crate) minter: Arc<Minter>,
    pub(crate) settings: Settings,
    pub(crate) budget: Budget,
}

impl Twipla {
    /// Sets up a client in code.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Sets up a client from environment variables:
    ///
    /// | variable | value |
    /// |---|---|
    /// | `TWIPLA_PARTNER_ID` | the uuid that TWIPLA issued for your public key |
    /// | `TWIPLA_PRIVATE_KEY` or `TWIPLA_PRIVATE_KEY_FILE` | the PEM text (`\n` may stand for a line end), or the path of a PEM file |
    /// | `TWIPLA_ENVIRONMENT` or `TWIPLA_BASE_URL` | `production` (the default), `stage` or `dev`; or another server |
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), naming
    /// the variable that is missing or wrong.
    pub fn from_env() -> Result<Self> {
        Builder::from_vars(|name| std::env::var(name).ok())?.build()
    }

    pub(crate) fn from_parts(
        http: reqwest::Client,
        hosts: Hosts,
        minter: Minter,
        settings: Settings,
    ) -> Self {
        let plain = |url: Url| url.as_str().trim_end_matches('/').to_owned();
        let (base, data) = (plain(hosts.base), plain(hosts.data));
        let builder = |address: &str| {
            let session = twipla_api::Session::from(crate::call::Taker);
            Arc::new(twipla_api::Client::new_with_client(
                address,
                http.clone(),
                session,
            ))
        };
        Self {
            core: Arc::new(Core {
                api: builder(&base),
                data_api: builder(&data),
                http,
                base,
                data,
                dashboard: hosts.dashboard,
                minter: Arc::new(minter),
                settings,
                budget: Budget::new(),
            }),
        }
    }

    /// All customers (INTPC): create, list.
    pub fn customers(&self) -> Customers {
        Customers::new(&self.core)
    }

    /// One customer, by the id that you chose. Sends nothing by itself.
    pub fn customer(&self, id: impl IntoId<CustomerId>) -> CustomerRef {
        CustomerRef::new(&self.core, id.into_id())
    }

    /// All websites: create, list.
    pub fn websites(&self) -> Websites {
        Websites::new(&self.core)
    }

    /// One website, by the id that you chose. Sends nothing by itself.
    pub fn website(&self, id: impl IntoId<WebsiteId>) -> WebsiteRef {
        WebsiteRef::new(&self.core, id.into_id())
    }

    /// All packages: create, list.
    pub fn packages(&self) -> Packages {
        Packages::new(&self.core)
    }

    /// One package, by the uuid that TWIPLA issued. Sends nothing by itself.
    pub fn package(&self, id: impl IntoId<PackageId>) -> PackageRef {
        PackageRef::new(&self.core, id.into_id())
    }

    /// The partner itself: billing mode and subscription model (observed in the Node SDK).
    pub fn company_details(&self) -> Request<CompanyDetails> {
        use crate::request::invoke;
        Request::new(
            &self.core,
            &twipla_api::operations::GET_COMPANY_DETAILS,
            invoke!(Ok(()), |api, ()| api.get_company_details()),
            |reply| reply.payload,
        )
    }

    /// The data of one website, read with its API key.
    pub fn analytics(
        &self,
        website: impl IntoId<TwiplaWebsiteId>,
        api_key: impl Into<Secret>,
    ) -> Analytics {
        Analytics::new(&self.core, website.into_id(), api_key.into())
    }

    /// Trades an API key for short-lived dashboard tokens, so that the key
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

    /// The URL that shows a customer the dashboard of a website, for an iframe.
    pub fn dashboard(
        &self,
        customer: impl IntoId<CustomerId>,
        website: impl IntoId<WebsiteId>,
    ) -> DashboardBuilder {
        DashboardBuilder::new(
            Arc::clone(&self.core.minter),
            self.core.dashboard.clone(),
            customer.into_id(),
            website.into_id(),
        )
    }

    /// The dashboard URL for the `refreshToken` of [`login_with_api_key`](Self::login_with_api_key).
    pub fn dashboard_from_login(&self, refresh_token: impl Into<Secret>) -> DashboardBuilder {
        DashboardBuilder::from_login(self.core.dashboard.clone(), refresh_token)
    }

    /// The partner's token as requests carry it, with its expiry: for calls
    /// that another client makes. Cached; minted when there is none.
    pub async fn partner_token(&self) -> Result<Arc<Token>> {
        self.core.minter.partner_token().await
    }

    /// A fresh token for one customer (INTPC), for the dashboard only.
    pub async fn customer_token(&self, customer: impl IntoId<CustomerId>) -> Result<Token> {
        self.core.minter.customer_token(&customer.into_id()?).await
    }

    /// Signs with another key from now on, for key rotation. The token in
    /// hand is given up; calls under way end with the one they have.
    pub fn replace_signer(&self, signer: impl Signer + 'static) {
        self.core.minter.replace_signer(Arc::new(signer));
    }

    /// Many creates or deletes, a few at a time.
    pub fn bulk(&self) -> Bulk {
        Bulk::new(self.clone())
    }

    /// Any call at all, with the same token, repeats and errors: for what this
    /// version has no method for. `path` starts with a slash and is sent as
    /// given, so percent-encode what you put into it.
    ///
    /// ```
    /// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
    /// let json = twipla
    ///     .request(http::Method::GET, "/v2/3as/customers")
    ///     .query("page", 0)
    ///     .query("pageSize", 10)
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> FreeRequest {
        FreeRequest::new(&self.core, method, path.into())
    }
}

impl fmt::Debug for Twipla {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twipla")
            .field("base_url", &self.core.base)
            .finish_non_exhaustive()
    }
}
