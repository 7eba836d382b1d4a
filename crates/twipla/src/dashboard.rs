//! The URL of the dashboard for a customer.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::Instant;
use url::Url;

use crate::auth::sign_within;
use crate::core::Core;
use crate::ids::{CustomerId, IntoId, PackageId, WebsiteId, shown};
use crate::options::CallOptions;
use crate::request::{BoxFuture, call_options};
use crate::secret::Secret;
use crate::time::later;
use crate::{Error, ErrorKind, Result};

/// Everything but the characters that are unambiguous in every parser of a query. A
/// space becomes `%20`, because not every parser decodes `+`.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The two-letter codes of ISO 639-1, in order.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy \
    da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz \
    ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv \
    mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw \
    sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty \
    ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Builder of a dashboard URL. Await it to get a [`DashboardUrl`].
///
/// Invalid values (an id, a locale, a time zone, dates) are
/// reported when it is awaited; the first one wins. Nothing is sent or
/// retried, but a customer's URL needs a signed token.
///
/// ```no_run
/// use chrono::NaiveDate;
///
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let from = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
/// let to = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap();
/// let url = twipla
///     .dashboard("cust-42", "site-7")
///     .locale("de")
///     .timezone("Europe/Berlin")
///     .date_range(from..=to)
///     .await?;
/// println!("<iframe src=\"{}\"></iframe>", url.as_str().replace('&', "&amp;"));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a dashboard URL is made when its builder is awaited"]
pub struct DashboardBuilder {
    core: Arc<Core>,
    viewer: Viewer,
    view: ViewOptions,
    options: CallOptions,
    error: Option<Error>,
}

/// Who opens the dashboard.
#[derive(Debug)]
enum Viewer {
    Customer {
        customer: Result<CustomerId>,
        website: Result<WebsiteId>,
    },
    Login {
        refresh_token: Secret,
    },
}

/// The view options of the dashboard.
#[derive(Debug, Default)]
struct ViewOptions {
    locale: Option<String>,
    timezone: Option<chrono_tz::Tz>,
    start_date: Option<NaiveDate>,
    end_date: Option<NaiveDate>,
    upgrade_package: Option<PackageId>,
    allow_upgrade: Option<bool>,
}

impl DashboardBuilder {
    /// Creates a builder for one of the partner's customers, with a token for that customer.
    pub(crate) fn new(
        core: &Arc<Core>,
        customer: Result<CustomerId>,
        website: Result<WebsiteId>,
    ) -> Self {
        Self::for_viewer(core, Viewer::Customer { customer, website })
    }

    /// Creates a builder for someone who logged in by API key.
    pub(crate) fn from_login(core: &Arc<Core>, refresh_token: Secret) -> Self {
        Self::for_viewer(core, Viewer::Login { refresh_token })
    }

    fn for_viewer(core: &Arc<Core>, viewer: Viewer) -> Self {
        Self {
            core: Arc::clone(core),
            viewer,
            view: ViewOptions::default(),
            options: core.options,
            error: None,
        }
    }

    /// Sets the language of the dashboard: a two-letter code of ISO 639-1 in lower case,
    /// such as `de` (documented). Which of them TWIPLA supports is not documented.
    pub fn locale(mut self, locale: &str) -> Self {
        match check_locale(locale) {
            Ok(()) => self.view.locale = Some(locale.to_owned()),
            Err(error) => self.note(error),
        }
        self
    }

    /// Sets the time zone of the dashboard: an IANA name, such as `Europe/Berlin` (documented).
    pub fn timezone(mut self, timezone: &str) -> Self {
        match check_timezone(timezone) {
            Ok(timezone) => self.view.timezone = Some(timezone),
            Err(error) => self.note(error),
        }
        self
    }

    /// Sets the first day to show (documented).
    pub fn start_date(mut self, date: NaiveDate) -> Self {
        self.view.start_date = Some(date);
        self
    }

    /// Sets the last day to show (documented).
    pub fn end_date(mut self, date: NaiveDate) -> Self {
        self.view.end_date = Some(date);
        self
    }

    /// Sets the first and last day to show.
    pub fn date_range(self, dates: RangeInclusive<NaiveDate>) -> Self {
        let (start, end) = dates.into_inner();
        self.start_date(start).end_date(end)
    }

    /// Preselects a package on the upgrade page. It only has an
    /// effect for partners whose billing mode is `platform_managed` (documented).
    pub fn upgrade_package(mut self, package: impl IntoId<PackageId>) -> Self {
        match package.into_id() {
            Ok(package) => self.view.upgrade_package = Some(package),
            Err(error) => self.note(error),
        }
        self
    }

    /// Sets whether the dashboard has an upgrade button, which posts an
    /// [`IframeMessage`](crate::IframeMessage) (observed in the official SDKs).
    pub fn allow_upgrade(mut self, allow: bool) -> Self {
        self.view.allow_upgrade = Some(allow);
        self
    }

    /// Returns the URL as a JSON string, including the token.
    pub async fn raw(self) -> Result<serde_json::Value> {
        Ok(self.await?.into_string().into())
    }

    fn note(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    async fn build(self) -> Result<DashboardUrl> {
        let mut query = Query::default();
        let expires_at = match self.viewer {
            Viewer::Customer { customer, website } => {
                let (customer, website) = (customer?, website?);
                self.error.map_or(Ok(()), Err)?;
                self.view.check()?;
                let minting = self.core.minter.customer_token(&customer);
                let limit = self.options.timeout;
                let token = sign_within(later(Instant::now(), limit), limit, minting).await?;
                query.add("intpc_token", token.expose());
                query.add("externalWebsiteId", website.as_str());
                Some(token.expires_at())
            }
            Viewer::Login { refresh_token } => {
                if refresh_token.is_empty() {
                    return Err(invalid(
                        "invalid refresh token: expected the refreshToken that the login by API key returned, not an empty text",
                    ));
                }
                self.error.map_or(Ok(()), Err)?;
                self.view.check()?;
                query.add("websiteToken", refresh_token.expose());
                None
            }
        };
        self.view.write(&mut query);
        let mut url = self.core.urls.dashboard.clone();
        url.set_query(Some(&query.0));
        Ok(DashboardUrl { url, expires_at })
    }
}

call_options!(DashboardBuilder);

impl IntoFuture for DashboardBuilder {
    type Output = Result<DashboardUrl>;
    type IntoFuture = BoxFuture<'static, Result<DashboardUrl>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.build())
    }
}

/// The URL of the dashboard for a customer, for an iframe or a link.
///
/// It contains a token: anyone who has it can see the customer's data until it
/// expires. Create one for each visit, and keep it out of logs; `Debug` redacts the
/// token, and there is no `Display`.
#[derive(Clone)]
pub struct DashboardUrl {
    url: Url,
    expires_at: Option<DateTime<Utc>>,
}

impl DashboardUrl {
    /// Returns the URL, percent-encoded. In HTML, escape `&` as `&amp;`.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the URL as text.
    pub fn into_string(self) -> String {
        self.url.into()
    }

    /// Returns the URL as a [`Url`].
    pub fn to_url(&self) -> Url {
        self.url.clone()
    }

    /// Returns when the embedded token expires, in server time. `None` for a URL from a
    /// login by API key, because the lifetime of that token is not documented.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }
}

impl fmt::Debug for DashboardUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        let mut query = Query::default();
        for (name, value) in self.url.query_pairs() {
            let secret = matches!(&*name, "intpc_token" | "websiteToken");
            query.add(&name, if secret { "REDACTED" } else { &value });
        }
        url.set_query(Some(&query.0));
        f.debug_struct("DashboardUrl")
            .field("url", &url.as_str())
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

impl ViewOptions {
    fn check(&self) -> Result<()> {
        for (name, date) in [("start date", self.start_date), ("end date", self.end_date)] {
            if let Some(date) = date.filter(|date| !(1000..=9999).contains(&date.year())) {
                return Err(invalid(format!(
                    "{name} {date} cannot be written as YYYY-MM-DD: give a year of four digits"
                )));
            }
        }
        match (self.start_date, self.end_date) {
            (Some(start), Some(end)) if start > end => Err(invalid(format!(
                "start date {start} is after end date {end}: give the earlier one first"
            ))),
            _ => Ok(()),
        }
    }

    fn write(&self, query: &mut Query) {
        if let Some(package) = &self.upgrade_package {
            query.add("upgradePackageId", &package.to_string());
        }
        if let Some(locale) = &self.locale {
            query.add("locale", locale);
        }
        if let Some(timezone) = self.timezone {
            query.add("timezone", timezone.name());
        }
        for (name, date) in [("startDate", self.start_date), ("endDate", self.end_date)] {
            if let Some(date) = date {
                query.add(name, &date.format("%Y-%m-%d").to_string());
            }
        }
        if let Some(allow) = self.allow_upgrade {
            query.add("allowUpgrade", if allow { "true" } else { "false" });
        }
    }
}

#[derive(Default)]
struct Query(String);

impl Query {
    fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend(utf8_percent_encode(name, QUERY_VALUE));
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, QUERY_VALUE));
    }
}

fn check_locale(locale: &str) -> Result<()> {
    let known = |code: &str| {
        LANGUAGES
            .split_ascii_whitespace()
            .any(|known| known == code)
    };
    if known(locale) {
        return Ok(());
    }
    let hint = locale.get(..2).map(str::to_ascii_lowercase).filter(|code| {
        known(code)
            && locale
                .as_bytes()
                .get(2)
                .is_none_or(|next| !next.is_ascii_alphanumeric())
    });
    Err(invalid(match hint {
        Some(code) => format!(
            "invalid locale {}: expected two lower-case letters, use {code:?}",
            shown(locale)
        ),
        None => format!(
            "invalid locale {}: expected a language code of ISO 639-1, such as \"en\", \"de\" or \"fr\"",
            shown(locale)
        ),
    }))
}

fn check_timezone(timezone: &str) -> Result<chrono_tz::Tz> {
    timezone.parse().map_err(|_| {
        let meant = chrono_tz::TZ_VARIANTS
            .iter()
            .find(|known| known.name().eq_ignore_ascii_case(timezone));
        invalid(match meant {
            Some(known) => format!("invalid time zone {timezone:?}: use {:?}", known.name()),
            None => format!(
                "invalid time zone {}: expected an IANA name, such as \"Europe/Berlin\" or \"UTC\"",
                shown(timezone)
            ),
        })
    })
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{SignFuture, Signer};
    use crate::config::TwiplaBuilder;
    use std::collections::BTreeMap;

    const PACKAGE: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";

    #[derive(Debug)]
    struct Fake;

    impl Signer for Fake {
        fn sign<'a>(&'a self, _message: &'a [u8]) -> SignFuture<'a> {
            Box::pin(std::future::ready(Ok(vec![7; 256])))
        }
    }

    fn core() -> Arc<Core> {
        let builder = TwiplaBuilder::default().signer(PACKAGE, Fake);
        Arc::new(builder.core().unwrap())
    }

    fn dashboard(customer: &str, website: &str) -> DashboardBuilder {
        DashboardBuilder::new(&core(), customer.into_id(), website.into_id())
    }

    fn login(token: &str) -> DashboardBuilder {
        DashboardBuilder::from_login(&core(), token.into())
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn pairs(url: &DashboardUrl) -> BTreeMap<String, String> {
        url.to_url().query_pairs().into_owned().collect()
    }

    #[tokio::test]
    async fn every_parameter_is_in_the_url() {
        let url = dashboard("cust-42", "site-7")
            .locale("de")
            .timezone("America/New_York")
            .date_range(day("2026-01-01")..=day("2026-01-31"))
            .upgrade_package(PACKAGE)
            .allow_upgrade(true)
            .await
            .unwrap();
        let mut pairs = pairs(&url);
        let token = pairs.remove("intpc_token").unwrap();
        assert_eq!(token.split('.').count(), 3);
        let expected = [
            ("allowUpgrade", "true"),
            ("endDate", "2026-01-31"),
            ("externalWebsiteId", "site-7"),
            ("locale", "de"),
            ("startDate", "2026-01-01"),
            ("timezone", "America/New_York"),
            ("upgradePackageId", PACKAGE),
        ];
        assert_eq!(
            pairs,
            expected
                .map(|(name, value)| (name.into(), value.into()))
                .into()
        );
        assert!(
            url.as_str()
                .starts_with("https://app-3as.visitor-analytics.io/?intpc_token=eyJ")
        );
        assert!(url.expires_at().unwrap() > Utc::now());
        let printed = format!("{url:?}");
        assert!(
            !printed.contains("eyJ") && printed.contains("externalWebsiteId=site-7"),
            "{printed}"
        );
        assert_eq!(url.clone().into_string(), url.as_str());
    }

    #[tokio::test]
    async fn ids_cannot_add_parameters() {
        for id in [
            "a&locale=xx",
            "a b+c",
            "#",
            "?",
            "%2f",
            "..x",
            "\u{1F98A}\n",
            "a=b;c",
        ] {
            let url = dashboard(id, id).await.unwrap();
            let pairs = pairs(&url);
            assert_eq!(pairs["externalWebsiteId"], id);
            assert_eq!(pairs.len(), 2, "{url:?}");
            assert!(url.to_url().fragment().is_none());
            assert!(!url.as_str().contains('+'));
        }
    }

    #[tokio::test]
    async fn a_login_url_needs_no_signed_token() {
        let url = login("refresh/token+=")
            .locale("fr")
            .allow_upgrade(false)
            .await
            .unwrap();
        assert_eq!(
            url.as_str(),
            "https://app-3as.visitor-analytics.io/?websiteToken=refresh%2Ftoken%2B%3D&locale=fr&allowUpgrade=false"
        );
        assert_eq!(url.expires_at(), None);
        assert!(!format!("{url:?}").contains("refresh"));
        assert!(!format!("{:?}", login("refresh")).contains("refresh\""));
        assert!(
            login("")
                .await
                .unwrap_err()
                .to_string()
                .contains("invalid refresh token")
        );
    }

    #[tokio::test]
    async fn invalid_values_are_reported_when_awaited() {
        let new = || dashboard("cust-42", "site-7");
        let far = NaiveDate::from_ymd_opt(10_000, 1, 1).unwrap();
        for (builder, reason) in [
            (dashboard("", "site-7"), "invalid customer id \"\""),
            (dashboard("cust-42", ".."), "website id \"..\""),
            (new().locale("xx-YY"), "invalid locale \"xx-YY\""),
            (new().locale("xx"), "invalid locale \"xx\""),
            (new().locale(""), "invalid locale \"\""),
            (new().locale("DE"), "use \"de\""),
            (new().locale("en-US"), "use \"en\""),
            (new().locale("deu"), "invalid locale \"deu\""),
            (new().locale("de fr"), "use \"de\""),
            (new().locale("\u{e4}\u{f6}"), "expected a language code"),
            (new().timezone("Berlin"), "invalid time zone \"Berlin\""),
            (new().timezone("europe/berlin"), "use \"Europe/Berlin\""),
            (new().timezone("+01:00"), "expected an IANA name"),
            (new().upgrade_package("pro"), "invalid package id \"pro\""),
            (
                new().date_range(day("2026-02-01")..=day("2026-01-01")),
                "start date 2026-02-01 is after",
            ),
            (
                new()
                    .end_date(day("2026-01-01"))
                    .start_date(day("2026-01-02")),
                "is after end date",
            ),
            (new().start_date(far), "a year of four digits"),
            (new().locale("xx").timezone("y"), "locale \"xx\""),
            (login("t").locale("xx"), "locale \"xx\""),
            (
                login("t").date_range(day("2026-02-01")..=day("2026-01-01")),
                "is after",
            ),
        ] {
            let error = builder.await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(reason), "{error}");
        }
        assert!(
            new()
                .start_date(day("2026-01-01"))
                .end_date(day("2026-01-01"))
                .await
                .is_ok()
        );
    }

    #[test]
    fn the_list_of_languages_is_complete() {
        let codes: Vec<_> = LANGUAGES.split_ascii_whitespace().collect();
        assert_eq!(codes.len(), 183);
        assert!(codes.is_sorted_by(|a, b| a < b));
        assert!(codes.iter().all(|code| code.len() == 2));
    }
}
