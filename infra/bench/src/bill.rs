//! What a million orders would cost on AWS, and what a million people at once would ask of it: arithmetic on what was
//! measured, with the prices and assumptions of `infra/bench/prices.json`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::capacity::Units;
use super::contest::{ADD_ITEM, CREATE_ORDER, HAND_OVER, HEAR, PAY_ONE, PUBLISH, RECORD, SEE_ONE, TELL, WAY};
use super::figures::Figures;
use super::report::OfFunction;
use super::uploads::Picture;

/// Orders that the bill is for.
const MILLION: f64 = 1e6;
/// Prices are for a gigabyte of 1024 megabytes.
const GB: f64 = 1024.0;
/// Messages between the click and the shipping email: one of the queue Orders, two of Emails. Each is sent, received
/// and deleted.
const MESSAGES: f64 = 3.0;
const REQUESTS_OF_A_MESSAGE: f64 = 3.0;
const EMAILS: f64 = 2.0;
/// Writes to an order's item, each of which its stream hands to publish-events: placed, shipped, handed over, settled.
const CHANGES_OF_AN_ORDER: f64 = 4.0;
/// Events of an order: placed and shipped. The activity log gets both, the stock the second.
pub(super) const EVENTS_OF_AN_ORDER: f64 = 2.0;
/// What stands for create-order where an order is paid by card: a cart with one line, and what goes to and fro between
/// the shop and Stripe.
const BY_CARD: [&str; 5] = [ADD_ITEM.name, SEE_ONE.name, PAY_ONE.name, HEAR.name, TELL.name];

/// How the orders are paid that the bill is for.
#[derive(Clone, Copy, PartialEq)]
enum Paid {
    OnDelivery,
    ByCard,
}

impl Paid {
    /// Of an order that is paid by card there is one more of each: a change of its item, an event, and a message, which
    /// has Stripe told that it was confirmed.
    fn more(self) -> f64 {
        match self {
            Self::OnDelivery => 0.0,
            Self::ByCard => 1.0,
        }
    }

    /// Whether a function runs once for each order.
    fn is_on_the_way(self, function: &str) -> bool {
        let is_of_both = function == HAND_OVER.name || WAY.iter().any(|case| case.name == function);
        match self {
            Self::OnDelivery => is_of_both,
            Self::ByCard => BY_CARD.contains(&function) || (is_of_both && function != CREATE_ORDER.name),
        }
    }
}

/// `infra/bench/prices.json`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Prices {
    pub region: String,
    pub as_of: String,
    lambda_per_million_requests: f64,
    lambda_per_gb_second_arm64: f64,
    lambda_per_gb_second_x86: f64,
    http_api_per_million_requests: f64,
    dynamodb_per_million_read_units: f64,
    dynamodb_per_million_write_units: f64,
    sqs_per_million_requests: f64,
    sns_per_million_publications: f64,
    express_per_million_starts: f64,
    express_per_gb_second: f64,
    standard_per_million_transitions: f64,
    ses_per_thousand_emails: f64,
    logs_per_gb: f64,
    xray_per_million_traces: f64,
    stripe_percent: f64,
    stripe_per_payment: f64,
    pub assumed: Assumed,
}

/// What cannot be measured here.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Assumed {
    pub wait_ms: BTreeMap<String, f64>,
    order_total: f64,
    pub mix: BTreeMap<String, f64>,
    pub memory_mb: f64,
    pub mb_of_one_processor: f64,
    pub cold_share: f64,
    log_bytes_per_request: f64,
    traced_share: f64,
    workflow_seconds: f64,
    workflow_gb: f64,
    workflow_transitions: f64,
}

impl Prices {
    /// Reads them.
    ///
    /// # Errors
    /// The file was broken.
    pub(super) fn read() -> Result<Self> {
        let text = include_str!("../prices.json");
        serde_json::from_str(text).context("infra/bench/prices.json cannot be read")
    }

    /// What Lambda bills for a request, in milliseconds: the wait for AWS, the processor time at the part of a
    /// processor that the memory brings, and for those that start cold the start as well.
    fn billed_ms(&self, function: &OfFunction, figures: &Figures) -> f64 {
        let assumed = &self.assumed;
        let calls = function.calls.iter().map(|(call, count)| (call.as_str(), *count));
        // Lambda gives a whole processor to a start.
        let first = (figures.first_ms - figures.p50_ms).max(0.0) / self.share(assumed.memory_mb);
        let cold = assumed.cold_share * (figures.initialisation_ms + first);
        self.billed_warm_ms(calls, figures, assumed.memory_mb) + cold
    }

    /// The same of a function that is warm, with this memory.
    fn billed_warm_ms<'a>(
        &self,
        calls: impl Iterator<Item = (&'a str, f64)>,
        figures: &Figures,
        memory_mb: f64,
    ) -> f64 {
        let wait_ms = &self.assumed.wait_ms;
        let wait: f64 =
            calls.map(|(call, count)| count * wait_ms.get(call).copied().unwrap_or_default()).sum();
        (wait + figures.cpu_ms / self.share(memory_mb)).ceil()
    }

    /// The part of a processor that memory brings. The functions have one thread, so more than one is of no use.
    fn share(&self, memory_mb: f64) -> f64 {
        (memory_mb / self.assumed.mb_of_one_processor).min(1.0)
    }

    /// How often a function runs for one order, and for the share of a sign-in that comes with it: what changes a
    /// profile is told as well. Each record and each message comes alone, which is the dearest case.
    fn times(&self, function: &str, paid: Paid) -> f64 {
        if function == PUBLISH.name {
            CHANGES_OF_AN_ORDER + paid.more() + self.in_the_mix("sign-in")
        } else if function == RECORD.name {
            self.events(paid)
        } else if paid.is_on_the_way(function) {
            1.0
        } else {
            self.in_the_mix(function)
        }
    }

    /// How many events come of one order, and of the share of a sign-in that comes with it.
    fn events(&self, paid: Paid) -> f64 {
        EVENTS_OF_AN_ORDER + paid.more() + self.in_the_mix("sign-in")
    }

    /// What Stripe takes of a million payments.
    fn stripes_fee(&self) -> f64 {
        MILLION * (self.assumed.order_total * self.stripe_percent / 100.0 + self.stripe_per_payment)
    }

    fn in_the_mix(&self, function: &str) -> f64 {
        self.assumed.mix.get(function).copied().unwrap_or_default()
    }
}

/// One way to run it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Bill {
    /// Which way.
    pub title: &'static str,
    /// Dollars for a million orders, by service of AWS.
    pub lines: Vec<(&'static str, f64)>,
    /// What Stripe takes besides, where it has the money.
    pub stripes_fee: Option<f64>,
}

impl Bill {
    /// All of AWS.
    pub(super) fn total(&self) -> f64 {
        self.lines.iter().map(|(_, dollars)| dollars).sum()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Workflow {
    Express,
    Standard,
}

/// The bills to compare.
pub(super) fn bills(prices: &Prices, functions: &[OfFunction]) -> Vec<Bill> {
    let rust = |function: &OfFunction| Some((function.cartwright, function.units));
    let node = |function: &OfFunction| Some((function.node?, function.units_of_node?));
    let (arm, x86) = (prices.lambda_per_gb_second_arm64, prices.lambda_per_gb_second_x86);
    let way = |title, gb_second| {
        let (workflow, paid) = (Workflow::Express, Paid::OnDelivery);
        Way { title, gb_second, workflow, paid }
    };
    let standard = Way { workflow: Workflow::Standard, ..way("with STANDARD workflows", arm) };
    let by_card = Way { paid: Paid::ByCard, ..way("paid by card, arm64", arm) };
    let all = [
        bill(&way("Cartwright, arm64", arm), prices, functions, &rust),
        bill(&way("Cartwright, x86_64", x86), prices, functions, &rust),
        bill(&standard, prices, functions, &rust),
        bill(&way("Node.js, arm64", arm), prices, functions, &node),
        bill(&by_card, prices, functions, &rust),
    ];
    all.into_iter().flatten().collect()
}

/// A way to run it, and to be paid.
struct Way {
    title: &'static str,
    gb_second: f64,
    workflow: Workflow,
    paid: Paid,
}

fn bill(
    &Way { title, gb_second, workflow, paid }: &Way,
    prices: &Prices,
    functions: &[OfFunction],
    of: &dyn Fn(&OfFunction) -> Option<(Figures, Units)>,
) -> Option<Bill> {
    let (mut runs, mut routes, mut seconds, mut units) = (0.0, 0.0, 0.0, Units::default());
    for function in functions {
        let times = prices.times(function.name, paid);
        // What is never called need not be there, as carts are not in Node.js.
        if times <= 0.0 {
            continue;
        }
        let (figures, used) = of(function)?;
        runs += times;
        if function.is_route() {
            routes += times;
        }
        seconds += times * prices.billed_ms(function, &figures) / 1000.0;
        units += Units { read: times * used.read, write: times * used.write };
    }
    let assumed = &prices.assumed;
    let told = prices.times(RECORD.name, paid) + prices.times(HAND_OVER.name, paid);
    let messages = MESSAGES + paid.more() + told;
    let workflow = match workflow {
        Workflow::Express => {
            prices.express_per_million_starts
                + MILLION * assumed.workflow_seconds * assumed.workflow_gb * prices.express_per_gb_second
        }
        Workflow::Standard => assumed.workflow_transitions * prices.standard_per_million_transitions,
    };
    let lines = vec![
        ("Lambda, requests", runs * prices.lambda_per_million_requests),
        ("Lambda, duration", MILLION * seconds * assumed.memory_mb / GB * gb_second),
        ("API Gateway", routes * prices.http_api_per_million_requests),
        ("DynamoDB, reads", units.read * prices.dynamodb_per_million_read_units),
        ("DynamoDB, writes", units.write * prices.dynamodb_per_million_write_units),
        ("SQS", messages * REQUESTS_OF_A_MESSAGE * prices.sqs_per_million_requests),
        ("SNS", prices.events(paid) * prices.sns_per_million_publications),
        ("Step Functions", workflow),
        ("SES", EMAILS * MILLION / 1000.0 * prices.ses_per_thousand_emails),
        ("CloudWatch Logs", runs * assumed.log_bytes_per_request / 1000.0 * prices.logs_per_gb),
        ("X-Ray", runs * assumed.traced_share * prices.xray_per_million_traces),
    ];
    let stripes_fee = (paid == Paid::ByCard).then(|| prices.stripes_fee());
    Some(Bill { title, lines, stripes_fee })
}

/// What an indexer of pictures might be given, in megabytes as Lambda counts them: 2^20 bytes.
const SETTINGS: [f64; 6] = [512.0, 768.0, 1_024.0, 1_280.0, 1_769.0, 2_048.0];

/// What a picture costs where its indexer has this memory.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Setting {
    /// The memory, in megabytes as Lambda counts them.
    pub memory_mb: f64,
    /// The part of a processor that comes with it.
    pub share: f64,
    /// What is billed for each of the pictures, in milliseconds.
    pub billed_ms: Vec<f64>,
    /// Dollars for a million pictures of the first kind, arm64.
    pub dollars: f64,
    /// What is left beside the largest of them, in the same megabytes; less than nothing where it does not fit.
    pub left_mb: f64,
}

/// What pictures cost with each memory that one might give to their indexer.
pub(super) fn settings(prices: &Prices, pictures: &[Picture]) -> Vec<Setting> {
    const MEBIBYTE: f64 = 1.048_576;
    let largest = pictures.iter().map(|it| it.cartwright.memory_mb / MEBIBYTE).fold(0.0, f64::max);
    let setting = |memory_mb: f64| {
        let billed = |picture: &Picture| {
            let calls = picture.asked.calls.iter().map(|(call, count)| (call.as_str(), f64::from(*count)));
            prices.billed_warm_ms(calls, &picture.cartwright, memory_mb)
        };
        let billed_ms: Vec<_> = pictures.iter().map(billed).collect();
        let seconds = MILLION * billed_ms.first().copied().unwrap_or_default() / 1000.0;
        Setting {
            memory_mb,
            share: prices.share(memory_mb),
            billed_ms,
            dollars: prices.lambda_per_million_requests
                + seconds * memory_mb / GB * prices.lambda_per_gb_second_arm64,
            left_mb: memory_mb - largest,
        }
    };
    if pictures.is_empty() { Vec::new() } else { SETTINGS.map(setting).into() }
}

/// How much of a day's requests fall into its busiest hour, and how much busier than that its busiest minute is.
pub(super) const BUSIEST_HOUR: f64 = 0.2;
pub(super) const BUSIEST_MINUTE: f64 = 2.0;

/// What a function has to bear when a million people are active on one day, and every one of them orders.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Peak {
    /// Which.
    pub function: &'static str,
    /// Requests a second in the busiest minute.
    pub rate: f64,
    /// What is billed for one, in milliseconds.
    pub billed_ms: f64,
    /// Running at the same time (Little's law).
    pub concurrency: f64,
    /// DynamoDB's units a second.
    pub units: Units,
}

/// The busiest minute of such a day.
pub(super) fn peaks(prices: &Prices, functions: &[OfFunction]) -> Vec<Peak> {
    let orders_a_second = MILLION * BUSIEST_HOUR / 3600.0 * BUSIEST_MINUTE;
    let peak = |function: &OfFunction| {
        let rate = orders_a_second * prices.times(function.name, Paid::OnDelivery);
        let billed_ms = prices.billed_ms(function, &function.cartwright);
        Peak {
            function: function.name,
            rate,
            billed_ms,
            concurrency: rate * billed_ms / 1000.0,
            units: Units { read: rate * function.units.read, write: rate * function.units.write },
        }
    };
    let is_called = |function: &&OfFunction| prices.times(function.name, Paid::OnDelivery) > 0.0;
    functions.iter().filter(is_called).map(peak).collect()
}

#[cfg(test)]
mod tests {
    use super::super::double::Asked;
    use super::*;

    fn function(name: &'static str, call: &str, cpu_ms: f64) -> OfFunction {
        OfFunction {
            name,
            calls: [(call.to_owned(), 1.0)].into(),
            units: Units { read: 0.5, write: 2.0 },
            units_of_node: None,
            answer_bytes: 100,
            on_emulator_ms: 1.0,
            cartwright: Figures {
                cpu_ms,
                initialisation_ms: 10.0,
                first_ms: 2.0,
                p50_ms: 2.0,
                ..Figures::default()
            },
            bare: None,
            beside: None,
            node: None,
        }
    }

    fn line(bill: &Bill, name: &str) -> f64 {
        bill.lines.iter().find(|(one, _)| *one == name).unwrap().1
    }

    fn is(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-6
    }

    #[test]
    fn duration_is_the_wait_and_the_processor_time_at_the_share_that_memory_brings() {
        let prices = Prices::read().unwrap();
        let get = function("get-product", "GetItem", 0.3);
        // 3 ms of waiting and 0.3 ms at 256/1769 of a processor are 5.07, billed as 6; one in a hundred starts in 10
        // ms.
        assert!(is(prices.billed_ms(&get, &get.cartwright), 6.1));
    }

    #[test]
    fn a_million_orders_are_billed_with_what_surrounds_them() {
        let prices = Prices::read().unwrap();
        let functions =
            [function("get-product", "GetItem", 0.3), function("create-order", "SendMessage", 0.3)];
        let bills = bills(&prices, &functions);
        let titles: Vec<_> = bills.iter().map(|bill| bill.title).collect();
        let expected =
            ["Cartwright, arm64", "Cartwright, x86_64", "with STANDARD workflows", "paid by card, arm64"];
        assert_eq!(titles, expected);
        let arm = &bills[0];
        assert!(is(line(arm, "Lambda, requests"), 21.0 * 0.2));
        assert!(is(line(arm, "API Gateway"), 21.0));
        assert!(is(line(arm, "DynamoDB, reads"), 21.0 * 0.5 * 0.125));
        assert!(is(line(arm, "DynamoDB, writes"), 21.0 * 2.0 * 0.625));
        let gb_seconds = 1e6 * (20.0 * 6.1 + 11.1) / 1000.0 * 0.25;
        assert!(is(line(arm, "Lambda, duration"), gb_seconds * 0.000_013_333_4));
        assert!(is(line(&bills[2], "Step Functions"), 125.0));
        assert!(is(bills[2].total() - arm.total(), 125.0 - line(arm, "Step Functions")));
    }

    #[test]
    fn what_an_order_tells_is_billed_with_it() {
        let prices = Prices::read().unwrap();
        let times = ["create-order", "publish-events", "record-activity", "hand-over-stock", "list-orders"]
            .map(|name| prices.times(name, Paid::OnDelivery));
        assert!(times.iter().zip([1.0, 4.2, 2.2, 1.0, 0.0]).all(|(times, expected)| is(*times, expected)));
        let bills = bills(&prices, &[function("record-activity", "PutItem", 0.3)]);
        assert!(is(line(&bills[0], "SQS"), 6.2 * 3.0 * 0.4));
        assert!(is(line(&bills[0], "SNS"), 2.2 * 0.5));
    }

    #[test]
    fn what_node_has_not_and_nobody_calls_is_not_missed_in_its_bill() {
        let prices = Prices::read().unwrap();
        let order = |is_in_node: bool| {
            let order = function("create-order", "SendMessage", 0.3);
            let (node, units_of_node) = (Some(order.cartwright), Some(order.units));
            if is_in_node { OfFunction { node, units_of_node, ..order } } else { order }
        };
        let bills_of = |functions: &[OfFunction]| bills(&prices, functions).len();
        assert_eq!(bills_of(&[order(true)]), 5);
        assert_eq!(bills_of(&[order(true), function("add-cart-item", "PutItem", 0.3)]), 5);
        assert_eq!(bills_of(&[order(false)]), 4);
    }

    #[test]
    fn an_order_that_is_paid_by_card_comes_of_a_cart_and_is_told_of_once_more() {
        let prices = Prices::read().unwrap();
        let of_card = [
            "add-cart-item",
            "get-cart (1 line)",
            "check-out-cart (1, card)",
            "receive-stripe-event",
            "settle-payment",
        ];
        let of_both = ["consume-orders", "send-email (confirmed)", "ship-order", "hand-over-stock"];
        let of_none = ["get-cart (50 lines)", "check-out-cart (1, cash)"];
        for (paid, card, order) in [(Paid::OnDelivery, 0.0, 1.0), (Paid::ByCard, 1.0, 0.0)] {
            let are =
                |names: &[&str], expected| names.iter().all(|name| is(prices.times(name, paid), expected));
            assert!(are(&of_card, card) && are(&["create-order"], order));
            assert!(are(&of_both, 1.0) && are(&of_none, 0.0) && are(&["get-product"], 20.0));
        }
        let told = ["publish-events", "record-activity"].map(|name| prices.times(name, Paid::ByCard));
        assert!(told.iter().zip([5.2, 3.2]).all(|(times, expected)| is(*times, expected)));
    }

    #[test]
    fn paid_by_card_the_bill_has_what_that_takes_and_stripes_fee_apart() {
        let prices = Prices::read().unwrap();
        let functions = [
            function("create-order", "SendMessage", 0.3),
            function("check-out-cart (1, card)", "POST /v1/checkout/sessions", 0.3),
            function("settle-payment", "POST /v1/payment_intents/{id}", 0.3),
        ];
        let bills = bills(&prices, &functions);
        let (door, card) = (&bills[0], &bills[3]);
        // A route each, and settle-payment besides.
        assert!(is(line(door, "API Gateway"), 1.0) && is(line(card, "API Gateway"), 1.0));
        assert!(is(line(card, "Lambda, requests"), 2.0 * 0.2));
        // 400 ms for the session and 300 for the note, each with 0.3 ms at 256/1769 of a processor, and the starts.
        let gb_seconds = 1e6 * (403.1 + 303.1) / 1000.0 * 0.25;
        assert!(is(line(card, "Lambda, duration"), gb_seconds * 0.000_013_333_4));
        // No activity was measured, and it is told all the same.
        assert!(is(line(card, "SQS"), (3.0 + 1.0 + 3.2 + 1.0) * 3.0 * 0.4));
        assert!(is(line(card, "SNS"), 3.2 * 0.5));
        assert_eq!(door.stripes_fee, None);
        assert!(is(card.stripes_fee.unwrap(), 1e6 * (1.45 + 0.30)));
        assert!(card.total() < 1_000.0, "the fee is apart");
    }

    #[test]
    fn more_memory_than_one_processor_brings_makes_a_picture_dearer_and_no_quicker() {
        let prices = Prices::read().unwrap();
        let calls = [("GetObject".to_owned(), 1), ("PutObject".to_owned(), 4)].into();
        let figures = Figures { cpu_ms: 600.0, memory_mb: 524.288, ..Figures::default() };
        let picture = Picture {
            name: "a photograph",
            sides: (4, 3),
            file_bytes: 1,
            asked: Asked { calls, ..Asked::default() },
            cartwright: figures,
        };
        let settings = settings(&prices, &[picture]);
        // 300 ms for five objects, and 600 ms of a processor of which 1,024 MB bring 0.58.
        let of = |memory: f64| settings.iter().find(|it| is(it.memory_mb, memory)).unwrap();
        assert!(is(of(1_024.0).billed_ms[0], 1_337.0) && is(of(1_024.0).left_mb, 524.0));
        assert!(is(of(512.0).left_mb, 12.0));
        assert!(is(of(1_769.0).billed_ms[0], 900.0) && is(of(2_048.0).billed_ms[0], 900.0));
        assert!(of(2_048.0).dollars > of(1_769.0).dollars && of(1_769.0).dollars > of(512.0).dollars);
        assert!(is(of(1_024.0).dollars, 0.2 + 1_337_000.0 * 0.000_013_333_4));
    }

    #[test]
    fn a_day_of_a_million_people_has_a_busiest_minute() {
        let prices = Prices::read().unwrap();
        let peaks = peaks(&prices, &[function("get-product", "GetItem", 0.3)]);
        assert!(is(peaks[0].rate, 1e6 * 0.2 / 3600.0 * 2.0 * 20.0));
        assert!(is(peaks[0].concurrency, peaks[0].rate * 0.0061));
        assert!(is(peaks[0].units.write, peaks[0].rate * 2.0));
    }
}
