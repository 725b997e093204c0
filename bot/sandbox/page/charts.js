// Slack's `data_visualization` block as SVG: bars or lines over categories.
import { make } from "./state.js";

// A picture that is scaled down has letters that nobody can read.
const NARROW = matchMedia("(max-width: 640px)");
const HEIGHT = 198;
const LEFT = 46;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 22;
// About half the width of a letter of a label.
const HALF_LETTER = 3;
const ROUND = [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10];
const WHOLE_STEPS = 4;
// One colour for failures; anything that is compared has another.
const COLOURS = { failed: "var(--series1)" };

const width = () => (NARROW.matches ? 330 : 700);

const svgNode = (tag, attributes, text) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
};

export function chart(block) {
  const { series, axis_config: axis, type } = block.chart;
  const across = width();
  const svg = svgNode("svg", { viewBox: `0 0 ${across} ${HEIGHT}`, role: "img", "aria-label": described(block) });
  const values = series.flatMap((each) => each.data.map((point) => point.value));
  const top = ceiling(Math.max(...values, 0) || 1, values.every(Number.isInteger));
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const slot = (across - LEFT - RIGHT) / axis.categories.length;
  const middle = (n) => LEFT + slot * (n + 0.5);
  grid(svg, top, y, across);
  labels(svg, axis.categories, slot, middle, across);
  series.forEach((each, k) =>
    type === "bar"
      ? bars(svg, each, k, { y, slot, middle, count: series.length, unit: axis.y_label ?? "" })
      : svg.append(
          svgNode("polyline", {
            points: each.data.map((point, n) => `${middle(n)},${y(point.value)}`).join(" "),
            fill: "none",
            stroke: colour(each, k),
            "stroke-width": 2,
          }),
        ),
  );
  const heading = make("h3", {}, block.title, axis.y_label ? make("small", {}, axis.y_label) : "");
  return make("div", { class: "chart" }, heading, svg, series.length > 1 ? legend(series) : "");
}

const colour = (series, k) => COLOURS[series.name] ?? `var(--series${[0, 2, 3][k % 3]})`;

function described(block) {
  const points = (each) => each.data.map((point) => `${point.label} ${point.value}`).join(", ");
  const all = block.chart.series.map((each) => `${each.name} ${points(each)}`).join("; ");
  return `${block.title}, ${block.chart.axis_config.y_label ?? ""}: ${all}`;
}

// The end of the axis. Counts have whole numbers at every line of the grid.
function ceiling(highest, isCount) {
  if (isCount && highest <= 10 * WHOLE_STEPS) return Math.ceil(highest / WHOLE_STEPS) * WHOLE_STEPS;
  const power = 10 ** Math.floor(Math.log10(highest));
  return ROUND.map((n) => n * power).find((n) => n >= highest);
}

function grid(svg, top, y, across) {
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const at = y(top * part);
    svg.append(svgNode("line", { class: "grid", x1: LEFT, x2: across - RIGHT, y1: at, y2: at }));
    svg.append(svgNode("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, (+(top * part).toPrecision(3)).toLocaleString("en")));
  }
}

function labels(svg, categories, slot, middle, across) {
  const widest = Math.max(...categories.map((label) => label.length)) * 6 + 8;
  const every = Math.ceil(widest / slot);
  const last = categories.length - 1;
  categories.forEach((label, n) => {
    // The last one says whether its bar is a part, so that its neighbours give way.
    if (n !== last && (n % every || last - n < every)) return;
    const half = label.length * HALF_LETTER;
    const x = Math.min(Math.max(middle(n), half), across - half);
    svg.append(svgNode("text", { x, y: HEIGHT - 5, "text-anchor": "middle" }, label));
  });
}

function bars(svg, series, k, { y, slot, middle, count, unit }) {
  const width = Math.min(34, (slot * 0.74) / count);
  series.data.forEach((point, n) => {
    const bar = svgNode("rect", {
      x: middle(n) - (width * count) / 2 + width * k,
      y: y(point.value),
      width: Math.max(1, width - 1),
      height: Math.max(0, y(0) - y(point.value)),
      rx: 2,
      fill: colour(series, k),
    });
    bar.append(svgNode("title", {}, `${point.label}: ${point.value} ${unit}`));
    svg.append(bar);
  });
}

function legend(series) {
  const entries = series.map((each, k) => {
    const mark = make("i");
    mark.style.background = colour(each, k);
    return make("span", {}, mark, each.name);
  });
  return make("div", { class: "legend" }, ...entries);
}
