//! `cargo local lint`: the checks of the templates that need the pinned tools, and of what was built for AWS.

use anyhow::Result;
use tokio::process::Command;

use crate::tools::SAM;
use crate::{cloud, deploy, process, release, say};

/// Runs `cargo local lint`.
///
/// # Errors
/// What the tools say about a template, or a binary in `target/lambda` that would not start on Lambda.
pub(crate) async fn run() -> Result<()> {
    SAM.install().await?;
    let home = cloud::home();
    let command = |program: &str, arguments: &[&str]| {
        let mut command = SAM.command(program, &home);
        command.args(arguments).current_dir(cloud::root());
        Command::from(command)
    };
    for template in deploy::templates()? {
        let template = template.to_string_lossy();
        let mut linter = command("cfn-lint", &[&template]);
        let mut validator = command("sam", &["validate", "--lint", "--template-file", &template]);
        // Each keeps one processor busy for some seconds.
        let both = async {
            tokio::try_join!(process::run_quietly(&mut linter), process::run_quietly(&mut validator))
        };
        say::step(&format!("cfn-lint and sam validate --lint {template}"), both).await?;
    }
    say::step("the C library of what is in target/lambda", async { release::check() }).await
}
