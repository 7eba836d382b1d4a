//! Clocks, cores and memory of this process.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The core to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The first one.
    Server,
    /// The last one.
    Client,
}

/// Pins this thread, and those that it starts, to one core, if there are several.
pub(crate) fn pin(side: Side) {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let core = match side {
        Side::Server => cores.first(),
        Side::Client => cores.last(),
    };
    if let Some(core) = core.filter(|_| cores.len() > 1) {
        core_affinity::set_for_current(*core);
    }
}

/// Returns the CPU time of this process so far, user and system.
pub(crate) fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or_default(),
        time.tv_nsec.try_into().unwrap_or_default(),
    )
}

/// Returns the peak memory of this process in KiB, or `None` if the system does not report it.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Converts a duration to microseconds.
pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Returns a quantile of the sorted values.
pub(crate) fn quantile(sorted: &[Duration], part: f64) -> Duration {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into a list"
    )]
    let index = ((sorted.len().saturating_sub(1)) as f64 * part).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}
