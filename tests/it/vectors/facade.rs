//! Translates a call in the terms of the contract to the facade, and its result back.

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use twipla::types::{BillingInterval, ContributorRole, Currency, PackageVisibility};
use twipla::{
    Analytics, AnalyticsQuery, Error, ErrorKind, Filter, GraphQuery, List, Metric, Order,
    PrivateKey, Result, RetryPolicy, Twipla,
};
use twipla_tests::replay::{Action, Case, DASHBOARD_URL, Player, Signing};

/// Returns a client of the player's servers.
pub(super) fn client(signing: &Signing, player: &Player, retry: RetryPolicy) -> Twipla {
    Twipla::builder()
        .partner(
            twipla::PartnerId::from(signing.partner),
            PrivateKey::from_pem(&signing.private_pem).unwrap(),
        )
        .base_url(player.base_url())
        .data_url(player.data_url())
        .dashboard_url(DASHBOARD_URL)
        .retry(retry)
        // A case must not slow down the next one.
        .adaptive_rate(false)
        .build()
        .unwrap()
}

/// Makes the call of a case, and returns the answer of a driver.
pub(super) async fn answer(twipla: &Twipla, case: &Case) -> Value {
    let call = Call(&case.call);
    let result = match case.action {
        Action::Call => call.send(twipla).await,
        Action::ListAll => call.list(twipla).await,
        Action::DashboardUrl => call.dashboard_url(twipla).await,
        Action::Token => call.token(twipla).await,
    };
    match result {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": failure(&error) }),
    }
}

fn failure(error: &Error) -> Value {
    let kind = match error.kind() {
        ErrorKind::Auth => "auth",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::RateLimited => "rate_limited",
        ErrorKind::Rejected => "rejected",
        ErrorKind::Server => "server",
        ErrorKind::Decode => "decode",
        ErrorKind::InvalidInput => "invalid_input",
        _ => "other",
    };
    json!({
        "kind": kind,
        "status": error.status().map(|status| status.as_u16()),
        "message": error.message(),
        "code": error.code(),
        "retryAfter": error.retry_after().map(|after| after.as_secs_f64()),
        "display": error.to_string(),
    })
}

struct Call<'a>(&'a Value);

impl Call<'_> {
    fn path(&self, name: &str) -> &str {
        self.0["path"][name]
            .as_str()
            .unwrap_or_else(|| panic!("no path argument {name}"))
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.0["query"][name].as_str()
    }

    /// Returns a required argument from the body.
    fn body<T: DeserializeOwned>(&self, pointer: &str) -> T {
        self.optional(pointer)
            .unwrap_or_else(|| panic!("no body argument {pointer}"))
    }

    fn optional<T: DeserializeOwned>(&self, pointer: &str) -> Option<T> {
        let value = self.0["body"].pointer(pointer)?;
        Some(serde_json::from_value(value.clone()).unwrap())
    }

    async fn send(&self, twipla: &Twipla) -> Result<Value> {
        let operation = self.0["operation"].as_str().unwrap();
        if operation.ends_with("_subscription") {
            return self.subscription(twipla, operation).await;
        }
        if operation.starts_with("query_") {
            return self.data(twipla, operation).await;
        }
        match operation {
            "create_customer" => self.create_customer(twipla).await,
            "list_customers" => {
                let mut list = twipla.customers().list();
                if let Some((page, size)) = self.page() {
                    list = list.page(page).page_size(size);
                }
                json_of(Ok(list.await?.items))
            }
            "get_customer" => json_of(twipla.customer(self.path("intpCustomerId")).get().await),
            "delete_customer" => {
                json_of(twipla.customer(self.path("intpCustomerId")).delete().await)
            }
            "get_company_details" => json_of(twipla.company_details().await),
            "get_website_by_id" => json_of(
                twipla
                    .websites()
                    .get_by_twipla_id(self.path("websiteId"))
                    .await,
            ),
            "login_with_api_key" => {
                let (website, key): (String, String) =
                    (self.body("/websiteId"), self.body("/apiKey"));
                let tokens = twipla.login_with_api_key(website, key).await?;
                // Secrets are only serialised explicitly.
                Ok(json!({
                    "token": tokens.token.expose(),
                    "refreshToken": tokens.refresh_token.expose(),
                }))
            }
            "list_packages" | "create_package" | "get_package" | "rename_package"
            | "assign_package" | "unassign_package" => self.package(twipla, operation).await,
            "create_website" => self.create_website(twipla).await,
            "create_website_flat" => self.create_website_flat(twipla).await,
            "list_websites" => {
                let mut list = twipla.websites().list();
                if let Some((page, size)) = self.page() {
                    list = list.page(page).page_size(size);
                }
                if let Some(customer) = self.query("externalCustomerId") {
                    list = list.for_customer(customer);
                }
                json_of(Ok(list.await?.items))
            }
            _ => self.website(twipla, operation).await,
        }
    }

    fn page(&self) -> Option<(u32, u32)> {
        Some((
            self.query("page")?.parse().ok()?,
            self.query("pageSize")?.parse().ok()?,
        ))
    }

    async fn create_customer(&self, twipla: &Twipla) -> Result<Value> {
        let (id, email): (String, String) = (self.body("/intpCustomerId"), self.body("/email"));
        let mut create = twipla.customers().create(id, email);
        if let Some(website) = self.optional::<String>("/website/intpWebsiteId") {
            create = create.website(website, self.body::<String>("/website/domain"));
        }
        if let Some(package) = self.optional::<String>("/website/packageId") {
            create = create.website_package(package);
        }
        if let Some(at) = self.optional("/website/billingDate") {
            create = create.website_billing_date(at);
        }
        if let Some(package) = self.optional::<String>("/packageId") {
            create = create.package(package);
        }
        if let Some(at) = self.optional("/billingDate") {
            create = create.billing_date(at);
        }
        json_of(create.await)
    }

    async fn create_website(&self, twipla: &Twipla) -> Result<Value> {
        let mut create = twipla.websites().create(
            self.body::<String>("/intpc/id"),
            self.body::<String>("/website/id"),
            self.body::<String>("/website/domain"),
        );
        if let Some(package) = self.optional::<String>("/website/package/id") {
            create = create.package(package);
        }
        if let Some(at) = self.optional("/website/package/billingDate") {
            create = create.billing_date(at);
        }
        if let Some(level) = self.optional("/website/privacyLevel") {
            create = create.privacy_level(level);
        }
        if let Some(trial) = self.optional("/opts/uft") {
            create = create.unlimited_free_trial(trial);
        }
        json_of(create.await)
    }

    async fn create_website_flat(&self, twipla: &Twipla) -> Result<Value> {
        let mut create = twipla.websites().create_flat(
            self.body::<String>("/intpCustomerId"),
            self.body::<String>("/intpWebsiteId"),
            self.body::<String>("/domain"),
        );
        if let Some(package) = self.optional::<String>("/packageId") {
            create = create.package(package);
        }
        if let Some(at) = self.optional("/billingDate") {
            create = create.billing_date(at);
        }
        json_of(create.await)
    }

    async fn package(&self, twipla: &Twipla, operation: &str) -> Result<Value> {
        let packages = twipla.packages();
        match operation {
            "list_packages" => {
                let mut list = packages.list();
                if let Some(website) = self.query("intpWebsiteId") {
                    list = list.for_website(website);
                }
                if let Some(customer) = self.query("intpCustomerId") {
                    list = list.for_customer(customer);
                }
                return json_of(list.await);
            }
            "create_package" => {
                let mut create = packages.create(
                    self.body::<String>("/name"),
                    self.body::<u32>("/touchpoints"),
                    self.body("/price"),
                    self.body::<Currency>("/currency"),
                    self.body::<BillingInterval>("/period"),
                );
                if let Some(visibility) = self.optional::<PackageVisibility>("/visibility") {
                    create = create.visibility(visibility);
                }
                if let Some(id) = self.optional::<String>("/externalId") {
                    create = create.external_id(id);
                }
                // With `raw` the list of packages is not read first.
                return json_of(create.raw().await);
            }
            _ => {}
        }
        let package = twipla.package(self.path("packageId"));
        match operation {
            "get_package" => json_of(package.get().await),
            "rename_package" => json_of(package.rename(self.body::<String>("/name")).await),
            "assign_package" => json_of(package.assign_to_website(self.path("targetId")).await),
            _ => json_of(package.unassign_from_website(self.path("targetId")).await),
        }
    }

    /// The operations of one website.
    async fn website(&self, twipla: &Twipla, operation: &str) -> Result<Value> {
        let website = twipla.website(self.path("intpWebsiteId"));
        let (keys, contributors, domains) = (
            website.api_keys(),
            website.contributors(),
            website.whitelisted_domains(),
        );
        match operation {
            "get_website" => json_of(website.get().await),
            "delete_website" => json_of(website.delete().await),
            "create_api_key" => {
                let mut create = keys.create(self.body::<String>("/name"));
                if let Some(comment) = self.optional::<String>("/comment") {
                    create = create.comment(comment);
                }
                if let Some(at) = self.optional("/expiresAt") {
                    create = create.expires_at(at);
                }
                // With `raw` the list of keys is not read first.
                json_of(create.raw().await)
            }
            "list_api_keys" => json_of(keys.list().await),
            "delete_api_key" => json_of(keys.delete(self.path("apiKeyId")).await),
            "add_contributor" => {
                let customer: String = self.body("/intpCustomerId");
                json_of(
                    contributors
                        .add(customer, self.body::<ContributorRole>("/role"))
                        .await,
                )
            }
            "list_contributors" => json_of(contributors.list().await),
            "remove_contributor" => json_of(contributors.remove(self.path("intpCustomerId")).await),
            "add_whitelisted_domain" => json_of(domains.add(self.body::<String>("/domain")).await),
            "list_whitelisted_domains" => json_of(domains.list().await),
            "remove_whitelisted_domain" => {
                json_of(domains.remove(self.body::<String>("/domain")).await)
            }
            other => panic!("no call of the facade for {other}"),
        }
    }

    async fn subscription(&self, twipla: &Twipla, operation: &str) -> Result<Value> {
        macro_rules! change {
            ($subscription:expr) => {{
                let subscription = $subscription;
                match operation.split('_').next().unwrap() {
                    "upgrade" => {
                        let mut upgrade = subscription.upgrade(self.body::<String>("/packageId"));
                        if let Some(trial) = self.optional("/trial") {
                            upgrade = upgrade.trial(trial);
                        }
                        if let Some(pro_rate) = self.optional("/proRate") {
                            upgrade = upgrade.pro_rate(pro_rate);
                        }
                        json_of(upgrade.await)
                    }
                    "downgrade" => json_of(
                        subscription
                            .downgrade(self.body::<String>("/packageId"))
                            .await,
                    ),
                    "cancel" => json_of(subscription.cancel().await),
                    "resume" => json_of(subscription.resume().await),
                    _ => json_of(subscription.deactivate().await),
                }
            }};
        }
        if operation.contains("_website_") {
            change!(
                twipla
                    .website(self.body::<String>("/intpWebsiteId"))
                    .subscription()
            )
        } else {
            change!(
                twipla
                    .customer(self.body::<String>("/intpcId"))
                    .subscription()
            )
        }
    }

    async fn data(&self, twipla: &Twipla, operation: &str) -> Result<Value> {
        let data: Analytics =
            twipla.analytics(self.path("websiteId"), self.0["apiKey"].as_str().unwrap());
        let graph = match operation {
            "query_visits_graph" => data.visits(),
            "query_bounce_rate_graph" => data.bounce_rate(),
            "query_page_view_duration_graph" => data.page_view_duration(),
            "query_traffic_share" => data.traffic_share(),
            "query_raw_sessions" => return data.raw_sessions().body(&self.0["body"]).raw().await,
            _ => return self.report(&data, operation).await,
        };
        let day = |name: &str| -> NaiveDate { self.query(name).unwrap()[..10].parse().unwrap() };
        self.filters()
            .into_iter()
            .fold(graph, GraphQuery::filter)
            .date_range(day("from")..=day("until"))
            .unit(self.query("unit").unwrap())
            .raw()
            .await
    }

    async fn report(&self, data: &Analytics, operation: &str) -> Result<Value> {
        let mut query = if operation == "query_session_analytics" {
            data.sessions()
        } else {
            data.pages()
        };
        let texts = |pointer: &str| self.optional::<Vec<String>>(pointer).unwrap_or_default();
        let days = |pointer: &str| {
            let day = |end: &str| -> Option<NaiveDate> {
                self.optional::<String>(&format!("{pointer}/{end}"))?[..10]
                    .parse()
                    .ok()
            };
            Some(day("start")?..=day("end")?)
        };
        query = query
            .metrics(
                texts("/metrics")
                    .into_iter()
                    .map(|name| Metric::from(name.as_str())),
            )
            .dimensions(texts("/dimensions").iter().map(String::as_str))
            .date_range(days("/dateRange").unwrap());
        if let Some(previous) = days("/previousDateRange") {
            query = query.previous_date_range(previous);
        }
        for order in self
            .optional::<Vec<Map<String, Value>>>("/order")
            .unwrap_or_default()
        {
            let member = order["member"].as_str().unwrap();
            query = query.order_by(match order["direction"].as_str() {
                Some("asc") => Order::ascending(member),
                _ => Order::descending(member),
            });
        }
        query = self
            .filters()
            .into_iter()
            .fold(query, AnalyticsQuery::filter);
        if let Some(page) = self.optional::<u32>("/pagination/page") {
            query = query
                .page(page - 1)
                .page_size(self.body("/pagination/pageSize"));
        }
        if let Some(trace) = self.query("trace") {
            query = query.trace(trace);
        }
        query.raw().await
    }

    fn filters(&self) -> Vec<Filter> {
        let conditions = self.optional::<Vec<Value>>("/where/and");
        let filter = |condition: Value| {
            let text = |name: &str| condition[name].as_str().unwrap();
            let values: Vec<String> = serde_json::from_value(condition["values"].clone()).unwrap();
            Filter::with_operator(text("member"), text("operator"), values)
        };
        conditions
            .unwrap_or_default()
            .into_iter()
            .map(filter)
            .collect()
    }

    async fn list(&self, twipla: &Twipla) -> Result<Value> {
        let size = self.query("pageSize").map(|size| size.parse().unwrap());
        if self.0["operation"] == "list_customers" {
            let list = twipla.customers().list();
            return all(size.into_iter().fold(list, List::page_size)).await;
        }
        assert_eq!(self.0["operation"], "list_websites");
        let mut list = twipla.websites().list();
        if let Some(customer) = self.query("externalCustomerId") {
            list = list.for_customer(customer);
        }
        all(size.into_iter().fold(list, List::page_size)).await
    }

    async fn dashboard_url(&self, twipla: &Twipla) -> Result<Value> {
        let text = |name: &str| self.0[name].as_str();
        let mut builder = match text("refreshToken") {
            Some(token) => twipla.dashboard_from_login(token.to_owned()),
            None => twipla.dashboard(text("customer").unwrap(), text("website").unwrap()),
        };
        if let Some(locale) = text("locale") {
            builder = builder.locale(locale);
        }
        if let Some(timezone) = text("timezone") {
            builder = builder.timezone(timezone);
        }
        if let Some(day) = text("startDate") {
            builder = builder.start_date(day.parse().unwrap());
        }
        if let Some(day) = text("endDate") {
            builder = builder.end_date(day.parse().unwrap());
        }
        if let Some(package) = text("upgradePackageId") {
            builder = builder.upgrade_package(package);
        }
        if let Some(allow) = self.0["allowUpgrade"].as_bool() {
            builder = builder.allow_upgrade(allow);
        }
        Ok(json!(builder.await?.as_str()))
    }

    async fn token(&self, twipla: &Twipla) -> Result<Value> {
        Ok(match self.0["customer"].as_str() {
            Some(customer) => json!(twipla.customer_token(customer).await?.expose()),
            None => json!(twipla.partner_token().await?.expose()),
        })
    }
}

async fn all<T: Serialize + Send + 'static>(list: List<T>) -> Result<Value> {
    json_of(list.stream().try_collect::<Vec<T>>().await)
}

fn json_of<T: Serialize>(result: Result<T>) -> Result<Value> {
    result.map(|value| serde_json::to_value(value).unwrap())
}
