//! The picture at the top of the README: what a function takes beside the same one in Node.js.

use std::fmt::Write as _;

use super::figures::{Figures, short};
use super::report::OfFunction;

const WIDTH: f64 = 880.0;
const LEFT: f64 = 130.0;
const PANEL: f64 = 250.0;
const BAR: f64 = 150.0;
const TOP: f64 = 74.0;
const ROW: f64 = 44.0;

/// What a panel shows.
struct Panel {
    title: &'static str,
    unit: &'static str,
    of: fn(&Figures) -> f64,
}

const PANELS: [Panel; 3] = [
    Panel { title: "Start and first answer", unit: "ms", of: |it| it.initialisation_ms + it.first_ms },
    Panel { title: "Processor time of a request", unit: "ms", of: |it| it.cpu_ms },
    Panel { title: "Peak memory", unit: "MB", of: |it| it.memory_mb },
];

/// Draws it; readable on light and on dark ground.
pub(super) fn svg(functions: &[&OfFunction], title: &str, note: &str) -> String {
    let rows: Vec<_> = functions.iter().filter_map(|function| Some((function, function.node?))).collect();
    let mut y = TOP;
    let mut body = String::new();
    for panel in &PANELS {
        let x = LEFT + PANEL * index(panel);
        let _ = writeln!(body, r#"<text class="head" x="{x}" y="52">{}</text>"#, panel.title);
    }
    for (function, node) in &rows {
        let _ = writeln!(
            body,
            r#"<text class="name" x="{:.0}" y="{:.0}">{}</text>"#,
            LEFT - 14.0,
            y + 20.0,
            function.name
        );
        for panel in &PANELS {
            let most = rows.iter().map(|(_, node)| (panel.of)(node)).fold(f64::MIN_POSITIVE, f64::max);
            let x = LEFT + PANEL * index(panel);
            for (class, value, y) in
                [("ours", (panel.of)(&function.cartwright), y), ("node", (panel.of)(node), y + 16.0)]
            {
                let width = (value / most * BAR).max(1.5);
                let _ = writeln!(
                    body,
                    r#"<rect class="{class}" x="{x:.0}" y="{y:.0}" width="{width:.1}" height="12" rx="2"/><text class="value" x="{:.1}" y="{:.0}">{} {}</text>"#,
                    x + width + 6.0,
                    y + 10.5,
                    short(value),
                    panel.unit,
                );
            }
        }
        y += ROW;
    }
    let height = y + 26.0;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="{title}">
<style>
text {{ font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a; }}
.title, .name {{ fill: #1f2328; }}
.title {{ font-size: 15px; font-weight: 600; }}
.head {{ font-weight: 600; }}
.name {{ text-anchor: end; }}
.ours {{ fill: #c2410c; }}
.node {{ fill: #afb8c1; }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #9198a1; }}
.title, .name {{ fill: #f0f6fc; }}
.ours {{ fill: #fb923c; }}
.node {{ fill: #565e67; }}
}}
</style>
<text class="title" x="14" y="24">{title}</text>
<rect class="ours" x="{:.0}" y="14" width="12" height="12" rx="2"/><text x="{:.0}" y="24">Cartwright</text>
<rect class="node" x="{:.0}" y="14" width="12" height="12" rx="2"/><text x="{:.0}" y="24">Node.js, SDK v3</text>
{body}<text x="14" y="{:.0}">{note}</text>
</svg>
"#,
        WIDTH - 230.0,
        WIDTH - 213.0,
        WIDTH - 130.0,
        WIDTH - 113.0,
        height - 10.0,
    )
}

fn index(panel: &Panel) -> f64 {
    PANELS.iter().take_while(|other| other.title != panel.title).fold(0.0, |sum, _| sum + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Units;

    #[test]
    fn bars_are_as_long_as_their_values() {
        let figures =
            |cpu_ms| Figures { cpu_ms, memory_mb: 80.0, initialisation_ms: 1.0, ..Figures::default() };
        let function = OfFunction {
            name: "get-product",
            calls: [].into(),
            units: Units::default(),
            units_of_node: None,
            answer_bytes: 0,
            on_emulator_ms: 0.0,
            cartwright: figures(0.5),
            bare: None,
            beside: None,
            node: Some(figures(2.0)),
        };
        let svg = svg(&[&function], "Title", "note");
        assert!(svg.contains(r#"class="ours" x="380" y="74" width="37.5""#), "{svg}");
        assert!(svg.contains(r#"class="node" x="380" y="90" width="150.0""#) && svg.contains("2.0 ms"));
    }
}
