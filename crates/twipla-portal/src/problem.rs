//! Errors of requests, and their pages.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Redirect, Response};
use twipla::ErrorKind;

use crate::document;

/// Why a page cannot be shown or a form cannot be carried out.
#[derive(Debug)]
pub(crate) enum Problem {
    /// Nobody is signed in: the browser is redirected to the sign-in page.
    SignedOut,
    /// The form did not come from a page of this session.
    Forged,
    /// The `Host` header names another machine.
    Misdirected,
    /// The request cannot be read: no page of ours sends it.
    Unreadable(StatusCode),
    /// The page, site or package does not exist or belongs to another customer; the response is the same.
    NotFound,
    /// The input is invalid; the text says what is expected.
    Invalid(String),
    /// An earlier change of the same resource is still open.
    Busy,
    /// A read from TWIPLA failed. Changes never end here: they are in the outbox.
    Twipla(twipla::Error),
    /// The database failed, or something else that only an operator can fix.
    Internal(anyhow::Error),
}

impl From<twipla::Error> for Problem {
    fn from(error: twipla::Error) -> Self {
        Self::Twipla(error)
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::SignedOut => Redirect::to("/sign-in").into_response(),
            Self::Forged => page(
                StatusCode::FORBIDDEN,
                "This form is out of date",
                "It did not come from a page of your session. Open the page again and send the form from there. Nothing was changed.",
            ),
            Self::Misdirected => page(
                StatusCode::MISDIRECTED_REQUEST,
                "This is another machine",
                "Open the portal under localhost or its IP address.",
            ),
            Self::Unreadable(status) => page(
                status,
                "This request cannot be read",
                "Open the page again, and fill in all that it asks for.",
            ),
            Self::NotFound => page(
                StatusCode::NOT_FOUND,
                "Not found",
                "This page does not exist in your customer area.",
            ),
            Self::Invalid(what) => page(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Please check what you entered",
                &what,
            ),
            Self::Busy => page(
                StatusCode::CONFLICT,
                "One change at a time",
                "Your last change is still being carried out. It takes a few seconds, rarely minutes. Nothing was charged for this one.",
            ),
            Self::Twipla(error) => of_twipla(&error),
            Self::Internal(error) => {
                tracing::error!("{error:#}");
                page(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong on our side",
                    "We have been told. Please try again later.",
                )
            }
        }
    }
}

/// The page for a failed read. The error itself goes to the log, because it is of no use to a customer.
fn of_twipla(error: &twipla::Error) -> Response {
    tracing::warn!("{error:#}");
    match error.kind() {
        ErrorKind::NotFound => Problem::NotFound.into_response(),
        // Waiting does not help: a key, an address or a rule is wrong.
        ErrorKind::Auth
        | ErrorKind::Configuration
        | ErrorKind::Signing
        | ErrorKind::InvalidInput
        | ErrorKind::Conflict
        | ErrorKind::Rejected => page(
            StatusCode::BAD_GATEWAY,
            "The analytics service refused this",
            "We have been told, and will look at it. Your sites and plans are as they were.",
        ),
        _ => {
            let wait = error.retry_after().map_or(10, |wait| wait.as_secs().max(1));
            let text = format!(
                "It should work again soon. Please try again in {wait} seconds. Your sites and plans are as they were."
            );
            let title = "The analytics service does not answer";
            let mut response = page(StatusCode::SERVICE_UNAVAILABLE, title, &text);
            response.headers_mut().insert(RETRY_AFTER, wait.into());
            response
        }
    }
}

fn page(status: StatusCode, title: &str, text: &str) -> Response {
    (status, document::problem(title, text)).into_response()
}
