//! `cargo local status`: what runs, where, and how much waits in the queues.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cloud::{Cloud, Record};
use crate::process::Process;
use crate::{say, up};
use ::emulator::Aws;

/// Runs `cargo local status`.
///
/// # Errors
/// None of its own: what does not answer is shown as down.
pub(crate) async fn run() -> Result<()> {
    let cloud = Cloud::shop();
    let record = cloud.record();
    let shop = if up::answers(&record).await { "up" } else { "down" };
    let url = if record.port == 0 { "not started yet".to_owned() } else { record.url() };
    say::out!("{:<14}{:<6}{}", "shop", shop, url);
    say::out!("{:<14}{:<6}{}", "proxy", state(record.proxy.as_ref()), pid(record.proxy.as_ref()));
    let gateway = format!("{} {}", record.gateway(), pid(record.emulator.as_ref()));
    say::out!("{:<14}{:<6}{}", "emulated AWS", state(record.emulator.as_ref()), gateway);
    say::out!(
        "{:<14}{:<6}{}",
        "last deploy",
        "",
        if record.deployed_at.is_empty() { "never" } else { &record.deployed_at }
    );
    say::out!("{:<14}{:<6}{}", "its files", "", cloud.dir().display());
    if record.emulator.as_ref().is_some_and(Process::is_alive) {
        say::out!("\n{:<34}{:>8}{:>10}", "queue", "waiting", "in work");
        for queue in queues(&Aws::at(record.gateway()), &record).await {
            let text =
                |name: &str| queue[name].as_str().map_or_else(|| queue[name].to_string(), str::to_owned);
            say::out!("{:<34}{:>8}{:>10}", text("name"), text("waiting"), text("inWork"));
        }
    }
    Ok(())
}

/// How much waits in each queue: `{name, waiting, inWork}`, null where a queue does not answer.
pub(crate) async fn queues(aws: &Aws, record: &Record) -> Vec<Value> {
    let mut queues = Vec::new();
    for (name, url) in &record.outputs {
        let Some(name) = name.strip_suffix("Url").filter(|name| name.ends_with("Queue")) else { continue };
        let input = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
        let answer = aws.call("sqs", "AmazonSQS.GetQueueAttributes", &input).await.unwrap_or(Value::Null);
        let count = |attribute: &str| answer["Attributes"][attribute].as_str()?.parse::<u64>().ok();
        queues.push(json!({
            "name": name,
            "waiting": count("ApproximateNumberOfMessages"),
            "inWork": count("ApproximateNumberOfMessagesNotVisible"),
        }));
    }
    queues
}

fn state(process: Option<&Process>) -> &'static str {
    if process.is_some_and(Process::is_alive) { "up" } else { "down" }
}

fn pid(process: Option<&Process>) -> String {
    process
        .filter(|process| process.is_alive())
        .map(|process| format!("(process {})", process.pid))
        .unwrap_or_default()
}
