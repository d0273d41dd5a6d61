//! Alarms and the dashboard watch what the code and AWS really say, and docs/operations.md knows what to do about each
//! alarm.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::files::files_under;
use tests::template::{Binary, Template, pascal, text, yaml};

const STACK: &str = "infra/ops/template.yaml";
const RUNBOOK: &str = "docs/operations.md";

/// What AWS publishes and we look at, with the dimensions that it has there. A `|` separates the lists that it has.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>,
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html>,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>,
/// <https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html>,
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html>,
/// <https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html>,
/// <https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity.html>,
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html>,
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html>.
const OF_AWS: [(&str, &str, &str); 20] = [
    ("AWS/ApiGateway", "4xx", "ApiId"),
    ("AWS/ApiGateway", "5xx", "ApiId"),
    ("AWS/ApiGateway", "Count", "ApiId"),
    ("AWS/ApiGateway", "Latency", "ApiId"),
    ("AWS/DynamoDB", "ReadThrottleEvents", "TableName"),
    ("AWS/DynamoDB", "WriteThrottleEvents", "TableName"),
    ("AWS/Events", "FailedInvocations", "RuleName"),
    ("AWS/Lambda", "ConcurrentExecutions", ""),
    ("AWS/Lambda", "Errors", "|FunctionName"),
    ("AWS/Lambda", "Invocations", "FunctionName"),
    ("AWS/Lambda", "IteratorAge", "FunctionName"),
    ("AWS/Lambda", "Throttles", ""),
    ("AWS/SES", "Reputation.BounceRate", ""),
    ("AWS/SES", "Reputation.ComplaintRate", ""),
    ("AWS/SES", "Send", ""),
    (
        "AWS/SNS",
        "NumberOfMessagesPublished|NumberOfNotificationsDelivered|NumberOfNotificationsFailed",
        "TopicName",
    ),
    ("AWS/SNS", "SMSMonthToDateSpentUSD", ""),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
    ("AWS/States", "ExecutionsAborted|ExecutionsFailed|ExecutionsTimedOut", "StateMachineArn"),
];

/// A metric that somebody looks at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Metric {
    namespace: String,
    name: String,
    dimensions: BTreeMap<String, String>,
}

/// A text, be it written with `!Sub` or without.
fn plain(value: &Value) -> String {
    let text = value.as_str().or_else(|| value["Fn::Sub"].as_str()).or_else(|| value["Ref"].as_str());
    text.unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn resources(kind: &str) -> Vec<(String, Value)> {
    let template = yaml(STACK);
    let resources = template["Resources"].as_object().expect("resources").iter();
    let of_kind = resources.filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(id, resource)| (id.clone(), resource["Properties"].clone())).collect()
}

fn alarms() -> Vec<(String, Value)> {
    resources("AWS::CloudWatch::Alarm")
}

fn metric(of: &Value) -> Metric {
    let dimensions = of["Dimensions"].as_array().into_iter().flatten();
    Metric {
        namespace: plain(&of["Namespace"]),
        name: plain(&of["MetricName"]),
        dimensions: dimensions
            .map(|dimension| (plain(&dimension["Name"]), plain(&dimension["Value"])))
            .collect(),
    }
}

fn metrics_of_alarm(alarm: &Value) -> Vec<Metric> {
    match alarm["Metrics"].as_array() {
        None => vec![metric(alarm)],
        Some(queries) => queries
            .iter()
            .filter(|query| !query["MetricStat"].is_null())
            .map(|query| metric(&query["MetricStat"]["Metric"]))
            .collect(),
    }
}

fn dashboard() -> Value {
    let dashboards = resources("AWS::CloudWatch::Dashboard");
    let [(_, dashboard)] = dashboards.as_slice() else { panic!("not one dashboard") };
    serde_json::from_str(&plain(&dashboard["DashboardBody"])).expect("the dashboard is JSON")
}

fn metrics_of_dashboard() -> Vec<Metric> {
    let dashboard = dashboard();
    let widgets = dashboard["widgets"].as_array().expect("widgets");
    let lines =
        widgets.iter().flat_map(|widget| widget["properties"]["metrics"].as_array().expect("metrics"));
    lines
        .map(|line| {
            let words: Vec<_> = line.as_array().expect("a line").iter().filter_map(Value::as_str).collect();
            let [namespace, name, dimensions @ ..] = words.as_slice() else { panic!("{line}") };
            let pairs = dimensions.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
            Metric {
                namespace: (*namespace).to_owned(),
                name: (*name).to_owned(),
                dimensions: pairs.collect(),
            }
        })
        .collect()
}

fn kebab(pascal: &str) -> String {
    let mut name = String::new();
    for letter in pascal.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn services() -> BTreeSet<String> {
    Binary::all().into_iter().map(|binary| binary.service).collect()
}

/// The code under a folder.
fn code_under(folder: &str) -> String {
    let files = files_under(folder).into_iter().filter(|file| file.ends_with(".rs"));
    files.map(|file| text(&file)).collect()
}

/// The names that functions and `shared` count by this call: `telemetry::count("OrderPlaced", 1)`.
fn counted_by(call: &str) -> BTreeSet<String> {
    let code = code_under("functions") + &code_under("shared");
    let opening = format!("telemetry::{call}(\"");
    let names = code.split(&opening).skip(1);
    names.map(|rest| rest.split_once('"').expect("the name's end").0.to_owned()).collect()
}

/// Why nobody publishes this metric, if nobody does.
fn unknown(metric: &Metric) -> Option<String> {
    let dimensions: Vec<_> = metric.dimensions.keys().map(String::as_str).collect();
    match (metric.namespace.as_str(), dimensions.as_slice()) {
        ("Cartwright", ["function"]) => {
            let function = metric.dimensions["function"].strip_prefix("cartwright-${Stage}-");
            let binary = Binary::all().into_iter().find(|binary| Some(binary.name.as_str()) == function);
            let call = format!("telemetry::count(\"{}\"", metric.name);
            let counts = binary.is_some_and(|binary| {
                code_under(&format!("functions/{}/src", binary.service)).contains(&call)
            });
            (!counts).then(|| format!("{function:?} does not count {}", metric.name))
        }
        ("Cartwright", ["stage"]) => {
            let name = metric.name.strip_suffix("Calls").or(metric.name.strip_suffix("Time"));
            let aws = text("shared/src/run/aws.rs");
            let services = aws
                .split_once("const SERVICES")
                .and_then(|(_, rest)| rest.split_once("];"))
                .expect("the services")
                .0;
            let known = services.split('"').skip(1).step_by(2).map(pascal);
            let is_known = known.into_iter().any(|service| name == Some(service.as_str()));
            let is_counted = counted_by("count_in_stage").contains(&metric.name);
            (!is_known && !is_counted).then(|| format!("nobody counts {}", metric.name))
        }
        ("Cartwright/${Stage}", []) => {
            let filters = resources("AWS::Logs::MetricFilter");
            let made = filters.iter().any(|(_, filter)| {
                let made = &filter["MetricTransformations"][0];
                plain(&made["MetricName"]) == metric.name
                    && plain(&made["MetricNamespace"]) == metric.namespace
            });
            (!made).then(|| format!("no metric filter makes {}", metric.name))
        }
        (namespace, dimensions) => {
            let known = OF_AWS.iter().any(|(of, names, lists)| {
                *of == namespace
                    && names.split('|').any(|name| name == metric.name)
                    && lists.split('|').any(|list| list == dimensions.join(","))
            });
            (!known).then(|| format!("AWS publishes no {namespace} {} by {dimensions:?}", metric.name))
        }
    }
}

#[test]
fn every_alarm_has_a_line_in_the_runbook_and_every_line_an_alarm() {
    let runbook = text(RUNBOOK);
    let section = runbook.split_once("\n## Alarms\n").expect("a section `Alarms`").1;
    let section = section.split("\n## ").next().unwrap();
    let lines: BTreeSet<_> = section.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let alarms = alarms();
    let names: BTreeSet<_> = alarms.iter().map(|(id, _)| kebab(id)).collect();
    assert_eq!(names.iter().map(String::as_str).collect::<BTreeSet<_>>(), lines);
    for (id, alarm) in &alarms {
        let name = kebab(id);
        assert_eq!(plain(&alarm["AlarmName"]), format!("cartwright-${{Stage}}-{name}"));
        let description = plain(&alarm["AlarmDescription"]);
        assert!(description.ends_with(&format!(" What to do: {RUNBOOK}#{name}")), "{description}");
    }
}

/// What has to ring, whatever else does, and the metric that each of them looks at. The other tests compare alarms with
/// the runbook and with what is counted: none of them would miss an alarm that went together with its line there.
const NEEDED: [(&str, &str); 27] = [
    ("AccountEmailsNotSent", "AccountEmailNotSent"),
    ("ApiErrors", "5xx"),
    ("CardsUnpaid", "PaymentExpired"),
    ("CognitoThrottled", "CognitoThrottled"),
    ("DisputedBeforeShipping", "DisputedBeforeShipping"),
    ("EmailsNearQuota", "Send"),
    ("EventsDeadLetters", "ApproximateNumberOfMessagesVisible"),
    ("FactsMissed", "FactsMissed"),
    ("HoldsOverdue", "HoldOverdue"),
    ("ItemsUnreadable", "UnreadableItem"),
    ("LedgersMismatched", "LedgerMismatch"),
    ("NoticesUnheard", "NumberOfNotificationsDelivered"),
    ("PaymentMismatched", "PaymentMismatch"),
    ("PaymentsDisputed", "PaymentDisputed"),
    ("PaymentsUnknown", "UnknownPayment"),
    ("RefundsFailed", "RefundFailed"),
    ("RequestsLimited", "RateLimited"),
    ("SchedulesFailing", "FailedInvocations"),
    ("SearchBehind", "IteratorAge"),
    ("SearchMended", "IndexMended"),
    ("SignUpsLimited", "EveryonesLimitReached"),
    ("StoresTooManyHidden", "TooManyHiddenStores"),
    ("StripeRefused", "StripeRefused"),
    ("SweepStopped", "Invocations"),
    ("TextsLimited", "TextsLimitReached"),
    ("TextsNearBudget", "SMSMonthToDateSpentUSD"),
    ("WebhooksRefused", "BadStripeSignature"),
];

#[test]
fn what_has_to_ring_has_an_alarm() {
    let alarms: BTreeMap<_, _> = alarms().into_iter().collect();
    let missing = NEEDED.iter().filter(|(id, metric)| {
        let watched = alarms.get(*id).map(metrics_of_alarm).unwrap_or_default();
        !watched.iter().any(|one| one.name == *metric)
    });
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
}

#[test]
fn every_alarm_and_its_end_are_told_to_somebody() {
    for (id, alarm) in alarms() {
        for action in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[action], json!([{"Ref": "NoticeTopicArn"}]), "{id}");
        }
        // Silence is good news, except from what must run every minute.
        let silence = if id == "SweepStopped" { "breaching" } else { "notBreaching" };
        assert_eq!(alarm["TreatMissingData"], silence, "{id}");
    }
}

#[test]
fn every_metric_that_is_looked_at_is_one_that_somebody_publishes() {
    let of_alarms = alarms().iter().flat_map(|(_, alarm)| metrics_of_alarm(alarm)).collect::<Vec<_>>();
    let nobodys: Vec<_> = of_alarms.iter().chain(&metrics_of_dashboard()).filter_map(unknown).collect();
    assert_eq!(nobodys, Vec::<String>::new());
    let made_up = Metric {
        namespace: "Cartwright".into(),
        name: "OrderLost".into(),
        dimensions: [("function".into(), "cartwright-${Stage}-create-order".into())].into(),
    };
    assert_eq!(unknown(&made_up), Some("Some(\"create-order\") does not count OrderLost".into()));
}

#[test]
fn every_metric_that_is_counted_is_explained() {
    let runbook = text(RUNBOOK);
    let counted = counted_by("count").into_iter().chain(counted_by("count_in_stage"));
    let silent: Vec<_> = counted.filter(|name| !runbook.contains(&format!("`{name}`"))).collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_service_has_its_errors_counted_and_an_alarm_for_them() {
    let filters: BTreeSet<_> = resources("AWS::Logs::MetricFilter")
        .into_iter()
        .map(|(_, filter)| plain(&filter["LogGroupName"]))
        .collect();
    let groups: BTreeSet<_> = services().iter().map(|service| format!("{}Logs", pascal(service))).collect();
    assert_eq!(filters, groups);
    let watched: BTreeSet<_> = alarms()
        .iter()
        .flat_map(|(_, alarm)| metrics_of_alarm(alarm))
        .filter(|metric| metric.namespace == "Cartwright/${Stage}")
        .map(|metric| metric.name)
        .collect();
    assert_eq!(watched, services().iter().map(|service| format!("{}Errors", pascal(service))).collect());
}

#[test]
fn every_schedule_has_a_name_and_an_alarm_looks_at_it() {
    let template = Template::read();
    let events = template.functions().filter_map(|function| function.property("Events").as_object());
    let schedules = events.flat_map(|events| events.values()).filter(|event| event["Type"] == "Schedule");
    let names: BTreeSet<_> = schedules.map(|schedule| plain(&schedule["Properties"]["Name"])).collect();
    let watched: BTreeSet<_> = alarms()
        .iter()
        .flat_map(|(_, alarm)| metrics_of_alarm(alarm))
        .filter(|metric| metric.namespace == "AWS/Events")
        .map(|metric| metric.dimensions["RuleName"].clone())
        .collect();
    assert_eq!(watched, names);
    assert_eq!(names.len(), 9);
}

#[test]
fn a_budget_is_somebodys_wish_and_told_before_it_is_spent() {
    let template = yaml(STACK);
    assert_eq!(template["Resources"]["Budget"]["Condition"], "HasBudget");
    let default = &yaml("template.yaml")["Parameters"]["MonthlyBudget"]["Default"];
    assert_eq!(*default, json!(0), "an emulator refuses budgets");
    let [(_, budget)] = resources("AWS::Budgets::Budget").try_into().expect("one budget");
    let told = budget["NotificationsWithSubscribers"].as_array().expect("notifications").iter();
    let told = told.map(|one| (&one["Notification"]["NotificationType"], &one["Notification"]["Threshold"]));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(&json!("ACTUAL"), &json!(80)), (&json!("FORECASTED"), &json!(100))]
    );
    assert!(text(RUNBOOK).contains("`MonthlyBudget`"));
}

#[test]
fn every_dead_letter_queue_has_an_alarm() {
    let queues: BTreeSet<_> = Template::read()
        .of("AWS::SQS::Queue")
        .filter(|queue| queue.id.ends_with("DeadLetterQueue"))
        .map(|queue| format!("{}Name", queue.id))
        .collect();
    let watched: BTreeSet<_> = alarms()
        .iter()
        .flat_map(|(_, alarm)| metrics_of_alarm(alarm))
        .filter(|metric| metric.name == "ApproximateNumberOfMessagesVisible")
        .map(|metric| metric.dimensions["QueueName"].clone())
        .collect();
    assert_eq!(watched, queues);
}
