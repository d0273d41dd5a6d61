//! `cargo local`: all of it is in the library, which `cargo local bench` builds on, too.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    local::main().await
}
