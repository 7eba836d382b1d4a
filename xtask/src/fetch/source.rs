//! Where a document is read from: an address, a file, or standard input.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::StreamExt as _;
use reqwest::Url;
use tokio::io::AsyncReadExt as _;

use super::page::Link;

/// The public reference page.
pub const DEFAULT: &str = "https://docs.visitor-analytics.io/3as/";
/// The largest document that is read.
pub const LIMIT: usize = 32 * 1024 * 1024;
/// A page that takes longer is down.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Where a document is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An address on the web.
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
                "{text}: a document is fetched by http or https, or given as a file"
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
                // The lock is public: no user, no password, no token.
                let mut shown = url.clone();
                let _ = shown.set_username("");
                let _ = shown.set_password(None);
                shown.set_query(None);
                shown.set_fragment(None);
                f.write_str(shown.as_str())
            }
            // Nor is it anybody's business where a file lies.
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
    /// Everything that is there.
    pub(super) async fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::Url(url) => get(url)
                .await
                .with_context(|| format!("cannot fetch {self}")),
            Self::File(path) => {
                let file = tokio::fs::File::open(path).await;
                let file = file.with_context(|| format!("cannot read {}", path.display()))?;
                whole(file)
                    .await
                    .with_context(|| format!("cannot read {}", path.display()))
            }
            Self::Stdin => whole(tokio::io::stdin())
                .await
                .context("cannot read standard input"),
        }
    }

    /// What a link of the page leads to, if it can be read.
    pub(super) async fn follow(&self, link: &Link) -> Option<Vec<u8>> {
        let address = match link {
            Link::Data(bytes) => return Some(bytes.clone()),
            Link::Address(address) => address,
        };
        match self {
            Self::Url(page) => {
                let url = page.join(address).ok()?;
                let web = matches!(url.scheme(), "http" | "https");
                if web { get(&url).await.ok() } else { None }
            }
            // A saved page links to what was saved beside it, if to anything.
            Self::File(page) if !address.contains("://") => {
                let file = page.parent()?.join(address);
                whole(tokio::fs::File::open(file).await.ok()?).await.ok()
            }
            _ => None,
        }
    }
}

async fn get(url: &Url) -> Result<Vec<u8>> {
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
    ensure!(status.is_success(), "the server answered {status}");
    if let Some(length) = response.content_length() {
        check_size(usize::try_from(length).unwrap_or(usize::MAX))?;
    }
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk
            .map_err(reqwest::Error::without_url)
            .context("the answer broke off")?;
        check_size(bytes.len() + chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
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
