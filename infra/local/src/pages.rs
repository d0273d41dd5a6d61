//! `/local`: the mailbox, texts, orders and executions of the local cloud, as one page for people and as JSON for scripts.

use std::sync::Arc;

use anyhow::Result;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::proxy::{Proxy, unreachable_cloud};

type Cloud = State<Arc<Proxy>>;

/// The page. It reads the JSON below.
pub(crate) async fn page() -> Html<&'static str> {
    Html(include_str!("local.html"))
}

/// Sent mail, newest first: `[{to, subject, text, html, sentAt}]`.
pub(crate) async fn emails(State(proxy): Cloud) -> Response {
    answer(proxy.aws.inspect("ses/messages").await.map(|said| emails_of(&said)))
}

/// Sent texts, newest first: `[{to, text, sentAt}]`.
pub(crate) async fn texts(State(proxy): Cloud) -> Response {
    answer(proxy.aws.inspect("sns/sms-messages").await.map(|said| texts_of(&said)))
}

/// All orders, newest first, as they are stored.
pub(crate) async fn orders(State(proxy): Cloud) -> Response {
    answer(stored_orders(&proxy).await)
}

/// The latest executions of the workflow, newest first: `[{name, status, startedAt, stoppedAt}]`.
pub(crate) async fn executions(State(proxy): Cloud) -> Response {
    answer(latest_executions(&proxy).await)
}

fn answer(outcome: Result<Vec<Value>>) -> Response {
    match outcome {
        Ok(values) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, Value::Array(values).to_string()).into_response()
        }
        Err(_) => unreachable_cloud(),
    }
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
    texts.sort_by(|one, other| other["sentAt"].as_str().cmp(&one["sentAt"].as_str()));
    texts
}

async fn stored_orders(proxy: &Proxy) -> Result<Vec<Value>> {
    let mut orders = Vec::new();
    let mut scan = json!({ "TableName": proxy.record.output("OrdersTable")? });
    loop {
        let page = proxy.aws.call("dynamodb", "DynamoDB_20120810.Scan", &scan).await?;
        let items = page["Items"].as_array().into_iter().flatten();
        orders.extend(items.map(|item| plain(&json!({ "M": item }))));
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
    let executions = page["executions"].as_array().into_iter().flatten();
    let mut executions: Vec<&Value> = executions.collect();
    executions.sort_by(|one, other| seconds(&other["startDate"]).total_cmp(&seconds(&one["startDate"])));
    let execution = |one: &&Value| {
        json!({
            "name": one["name"],
            "status": one["status"],
            "startedAt": time(&one["startDate"]),
            "stoppedAt": time(&one["stopDate"]),
        })
    };
    Ok(executions.iter().map(execution).collect())
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
    fn stored_items_read_as_plain_json() {
        let item = json!({ "M": { "id": { "S": "1" }, "total": { "N": "1950" }, "lines": { "L": [{ "M": { "q": { "N": "2" } } }] }, "gone": { "NULL": true }, "on": { "BOOL": true } } });
        assert_eq!(
            plain(&item),
            json!({ "id": "1", "total": 1950, "lines": [{ "q": 2 }], "gone": null, "on": true })
        );
    }
}
