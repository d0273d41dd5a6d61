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
        let title = format!("cfn-lint {template}");
        say::step(&title, process::run_quietly(&mut command("cfn-lint", &[&template]))).await?;
        let title = format!("sam validate --lint {template}");
        let validate = ["validate", "--lint", "--template-file", &template];
        say::step(&title, process::run_quietly(&mut command("sam", &validate))).await?;
    }
    say::step("the C library of what is in target/lambda", async { release::check() }).await
}
