// A chart of a number a day, drawn as SVG, and the same as a table for whoever does not see it.
//
//   chart({ caption, days: [{ day: "2026-11-21", value: 12, more: "840.20 USD" }], columns: [day, value, more] })
//       columns are the words above the table's columns

import { $, svg } from "../common/dom.js";
import { language, t } from "../common/words.js";
import { number } from "../common/format.js";

const HEIGHT = 180,
  LEFT = 30,
  RIGHT = 18,
  BOTTOM = 24,
  TOP = 10;
// On a narrow screen it is drawn narrow rather than small, so that its words can be read.
const width = () => (innerWidth < 700 ? 330 : innerWidth < 1100 ? 560 : 800);

export const dayName = day =>
  new Intl.DateTimeFormat(language(), { day: "numeric", month: "short", timeZone: "UTC" }).format(
    new Date(`${day}T00:00:00Z`),
  );

// The least of 1, 2, 4, 6, 8, 10, 20, 40 … that is not below it: a scale that people can read, and half of it as well.
function ceiling(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  return [1, 2, 4, 6, 8, 10].map(step => step * power).find(step => step >= most);
}

export function chart({ caption, days, columns }) {
  const top = ceiling(Math.max(...days.map(({ value }) => value)));
  const full = width(),
    step = (full - LEFT - RIGHT) / days.length,
    height = HEIGHT - TOP - BOTTOM;
  const y = value => TOP + height * (1 - value / top);
  const lines = (top % 2 ? [0, top] : [0, top / 2, top]).map(value => [
    svg("line.grid", { x1: LEFT, x2: full - RIGHT, y1: y(value), y2: y(value) }),
    svg("text.scale", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, number(value)),
  ]);
  const bars = days.map(({ day, value, more }, at) =>
    svg(
      `rect.bar${at === days.length - 1 ? ".now" : ""}`,
      {
        x: LEFT + at * step + step * 0.15,
        width: step * 0.7,
        y: y(value),
        height: Math.max(y(0) - y(value), value ? 1 : 0),
        rx: 2,
      },
      svg("title", [dayName(day), number(value), more].filter(Boolean).join(" · ")),
    ),
  );
  // As many days are named as have room.
  const every = Math.ceil(days.length / (full < 400 ? 4 : 8));
  const names = days.map(
    ({ day }, at) =>
      (days.length - 1 - at) % every === 0 &&
      svg("text.scale", { x: LEFT + (at + 0.5) * step, y: HEIGHT - 4, "text-anchor": "middle" }, dayName(day)),
  );
  const cells = days
    .toReversed()
    .map(({ day, value, more }) =>
      $("tr", $("th", { scope: "row" }, dayName(day)), $("td.number", number(value)), $("td.number", more)),
    );
  return $(
    "figure.chart",
    $("figcaption", caption),
    svg("svg", { viewBox: `0 0 ${full} ${HEIGHT}`, "aria-hidden": "true" }, lines, bars, names),
    $(
      "details",
      $("summary", t("admin.asTable")),
      $(
        "table.table.plain",
        $("caption.visually-hidden", caption),
        $(
          "thead",
          $(
            "tr",
            columns.map((words, at) => $(`th${at ? ".number" : ""}`, { scope: "col" }, words)),
          ),
        ),
        $("tbody", cells),
      ),
    ),
  );
}
