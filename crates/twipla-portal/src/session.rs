//! Sessions: who is signed in, and the token that each form carries.
//!
//! In this demonstration, signing in is choosing a customer. The rest is as in production: the cookie is
//! random, `HttpOnly` and `SameSite`, the database stores only its hash, and it changes at sign-in.

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, HeaderValue};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::{Cookie, SameSite};
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use crate::problem::Problem;
use crate::state::App;
use crate::store::{Customer, Store, now};

const NAME: &str = "portal_session";
/// A session lasts eight hours.
const LIFETIME: i64 = 8 * 60 * 60 * 1000;

/// A browser's session, with or without somebody signed in.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    id_hash: String,
    /// The token that each form and each request of the script must contain.
    pub(crate) csrf: String,
    customer: Option<Customer>,
}

impl Session {
    /// Starts a session and returns its cookie.
    pub(crate) async fn begin(
        app: &App,
        customer: Option<&Customer>,
    ) -> sqlx::Result<(Self, HeaderValue)> {
        let id = random();
        let session = Self {
            id_hash: hash(&id),
            csrf: random(),
            customer: customer.cloned(),
        };
        sqlx::query("DELETE FROM sessions WHERE expires_at < $1")
            .bind(now())
            .execute(&app.store.write)
            .await?;
        sqlx::query(
            "INSERT INTO sessions (id_hash, customer_id, csrf, expires_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(&session.id_hash)
        .bind(customer.map(|customer| &customer.id))
        .bind(&session.csrf)
        .bind(now() + LIFETIME)
        .execute(&app.store.write)
        .await?;
        Ok((session, cookie(app, &id)))
    }

    /// Ends the session.
    pub(crate) async fn end(&self, store: &Store) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM sessions WHERE id_hash = $1")
            .bind(&self.id_hash)
            .execute(&store.write)
            .await?;
        Ok(())
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.customer.is_some()
    }

    /// Rejects requests that did not come from a page of this session.
    pub(crate) fn check_csrf(&self, given: &str) -> Result<(), Problem> {
        if given == self.csrf {
            Ok(())
        } else {
            Err(Problem::Forged)
        }
    }

    async fn find(store: &Store, parts: &Parts) -> sqlx::Result<Option<Self>> {
        let Some(id) = cookie_of(parts) else {
            return Ok(None);
        };
        let row = sqlx::query(
            "SELECT csrf, id, name, email FROM sessions LEFT JOIN customers ON id = customer_id
             WHERE id_hash = $1 AND expires_at >= $2",
        )
        .bind(hash(&id))
        .bind(now())
        .fetch_optional(&store.read)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let customer = match row.try_get::<Option<String>, _>("id")? {
            Some(id) => Some(Customer {
                id,
                name: row.try_get("name")?,
                email: row.try_get("email")?,
            }),
            None => None,
        };
        Ok(Some(Self {
            id_hash: hash(&id),
            csrf: row.try_get("csrf")?,
            customer,
        }))
    }
}

/// A session, whether or not somebody is signed in.
impl FromRequestParts<App> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let found = Self::find(&app.store, parts).await?;
        found.ok_or(Problem::SignedOut)
    }
}

/// A session in which somebody is signed in.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) session: Session,
    pub(crate) customer: Customer,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let session = Session::from_request_parts(parts, app).await?;
        let customer = session.customer.clone().ok_or(Problem::SignedOut)?;
        Ok(Self { session, customer })
    }
}

/// Returns the cookie that signs a browser out.
pub(crate) fn no_cookie(app: &App) -> HeaderValue {
    let mut cookie = built(app, "");
    cookie.make_removal();
    header(&cookie)
}

fn cookie(app: &App, id: &str) -> HeaderValue {
    header(&built(app, id))
}

fn built(app: &App, id: &str) -> Cookie<'static> {
    Cookie::build((NAME, id.to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.settings.https)
        .build()
}

/// Our cookies contain only characters that a header allows.
fn header(cookie: &Cookie<'_>) -> HeaderValue {
    HeaderValue::from_str(&cookie.to_string()).unwrap_or(HeaderValue::from_static(""))
}

fn cookie_of(parts: &Parts) -> Option<String> {
    let headers = parts.headers.get_all(COOKIE).iter();
    headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| Cookie::split_parse(header).flatten())
        .find(|cookie| cookie.name() == NAME)
        .map(|cookie| cookie.value().to_owned())
}

/// Returns 256 random bits.
fn random() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hash(id: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(id))
}
