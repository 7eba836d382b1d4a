//! Chooses our document among several.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::document::{entries, fields, path_shape};
use crate::layout::Layout;
use crate::lock;

/// A document that was read, not yet stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The text to store.
    pub text: String,
    /// `json` or `yaml`.
    pub extension: &'static str,
    /// The parsed text.
    pub value: Value,
}

/// What identifies our API.
#[derive(Debug, Clone)]
pub struct Ours {
    title: Option<String>,
    paths: BTreeSet<String>,
}

/// A document, and the link that led to it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) from: String,
    pub(super) document: Document,
}

impl Ours {
    /// Loads the identity of the API from the current version in the repository.
    ///
    /// # Errors
    ///
    /// If the version cannot be read.
    pub fn load(layout: &Layout) -> Result<Self> {
        Ok(Self::of(&lock::load_current(layout)?))
    }

    /// Returns the identity of the API in a document.
    pub fn of(document: &Value) -> Self {
        Self {
            title: document["info"]["title"].as_str().map(str::to_owned),
            paths: shapes(document),
        }
    }

    /// Reports whether a document describes our API: half of the paths of the smaller document are in the other one.
    pub(super) fn is(&self, document: &Value) -> bool {
        let theirs = shapes(document);
        let shared = self.paths.intersection(&theirs).count();
        self.paths.is_empty() || (shared > 0 && shared * 2 >= self.paths.len().min(theirs.len()))
    }

    /// Reports whether a document has our title and paths.
    pub(super) fn is_by_title(&self, document: &Value) -> bool {
        self.title.as_deref() == document["info"]["title"].as_str() && self.is(document)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let document = &self.document.value;
        write!(
            f,
            "{:?} {}, {} paths, from {}",
            document["info"]["title"].as_str().unwrap_or_default(),
            document["info"]["version"].as_str().unwrap_or_default(),
            fields(&document["paths"]).count(),
            self.from
        )
    }
}

/// Returns our document, or the one picked by a part of its title or URL.
pub(super) fn choose(found: Vec<Found>, ours: &Ours, pick: Option<&str>) -> Result<Document> {
    let list: Vec<String> = found.iter().map(|one| format!("\n- {one}")).collect();
    let list = list.concat();
    let mut fits: Vec<Found> = match pick {
        Some(pick) => {
            let pick = pick.to_lowercase();
            let picked = |one: &Found| one.to_string().to_lowercase().contains(&pick);
            found.into_iter().filter(picked).collect()
        }
        None => found
            .into_iter()
            .filter(|one| ours.is(&one.document.value))
            .collect(),
    };
    if pick.is_none() && fits.iter().any(|one| ours.is_by_title(&one.document.value)) {
        fits.retain(|one| ours.is_by_title(&one.document.value));
    }
    match (fits.len(), pick) {
        (1, _) => Ok(fits.remove(0).document),
        (0, None) => bail!(
            "no document there has the paths of our API: to take one anyway, pass `--pick` with a part of its \
             title or address:{list}"
        ),
        (_, None) => bail!(
            "several documents there may be ours: pass `--pick` with a part of the title or URL of one:{list}"
        ),
        (count, Some(pick)) => {
            bail!(
                "invalid --pick {pick:?}: expected a part of one title or URL, found {count}:{list}"
            )
        }
    }
}

/// Returns the paths without the names of parameters, prefixed by the path of the first server.
fn shapes(document: &Value) -> BTreeSet<String> {
    let base = entries(&document["servers"])
        .first()
        .and_then(|server| server["url"].as_str())
        .map(|url| {
            let url = url.split_once("://").map_or(url, |(_, rest)| rest);
            url.find('/').map_or("", |at| &url[at..])
        })
        .unwrap_or_default();
    fields(&document["paths"])
        .map(|(path, _)| {
            path_shape(&format!("{}{path}", base.trim_end_matches('/'))).to_lowercase()
        })
        .collect()
}
