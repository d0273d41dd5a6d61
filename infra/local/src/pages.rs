//! `/local`: what the local cloud did, as one page for people and as JSON for scripts: mail, texts, orders and their
//! executions step by step, products that wait for an admin, queues.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cloud::Record;
use crate::proxy::{Proxy, nothing_here, problem, unreachable_cloud};
use crate::{files, status};
use ::emulator::Refused;

type Cloud = State<Arc<Proxy>>;

/// What is shown are texts of strangers: names of products, mail. The page's own script is all that runs.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; \
                      img-src 'self' data: http://localhost:* http://127.0.0.1:*; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The page. Its script reads the JSON below.
pub(crate) async fn page() -> impl IntoResponse {
    let html = include_str!("local.html").replace("<!-- documents -->", &files::links());
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, html)
}

/// The page's script.
pub(crate) async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("local.js"))
}

/// What an email links to: the page, opened at an order.
pub(crate) async fn order(Path(id): Path<String>) -> Response {
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return nothing_here();
    }
    Redirect::to(&format!("/local#{id}")).into_response()
}

/// Which of the things to show.
#[derive(Deserialize)]
pub(crate) struct Which {
    /// The newest so many; all without it.
    limit: Option<usize>,
    /// Of mail, what went to this address alone; of texts, to this number.
    to: Option<String>,
}

impl Which {
    fn newest(&self, mut values: Vec<Value>) -> Vec<Value> {
        values.truncate(self.limit.unwrap_or(usize::MAX));
        values
    }
}

/// Sent mail, newest first: `[{to, subject, text, html, sentAt}]`.
pub(crate) async fn emails(State(proxy): Cloud, Query(which): Query<Which>) -> Response {
    answer(sent_mail(&proxy, &which).await.map(|mail| which.newest(mail)))
}

/// Sent texts, newest first: `[{to, text, sentAt}]`.
pub(crate) async fn texts(State(proxy): Cloud, Query(which): Query<Which>) -> Response {
    let said = proxy.aws.inspect("sns/sms-messages").await;
    answer(said.map(|said| {
        let texts = texts_of(&said).into_iter();
        which.newest(
            texts.filter(|text| which.to.as_ref().is_none_or(|to| text["to"] == to.as_str())).collect(),
        )
    }))
}

/// Orders, newest first, as they are stored.
pub(crate) async fn orders(State(proxy): Cloud, Query(which): Query<Which>) -> Response {
    answer(stored_orders(&proxy).await.map(|orders| which.newest(orders)))
}

/// The latest hundred executions of the workflow, newest first: `[{name, orderId, status, startedAt, stoppedAt}]`.
pub(crate) async fn executions(State(proxy): Cloud, Query(which): Query<Which>) -> Response {
    answer(latest_executions(&proxy).await.map(|executions| which.newest(executions)))
}

/// One execution step by step: `[{state, type, enteredAt, exitedAt, tries, failures, input, output}]`.
pub(crate) async fn execution(State(proxy): Cloud, Path(file): Path<String>) -> Response {
    let Some(name) = file.strip_suffix(".json").filter(|name| !name.is_empty()) else {
        return nothing_here();
    };
    let history = history(&proxy, name).await;
    if history.as_ref().is_err_and(|error| refusal(error).is_some_and(|said| said.contains("DoesNotExist"))) {
        return nothing_here();
    }
    answer(history.map(|history| steps_of(&history)))
}

/// Products that wait for an admin, newest first, as they are stored, with their offers' `quantity`; at most fifty.
pub(crate) async fn pending(State(proxy): Cloud) -> Response {
    answer(pending_products(&proxy).await)
}

/// The queues: `[{name, waiting, inWork}]`.
pub(crate) async fn queues(State(proxy): Cloud) -> Response {
    answer(Ok(status::queues(&proxy.aws, &proxy.record).await))
}

fn answer(outcome: Result<Vec<Value>>) -> Response {
    match outcome {
        Ok(values) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, Value::Array(values).to_string()).into_response()
        }
        Err(error) => match refusal(&error) {
            Some(said) => problem(StatusCode::BAD_GATEWAY, "internal-error", "The local cloud refused", said),
            None => unreachable_cloud(),
        },
    }
}

/// What the emulator said, where it did answer.
fn refusal(error: &anyhow::Error) -> Option<&str> {
    error.downcast_ref().map(|Refused { said, .. }| said.as_str())
}

async fn sent_mail(proxy: &Proxy, which: &Which) -> Result<Vec<Value>> {
    // The emulator looks for what is asked for: all of a long run's mail is many megabytes.
    let mut page = reqwest::Url::parse("http://emulator/ses/messages")?;
    if let Some(to) = &which.to {
        page.query_pairs_mut().append_pair("to", to);
    }
    if let Some(limit) = which.limit {
        page.query_pairs_mut().append_pair("newest", &limit.to_string());
    }
    let page = page.as_str().strip_prefix("http://emulator/").unwrap_or_default();
    let mut mail = emails_of(&proxy.aws.inspect(page).await?);
    if let Some(to) = &which.to {
        mail.retain(|mail| mail["to"] == to.as_str());
    }
    Ok(mail)
}

fn emails_of(said: &Value) -> Vec<Value> {
    let accounts = said["messages"].as_object().into_iter().flat_map(Map::values);
    let mut mails: Vec<&Value> = accounts.filter_map(Value::as_array).flatten().collect();
    mails.sort_by(|one, other| seconds(&other["Timestamp"]).total_cmp(&seconds(&one["Timestamp"])));
    let email = |mail: &&Value| {
        let to: Vec<&str> = mail["To"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        json!({
            "to": to.join(", "),
            "subject": mail["Subject"],
            "text": mail["BodyText"],
            "html": mail["BodyHtml"],
            "sentAt": time(&mail["Timestamp"]),
        })
    };
    mails.iter().map(email).collect()
}

fn texts_of(said: &Value) -> Vec<Value> {
    let phones = said["sms_messages"].as_object().into_iter().flatten();
    let mut texts: Vec<Value> = phones
        .flat_map(|(phone, texts)| texts.as_array().into_iter().flatten().map(move |text| (phone, text)))
        .map(|(phone, text)| {
            let sent = text.get("Timestamp").or_else(|| text.get("timestamp")).unwrap_or(&Value::Null);
            let said = text.get("Message").or_else(|| text.get("message")).unwrap_or(&Value::Null);
            json!({ "to": phone, "text": said, "sentAt": time(sent) })
        })
        .collect();
    // The emulator does not say when, but has those to a number in their order.
    texts.reverse();
    texts.sort_by(|one, other| other["sentAt"].as_str().cmp(&one["sentAt"].as_str()));
    texts
}

async fn stored_orders(proxy: &Proxy) -> Result<Vec<Value>> {
    let mut orders = Vec::new();
    let mut scan = json!({ "TableName": proxy.record.output("OrdersTable")? });
    loop {
        let page = proxy.aws.call("dynamodb", "DynamoDB_20120810.Scan", &scan).await?;
        orders.extend(plain_items(&page["Items"]));
        if page["LastEvaluatedKey"].is_null() {
            break;
        }
        scan["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
    orders.sort_by(|one, other| other["createdAt"].as_str().cmp(&one["createdAt"].as_str()));
    Ok(orders)
}

async fn latest_executions(proxy: &Proxy) -> Result<Vec<Value>> {
    let workflow =
        json!({ "stateMachineArn": proxy.record.output("OrderFulfilmentArn")?, "maxResults": 100 });
    let page = proxy.aws.call("states", "AWSStepFunctions.ListExecutions", &workflow).await?;
    let execution = |one: &Value| {
        // consume-orders names it `{order id}-{message id}`.
        let order = one["name"].as_str().and_then(|name| name.get(..36));
        json!({
            "name": one["name"],
            "orderId": order,
            "status": one["status"],
            "startedAt": time(&one["startDate"]),
            "stoppedAt": time(&one["stopDate"]),
        })
    };
    let executions = page["executions"].as_array().into_iter().flatten();
    let mut executions: Vec<Value> = executions.map(execution).collect();
    executions.sort_by(|one, other| other["startedAt"].as_str().cmp(&one["startedAt"].as_str()));
    Ok(executions)
}

/// The events of an execution. AWS keeps no history of an Express workflow; the emulator does.
async fn history(proxy: &Proxy, name: &str) -> Result<Value> {
    let input = json!({ "executionArn": execution_arn(&proxy.record, name)?, "maxResults": 1000 });
    proxy.aws.call("states", "AWSStepFunctions.GetExecutionHistory", &input).await
}

fn execution_arn(record: &Record, name: &str) -> Result<String> {
    let machine = record.output("OrderFulfilmentArn")?;
    let (before, machine) =
        machine.split_once(":stateMachine:").context("the workflow's ARN names a state machine")?;
    Ok(format!("{before}:execution:{machine}:{name}"))
}

fn steps_of(history: &Value) -> Vec<Value> {
    let mut steps: Vec<Value> = Vec::new();
    for event in history["events"].as_array().into_iter().flatten() {
        let (kind, at) = (event["type"].as_str().unwrap_or_default(), time(&event["timestamp"]));
        if let Some(kind) = kind.strip_suffix("StateEntered") {
            let entered = &event["stateEnteredEventDetails"];
            steps.push(json!({
                "state": entered["name"], "type": kind, "enteredAt": at, "exitedAt": null, "tries": 0,
                "failures": [], "input": embedded(&entered["input"]), "output": null,
            }));
            continue;
        }
        let Some(step) = steps.last_mut() else { continue };
        if kind.ends_with("StateExited") {
            step["exitedAt"] = at;
            step["output"] = embedded(&event["stateExitedEventDetails"]["output"]);
        } else if kind == "TaskScheduled" {
            step["tries"] = json!(step["tries"].as_u64().unwrap_or_default() + 1);
        } else if let "TaskFailed" | "TaskTimedOut" | "ExecutionFailed" | "ExecutionTimedOut" = kind {
            let details =
                event.as_object().into_iter().flatten().find(|(name, _)| name.ends_with("EventDetails"));
            let details = details.map_or(&Value::Null, |(_, details)| details);
            let failure =
                json!({ "event": kind, "at": at, "error": details["error"], "cause": details["cause"] });
            if let Some(failures) = step["failures"].as_array_mut() {
                failures.push(failure);
            }
        }
    }
    steps
}

/// JSON that is written in a string.
fn embedded(text: &Value) -> Value {
    text.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| text.clone())
}

async fn pending_products(proxy: &Proxy) -> Result<Vec<Value>> {
    let query = json!({
        "TableName": proxy.record.output("ProductsTable")?,
        "IndexName": "pending",
        "KeyConditionExpression": "pending = :approval",
        "ExpressionAttributeValues": { ":approval": { "S": "approval" } },
        "ScanIndexForward": false,
        "Limit": 50,
    });
    let page = proxy.aws.call("dynamodb", "DynamoDB_20120810.Query", &query).await?;
    let mut products = plain_items(&page["Items"]);
    let quantities = quantities_of(proxy, &products).await?;
    for product in &mut products {
        let quantity = product["id"].as_str().and_then(|id| quantities.get(id));
        product["quantity"] = quantity.cloned().unwrap_or_default();
    }
    Ok(products)
}

/// How many pieces the offers of these products have, by product.
async fn quantities_of(proxy: &Proxy, products: &[Value]) -> Result<HashMap<String, Value>> {
    if products.is_empty() {
        return Ok(HashMap::new());
    }
    let table = proxy.record.output("OffersTable")?;
    let keys: Vec<_> = products.iter().map(|product| json!({ "offerId": { "S": product["id"] } })).collect();
    let read = json!({ "RequestItems": { table: { "Keys": keys } } });
    let found = proxy.aws.call("dynamodb", "DynamoDB_20120810.BatchGetItem", &read).await?;
    let offers = plain_items(&found["Responses"][table]);
    Ok(offers
        .into_iter()
        .filter_map(|mut offer| Some((offer["productId"].as_str()?.to_owned(), offer["quantity"].take())))
        .collect())
}

/// Items of DynamoDB's as plain JSON.
fn plain_items(items: &Value) -> Vec<Value> {
    items.as_array().into_iter().flatten().map(|item| plain(&json!({ "M": item }))).collect()
}

/// A DynamoDB value (`{"S": "a"}`) as plain JSON.
fn plain(value: &Value) -> Value {
    let Some((kind, inside)) = value.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "M" => inside
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        "L" => inside.as_array().into_iter().flatten().map(plain).collect(),
        "N" => inside.as_str().and_then(|number| serde_json::from_str(number).ok()).unwrap_or(Value::Null),
        "NULL" => Value::Null,
        _ => inside.clone(),
    }
}

fn seconds(time: &Value) -> f64 {
    time.as_f64().unwrap_or_default()
}

/// Seconds since 1970 as RFC 3339, or whatever was there instead.
fn time(value: &Value) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit for ages")]
    let milliseconds = value.as_f64().map(|seconds| (seconds * 1000.0) as i64);
    let time = milliseconds.and_then(|milliseconds| jiff::Timestamp::from_millisecond(milliseconds).ok());
    time.map_or_else(|| value.clone(), |time| Value::String(format!("{time:.3}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_newest_first_and_times_are_text() {
        let mail = |subject: &str, at: f64| json!({ "To": ["a@b.test"], "Subject": subject, "BodyText": "t", "BodyHtml": null, "Timestamp": at });
        let said = json!({ "messages": { "000000000000": [mail("old", 1.0), mail("new", 2.25)] } });
        let expected = json!([
            { "to": "a@b.test", "subject": "new", "text": "t", "html": null, "sentAt": "1970-01-01T00:00:02.250Z" },
            { "to": "a@b.test", "subject": "old", "text": "t", "html": null, "sentAt": "1970-01-01T00:00:01.000Z" },
        ]);
        assert_eq!(Value::Array(emails_of(&said)), expected);
    }

    #[test]
    fn an_execution_is_told_state_by_state() {
        let events = json!({ "events": [
            { "type": "ExecutionStarted", "timestamp": "t0" },
            { "type": "TaskStateEntered", "timestamp": "t1",
              "stateEnteredEventDetails": { "name": "ShipOrder", "input": "{\"a\":1}" } },
            { "type": "TaskScheduled", "timestamp": "t2" },
            { "type": "TaskFailed", "timestamp": "t3",
              "taskFailedEventDetails": { "error": "Lambda.Unknown", "cause": "died", "resource": "r" } },
            { "type": "TaskScheduled", "timestamp": "t4" },
            { "type": "TaskSucceeded", "timestamp": "t5" },
            { "type": "TaskStateExited", "timestamp": "t6",
              "stateExitedEventDetails": { "name": "ShipOrder", "output": "{\"outcome\":\"shipped\"}" } },
            { "type": "FailStateEntered", "timestamp": "t7",
              "stateEnteredEventDetails": { "name": "UnknownOutcome", "input": "no JSON" } },
            { "type": "ExecutionFailed", "timestamp": "t8",
              "executionFailedEventDetails": { "error": "UnknownOutcome", "cause": "none" } },
        ] });
        let died = json!({ "event": "TaskFailed", "at": "t3", "error": "Lambda.Unknown", "cause": "died" });
        let failed =
            json!({ "event": "ExecutionFailed", "at": "t8", "error": "UnknownOutcome", "cause": "none" });
        let expected = json!([
            { "state": "ShipOrder", "type": "Task", "enteredAt": "t1", "exitedAt": "t6", "tries": 2,
              "failures": [died], "input": { "a": 1 }, "output": { "outcome": "shipped" } },
            { "state": "UnknownOutcome", "type": "Fail", "enteredAt": "t7", "exitedAt": null, "tries": 0,
              "failures": [failed], "input": "no JSON", "output": null },
        ]);
        assert_eq!(Value::Array(steps_of(&events)), expected);
    }

    #[test]
    fn an_execution_is_found_by_its_name() {
        let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:cartwright-local-order-fulfilment";
        let outputs = [("OrderFulfilmentArn".to_owned(), machine.to_owned())].into();
        let record = Record { outputs, ..Record::default() };
        let expected =
            "arn:aws:states:us-east-1:000000000000:execution:cartwright-local-order-fulfilment:o-m";
        assert_eq!(execution_arn(&record, "o-m").unwrap(), expected);
    }

    #[test]
    fn stored_items_read_as_plain_json() {
        let item = json!({ "M": { "id": { "S": "1" }, "total": { "N": "1950" }, "lines": { "L": [{ "M": { "q": { "N": "2" } } }] }, "gone": { "NULL": true }, "on": { "BOOL": true } } });
        assert_eq!(
            plain(&item),
            json!({ "id": "1", "total": 1950, "lines": [{ "q": 2 }], "gone": null, "on": true })
        );
    }
}
