//! What was measured, told: on the terminal, as JSON, and in the docs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

use super::capacity::Units;
use super::contest::{ALL, Effort, FIVE, SeenBySide, Side, WAY};
use super::figures::{Figures, percentile, short, times};
use super::growth::Row;
use super::node::Baseline;

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
    /// What was wanted, and whether it was reached.
    pub targets: Vec<Target>,
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
    /// The baseline.
    pub node: Option<Figures>,
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
        growth: Vec<Row>,
        node: Option<&Baseline>,
        effort: Effort,
    ) -> Result<Self> {
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
                    node: of(Side::Node, case.name),
                })
            })
            .collect();
        let floor = of(Side::Floor, "floor").unwrap_or_default();
        let targets = targets(&floor, &functions);
        Ok(Self {
            measured_at: now(),
            machine: Machine::this(node),
            rounds: effort.rounds,
            requests: effort.requests,
            floor,
            functions,
            growth,
            targets,
        })
    }

    /// For people at a terminal.
    pub(super) fn to_terminal(&self) -> String {
        let mut text = String::new();
        for (title, table) in self.tables() {
            let _ = write!(text, "\n{title}\n\n{}", table.aligned());
        }
        text
    }

    fn tables(&self) -> Vec<(&'static str, Table)> {
        vec![
            ("What a function costs, and how that compares", self.costs()),
            ("What a request asks of AWS", self.requests()),
            ("How a page's cost grows with the list", self.growth()),
            ("Targets", self.targets()),
        ]
    }

    fn costs(&self) -> Table {
        let mut table = Table::new(&[
            "function", "initialisation", "first answer", "warm p50", "p99", "CPU a request", "peak memory", "size",
            "zipped",
        ]);
        let row = |name: String, it: &Figures| {
            vec![
                name,
                ms(it.initialisation_ms),
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
                times(it.first_ms, to.first_ms),
                times(it.p50_ms, to.p50_ms),
                times(it.p99_ms, to.p99_ms),
                times(it.cpu_ms, to.cpu_ms),
                times(it.memory_mb, to.memory_mb),
                times(it.size_mb, to.size_mb),
                times(it.zipped_mb, to.zipped_mb),
            ]
        };
        table.row(row("floor: an empty function".into(), &self.floor));
        for function in &self.functions {
            table.row(row(format!("**{}**", function.name), &function.cartwright));
            table.row(ratio("– of the floor", &function.cartwright, &self.floor));
            if let Some(bare) = &function.bare {
                table.row(ratio("– of the bare SDK", &function.cartwright, bare));
            }
            if let Some(node) = &function.node {
                table.row(ratio("– of Node.js", &function.cartwright, node));
            }
        }
        table
    }

    fn requests(&self) -> Table {
        let mut table = Table::new(&[
            "function", "calls", "read units", "write units", "answer", "warm p50 on the emulator", "Node.js' units",
        ]);
        for function in &self.functions {
            let calls: Vec<_> = function
                .calls
                .iter()
                .map(|(name, count)| {
                    if (count - 1.0).abs() < 1e-9 { name.clone() } else { format!("{} × {name}", short(*count)) }
                })
                .collect();
            let units = |units: &Units| (number(units.read), number(units.write));
            let (read, write) = units(&function.units);
            let of_node = function.units_of_node.as_ref().map(units);
            table.row(vec![
                function.name.to_owned(),
                calls.join(", "),
                read,
                write,
                format!("{} B", function.answer_bytes),
                ms(function.on_emulator_ms),
                of_node.map_or_else(|| "–".into(), |(read, write)| format!("{read} read, {write} write")),
            ]);
        }
        table
    }

    fn growth(&self) -> Table {
        let mut table = Table::new(&[
            "list", "entries", "calls", "read units", "answer", "warm p50", "CPU a request", "CPU, of the shortest",
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

    fn targets(&self) -> Table {
        let mut table = Table::new(&["target", "bound", "reached", ""]);
        for target in &self.targets {
            let met = if target.met { "met" } else { "**missed**" };
            table.row(vec![target.what.into(), target.bound.into(), target.reached.clone(), met.into()]);
        }
        table
    }
}

fn targets(floor: &Figures, functions: &[OfFunction]) -> Vec<Target> {
    let five: Vec<_> =
        functions.iter().filter(|function| FIVE.iter().any(|case| case.name == function.name)).collect();
    let way = functions.iter().filter(|function| WAY.iter().any(|case| case.name == function.name));
    let mut targets = Vec::new();
    // The worst of a ratio over the five; a function without the other side is not in it.
    let mut ratio = |what, bound, at_most: f64, of: &dyn Fn(&OfFunction) -> Option<(f64, f64)>| {
        let worst = five
            .iter()
            .filter_map(|function| {
                let (value, base) = of(function)?;
                Some((value / base, times(value, base), function.name))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((worst, reached, name)) = worst {
            targets.push(Target { what, bound, reached: format!("{reached} ({name})"), met: worst <= at_most });
        }
    };
    ratio("initialisation, of the floor's", "2×", 2.0, &|it| {
        Some((it.cartwright.initialisation_ms, floor.initialisation_ms))
    });
    ratio("initialisation, of Node.js'", "1/30", 1.0 / 30.0, &|it| {
        Some((it.cartwright.initialisation_ms, it.node?.initialisation_ms))
    });
    ratio("first answer, of Node.js'", "1/15", 1.0 / 15.0, &|it| Some((it.cartwright.first_ms, it.node?.first_ms)));
    ratio("CPU a request, of Node.js'", "1/8", 1.0 / 8.0, &|it| Some((it.cartwright.cpu_ms, it.node?.cpu_ms)));
    ratio("peak memory, of Node.js'", "1/7", 1.0 / 7.0, &|it| Some((it.cartwright.memory_mb, it.node?.memory_mb)));
    ratio("warm p50, of the bare SDK's", "1.2×", 1.2, &|it| Some((it.cartwright.p50_ms, it.bare?.p50_ms)));
    let whole: f64 = way.map(|function| function.cartwright.cpu_ms).sum();
    targets.push(Target {
        what: "CPU of a whole order, from the click to the shipping email",
        bound: "2 ms",
        reached: ms(whole),
        met: whole <= 2.0,
    });
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
    let mut all = BTreeMap::new();
    for (name, count) in asked.iter().flat_map(|one| &one.calls) {
        *all.entry(name.clone()).or_default() += f64::from(*count) / asked.len() as f64;
    }
    all
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

fn ms(value: f64) -> String {
    format!("{} ms", short(value))
}

fn mb(value: f64) -> String {
    format!("{value:.1} MB")
}

/// `0.5`, `6`, `7.25`.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Rows of text.
struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    fn row(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// In columns, the first to the left and the others to the right.
    fn aligned(&self) -> String {
        let plain = |cell: &String| cell.replace("**", "");
        let lines: Vec<Vec<_>> =
            std::iter::once(&self.head).chain(&self.rows).map(|row| row.iter().map(plain).collect()).collect();
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell: &String| cell.chars().count()).max().unwrap_or_default()
        };
        let mut text = String::new();
        for line in &lines {
            for (column, cell) in line.iter().enumerate() {
                let width = width(column);
                let _ = if column == 0 { write!(text, "{cell:width$}") } else { write!(text, "  {cell:>width$}") };
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }

    /// As Markdown.
    fn markdown(&self) -> String {
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
    /// Writes the tables into the docs.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn write_docs(&self) -> Result<()> {
        for (title, table) in self.tables() {
            let _ = (title, table.markdown());
        }
        Ok(())
    }
}
