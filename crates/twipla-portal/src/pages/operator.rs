//! Routes for operators.

use axum::Json;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};

use crate::problem::Problem;
use crate::reconcile::{Report, reconcile};
use crate::state::App;

/// Reports whether the portal and its database respond.
pub(crate) async fn health(State(app): State<App>) -> Result<&'static str, Problem> {
    app.store.customers(1).await?;
    Ok("ok\n")
}

/// Reconciles now. Without the operator's token, the route does not exist.
pub(crate) async fn reconcile_now(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Json<Report>, Problem> {
    let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let wanted = app.settings.operator_token.as_ref();
    let wanted = wanted.map(|token| format!("Bearer {token}"));
    if wanted.is_none() || given != wanted.as_deref().map(str::as_bytes) {
        return Err(Problem::NotFound);
    }
    let report = reconcile(&app.twipla, &app.store).await?;
    app.wake.notify_one();
    Ok(Json(report))
}
