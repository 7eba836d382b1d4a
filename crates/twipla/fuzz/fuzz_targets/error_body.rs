//! Parses any bytes as an error body: the result is one short line without control characters.
#![no_main]

use http::StatusCode;
use libfuzzer_sys::fuzz_target;
use twipla::fuzzing::error_body;

// The input: two bytes for the status, and the body.
fuzz_target!(|input: &[u8]| {
    let [high, low, body @ ..] = input else {
        return;
    };
    let status = u16::from_be_bytes([*high, *low]) % 300;
    let status = StatusCode::from_u16(300 + status).unwrap();
    let error = error_body(status, body);
    assert_eq!(error.status(), Some(status));
    let shown = error.to_string();
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    assert!(shown.len() < 1200, "{} bytes", shown.len());
    let _ = format!("{error:?}");
});
