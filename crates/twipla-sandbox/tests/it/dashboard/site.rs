//! A website whose dashboard is opened.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;
use serde_json::{Value, json};
use twipla_api::types::BillingMode;
use twipla_sandbox::{Model, PartnerConfig, Sandbox};
use uuid::Uuid;

use crate::support::{Client, now, payload, sign};

/// A partner with customer `c` and their website `w`.
pub(super) struct Site {
    pub(super) sandbox: Sandbox,
    pub(super) client: Client,
}

impl Site {
    pub(super) async fn new() -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let client = Client::with_website(&sandbox).await;
        Self { sandbox, client }
    }

    /// Under platform-managed billing. The website is on Basic.
    pub(super) async fn platform_managed(model: Model) -> Self {
        let id = Uuid::new_v4();
        let config = PartnerConfig::new(id, model).billing_mode(BillingMode::PlatformManaged);
        let sandbox = Sandbox::builder().partner(config).start().await.unwrap();
        let partner = sandbox
            .partners()
            .iter()
            .find(|partner| partner.id() == id.into());
        let client = Client::new(&sandbox, partner.unwrap().clone());
        let site = Self { sandbox, client };
        let basic = site.package("Basic");
        let mut customer = json!({"intpCustomerId": "c", "email": "c@example.com"});
        match model {
            Model::Website => {
                customer["website"] =
                    json!({"intpWebsiteId": "w", "domain": "example.com", "packageId": basic});
                site.post("/v2/3as/customers", &customer).await;
            }
            Model::Account => {
                customer["packageId"] = json!(basic);
                site.post("/v2/3as/customers", &customer).await;
                site.add_website("w", "example.com").await;
            }
        }
        site
    }

    pub(super) async fn post(&self, path: &str, body: &Value) {
        let response = self.client.post(path, body).await.unwrap();
        assert!(
            response.status().is_success(),
            "{path}: {}",
            response.text().await.unwrap()
        );
    }

    /// Adds a website of `c`.
    pub(super) async fn add_website(&self, id: &str, domain: &str) {
        let body = json!({"website": {"id": id, "domain": domain}, "intpc": {"id": "c"}});
        self.post("/v3/3as/websites", &body).await;
    }

    pub(super) fn package(&self, name: &str) -> String {
        let packages = self.sandbox.packages(self.client.partner().id());
        let found = packages.into_iter().find(|(known, _)| known == name);
        found.unwrap().1.to_string()
    }

    /// Creates a token of a customer that expires in this many seconds.
    pub(super) fn token(&self, customer: &str, expires_in: i64) -> String {
        let partner = self.client.partner();
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": partner.id()});
        let claims = json!({
            "roles": ["intpc"], "intp_id": partner.id(), "intpc_id": customer,
            "iat": now() - 1000, "exp": now() + expires_in,
        });
        sign(partner, &header, &claims)
    }

    /// Returns a dashboard URL for `c` and `w`, with additional parameters.
    pub(super) fn address(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let token = self.token("c", 600);
        let mut all = vec![("intpc_token", token.as_str()), ("externalWebsiteId", "w")];
        all.extend(parameters);
        address(path, &all)
    }

    /// Fetches a page that must be shown.
    pub(super) async fn page(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let (status, page) = self.open(&self.address(path, parameters)).await;
        assert_eq!(status, 200, "{page}");
        page
    }

    pub(super) async fn open(&self, address: &str) -> (StatusCode, String) {
        let response = self.client.get(address).await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    pub(super) async fn submit(
        &self,
        address: &str,
        form: &[(&str, &str)],
    ) -> (StatusCode, String) {
        let body = self::address("", form);
        let response = reqwest::Client::new()
            .post(format!("{}{address}", self.sandbox.base_url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.trim_start_matches('?').to_owned())
            .send()
            .await
            .unwrap();
        (response.status(), response.text().await.unwrap())
    }

    pub(super) async fn api_key(&self) -> String {
        let path = "/v2/3as/websites/w/api-keys";
        let response = self.client.post(path, &json!({"name": "k"})).await.unwrap();
        let key = response.json::<Value>().await.unwrap();
        key["payload"]["apiKey"].as_str().unwrap().to_owned()
    }

    pub(super) async fn package_of_website(&self) -> String {
        let site = payload(&self.client, "/v2/3as/websites/w").await;
        site["packageName"].as_str().unwrap().to_owned()
    }
}

pub(super) fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

/// Returns every part of a text between two delimiters.
pub(super) fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before)
        .skip(1)
        .map(|rest| rest.split(after).next().unwrap())
        .collect()
}

pub(super) fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

pub(super) fn form_token(page: &str) -> String {
    between(page, "name=\"formToken\" value=\"", "\"")[0].to_owned()
}
