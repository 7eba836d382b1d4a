//! Contributors: people with access to a website, other than its owner.

use std::sync::Arc;

use twipla_api::types as wire;

use crate::core::Core;
use crate::deferred::DeferredId;
use crate::ids::{CustomerId, IntoId, WebsiteId};
use crate::operations;
use crate::recover;
use crate::request::Request;
use crate::types::{ContributorRole, WebsiteContributors};

/// The contributors of one website. Created by
/// [`WebsiteRef::contributors`](crate::resources::WebsiteRef::contributors).
///
/// ```
/// use twipla::types::ContributorRole;
/// # async fn f(twipla: twipla::Twipla) -> twipla::Result<()> {
/// let contributors = twipla.website("site-7").contributors();
/// contributors.add("cust-43", ContributorRole::Watcher).await?;
/// assert_eq!(contributors.list().await?.contributors.watcher.len(), 1);
/// contributors.remove("cust-43").await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Contributors {
    core: Arc<Core>,
    website: DeferredId<WebsiteId>,
}

impl Contributors {
    pub(crate) fn new(core: &Arc<Core>, website: DeferredId<WebsiteId>) -> Self {
        Self {
            core: Arc::clone(core),
            website,
        }
    }

    /// Reads the owner, and the contributors by role.
    pub fn list(&self) -> Request<WebsiteContributors> {
        operations::list_contributors(&self.core, &self.website)
    }

    /// Gives an existing customer a role on the website, replacing the one
    /// they had: everyone has exactly one (documented). The customer needs no website of their own.
    ///
    /// After an ambiguous failure the list is read back. It is not read before, because
    /// adding the same role twice has no further effect:
    /// [`ChangeState::InForce`](crate::ChangeState::InForce) means that they have it, from this
    /// call or before.
    pub fn add(&self, customer: impl IntoId<CustomerId>, role: ContributorRole) -> Request<()> {
        let customer = customer.into_id();
        let recovery = recover::contributor_change(
            &self.core,
            &self.website,
            customer.as_ref().ok().cloned(),
            Some(role.clone()),
        );
        let body = customer.map(|customer| wire::AddContributorRequest {
            intp_customer_id: customer,
            role,
        });
        operations::add_contributor(&self.core, &self.website, body).with_recovery(recovery)
    }

    /// Removes the access immediately (documented). After an ambiguous failure the
    /// list is read back, as for [`add`](Self::add).
    pub fn remove(&self, customer: impl IntoId<CustomerId>) -> Request<()> {
        let customer = customer.into_id();
        let recovery = recover::contributor_change(
            &self.core,
            &self.website,
            customer.as_ref().ok().cloned(),
            None,
        );
        operations::remove_contributor(&self.core, &self.website, customer).with_recovery(recovery)
    }
}
