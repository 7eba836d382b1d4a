//! The guide: one page for each topic. It holds no code to call.
//!
//! 1. [`onboarding`]: key, client, customer, website, lists
//! 2. [`subscriptions`]: packages and both subscription models
//! 3. [`dashboards`]: the dashboard in a page of yours, and its messages
//! 4. [`analytics`]: API keys and the numbers they open
//! 5. [`errors`]: what an error tells, and ambiguous failures
//! 6. [`bulk`]: many customers and websites
//! 7. [`testing`]: tests without an account
//! 8. [`tuning`]: timeouts, retries, proxies, certificates, HTTP/2
//! 9. [`security`]: keys, tokens and what must not leak

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
