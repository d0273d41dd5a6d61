//! What the release build takes, by its profile: the libraries once, then each binary. Whoever deploys for the first
//! time waits for all of them, so what one binary takes counts as often as there are functions.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use local::{build, cloud, say};

use super::figures::{Figures, Samples};
use super::report::{Table, mb};

/// Binaries that stand for all: of the service orders, and of each client of the SDK that is large.
const SAMPLE: [&str; 6] =
    ["create-order", "create-product", "get-product", "publish-events", "send-email", "sign-in"];

/// The profiles of `all`: the size by which the others are judged first.
const ALL: [&str; 9] = [
    "fat-s-1",
    "off-s-1",
    "off-s-16",
    "local-s-16",
    "thin-s-1",
    "thin-s-16",
    "off-3-1",
    "local-3-16",
    "thin-3-16",
];

/// How many functions there are, and how many there are to be.
const NOW: u32 = 180;
const LATER: u32 = 200;
/// Processors that the estimates are for. Binaries are built independently, so they keep that many busy.
const PROCESSORS: f64 = 2.0;

/// A profile, named by its `lto`, `opt-level` and `codegen-units`: `fat-s-1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Profile<'a> {
    lto: &'a str,
    level: &'a str,
    units: &'a str,
}

impl<'a> Profile<'a> {
    fn named(name: &'a str) -> Result<Self> {
        let parts: Vec<_> = name.split('-').collect();
        match parts[..] {
            // What Cargo calls `false` is LTO within a crate.
            [lto @ ("off" | "local" | "thin" | "fat"), level, units] => Ok(Self { lto, level, units }),
            _ => bail!("{name} is no profile: name one by lto (off, local, thin, fat), level and units"),
        }
    }

    /// What gives Cargo the profile, instead of that of the workspace.
    fn environment(self) -> [(&'static str, &'a str); 3] {
        [
            ("CARGO_PROFILE_RELEASE_LTO", if self.lto == "local" { "false" } else { self.lto }),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.level),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", self.units),
        ]
    }
}

impl fmt::Display for Profile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.lto, self.level, self.units)
    }
}

/// Builds the sample by each of these profiles from nothing, and says what that took. The binaries are left in
/// `target/bench/built/<profile>`, for `--beside`.
///
/// # Errors
/// There is no such profile, or the code does not compile.
pub(super) async fn measure(names: &[String]) -> Result<()> {
    let is_all = names.iter().any(|name| name == "all");
    let names: Vec<_> = if is_all { ALL.to_vec() } else { names.iter().map(String::as_str).collect() };
    let profiles: Vec<_> = names.into_iter().map(Profile::named).collect::<Result<_>>()?;
    let (now, later) = (format!("{NOW} on two processors"), LATER.to_string());
    let mut table = Table::new(&[
        "profile",
        "libraries, CPU",
        "a binary, CPU",
        "six, on the clock",
        &now,
        &later,
        "size, mean",
        "largest",
        "its zip",
    ]);
    for profile in profiles {
        say::note(&format!("Building by the profile {profile}"));
        let built = Built::by(profile).await?;
        table.row(built.row(profile));
    }
    say::out!("\n{}\n{}", table.aligned(), table.markdown());
    Ok(())
}

/// Where the packages of the functions are: those of a build of all functions, whose features are then the same however
/// few binaries are built.
///
/// # Errors
/// There is no `functions/`.
pub(super) fn services() -> Result<Vec<String>> {
    let entries = fs::read_dir(cloud::root().join("functions")).context("cannot read functions/")?;
    let mut names: Vec<_> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// What a build took, and what came of it.
struct Built {
    libraries: Duration,
    binaries: Duration,
    on_the_clock: Duration,
    figures: Vec<Figures>,
}

impl Built {
    async fn by(profile: Profile<'_>) -> Result<Self> {
        let target = cloud::target().join("bench/building");
        let kept = cloud::target().join("bench/built").join(profile.to_string());
        for dir in [&target, &kept] {
            let _ = fs::remove_dir_all(dir);
        }
        let before = cpu_of_children()?;
        cargo(profile, &target, &["--lib"]).await?;
        let between = cpu_of_children()?;
        let started = Instant::now();
        let binaries: Vec<_> = SAMPLE.iter().flat_map(|name| ["--bin", name]).collect();
        cargo(profile, &target, &binaries).await?;
        let on_the_clock = started.elapsed();
        let after = cpu_of_children()?;
        fs::create_dir_all(&kept).with_context(|| format!("cannot create {}", kept.display()))?;
        let figures = SAMPLE.iter().map(|name| keep(&target, &kept, name)).collect::<Result<_>>()?;
        fs::remove_dir_all(&target).with_context(|| format!("cannot remove {}", target.display()))?;
        Ok(Self { libraries: between - before, binaries: after - between, on_the_clock, figures })
    }

    #[expect(clippy::cast_precision_loss, reason = "six binaries")]
    fn row(&self, profile: Profile<'_>) -> Vec<String> {
        let count = self.figures.len() as f64;
        let one = self.binaries.as_secs_f64() / count;
        let minutes = |all: u32| {
            let seconds = (self.libraries.as_secs_f64() + f64::from(all) * one) / PROCESSORS;
            format!("{:.0} min", (seconds / 60.0).ceil())
        };
        let mean = self.figures.iter().map(|it| it.size_mb).sum::<f64>() / count;
        let largest = |of: fn(&Figures) -> f64| self.figures.iter().map(of).fold(0.0, f64::max);
        vec![
            profile.to_string(),
            format!("{} s", self.libraries.as_secs()),
            format!("{one:.1} s"),
            format!("{} s", self.on_the_clock.as_secs()),
            minutes(NOW),
            minutes(LATER),
            mb(mean),
            mb(largest(|it| it.size_mb)),
            mb(largest(|it| it.zipped_mb)),
        ]
    }
}

/// Builds these targets of the functions' packages.
async fn cargo(profile: Profile<'_>, target: &Path, targets: &[&str]) -> Result<()> {
    let mut cargo = build::cargo();
    cargo.args(["build", "--release", "--locked", "--target-dir"]).arg(target).envs(profile.environment());
    cargo.args(services()?.iter().flat_map(|name| ["--package", name])).args(targets);
    if !cargo.status().await.context("cannot start cargo")?.success() {
        bail!("the release binaries do not build: see above");
    }
    Ok(())
}

/// Takes a binary out of the build, and weighs it.
fn keep(target: &Path, kept: &Path, name: &str) -> Result<Figures> {
    let file: PathBuf = kept.join(name);
    let binary = target.join("release").join(name);
    fs::copy(&binary, &file).with_context(|| format!("cannot copy {}", binary.display()))?;
    let mut samples = Samples::default();
    samples.measure_files(&[file])?;
    Ok(samples.figures())
}

/// The processor time of all processes that were started from here and have ended, and of theirs.
fn cpu_of_children() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
    children(&stat).context("/proc/self/stat cannot be read")
}

/// `cutime` and `cstime` of proc_pid_stat(5), in hundredths of a second. The name before them may have blanks.
fn children(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(u64::from_str);
    let ticks: u64 = ticks.sum::<Result<_, _>>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use local::deploy;

    #[test]
    fn a_profile_is_named_by_what_it_is() {
        let profile = Profile::named("local-3-16").unwrap();
        assert_eq!(profile.to_string(), "local-3-16");
        assert_eq!(profile.environment().map(|(_, value)| value), ["false", "3", "16"]);
        assert!(ALL.iter().all(|name| Profile::named(name).is_ok()));
        assert!(Profile::named("off-s").is_err() && Profile::named("full-s-1").is_err());
    }

    #[test]
    fn the_time_of_children_is_read_whatever_this_process_is_called() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 1 2 0 0 11 12 250 50 20 0 1 0 9 0 0";
        assert_eq!(children(stat), Some(Duration::from_secs(3)));
        assert_eq!(children("7 (a) S 1"), Some(Duration::ZERO));
    }

    #[test]
    fn all_binaries_take_what_the_sample_does() {
        let built = Built {
            libraries: Duration::from_secs(240),
            binaries: Duration::from_secs(60),
            on_the_clock: Duration::from_secs(30),
            figures: vec![Figures { size_mb: 8.0, zipped_mb: 3.0, ..Figures::default() }; 6],
        };
        let row = built.row(Profile::named("off-s-1").unwrap());
        assert_eq!(
            row,
            ["off-s-1", "240 s", "10.0 s", "30 s", "17 min", "19 min", "8.0 MB", "8.0 MB", "3.0 MB"]
        );
    }

    #[test]
    fn there_are_as_many_functions_as_the_templates_declare() {
        let templates = deploy::templates().unwrap();
        let texts = templates.iter().map(|template| deploy::text(template).unwrap());
        let functions = texts.map(|text| text.matches("\n    Type: AWS::Serverless::Function\n").count());
        assert_eq!(functions.sum::<usize>(), usize::try_from(NOW).unwrap());
    }
}
