//! What came of splitting what an order needs of a product off from it, beside what was measured before.
//!
//! The figures of before are those of 2026-11-21, on the machine that docs/benchmarks.md named then. An order line of a
//! long description was not measured but counted as DynamoDB counts: the product's item, of 5,517 bytes, was written
//! for two units a kilobyte begun, and its entries in three indexes for one each.

use super::bill::{Bill, EVENTS_OF_AN_ORDER};
use super::figures::{short, times};
use super::lines::Line;
use super::report::{OfFunction, ms, number};

/// One figure, then and now.
pub(super) struct Change {
    /// What it is of.
    pub what: String,
    /// What it was.
    pub before: &'static str,
    /// What it is.
    pub after: String,
}

/// Of the product's description, in characters: what create-order wrote, and what its line was of that.
const BEFORE: [(u32, &str, &str); 2] = [(10, "12", "5"), (5_000, "37 (reckoned)", "30 (reckoned)")];

/// All that are to be compared. What was not measured this time is left out.
pub(super) fn changes(functions: &[OfFunction], lines: &[Line], bills: &[Bill]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |what: &str, before, after: Option<String>| {
        changes.extend(after.map(|after| Change { what: what.to_owned(), before, after }));
    };
    for (description, order, share) in BEFORE {
        let line = lines.iter().find(|line| line.description == description);
        let what =
            format!("write units of create-order, its product's description of {description} characters");
        add(&what, order, line.map(|line| number(line.order)));
        add("– of these, its line's", share, line.map(|line| number(line.line)));
    }
    let of = |name: &str| functions.iter().find(|function| function.name == name);
    let (order, get, list) = (of("create-order"), of("get-product"), of("list-products"));
    add("read units of create-order", "2", order.map(|it| number(it.units.read)));
    let on_the_way = |of: fn(&OfFunction) -> f64| OfFunction::on_the_way(functions, |it| Some(of(it)));
    add(
        "AWS calls of an order, its emails' included",
        "17",
        on_the_way(OfFunction::calls_in_all).map(number),
    );
    add("write units of the same", "23", on_the_way(|it| it.units.write).map(number));
    let (ours, bare) = (on_the_way(|it| it.cartwright.cpu_ms), OfFunction::bare_on_the_way(functions));
    add("CPU of the same", "4.3 ms", ours.map(ms));
    add("– of the bare SDK's", "–", ours.zip(bare).map(|(ours, bare)| times(ours, bare)));
    let told = of("record-activity").zip(of("hand-over-stock"));
    let told = told.map(|(log, stock)| EVENTS_OF_AN_ORDER * log.units.write + stock.units.write);
    add(
        "write units of what is told of it afterwards: the log, and the stock handed over",
        "0",
        told.map(number),
    );
    for (function, cpu, of_bare, units) in [(get, "0.40 ms", "1.2×", "0.5"), (list, "0.71 ms", "1.4×", "2")]
    {
        let Some(function) = function else { continue };
        let bare = function.bare.map(|bare| times(function.cartwright.cpu_ms, bare.cpu_ms));
        add(&format!("CPU of {}", function.name), cpu, Some(ms(function.cartwright.cpu_ms)));
        add("– of the bare SDK's", of_bare, bare);
        add(&format!("read units of {}", function.name), units, Some(number(function.units.read)));
    }
    let bill = bills.first().map(|bill| format!("{} dollars", short(bill.total())));
    add("a million orders with their browsing, arm64", "279 dollars", bill);
    changes
}
