//! `twipla api`

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use twipla::http::Method;

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::files;

/// Send any request, with the usual token, retries and errors
///
/// Prints the payload of the response as JSON, or the whole response if it has no payload.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  twipla api GET /v2/3as/customers -q page=0 -q pageSize=10
  twipla api PATCH /v2/3as/packages/471cc1d4-ec27-4504-b7c2-949af95662bc -d @rename.json
  echo '{\"name\":\"Shop\"}' | twipla api PATCH /v2/3as/packages/471cc1d4-ec27-4504-b7c2-949af95662bc -d -")]
pub(crate) struct Api {
    /// GET, POST, PUT, PATCH or DELETE
    #[arg(value_parser = method)]
    method: Method,
    /// Path, starting with a slash, percent-encoded
    path: String,
    /// Send the JSON of this file; - is standard input
    #[arg(short, long, value_name = "@FILE|-", value_parser = data)]
    data: Option<PathBuf>,
    /// Query parameter
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = pair)]
    query: Vec<(String, String)>,
    /// Send the request to the data host with the API key in this file; - is standard input
    #[arg(long = "api-key-file", value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl Api {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let from_stdin = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
        if from_stdin(&self.data) && from_stdin(&self.key_file) {
            return Err(Failure::usage(
                "standard input cannot be both the data and the API key",
                "put one of them into a file",
            ));
        }
        let body = self.data.as_deref().map(json).transpose()?;
        let key = self.key_file.as_deref().map(files::read).transpose()?;
        let change = format!("send {} {}", self.method, self.path);
        let twipla = match self.method {
            Method::GET | Method::HEAD => context.client().await?,
            Method::DELETE => context.client_to_destroy(&change).await?,
            _ => context.client_to(&change).await?,
        };
        let mut request = twipla.raw_request(self.method, self.path);
        for (name, value) in self.query {
            request = request.query(name, value);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        if let Some(key) = key {
            request = request.api_key(key.trim());
        }
        let answer = request.await?;
        context.output.value(&answer)
    }
}

fn json(path: &Path) -> Result<Value> {
    let text = files::read(path)?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(
            format!("invalid JSON in {}: {error}", path.display()),
            "correct it; nothing was sent",
        )
    })
}

fn method(text: &str) -> Result<Method, String> {
    match text.to_uppercase().parse() {
        Ok(
            method @ (Method::GET
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::HEAD),
        ) => Ok(method),
        _ => Err("expected GET, POST, PUT, PATCH or DELETE".into()),
    }
}

fn data(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix('@') {
        Some(file) if !file.is_empty() => Ok(file.into()),
        _ if text == "-" => Ok(text.into()),
        _ => Err("expected @FILE, or - for standard input".into()),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("expected NAME=VALUE".into()),
    }
}
