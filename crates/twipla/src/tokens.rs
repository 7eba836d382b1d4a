//! Tokens for requests that this crate does not send itself.

use std::sync::Arc;

use tokio::time::Instant;

use crate::Result;
use crate::auth::{Token, sign_within};
use crate::core::Core;
use crate::ids::CustomerId;
use crate::options::CallOptions;
use crate::request::{BoxFuture, call_options};
use crate::time::later;

/// A request for the partner's token. Created by
/// [`Twipla::partner_token`](crate::Twipla::partner_token).
///
/// Nothing is sent or retried: only the signer takes time.
#[derive(Debug)]
#[must_use = "a token is taken when this is awaited"]
pub struct PartnerToken {
    core: Arc<Core>,
    options: CallOptions,
}

impl PartnerToken {
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        Self {
            core: Arc::clone(core),
            options: core.options,
        }
    }
}

call_options!(PartnerToken);

impl IntoFuture for PartnerToken {
    type Output = Result<Arc<Token>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let now = Instant::now();
            if let Some(token) = self.core.minter.cached(now) {
                return Ok(token);
            }
            let limit = self.options.timeout;
            sign_within(later(now, limit), limit, self.core.minter.partner_token()).await
        })
    }
}

/// A request for a customer's token. Created by
/// [`Twipla::customer_token`](crate::Twipla::customer_token).
///
/// Nothing is sent or retried: only the signer takes time.
#[derive(Debug)]
#[must_use = "a token is signed when this is awaited"]
pub struct CustomerToken {
    core: Arc<Core>,
    customer: Result<CustomerId>,
    options: CallOptions,
}

impl CustomerToken {
    pub(crate) fn new(core: &Arc<Core>, customer: Result<CustomerId>) -> Self {
        Self {
            core: Arc::clone(core),
            customer,
            options: core.options,
        }
    }
}

call_options!(CustomerToken);

impl IntoFuture for CustomerToken {
    type Output = Result<Token>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let customer = self.customer?;
            let limit = self.options.timeout;
            let signing = self.core.minter.customer_token(&customer);
            sign_within(later(Instant::now(), limit), limit, signing).await
        })
    }
}
