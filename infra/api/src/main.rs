//! Writes the contract as JSON, as a release keeps it: `cargo run --package contract > infra/api/released.json`.

use anyhow::Result;
use contract::Contract;

fn main() -> Result<()> {
    println!("{}", serde_json::to_string_pretty(&Contract::read()?)?);
    Ok(())
}
