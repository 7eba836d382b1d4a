//! Parses any text as a message of the dashboard: the result is a message, or an error of one short line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twipla::{ErrorKind, IframeMessage};

fuzz_target!(|input: &str| {
    let (message, origin) = (input, input);
    match IframeMessage::parse(message) {
        Ok(message) => drop(format!("{message:?}")),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let shown = error.to_string();
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
            assert!(shown.len() < 600, "{} bytes", shown.len());
        }
    }
    let dashboard = "https://app-3as.visitor-analytics.io";
    assert_eq!(
        IframeMessage::is_trusted_origin(origin, dashboard),
        origin == dashboard,
        "{origin:?}"
    );
});
