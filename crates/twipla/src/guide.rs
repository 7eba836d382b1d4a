//! The guide: one page for each topic, and no code to call.
//!
//! 1. [`onboarding`]: from a key to the first customer with a website
//! 2. [`subscriptions`]: packages and subscriptions under both models
//! 3. [`dashboards`]: the dashboard in your own page, and its messages
//! 4. [`analytics`]: API keys, reports and graphs
//! 5. [`errors`]: what errors report, and ambiguous failures
//! 6. [`bulk`]: many customers and websites
//! 7. [`testing`]: tests without an account
//! 8. [`tuning`]: timeouts, retries, proxies, certificates and HTTP/2
//! 9. [`security`]: keys, tokens and secrets

#[doc = include_str!("guide/onboarding.md")]
pub mod onboarding {}

#[doc = include_str!("guide/subscriptions.md")]
pub mod subscriptions {}

#[doc = include_str!("guide/dashboards.md")]
pub mod dashboards {}

#[doc = include_str!("guide/analytics.md")]
pub mod analytics {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/bulk.md")]
pub mod bulk {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/tuning.md")]
pub mod tuning {}

#[doc = include_str!("guide/security.md")]
pub mod security {}
