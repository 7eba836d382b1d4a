//! `cargo xtask diff` as used in a pull request: every way to name a document, every format, every exit code.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every function here serves a test"
)]

#[path = "pull_request/formats.rs"]
mod formats;
#[path = "pull_request/inputs.rs"]
mod inputs;
#[path = "pull_request/json_schema.rs"]
mod json_schema;
#[path = "pull_request/levels.rs"]
mod levels;
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A contract with an operation, and two properties in its response.
const OLD: &str = r##"{
  "openapi": "3.0.3",
  "info": { "title": "Things", "version": "1" },
  "paths": {
    "/things": {
      "get": {
        "operationId": "list_things",
        "security": [],
        "parameters": [
          { "name": "limit", "in": "query", "schema": { "type": "integer", "maximum": 100 } }
        ],
        "responses": {
          "200": {
            "description": "Things.",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } }
          }
        }
      }
    }
  },
  "components": {
    "schemas": {
      "Thing": {
        "type": "object",
        "required": ["id"],
        "properties": {
          "id": { "type": "string" },
          "note": { "type": "string" }
        }
      }
    }
  }
}
"##;

/// The same contract with a lower limit, which breaks callers.
fn new() -> String {
    OLD.replace("\"maximum\": 100", "\"maximum\": 50")
}

/// A folder with `old.json` and `new.json`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.json"), OLD).unwrap();
    fs::write(folder.path().join("new.json"), new()).unwrap();
    folder
}

/// Runs `cargo xtask` in a folder.
fn xtask(folder: &Path, arguments: &[&str]) -> Output {
    xtask_with(folder, arguments, "")
}

/// Like [`xtask`], with text on standard input.
fn xtask_with(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may exit without reading it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
