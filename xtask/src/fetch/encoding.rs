//! Compressed responses: some servers send them without being asked.

use std::io::Read;

use anyhow::{Context as _, Result, bail};
use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// The largest document that is read.
pub const LIMIT: usize = 32 * 1024 * 1024;
/// The buffer size of the brotli decoder.
const BUFFER: usize = 4096;

/// Decodes one `content-encoding`, and returns at most one byte more than [`LIMIT`].
pub(super) fn decode(encoding: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let decoder: &mut dyn Read = match encoding {
        "" | "identity" => return Ok(bytes.to_vec()),
        "gzip" | "x-gzip" => &mut MultiGzDecoder::new(bytes),
        "deflate" => &mut ZlibDecoder::new(bytes),
        "br" => &mut brotli_decompressor::Decompressor::new(bytes, BUFFER),
        other => bail!("invalid content-encoding {other:?}: expected gzip, deflate or br"),
    };
    let mut plain = Vec::new();
    decoder
        .take(u64::try_from(LIMIT)? + 1)
        .read_to_end(&mut plain)
        .with_context(|| format!("cannot decompress the response, whose encoding is {encoding}"))?;
    Ok(plain)
}
