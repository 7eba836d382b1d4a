//! Decodes any bytes as a response: the result is a value, or an error of one line that keeps the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twipla::ErrorKind;
use twipla::fuzzing::decode;

// The input: a byte for the type, a line for the content type, and the body.
fuzz_target!(|input: &[u8]| {
    let Some((&shape, rest)) = input.split_first() else {
        return;
    };
    let end = rest.iter().position(|byte| *byte == b'\n');
    let (content_type, body) = end.map_or((&b""[..], rest), |end| (&rest[..end], &rest[end + 1..]));
    if let Err(error) = decode(shape, content_type, body) {
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.body().is_some_and(|kept| kept.len() <= 16 * 1024));
        let _ = format!("{error} {error:?}");
    }
});
