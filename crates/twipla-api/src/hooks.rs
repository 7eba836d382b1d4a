//! Where the generated client meets the [`Session`].

use progenitor_client::{ClientHooks, ClientInfo, Error, OperationInfo};
use reqwest::{Request, Response};

use crate::operation::Operation;
use crate::path::guard_below;
use crate::{Client, Session};

impl ClientHooks<Session> for Client {
    /// Refuses a request whose path an id has changed, before anything is sent.
    async fn pre<E>(&self, request: &mut Request, info: &OperationInfo) -> Result<(), Error<E>> {
        let Some(operation) = Operation::find(info.operation_id) else {
            return Err(Error::Custom(format!(
                "the operation {} is in no table",
                info.operation_id
            )));
        };
        guard_below(self.baseurl.path(), request.url(), operation.path)
            .map_err(|error| Error::InvalidRequest(format!("{}: {error}", operation.id)))
    }

    /// Hands the request to the transport.
    async fn exec(&self, request: Request, info: &OperationInfo) -> reqwest::Result<Response> {
        let Some(operation) = Operation::find(info.operation_id) else {
            // `pre` has refused it.
            return self.client().execute(request).await;
        };
        let transport = self.inner().transport();
        match transport.take(request, operation) {
            Some(request) => transport.send(self.client(), request, operation).await,
            None => std::future::pending().await,
        }
    }
}
