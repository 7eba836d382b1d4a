//! Which operation a request is for.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use twipla_api::{Operation, operations};

/// An older path of the subscription operations, still used in 2025 (observed).
const LEGACY: &str = "/v2/3as/notifications/subscriptions/";

/// Only a client that was retired in 2025 has these operations, and what they
/// do is not known.
const REACTIVATE: [&str; 2] = [
    "/v3/3as/website-subscriptions/reactivate",
    "/v3/3as/intpc-subscriptions/reactivate",
];

/// The target of a request.
pub(crate) enum Route {
    /// An operation, with its path parameters decoded.
    Operation(&'static Operation, Vec<String>),
    Dashboard,
    /// A subscription change that only a retired client sends.
    Reactivate,
    /// The path exists, but not with this method.
    WrongMethod,
    /// A path parameter is not valid UTF-8.
    Malformed,
    Unknown,
}

impl Route {
    pub(crate) fn find(method: &str, path: &str) -> Self {
        if let Some(methods) = dashboard_methods(path) {
            return if methods.contains(&method) {
                Self::Dashboard
            } else {
                Self::WrongMethod
            };
        }
        // The real host of the data endpoints serves them under /api.
        let path = path
            .strip_prefix("/api")
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(path);
        if let Some(action) = path.strip_prefix(LEGACY) {
            return Self::find(method, &format!("/v3/3as/website-subscriptions/{action}"));
        }
        // Official clients send these paths with a trailing slash. In other
        // paths, it may be due to an empty id.
        let path = path
            .strip_suffix('/')
            .filter(|rest| rest.ends_with("/whitelisted-domains") || *rest == "/v2/3as/packages")
            .unwrap_or(path);
        if method == "POST" && REACTIVATE.contains(&path) {
            return Self::Reactivate;
        }
        let mut path_exists = false;
        for operation in operations::ALL {
            match path_parameters(operation.path, path) {
                None => {}
                Some(Err(NotUtf8)) => return Self::Malformed,
                Some(Ok(_)) if operation.method.as_str() != method => path_exists = true,
                Some(Ok(parameters)) => return Self::Operation(operation, parameters),
            }
        }
        if path_exists {
            Self::WrongMethod
        } else {
            Self::Unknown
        }
    }

    /// Returns the `operationId` if the request is for an operation.
    pub(crate) fn operation_id(&self) -> Option<&'static str> {
        match self {
            Self::Operation(operation, _) => Some(operation.id),
            _ => None,
        }
    }
}

/// Returns the allowed methods of a path, for the `Allow` header.
pub(crate) fn allowed_methods(path: &str) -> String {
    if let Some(methods) = dashboard_methods(path) {
        return methods.join(", ");
    }
    let methods: Vec<_> = operations::ALL
        .iter()
        .filter(|operation| {
            Route::find(operation.method.as_str(), path).operation_id() == Some(operation.id)
        })
        .map(|operation| operation.method.as_str())
        .collect();
    methods.join(", ")
}

/// Returns the methods of a dashboard page, or `None` if the path is not one.
fn dashboard_methods(path: &str) -> Option<&'static [&'static str]> {
    match path {
        "/upgrade" => Some(&["GET", "POST"]),
        "/" => Some(&["GET"]),
        _ if path.starts_with("/dashboard/") || path.starts_with("/upgrade") => Some(&["GET"]),
        _ => None,
    }
}

struct NotUtf8;

/// Returns the decoded parameters of a path that matches the template.
fn path_parameters(template: &str, path: &str) -> Option<Result<Vec<String>, NotUtf8>> {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    if template.len() != path.len() {
        return None;
    }
    let mut parameters = Vec::new();
    for (expected, given) in template.into_iter().zip(path) {
        if expected.starts_with('{') {
            if given.is_empty() {
                return None;
            }
            parameters.push(percent_decode_str(given).decode_utf8().map(Cow::into_owned));
        } else if expected != given {
            return None;
        }
    }
    let parameters: Result<_, _> = parameters.into_iter().collect();
    Some(parameters.map_err(|_| NotUtf8))
}
