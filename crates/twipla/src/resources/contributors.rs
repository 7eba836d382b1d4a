//! Contributors: people with access to a website besides its owner.

use std::sync::Arc;

use twipla_api::operations;
use twipla_api::types as wire;

use crate::arg::Arg;
use crate::client::Core;
use crate::ids::{CustomerId, IntoId, WebsiteId};
use crate::request::{Request, invoke};
use crate::types::{ContributorRole, WebsiteContributors};

/// The contributors of one website. Made by
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
#[derive(Clone)]
pub struct Contributors {
    core: Arc<Core>,
    website: Arg<WebsiteId>,
}

impl Contributors {
    pub(crate) fn new(core: &Arc<Core>, website: Arg<WebsiteId>) -> Self {
        Self {
            core: Arc::clone(core),
            website,
        }
    }

    /// The owner, and the contributors by role.
    pub fn list(&self) -> Request<WebsiteContributors> {
        Request::new(
            &self.core,
            &operations::LIST_CONTRIBUTORS,
            invoke!(self.website.get(), |api, website| api
                .list_contributors(website.as_str())),
            |reply| reply.payload,
        )
    }

    /// Gives an existing customer a role on the website, or another role than
    /// before: everyone has one (documented). The customer needs no website of their own.
    pub fn add(&self, customer: impl IntoId<CustomerId>, role: ContributorRole) -> Request<()> {
        let args = self.website.get().and_then(|website| {
            let intp_customer_id = customer.into_id()?.to_string();
            Ok((
                website,
                wire::AddContributorRequest {
                    intp_customer_id,
                    role,
                },
            ))
        });
        Request::new(
            &self.core,
            &operations::ADD_CONTRIBUTOR,
            invoke!(args, |api, (website, body)| api
                .add_contributor(website.as_str(), &body)),
            |()| (),
        )
    }

    /// Takes the access away at once (documented).
    pub fn remove(&self, customer: impl IntoId<CustomerId>) -> Request<()> {
        let args = self
            .website
            .get()
            .and_then(|website| Ok((website, customer.into_id()?)));
        Request::new(
            &self.core,
            &operations::REMOVE_CONTRIBUTOR,
            invoke!(args, |api, (website, customer)| api
                .remove_contributor(website.as_str(), customer.as_str())),
            |()| (),
        )
    }
}
