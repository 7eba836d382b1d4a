//! Parses any bytes as `Retry-After` and `Date`: the result is a delay or none, and digits mean seconds.
#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use twipla::fuzzing::retry_after;

// The input: a line for `Retry-After`, one for `Date`, one for the clock in seconds.
fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (value, date, clock) = (line(), line(), line());
    let now: i64 = std::str::from_utf8(clock)
        .ok()
        .and_then(|clock| clock.parse().ok())
        .unwrap_or(1_772_323_200);
    // Any time that `chrono` supports.
    let now = DateTime::from_timestamp(now % 8_000_000_000_000, 0).unwrap_or_default();
    let pause = retry_after(value, date, now);
    if let Some(seconds) = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
    {
        assert_eq!(pause.map(|pause| pause.as_secs()), Some(seconds));
    }
});
