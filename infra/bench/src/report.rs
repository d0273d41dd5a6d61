//! What was measured, told: on the terminal, as JSON, and in the docs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::bill::{self, Bill, Peak, Prices, Setting};
use super::capacity::Units;
use super::changes;
use super::checkouts::{self, Checkout};
use super::contest::{
    ALL, CREATE_ORDER, Case, Effort, FIVE, GET_PRODUCT, HEAR, LIST_PRODUCTS, OF_CARTS, READS, SIGN_IN,
    SeenBySide, Side, WAY,
};
use super::figures::{Figures, megabytes, percentile, short, times};
use super::finding::{self, Found};
use super::growth::Row;
use super::limits::Limit;
use super::lines::Line;
use super::node::Baseline;
use super::picture;
use super::shop::{self, Timed, Whole};
use super::starts::{self, Start};
use super::uploads::Picture;
use local::cloud;

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// When it was measured, RFC 3339.
    pub measured_at: String,
    /// On what.
    pub machine: Machine,
    /// How often each was started and called.
    pub rounds: u32,
    /// Warm requests in each round.
    pub requests: u32,
    /// A function that does nothing.
    pub floor: Figures,
    /// The functions.
    pub functions: Vec<OfFunction>,
    /// Lists of different lengths.
    pub growth: Vec<Row>,
    /// What an order of one line writes.
    pub lines: Vec<Line>,
    /// What the checkout of a cart writes.
    pub checkouts: Vec<Checkout>,
    /// What a rate limit takes of a request.
    pub limits: Vec<Limit>,
    /// What indexing a picture takes.
    pub pictures: Vec<Picture>,
    /// What finding products takes.
    pub found: Vec<Found>,
    /// How soon pages are there after a start.
    pub starts: Vec<Start>,
    /// What a whole shop shows to those whom it serves.
    pub whole: Whole,
    /// The same as of pictures with each memory that their function might have.
    pub settings: Vec<Setting>,
    /// What a million orders would cost.
    pub bills: Vec<Bill>,
    /// What a million people would ask.
    pub peaks: Vec<Peak>,
    /// What was wanted, and whether it was reached.
    pub targets: Vec<Target>,
}

/// What is measured by itself, apart from the functions in turn.
#[derive(Default)]
pub(super) struct Apart {
    /// Lists of different lengths.
    pub growth: Vec<Row>,
    /// Orders of one line.
    pub lines: Vec<Line>,
    /// Rate limits.
    pub limits: Vec<Limit>,
    /// Pictures.
    pub pictures: Vec<Picture>,
    /// Checkouts of carts.
    pub checkouts: Vec<Checkout>,
    /// Searches.
    pub found: Vec<Found>,
    /// Pages after a start.
    pub starts: Vec<Start>,
    /// A whole shop.
    pub whole: Whole,
}

/// The machine.
#[derive(Debug, Default, Serialize)]
pub(super) struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many of it.
    pub processors: usize,
    /// The kernel.
    pub kernel: String,
    /// The version of Node.js, if it is there.
    pub node: Option<String>,
    /// How many processes wanted a processor when the measurements ended, on average over a minute.
    pub load: String,
}

/// One function in one role.
#[derive(Debug, Serialize)]
pub(super) struct OfFunction {
    /// Its name.
    pub name: &'static str,
    /// What a request asks of AWS.
    pub calls: BTreeMap<String, f64>,
    /// What DynamoDB charges for a request.
    pub units: Units,
    /// The same for the baseline.
    pub units_of_node: Option<Units>,
    /// How large an answer is.
    pub answer_bytes: usize,
    /// Over the emulator: median, milliseconds.
    pub on_emulator_ms: f64,
    /// Against recorded replies.
    pub cartwright: Figures,
    /// The SDK's calls alone.
    pub bare: Option<Figures>,
    /// The same function of another build.
    pub beside: Option<Figures>,
    /// The baseline.
    pub node: Option<Figures>,
}

impl OfFunction {
    /// Whether API Gateway calls it.
    pub(super) fn is_route(&self) -> bool {
        let routes = [GET_PRODUCT, LIST_PRODUCTS, SIGN_IN, CREATE_ORDER, HEAR];
        let routes = routes.into_iter().chain(OF_CARTS.into_iter().map(|(case, _)| case));
        routes.into_iter().any(|case| case.name == self.name)
    }

    /// How many calls a request makes.
    pub(super) fn calls_in_all(&self) -> f64 {
        self.calls.values().sum()
    }

    /// A sum over the functions on an order's way; `None` where one of them has it not.
    pub(super) fn on_the_way(functions: &[Self], of: impl Fn(&Self) -> Option<f64>) -> Option<f64> {
        WAY.iter().map(|case| of(functions.iter().find(|function| case.name == function.name)?)).sum()
    }

    /// The processor time of the bare SDK on an order's way.
    pub(super) fn bare_on_the_way(functions: &[Self]) -> Option<f64> {
        Self::on_the_way(functions, |it| it.bare.map(|bare| bare.cpu_ms))
    }
}

/// Something that was wanted.
#[derive(Debug, Serialize)]
pub(super) struct Target {
    /// What.
    pub what: &'static str,
    /// The bound.
    pub bound: &'static str,
    /// The worst of the functions it is about, and which it is.
    pub reached: String,
    /// Whether that is within the bound.
    pub met: bool,
}

impl Report {
    /// Puts it together.
    ///
    /// # Errors
    /// Something was not measured.
    pub(super) fn new(
        seen: &SeenBySide,
        figures: &BTreeMap<(Side, &'static str), Figures>,
        apart: Apart,
        node: Option<&Baseline>,
        effort: Effort,
    ) -> Result<Self> {
        let Apart { growth, lines, limits, pictures, checkouts, found, starts, whole } = apart;
        let of = |side, name| figures.get(&(side, name)).copied();
        let functions: Vec<_> = ALL
            .iter()
            .filter_map(|case| {
                let on_emulator = seen.get(&(Side::Cartwright, case.name))?;
                let of_node = seen.get(&(Side::Node, case.name));
                Some(OfFunction {
                    name: case.name,
                    calls: calls(&on_emulator.asked),
                    units: units(&on_emulator.asked),
                    units_of_node: of_node.map(|seen| units(&seen.asked)),
                    answer_bytes: on_emulator.answer,
                    on_emulator_ms: percentile(&mut on_emulator.took.clone(), 50),
                    cartwright: of(Side::Cartwright, case.name)?,
                    bare: of(Side::Bare, case.name),
                    beside: of(Side::Beside, case.name),
                    node: of(Side::Node, case.name),
                })
            })
            .collect();
        let floor = of(Side::Floor, "floor").unwrap_or_default();
        let mut targets = targets(&floor, &functions, &lines, &checkouts);
        targets.extend(finding::targets(&found));
        targets.extend(starts::targets(&starts));
        targets.extend(shop::targets(&whole));
        let prices = Prices::read()?;
        // Of some functions alone, the sums would mislead.
        let is_whole = functions.len() == ALL.len();
        Ok(Self {
            measured_at: now(),
            machine: Machine::this(node),
            rounds: effort.rounds,
            requests: effort.requests,
            bills: if is_whole { bill::bills(&prices, &functions) } else { Vec::new() },
            peaks: if is_whole { bill::peaks(&prices, &functions) } else { Vec::new() },
            floor,
            functions,
            growth,
            lines,
            checkouts,
            limits,
            found,
            starts,
            whole,
            settings: bill::settings(&prices, &pictures),
            pictures,
            targets,
        })
    }

    /// For people at a terminal.
    pub(super) fn to_terminal(&self) -> String {
        let mut text = String::new();
        for (_, title, table) in self.tables() {
            if table.rows.is_empty() {
                continue;
            }
            let _ = write!(text, "\n{title}\n\n{}", table.aligned());
        }
        text
    }

    fn tables(&self) -> Vec<(&'static str, &'static str, Table)> {
        vec![
            ("costs", "What a function costs, and how that compares", self.costs()),
            ("requests", "What a request asks of AWS", self.requests()),
            ("checkouts", "What the checkout of a cart writes", self.checkouts()),
            ("growth", "How a page's cost grows with the list", self.growth()),
            ("limits", "What a rate limit takes of a request", self.limits()),
            ("pictures", "What indexing a picture takes", self.pictures()),
            ("found", "What finding products takes", self.found()),
            ("starts", "How soon a page is there after a start", self.starts()),
            ("told", "How soon people are told", told(&self.whole.told)),
            (
                "webhooks",
                "How soon a receiver of webhooks is told, beside others",
                webhooks(&self.whole.webhooks),
            ),
            ("paint", "How soon the shop is seen", paint(&self.whole.paint)),
            ("settings", "What a picture costs, by the memory of its function", self.settings()),
            ("bill", "A million orders with their browsing, in dollars", self.bill()),
            ("peak", "The busiest minute of a day on which a million people order", self.peak()),
            ("changes", "Before and after sales were split off from products", self.changes()),
            ("targets", "Targets", self.targets()),
        ]
    }

    fn found(&self) -> Table {
        let head = [
            "products",
            "index",
            "first answer (worst)",
            "next (p99)",
            "processor",
            "memory",
            "found after (p99)",
            "binary",
        ];
        let mut table = Table::new(&head);
        for found in &self.found {
            let pair = |(usual, worst): (f64, f64)| format!("{} ({})", ms(usual), ms(worst));
            table.row(vec![
                found.products.to_string(),
                mb(found.index_mb),
                pair(found.cold_ms),
                pair(found.warm_ms),
                ms(found.cpu_ms),
                mb(found.memory_mb),
                ms(found.found_after_ms),
                mb(found.binary_mb),
            ]);
        }
        table
    }

    fn starts(&self) -> Table {
        let head = [
            "page",
            "calls",
            "answer",
            "initialisation",
            "first answer",
            "both",
            "of the docs'",
            "warm p50",
            "peak memory",
            "size",
            "zipped",
        ];
        let mut table = Table::new(&head);
        let docs = self.starts.first().map_or(0.0, Start::until_answered);
        for start in &self.starts {
            let figures = &start.figures;
            let calls = start.asked.calls.iter().map(|(name, count)| (name.as_str(), f64::from(*count)));
            let calls = in_words(calls);
            table.row(vec![
                start.page.to_owned(),
                if calls.is_empty() { "–".to_owned() } else { calls },
                format!("{} B", start.answer_bytes),
                ms(figures.initialisation_ms),
                ms(figures.first_ms),
                ms(start.until_answered()),
                times(start.until_answered(), docs),
                ms(figures.p50_ms),
                mb(figures.memory_mb),
                mb(figures.size_mb),
                mb(figures.zipped_mb),
            ]);
        }
        table
    }

    fn bill(&self) -> Table {
        let mut table = Table::new(&["service"]);
        table.head.extend(self.bills.iter().map(|bill| bill.title.to_owned()));
        let dollars = |value: f64| format!("{value:.2}");
        for (index, (service, _)) in
            self.bills.first().into_iter().flat_map(|bill| bill.lines.iter().enumerate())
        {
            let mut row = vec![(*service).to_owned()];
            row.extend(
                self.bills.iter().filter_map(|bill| bill.lines.get(index)).map(|(_, it)| dollars(*it)),
            );
            table.row(row);
        }
        if self.bills.is_empty() {
            return table;
        }
        let mut sum = vec!["**all**".to_owned()];
        sum.extend(self.bills.iter().map(|bill| format!("**{}**", dollars(bill.total()))));
        table.row(sum);
        let mut fee = vec!["Stripe's fee, apart".to_owned()];
        fee.extend(self.bills.iter().map(|bill| bill.stripes_fee.map_or_else(|| "–".into(), dollars)));
        table.row(fee);
        table
    }

    fn peak(&self) -> Table {
        let mut table = Table::new(&[
            "function",
            "requests a second",
            "billed",
            "running at once",
            "read units a second",
            "write units a second",
        ]);
        for peak in &self.peaks {
            table.row(vec![
                peak.function.to_owned(),
                format!("{:.0}", peak.rate),
                ms(peak.billed_ms),
                format!("{:.0}", peak.concurrency.ceil()),
                format!("{:.0}", peak.units.read),
                format!("{:.0}", peak.units.write),
            ]);
        }
        if self.peaks.is_empty() {
            return table;
        }
        let sum = |of: fn(&Peak) -> f64| format!("**{:.0}**", self.peaks.iter().map(of).sum::<f64>());
        table.row(vec![
            "**all**".into(),
            sum(|it| it.rate),
            String::new(),
            sum(|it| it.concurrency.ceil()),
            sum(|it| it.units.read),
            sum(|it| it.units.write),
        ]);
        table
    }

    fn costs(&self) -> Table {
        let mut table = Table::new(&[
            "function",
            "initialisation",
            "its CPU",
            "first answer",
            "warm p50",
            "p99",
            "CPU a request",
            "peak memory",
            "size",
            "zipped",
        ]);
        let row = |name: String, it: &Figures| {
            vec![
                name,
                ms(it.initialisation_ms),
                ms(it.cpu_of_start_ms),
                ms(it.first_ms),
                ms(it.p50_ms),
                ms(it.p99_ms),
                ms(it.cpu_ms),
                mb(it.memory_mb),
                mb(it.size_mb),
                mb(it.zipped_mb),
            ]
        };
        let ratio = |name: &str, it: &Figures, to: &Figures| {
            vec![
                name.to_owned(),
                times(it.initialisation_ms, to.initialisation_ms),
                times(it.cpu_of_start_ms, to.cpu_of_start_ms),
                times(it.first_ms, to.first_ms),
                times(it.p50_ms, to.p50_ms),
                times(it.p99_ms, to.p99_ms),
                times(it.cpu_ms, to.cpu_ms),
                times(it.memory_mb, to.memory_mb),
                times(it.size_mb, to.size_mb),
                times(it.zipped_mb, to.zipped_mb),
            ]
        };
        if self.functions.is_empty() {
            return table;
        }
        table.row(row("floor: an empty function".into(), &self.floor));
        for function in &self.functions {
            table.row(row(format!("**{}**", function.name), &function.cartwright));
            table.row(ratio("– of the floor", &function.cartwright, &self.floor));
            if let Some(bare) = &function.bare {
                table.row(ratio("– of the bare SDK", &function.cartwright, bare));
            }
            if let Some(beside) = &function.beside {
                table.row(ratio("– of the build beside", &function.cartwright, beside));
            }
            if let Some(node) = &function.node {
                table.row(ratio("– of Node.js", &function.cartwright, node));
            }
        }
        table
    }

    fn requests(&self) -> Table {
        let mut table = Table::new(&[
            "function",
            "calls",
            "read units",
            "write units",
            "answer, bytes",
            "units of Node.js",
        ]);
        for function in &self.functions {
            // What a process asks once, such as a secret, is a twentieth of a call.
            let calls = function.calls.iter().filter(|(_, count)| **count > 0.1);
            let calls = in_words(calls.map(|(name, count)| (name.as_str(), *count)));
            let units = |units: &Units| (number(units.read), number(units.write));
            let (read, write) = units(&function.units);
            let of_node = function.units_of_node.as_ref().map(units);
            table.row(vec![
                function.name.to_owned(),
                calls,
                read,
                write,
                function.answer_bytes.to_string(),
                of_node.map_or_else(|| "–".into(), |(read, write)| format!("{read} + {write}")),
            ]);
        }
        table
    }

    fn checkouts(&self) -> Table {
        let mut table = Table::new(&["lines", "sellers", "paid by", "write units"]);
        table.head.extend(checkouts::TABLES.map(|(_, name)| name.to_owned()));
        for checkout in &self.checkouts {
            let mut row = vec![
                checkout.lines.to_string(),
                checkout.sellers.to_string(),
                checkout.paid.to_owned(),
                number(checkout.asked.units.write),
            ];
            row.extend(checkout.written.map(number));
            table.row(row);
        }
        table
    }

    fn growth(&self) -> Table {
        let mut table = Table::new(&[
            "list",
            "entries",
            "calls",
            "read units",
            "answer",
            "warm p50",
            "CPU a request",
            "CPU, of the shortest",
            "CPU, of Node.js",
        ]);
        for row in &self.growth {
            let shortest = self.growth.iter().find(|other| other.list == row.list).unwrap_or(row);
            table.row(vec![
                row.list.to_owned(),
                row.entries.to_string(),
                row.asked.total().to_string(),
                number(row.asked.units.read),
                format!("{} B", row.answer_bytes),
                ms(row.cartwright.p50_ms),
                ms(row.cartwright.cpu_ms),
                times(row.cartwright.cpu_ms, shortest.cartwright.cpu_ms),
                row.node.map_or_else(|| "–".into(), |node| times(row.cartwright.cpu_ms, node.cpu_ms)),
            ]);
        }
        table
    }

    fn limits(&self) -> Table {
        let mut table = Table::new(&["limit", "calls", "write units", "CPU", "CPU of the calls alone"]);
        for limit in &self.limits {
            let calls = limit.asked.calls.iter().map(|(name, count)| (name.as_str(), f64::from(*count)));
            table.row(vec![
                limit.of.clone(),
                in_words(calls),
                number(limit.asked.units.write),
                limit.cpu_ms.map_or_else(|| "–".into(), ms),
                ms(limit.bare_cpu_ms),
            ]);
        }
        table
    }

    fn pictures(&self) -> Table {
        let mut table = Table::new(&[
            "picture",
            "pixels",
            "file",
            "calls",
            "read units",
            "write units",
            "first answer",
            "warm p50",
            "CPU",
            "peak memory",
        ]);
        for picture in &self.pictures {
            let (width, height) = picture.sides;
            let figures = &picture.cartwright;
            table.row(vec![
                picture.name.to_owned(),
                format!("{width} × {height}"),
                mb(megabytes(picture.file_bytes as u64)),
                picture.asked.total().to_string(),
                number(picture.asked.units.read),
                number(picture.asked.units.write),
                ms(figures.first_ms),
                ms(figures.p50_ms),
                ms(figures.cpu_ms),
                mb(figures.memory_mb),
            ]);
        }
        table
    }

    fn settings(&self) -> Table {
        let mut table = Table::new(&["memory", "of a processor"]);
        table.head.extend(self.pictures.iter().map(|picture| picture.name.to_owned()));
        table.head.extend(["dollars a million photographs", "left beside the larger"].map(str::to_owned));
        for setting in &self.settings {
            let mut row = vec![format!("{:.0} MB", setting.memory_mb), format!("{:.2}", setting.share)];
            row.extend(setting.billed_ms.iter().map(|billed| ms(*billed)));
            let left = setting.left_mb;
            let left = if left > 0.0 { format!("{left:.0} MB") } else { "**does not fit**".into() };
            row.extend([format!("{:.2}", setting.dollars), left]);
            table.row(row);
        }
        table
    }

    fn changes(&self) -> Table {
        let mut table = Table::new(&["figure", "before", "after"]);
        for change in changes::changes(&self.functions, &self.lines, &self.bills) {
            table.row(vec![change.what, change.before.to_owned(), change.after]);
        }
        table
    }

    fn targets(&self) -> Table {
        let mut table = Table::new(&["target", "bound", "reached", ""]);
        for target in &self.targets {
            let met = if target.met { "met" } else { "**missed**" };
            table.row(vec![target.what.into(), target.bound.into(), target.reached.clone(), met.into()]);
        }
        table
    }
}

fn told(told: &[Timed]) -> Table {
    let mut table =
        Table::new(&["what happens, and who hears of it", "times", "answered p50", "hint p50", "p99"]);
    for one in told {
        let times = one.count.to_string();
        table.row(vec![one.what.clone(), times, ms(one.answered_ms), ms(one.p50_ms), ms(one.p99_ms)]);
    }
    table
}

fn webhooks(webhooks: &[Timed]) -> Table {
    let mut table =
        Table::new(&["the one that answers at once", "events", "told p50", "p99", "worst", "p50, of alone"]);
    let alone = webhooks.first().map_or(0.0, |alone| alone.p50_ms);
    for one in webhooks {
        let (events, p50, of_alone) = (one.count.to_string(), ms(one.p50_ms), times(one.p50_ms, alone));
        table.row(vec![one.what.clone(), events, p50, ms(one.p99_ms), ms(one.worst_ms), of_alone]);
    }
    table
}

fn paint(paint: &[Timed]) -> Table {
    let mut table = Table::new(&["/shop", "times", "first contentful paint p50", "p99"]);
    for one in paint {
        table.row(vec![one.what.clone(), one.count.to_string(), ms(one.p50_ms), ms(one.p99_ms)]);
    }
    table
}

/// `GetObject, 4 × PutObject`.
fn in_words<'a>(calls: impl Iterator<Item = (&'a str, f64)>) -> String {
    let calls: Vec<_> = calls
        .map(|(name, count)| {
            let name = match name {
                name if name.ends_with("/outbound-emails") => "SendEmail",
                name if name.starts_with("POST /v1/") => "Stripe",
                name => name,
            };
            if (count - 1.0).abs() < 1e-9 { name.to_owned() } else { format!("{}× {name}", number(count)) }
        })
        .collect();
    calls.join(", ")
}

/// A function's own value and what it is held against.
type Ratio<'a> = dyn Fn(&OfFunction) -> Option<(f64, f64)> + 'a;

fn targets(floor: &Figures, functions: &[OfFunction], lines: &[Line], checkouts: &[Checkout]) -> Vec<Target> {
    let mut targets = Vec::new();
    // The worst of a ratio over these; a function without the other side is not in it.
    let mut ratio_of = |what, of_cases: &[Case], bound, at_most: f64, of: &Ratio<'_>| {
        let worst = functions
            .iter()
            .filter(|function| of_cases.iter().any(|case| case.name == function.name))
            .filter_map(|function| {
                let (value, base) = of(function)?;
                Some((value / base, times(value, base), function.name))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((worst, reached, name)) = worst {
            targets.push(Target {
                what,
                bound,
                reached: format!("{reached} ({name})"),
                met: worst <= at_most,
            });
        }
    };
    let mut ratio = |what, bound, at_most, of: &Ratio<'_>| ratio_of(what, &FIVE, bound, at_most, of);
    ratio("initialisation, of the floor's", "2×", 2.0, &|it| {
        Some((it.cartwright.initialisation_ms, floor.initialisation_ms))
    });
    ratio("its CPU, of the floor's", "2×", 2.0, &|it| {
        Some((it.cartwright.cpu_of_start_ms, floor.cpu_of_start_ms))
    });
    ratio("initialisation, of Node.js'", "1/30", 1.0 / 30.0, &|it| {
        Some((it.cartwright.initialisation_ms, it.node?.initialisation_ms))
    });
    ratio("its CPU, of Node.js'", "1/30", 1.0 / 30.0, &|it| {
        Some((it.cartwright.cpu_of_start_ms, it.node?.cpu_of_start_ms))
    });
    ratio("first answer, of Node.js'", "1/15", 1.0 / 15.0, &|it| {
        Some((it.cartwright.first_ms, it.node?.first_ms))
    });
    ratio("CPU a request, of Node.js'", "1/8", 1.0 / 8.0, &|it| {
        Some((it.cartwright.cpu_ms, it.node?.cpu_ms))
    });
    ratio("peak memory, of Node.js'", "1/7", 1.0 / 7.0, &|it| {
        Some((it.cartwright.memory_mb, it.node?.memory_mb))
    });
    ratio("warm p50, of the bare SDK's", "1.2×", 1.2, &|it| Some((it.cartwright.p50_ms, it.bare?.p50_ms)));
    let of_bare = |it: &OfFunction| Some((it.cartwright.cpu_ms, it.bare?.cpu_ms));
    ratio_of("CPU of a read, of the bare SDK's", &READS, "1.15×", 1.15, &of_bare);
    let carts = OF_CARTS.map(|(case, _)| case);
    ratio_of("CPU of carts and their checkout, of the bare SDK's", &carts, "1.3×", 1.3, &of_bare);
    ratio_of("CPU of what Stripe tells, of the bare SDK's", &[HEAR], "1.3×", 1.3, &of_bare);
    let ours = OfFunction::on_the_way(functions, |it| Some(it.cartwright.cpu_ms));
    if let Some((ours, bare)) = ours.zip(OfFunction::bare_on_the_way(functions)) {
        targets.push(Target {
            what: "CPU of a whole order, of the bare SDK's for the same calls",
            bound: "1.2×",
            reached: format!("{} ({})", times(ours, bare), ms(ours)),
            met: ours / bare <= 1.2,
        });
    }
    let calls = OfFunction::on_the_way(functions, |it| Some(it.calls_in_all()));
    let longest = lines.last().copied();
    let order = functions.iter().find(|function| function.name == CREATE_ORDER.name);
    if let Some((of_several, of_one)) = checkouts::by_sellers(checkouts) {
        targets.push(Target {
            what: "write units of check-out-cart for 50 lines of three sellers, of those for one seller's",
            // Two more for each seller's part of the order.
            bound: "1.1×",
            reached: format!("{} ({})", times(of_several, of_one), number(of_several)),
            met: of_several <= 1.1 * of_one,
        });
    }
    for (what, bound, at_most, value) in [
        ("AWS calls of a whole order", "14", 14.0, calls),
        ("write units of create-order for one line", "16", 16.0, order.map(|it| it.units.write)),
        (
            "write units of create-order for one line, whatever the description",
            // Two of them are for the indexes that the admins' lists are read from, and two for what its seller has.
            "13",
            13.0,
            longest.map(|it| it.order),
        ),
        ("– of these, the line's", "2", 2.0, longest.map(|it| it.line)),
    ] {
        targets.extend(value.map(|value| Target {
            what,
            bound,
            reached: number(value),
            met: value <= at_most,
        }));
    }
    for (what, bound, at_most, of) in [
        ("size of a binary", "10 MB", 10.0, (|it| it.size_mb) as fn(&Figures) -> f64),
        ("the same, zipped", "4.5 MB", 4.5, |it| it.zipped_mb),
    ] {
        let largest = functions.iter().max_by(|a, b| of(&a.cartwright).total_cmp(&of(&b.cartwright)));
        if let Some(largest) = largest {
            let size = of(&largest.cartwright);
            let reached = format!("{} ({})", mb(size), largest.name);
            targets.push(Target { what, bound, reached, met: size < at_most });
        }
    }
    targets
}

#[expect(clippy::cast_precision_loss, reason = "a few requests")]
fn calls(asked: &[super::double::Asked]) -> BTreeMap<String, f64> {
    let mut all: BTreeMap<_, u32> = BTreeMap::new();
    for (name, count) in asked.iter().flat_map(|one| &one.calls) {
        *all.entry(name.clone()).or_default() += count;
    }
    all.into_iter().map(|(name, count)| (name, f64::from(count) / asked.len() as f64)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few requests")]
fn units(asked: &[super::double::Asked]) -> Units {
    let mut all = Units::default();
    for one in asked {
        all += one.units;
    }
    let count = asked.len().max(1) as f64;
    Units { read: all.read / count, write: all.write / count }
}

impl Machine {
    fn this(node: Option<&Baseline>) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let info = read("/proc/cpuinfo");
        let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            processor: name.map_or_else(|| "unknown".into(), |(_, name)| name.to_owned()),
            processors: std::thread::available_parallelism().map_or(1, Into::into),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            node: node.map(|node| node.version.clone()),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a note for people, not a rule")]
fn now() -> String {
    format!("{:.0}", jiff::Timestamp::now())
}

pub(super) fn ms(value: f64) -> String {
    format!("{} ms", short(value))
}

pub(super) fn mb(value: f64) -> String {
    format!("{value:.1} MB")
}

/// `0.5`, `6`, `7.25`.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Rows of text.
pub(super) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    pub(super) fn row(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// In columns, the first to the left and the others to the right.
    pub(super) fn aligned(&self) -> String {
        let plain = |cell: &String| cell.replace("**", "");
        let lines: Vec<Vec<_>> = std::iter::once(&self.head)
            .chain(&self.rows)
            .map(|row| row.iter().map(plain).collect())
            .collect();
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell: &String| cell.chars().count()).max().unwrap_or_default()
        };
        let mut text = String::new();
        for line in &lines {
            for (column, cell) in line.iter().enumerate() {
                let width = width(column);
                let _ = if column == 0 {
                    write!(text, "{cell:width$}")
                } else {
                    write!(text, "  {cell:>width$}")
                };
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }

    /// As Markdown.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = line(&self.head);
        text += &line(&vec!["---".to_owned(); self.head.len()]);
        for row in &self.rows {
            text += &line(row);
        }
        text
    }
}

impl Report {
    /// Writes the tables into the docs, and draws the picture.
    ///
    /// # Errors
    /// There is nothing to compare with, or the disk's.
    pub(super) fn write_docs(&self) -> Result<()> {
        let Some(node) = &self.machine.node else {
            bail!("the docs compare with Node.js, which is not here");
        };
        let day = self.measured_at.get(..10).unwrap_or_default();
        let machine = &self.machine;
        let words = format!(
            "Measured on {day} by `cargo local bench --write`: {} rounds of {} warm requests, release binaries for \
             x86_64, {} processors of type {}, Linux {}, Node.js {node}. The machine's load average at the end was \
             {}.",
            self.rounds, self.requests, machine.processors, machine.processor, machine.kernel, machine.load,
        );
        let tables = self.tables();
        let table = |name: &str| {
            let found = tables.iter().find(|(one, ..)| *one == name);
            found.map(|(_, _, table)| table.markdown()).unwrap_or_default()
        };
        write_between(
            "docs/benchmarks.md",
            &[
                ("measured", wrapped(&words)),
                ("changes", table("changes")),
                ("targets", table("targets")),
                ("costs", table("costs")),
                ("requests", table("requests")),
                ("checkouts", table("checkouts")),
                ("growth", table("growth")),
                ("limits", table("limits")),
                ("pictures", table("pictures")),
                ("found", table("found")),
                ("starts", table("starts")),
                ("told", table("told")),
                ("webhooks", table("webhooks")),
                ("paint", table("paint")),
                ("settings", table("settings")),
            ],
        )?;
        write_between("docs/capacity.md", &[("bill", table("bill")), ("peak", table("peak"))])?;
        let five: Vec<_> =
            self.functions.iter().filter(|it| FIVE.iter().any(|case| case.name == it.name)).collect();
        let title = "What a function takes, here and in Node.js";
        let note = format!(
            "{day}, x86_64, against recorded answers of DynamoDB. cargo local bench; docs/benchmarks.md"
        );
        let svg = picture::svg(&five, title, &note);
        let file = cloud::root().join("docs/benchmarks.svg");
        std::fs::write(&file, svg).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// A paragraph in lines that fit a document.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 120;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// Replaces what stands in a file between `<!-- bench: name -->` and `<!-- end -->`.
fn write_between(file: &str, parts: &[(&str, String)]) -> Result<()> {
    let path = cloud::root().join(file);
    let mut text =
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    for (name, part) in parts {
        text = replaced(&text, name, part).with_context(|| format!("{file} has no place for {name}"))?;
    }
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn replaced(text: &str, name: &str, part: &str) -> Option<String> {
    let mark = format!("<!-- bench: {name} -->\n");
    let (before, rest) = text.split_once(&mark)?;
    let (_, after) = rest.split_once("<!-- end -->")?;
    Some(format!("{before}{mark}\n{}\n\n<!-- end -->{after}", part.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::super::double::Asked;
    use super::*;

    fn function(name: &'static str, ours: f64, node: f64) -> OfFunction {
        let figures = |value| Figures {
            initialisation_ms: value,
            cpu_of_start_ms: value,
            first_ms: value,
            p50_ms: value,
            cpu_ms: value,
            memory_mb: value,
            size_mb: 9.0,
            zipped_mb: 4.0,
            ..Figures::default()
        };
        OfFunction {
            name,
            calls: BTreeMap::new(),
            units: Units::default(),
            units_of_node: None,
            answer_bytes: 0,
            on_emulator_ms: 0.0,
            cartwright: figures(ours),
            bare: Some(figures(ours / 1.1)),
            beside: None,
            node: Some(figures(node)),
        }
    }

    #[test]
    fn a_target_is_held_against_the_worst_function() {
        let floor = Figures { initialisation_ms: 1.0, cpu_of_start_ms: 1.0, ..Figures::default() };
        let functions = [function("get-product", 1.0, 40.0), function("create-order", 1.5, 40.0)];
        let lines = [Line { description: 5_000, order: 9.0, line: 3.0 }];
        let targets = targets(&floor, &functions, &lines, &[]);
        let said: Vec<_> = targets.iter().map(|it| (it.bound, it.reached.as_str(), it.met)).collect();
        assert_eq!(
            said,
            [
                ("2×", "1.5× (create-order)", true),
                ("2×", "1.5× (create-order)", true),
                ("1/30", "1/27 (create-order)", false),
                ("1/30", "1/27 (create-order)", false),
                ("1/15", "1/27 (create-order)", true),
                ("1/8", "1/27 (create-order)", true),
                ("1/7", "1/27 (create-order)", true),
                ("1.2×", "1.1× (create-order)", true),
                ("1.15×", "1.1× (get-product)", true),
                ("16", "0", true),
                ("13", "9", true),
                ("2", "3", false),
                ("10 MB", "9.0 MB (create-order)", true),
                ("4.5 MB", "4.0 MB (create-order)", true),
            ]
        );
    }

    #[test]
    fn carts_and_what_stripe_tells_have_bounds_of_their_own() {
        let mut functions = [
            function("get-cart (50 lines)", 1.0, 40.0),
            function("check-out-cart (1, card)", 1.0, 40.0),
            function("receive-stripe-event", 1.3, 40.0),
        ];
        functions[1].bare = Some(Figures { cpu_ms: 0.7, ..Figures::default() });
        let checkout = |sellers, write| {
            let asked = Asked { units: Units { read: 0.0, write }, ..Asked::default() };
            Checkout { lines: 50, sellers, asked, ..Checkout::default() }
        };
        let checkouts = [checkout(1, 160.0), checkout(3, 160.0)];
        let targets = targets(&Figures::default(), &functions, &[], &checkouts);
        let said: Vec<_> = targets.iter().map(|it| (it.bound, it.reached.as_str(), it.met)).collect();
        assert_eq!(
            said,
            [
                ("1.3×", "1.4× (check-out-cart (1, card))", false),
                ("1.3×", "1.1× (receive-stripe-event)", true),
                ("1.1×", "1.0× (160)", true),
                ("10 MB", "9.0 MB (receive-stripe-event)", true),
                ("4.5 MB", "4.0 MB (receive-stripe-event)", true),
            ]
        );
    }

    #[test]
    fn a_table_is_text_in_columns_and_markdown() {
        let mut table = Table::new(&["what", "ms"]);
        table.row(vec!["**get**".into(), "0.31".into()]);
        assert_eq!(table.aligned(), "what    ms\nget   0.31\n");
        assert_eq!(table.markdown(), "| what | ms |\n| --- | --- |\n| **get** | 0.31 |\n");
    }

    #[test]
    fn a_receiver_is_held_against_what_it_waits_alone() {
        let timed = |what: &str, p50_ms, worst_ms| Timed {
            what: what.into(),
            count: 20,
            p50_ms,
            p99_ms: worst_ms,
            worst_ms,
            answered_ms: 40.0,
        };
        let rows = [timed("alone", 500.0, 700.0), timed("beside bad ones", 600.0, 900.0)];
        assert_eq!(
            webhooks(&rows).rows,
            [
                ["alone", "20", "500 ms", "700 ms", "700 ms", "1.0×"],
                ["beside bad ones", "20", "600 ms", "900 ms", "900 ms", "1.2×"],
            ]
        );
        assert_eq!(told(&rows).rows[1], ["beside bad ones", "20", "40 ms", "600 ms", "900 ms"]);
        assert_eq!(paint(&rows).rows[0], ["alone", "20", "500 ms", "700 ms"]);
        assert!(webhooks(&[]).rows.is_empty());
    }

    #[test]
    fn every_table_has_its_place_in_a_document() {
        let empty = Apart::default();
        let effort = Effort { rounds: 1, requests: 1 };
        let report = Report::new(&SeenBySide::new(), &BTreeMap::new(), empty, None, effort).unwrap();
        let documents = ["docs/benchmarks.md", "docs/capacity.md"];
        let documents = documents.map(|file| std::fs::read_to_string(cloud::root().join(file)).unwrap());
        for (name, ..) in report.tables() {
            assert!(
                documents.iter().any(|text| replaced(text, name, "new").is_some()),
                "no place for {name}"
            );
        }
    }

    #[test]
    fn a_paragraph_is_wrapped_between_words() {
        let text = ["mug"; 40].join(" ");
        let lines: Vec<_> = wrapped(&text).lines().map(str::len).collect();
        assert_eq!(lines, [119, 39]);
        assert_eq!(wrapped(&text).replace('\n', " "), text);
    }

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let text = "a\n<!-- bench: x -->\nold\n<!-- end -->\nb\n<!-- bench: y -->\nkept\n<!-- end -->\n";
        let expected =
            "a\n<!-- bench: x -->\n\nnew\n\n<!-- end -->\nb\n<!-- bench: y -->\nkept\n<!-- end -->\n";
        assert_eq!(replaced(text, "x", "new\n").as_deref(), Some(expected));
        assert_eq!(replaced(text, "z", "new"), None);
    }
}
