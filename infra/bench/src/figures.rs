//! What came of the measurements.
//!
//! Of what happens once in a start, and of processor time, the least of all rounds counts: whatever is above it was
//! taken by something else on the machine. Of warm answers there are enough for percentiles.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

/// All that was measured of one function, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    /// One for each start.
    pub initialisation: Vec<Duration>,
    /// One for each start.
    pub first: Vec<Duration>,
    /// Processor time of the start.
    pub cpu_of_start: Vec<Duration>,
    /// One for each warm request.
    pub warm: Vec<Duration>,
    /// The mean of each round's warm requests.
    pub cpu: Vec<Duration>,
    /// One for each start, in bytes.
    pub peak_memory: Vec<u64>,
    size: u64,
    zipped: u64,
}

/// One function's figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Figures {
    /// From exec to the first request for an event: the least, milliseconds.
    pub initialisation_ms: f64,
    /// The first answer after a start: the least, milliseconds.
    pub first_ms: f64,
    /// Processor time up to the first request for an event: the least, milliseconds.
    pub cpu_of_start_ms: f64,
    /// A warm answer: median, milliseconds.
    pub p50_ms: f64,
    /// A warm answer: the 99th percentile, milliseconds.
    pub p99_ms: f64,
    /// Processor time of a warm request: the least of the rounds' means, milliseconds.
    pub cpu_ms: f64,
    /// The most memory resident: median, megabytes (10⁶ bytes).
    pub memory_mb: f64,
    /// What is deployed: megabytes.
    pub size_mb: f64,
    /// The same as a zip: megabytes.
    pub zipped_mb: f64,
}

impl Samples {
    /// Weighs what would be deployed, once.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn measure_files(&mut self, files: &[PathBuf]) -> Result<()> {
        if self.size > 0 {
            return Ok(());
        }
        for path in files {
            let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let mut zip = DeflateEncoder::new(Vec::new(), Compression::default());
            zip.write_all(&bytes)?;
            self.size += bytes.len() as u64;
            self.zipped += zip.finish()?.len() as u64;
        }
        Ok(())
    }

    /// What they come to.
    pub(super) fn figures(mut self) -> Figures {
        Figures {
            initialisation_ms: percentile(&mut self.initialisation, 0),
            first_ms: percentile(&mut self.first, 0),
            cpu_of_start_ms: percentile(&mut self.cpu_of_start, 0),
            p99_ms: percentile(&mut self.warm, 99),
            p50_ms: percentile(&mut self.warm, 50),
            cpu_ms: percentile(&mut self.cpu, 0),
            memory_mb: {
                self.peak_memory.sort_unstable();
                megabytes(at(&self.peak_memory, 50).unwrap_or_default())
            },
            size_mb: megabytes(self.size),
            zipped_mb: megabytes(self.zipped),
        }
    }
}

/// The smallest value that so many percent are no greater than (nearest rank), in milliseconds; 0 percent is the least.
pub(super) fn percentile(values: &mut [Duration], percent: usize) -> f64 {
    values.sort_unstable();
    at(values, percent).unwrap_or_default().as_secs_f64() * 1000.0
}

fn at<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[expect(clippy::cast_precision_loss, reason = "files and processes are smaller than 2^52 bytes")]
pub(super) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// `0.31`, `8.4`, `128`: as many digits as mean something.
pub(super) fn short(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        ..0.01 => 4,
        0.01..1.0 => 2,
        1.0..20.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

/// How many times `value` is of `base`: `1.7×`, or `1/32` where it is less.
pub(super) fn times(value: f64, base: f64) -> String {
    if value <= 0.0 || base <= 0.0 {
        return "–".into();
    }
    if value >= base { format!("{}×", short(value / base)) } else { format!("1/{}", short(base / value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(values: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        values.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let p = |values: Vec<Duration>, percent| {
            let mut values = values;
            short(percentile(&mut values, percent))
        };
        assert_eq!(p(millis((1..=100).rev()), 50), "50");
        assert_eq!(p(millis(1..=100), 99), "99");
        assert_eq!(p(millis([7]), 99), "7.0");
        assert_eq!(p(millis([9, 1, 5]), 50), "5.0");
        assert_eq!(p(millis([9, 1, 5]), 0), "1.0");
        assert_eq!(p(Vec::new(), 50), "0");
    }

    #[test]
    fn ratios_read_as_people_say_them() {
        assert_eq!(times(3.4, 2.0), "1.7×");
        assert_eq!(times(2.0, 64.0), "1/32");
        assert_eq!(times(2.0, 0.0), "–");
    }

    #[test]
    fn numbers_have_as_many_digits_as_mean_something() {
        assert_eq!([0.0, 0.0043, 0.314, 8.44, 128.3].map(short), ["0", "0.0043", "0.31", "8.4", "128"]);
    }
}
