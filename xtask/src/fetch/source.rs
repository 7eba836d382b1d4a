//! The source of a document: a URL, a file, or standard input.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::StreamExt as _;
use reqwest::Url;
use tokio::io::AsyncReadExt as _;

use super::encoding::{self, LIMIT};
use super::page::Link;

/// The public reference page.
pub const DEFAULT: &str = "https://docs.visitor-analytics.io/3as/";
/// A page that takes longer counts as unreachable.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The source of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A URL.
    Url(Url),
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl FromStr for Source {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if text.contains("://") {
            let url = Url::parse(text).with_context(|| format!("{text} is not a valid URL"))?;
            ensure!(
                matches!(url.scheme(), "http" | "https"),
                "invalid source {text}: expected an http or https URL, or a file"
            );
            return Ok(Self::Url(url));
        }
        Ok(Self::File(text.into()))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => {
                // The lock is public, so it must not contain a user, password or token.
                let mut shown = url.clone();
                let _ = shown.set_username("");
                let _ = shown.set_password(None);
                shown.set_query(None);
                shown.set_fragment(None);
                f.write_str(shown.as_str())
            }
            // Nor the folder of a file.
            Self::File(path) => write!(
                f,
                "the file {}",
                Path::new(path.file_name().unwrap_or(path.as_os_str())).display()
            ),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

impl Source {
    /// Reads everything from the source, and returns it with the final URL after redirects, to which its links are
    /// relative.
    pub(crate) async fn read(&self) -> Result<(Vec<u8>, Self)> {
        match self {
            Self::Url(url) => {
                let (bytes, last) = get(url)
                    .await
                    .with_context(|| format!("cannot fetch {self}"))?;
                Ok((bytes, Self::Url(last)))
            }
            Self::File(path) => {
                let file = tokio::fs::File::open(path).await;
                let file = file.with_context(|| format!("cannot read {}", path.display()))?;
                let bytes = whole(file)
                    .await
                    .with_context(|| format!("cannot read {}", path.display()))?;
                Ok((bytes, self.clone()))
            }
            Self::Stdin => {
                let bytes = whole(tokio::io::stdin())
                    .await
                    .context("cannot read standard input")?;
                Ok((bytes, self.clone()))
            }
        }
    }

    /// Follows a link of the page, and returns its content and a description, or `None` if it cannot be read.
    pub(super) async fn follow(&self, link: &Link) -> Option<(Vec<u8>, String)> {
        let address = match link {
            Link::Data(bytes) => return Some((bytes.clone(), "data in the page".to_owned())),
            Link::Address(address) => address,
        };
        let linked = match self {
            Self::Url(page) => page
                .join(address)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .map(Self::Url)?,
            // A saved page links to files that were saved with it.
            Self::File(page) if !address.contains("://") => {
                Self::File(page.parent()?.join(address))
            }
            _ => return None,
        };
        let (bytes, from) = Box::pin(linked.read()).await.ok()?;
        Some((bytes, from.to_string()))
    }
}

async fn get(url: &Url) -> Result<(Vec<u8>, Url)> {
    let client = reqwest::Client::builder()
        .user_agent(concat!("twipla-xtask/", env!("CARGO_PKG_VERSION")))
        .timeout(TIMEOUT)
        .build()?;
    let response = client
        .get(url.clone())
        .send()
        .await
        .map_err(reqwest::Error::without_url)?;
    let status = response.status();
    ensure!(
        !matches!(status.as_u16(), 401 | 403),
        "the server responded with {status}: log in with a browser, save the page, and run `cargo xtask fetch FILE`"
    );
    ensure!(status.is_success(), "the server responded with {status}");
    let last = response.url().clone();
    let encodings: Vec<String> = response
        .headers()
        .get_all("content-encoding")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().to_ascii_lowercase())
        .collect();
    if let Some(length) = response.content_length() {
        check_size(usize::try_from(length).unwrap_or(usize::MAX))?;
    }
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk
            .map_err(reqwest::Error::without_url)
            .context("the response is incomplete")?;
        check_size(bytes.len() + chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    for encoding in encodings.iter().rev() {
        bytes = encoding::decode(encoding, &bytes)?;
        check_size(bytes.len())?;
    }
    Ok((bytes, last))
}

async fn whole(reader: impl tokio::io::AsyncRead + Unpin) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LIMIT)? + 1;
    reader.take(most).read_to_end(&mut bytes).await?;
    check_size(bytes.len())?;
    Ok(bytes)
}

fn check_size(length: usize) -> Result<()> {
    if length > LIMIT {
        bail!(
            "it is larger than {} MiB, the limit for a contract",
            LIMIT / 1024 / 1024
        );
    }
    Ok(())
}
