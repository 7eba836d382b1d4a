//! Whether a library switches on features of shared crates that change what other code of the program does.
//!
//! Cargo builds a crate once for a whole program, with every feature that any package asks for.

/// Crate, and the features that no library of ours may switch on; `*` at the end stands for any rest.
const FORBIDDEN: [(&str, &[&str]); 14] = [
    // Numbers, the order of maps, and how deep a document may be.
    (
        "serde_json",
        &[
            "arbitrary_precision",
            "float_roundtrip",
            "preserve_order",
            "unbounded_depth",
        ],
    ),
    ("schemars", &["preserve_order"]),
    ("toml", &["preserve_order"]),
    // Every client of the program would send or understand something else, by its defaults.
    (
        "reqwest",
        &[
            "brotli",
            "charset",
            "cookies",
            "default",
            "default-tls",
            "deflate",
            "gzip",
            "hickory-dns",
            "http3",
            "native-tls*",
            "system-proxy",
            "zstd",
        ],
    ),
    ("hyper-util", &["client-proxy-system"]),
    ("tower-http", &["decompression-*", "full"]),
    (
        "hyper-rustls",
        &["logging", "native-tokio", "webpki-roots", "webpki-tokio"],
    ),
    (
        "rustls",
        &[
            "brotli",
            "custom-provider",
            "default",
            "fips",
            "logging",
            "prefer-post-quantum",
            "zlib",
        ],
    ),
    // With two of them it cannot choose, and panics.
    ("jsonwebtoken", &["aws_lc_rs", "rust_crypto"]),
    // What is logged, and what is left out at compile time.
    (
        "tracing",
        &["log", "log-always", "max_level_*", "release_max_level_*"],
    ),
    ("log", &["max_level_*", "release_max_level_*"]),
    // Paused time, and a backend in C for every user of flate2.
    ("tokio", &["full", "test-util", "tracing"]),
    ("flate2", &["cloudflare_zlib", "zlib*"]),
    ("getrandom", &["custom"]),
];

/// The arguments of cargo that list every crate of `library` with its features, on every system.
pub(crate) fn tree<'a>(library: &'a str, selection: &'a str) -> [&'a str; 10] {
    [
        "tree",
        "--package",
        library,
        selection,
        "--locked",
        "--edges=no-dev",
        "--target=all",
        "--prefix=none",
        "--format",
        "{p}|{f}",
    ]
}

/// Names every forbidden feature in what cargo printed.
pub(crate) fn check(library: &str, tree: &str) -> Vec<String> {
    let mut wrong: Vec<String> = Vec::new();
    for line in tree.lines() {
        let Some((package, features)) = line.split_once('|') else {
            continue;
        };
        let name = package.split(' ').next().unwrap_or_default();
        // Below a crate that was listed before stands nothing.
        let features = features.trim_end_matches(" (*)");
        for feature in features.split(',') {
            if is_forbidden(name, feature) {
                wrong.push(format!(
                    "{library}: switches on {name}/{feature} for the whole program: leave it to the program"
                ));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

fn is_forbidden(name: &str, feature: &str) -> bool {
    FORBIDDEN
        .iter()
        .filter(|(forbidden, _)| *forbidden == name)
        .flat_map(|(_, features)| *features)
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => feature.starts_with(start),
            None => *pattern == feature,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_changes_other_code_is_named_once() {
        let tree = "twipla v0.1.0 (/somewhere)|default,ring\nserde_json v1.0.154|default,preserve_order,std\n\
                    serde_json v1.0.154|default,preserve_order,std";
        assert_eq!(
            check("twipla", tree),
            [
                "twipla: switches on serde_json/preserve_order for the whole program: leave it to the program"
            ]
        );
    }

    #[test]
    fn a_pattern_covers_the_features_that_it_begins() {
        assert_eq!(
            check("twipla", "log v0.4.35|release_max_level_warn").len(),
            1
        );
        assert_eq!(
            check("twipla", "reqwest v0.13.5|native-tls-vendored,native-tls").len(),
            2
        );
    }

    #[test]
    fn what_only_adds_is_allowed_and_names_count_as_a_whole() {
        for line in [
            "serde_json v1.0.154|default,std",
            "serde_json_path v0.7.2|preserve_order",
            "tokio v1.54.1|rt,sync",
            "log v0.4.35|",
            "",
        ] {
            assert_eq!(check("twipla", line), [""; 0], "{line}");
        }
    }
}
