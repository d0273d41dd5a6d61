//! `cargo local lint`: the checks of `template.yaml` that need the pinned tools.

use anyhow::Result;
use tokio::process::Command;

use crate::tools::SAM;
use crate::{cloud, process, say};

/// Runs `cargo local lint`.
///
/// # Errors
/// What the tools say about the template.
pub(crate) async fn run() -> Result<()> {
    SAM.install().await?;
    let home = cloud::home();
    let command = |program: &str, arguments: &[&str]| {
        let mut command = SAM.command(program, &home);
        command.args(arguments).current_dir(cloud::root());
        Command::from(command)
    };
    say::step("cfn-lint template.yaml", process::run_quietly(&mut command("cfn-lint", &["template.yaml"])))
        .await?;
    let validate = ["validate", "--lint", "--template-file", "template.yaml"];
    say::step("sam validate --lint", process::run_quietly(&mut command("sam", &validate))).await?;
    Ok(())
}
