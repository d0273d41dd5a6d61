//! `cargo local`: all of it is in the library, on which `cargo local bench` also builds.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    local::main().await
}
