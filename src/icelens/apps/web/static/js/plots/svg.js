// A plot as SVG text, from the same model as the one on screen: vector, with axes, names and thresholds.
import { xmlText } from "../downloads.js";
import { lineEnds, shortened, spread } from "./labels.js";
import { rangesOf } from "./model.js";
import { lineLook, printPalette } from "./palette.js";
import { axisTitle, ticksOf } from "./scales.js";

const FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";
const LONGEST_TITLE = 80;
const SIZE = { width: 720, height: 440 };

/** The SVG of a model, titled, between two x if a window is given. */
export function svgOf(model, title, window) {
  const frame = frameOf(model, title);
  const ranges = rangesOf(model, window);
  const palette = printPalette();
  const view = viewOf(model, frame, ranges);
  const parts = [
    tag("rect", { width: SIZE.width, height: frame.total, fill: palette.surface }),
    text(shortened(title, LONGEST_TITLE), { x: frame.left, y: 22, "font-size": 14, fill: palette.ink }),
    ...axisParts(model, frame, ranges, view, palette),
    tag("clipPath", { id: "inside" }, [rect(frame)]),
    tag("g", { "clip-path": "url(#inside)" }, linesOf(model, view, palette)),
    ...marksOf(model, frame, ranges, view, palette),
    ...(model.isDirect ? namesOf(model, frame, ranges, view, palette) : []),
    ...legendOf(model, frame, palette),
  ];
  const head = { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${SIZE.width} ${frame.total}` };
  const size = { width: SIZE.width, height: frame.total, "font-family": FONT, "font-size": 12 };
  return tag("svg", { ...head, ...size }, [tag("title", {}, [xmlText(title)]), ...parts]);
}

const shownLines = (model) => model.lines.filter((line) => !line.isHidden);
const namedLines = (model) => shownLines(model).filter((line) => !line.isFaint);
const hasLegend = (model) => !model.isDirect && namedLines(model).length > 1;

function frameOf(model, title) {
  const rows = hasLegend(model) ? Math.ceil(namedLines(model).length / 3) : 0;
  const right = model.isDirect ? 160 : 20;
  const frame = { left: 78, top: title ? 38 : 16, width: SIZE.width - 78 - right };
  frame.height = SIZE.height - frame.top - 52;
  return { ...frame, total: SIZE.height + rows * 18 };
}

function viewOf(model, frame, { x, y }) {
  const along = (axis, [low, high]) => {
    const log = axis.scale === "log" ? Math.log : (value) => value;
    return (value) => (log(value) - log(low)) / (log(high) - log(low));
  };
  const [across, up] = [along(model.x, x), along(model.y, y)];
  return {
    x: (value) => round(frame.left + across(value) * frame.width),
    y: (value) => round(frame.top + (1 - up(value)) * frame.height),
  };
}

function axisParts(model, frame, ranges, view, palette) {
  const bottom = frame.top + frame.height;
  const xTicks = ticksOf(model.x, ...ranges.x, frame.width, false);
  const yTicks = ticksOf(model.y, ...ranges.y, frame.height, true);
  const middle = frame.top + frame.height / 2;
  const right = frame.left + frame.width;
  const label = { fill: palette.muted };
  return [
    ...yTicks.ticks.flatMap((tick, i) => [
      tag("path", { d: `M${frame.left} ${view.y(tick)}H${right}`, stroke: palette.grid }),
      text(yTicks.labels[i], { x: frame.left - 8, y: view.y(tick) + 4, "text-anchor": "end", ...label }),
    ]),
    ...xTicks.ticks.flatMap((tick, i) => [
      tag("path", { d: `M${view.x(tick)} ${bottom}v5`, stroke: palette.muted }),
      text(xTicks.labels[i], { x: view.x(tick), y: bottom + 19, "text-anchor": "middle", ...label }),
    ]),
    tag("path", { d: `M${frame.left} ${frame.top}V${bottom}H${right}`, fill: "none", stroke: palette.muted }),
    text(axisTitle(model.x), { x: frame.left + frame.width / 2, y: bottom + 40, "text-anchor": "middle", fill: palette.ink }),
    text(axisTitle(model.y), { transform: `translate(18 ${middle}) rotate(-90)`, "text-anchor": "middle", fill: palette.ink }),
  ];
}

function linesOf(model, view, palette) {
  return shownLines(model).map((line) => {
    const { colour, dash } = lineLook(palette, line, line.index);
    const d = pathOf(model.xs, line.column, view);
    const look = line.isFaint
      ? { "stroke-width": 0.8, "stroke-opacity": 0.3 }
      : { "stroke-width": 1.6, "stroke-dasharray": dash.join(" ") };
    return tag("path", { d, fill: "none", stroke: colour, "stroke-linejoin": "round", "stroke-linecap": "round", ...look });
  });
}

/** Path through a column's points; `null` breaks it, `undefined` is passed over. */
function pathOf(xs, column, view) {
  let d = "";
  let isOpen = false;
  for (let i = 0; i < xs.length; i++) {
    if (column[i] === undefined) continue;
    if (column[i] === null) {
      isOpen = false;
      continue;
    }
    d += `${isOpen ? "L" : "M"}${view.x(xs[i])} ${view.y(column[i])}`;
    const isAlone = !isOpen && typeof column[i + 1] !== "number";
    if (isAlone) d += "h0";
    isOpen = true;
  }
  return d;
}

function marksOf(model, frame, ranges, view, palette) {
  const isInside = (value, [low, high]) => value >= low && value <= high;
  const right = frame.left + frame.width;
  return model.marks.flatMap((mark) => {
    const isLevel = mark.y !== undefined;
    if (!isInside(isLevel ? mark.y : mark.x, isLevel ? ranges.y : ranges.x)) return [];
    const d = isLevel ? `M${frame.left} ${view.y(mark.y)}H${right}` : `M${view.x(mark.x)} ${frame.top}v${frame.height}`;
    const place = isLevel ? { x: right - 4, y: view.y(mark.y) - 4, "text-anchor": "end" } : { x: view.x(mark.x) + 4, y: frame.top + 12 };
    return [tag("path", { d, stroke: palette.muted, "stroke-dasharray": "5 4" }), text(mark.label || "", { ...place, fill: palette.muted })];
  });
}

function namesOf(model, frame, ranges, view, palette) {
  const lines = namedLines(model);
  const ends = lineEnds(model.xs, lines.map((line) => line.column), ...ranges.x);
  const places = ends.map((end) => ({ ...end, y: view.y(end.y) }));
  return spread(places, frame.top + 4, frame.top + frame.height).map(({ index, y }) => {
    const { colour } = lineLook(palette, lines[index], lines[index].index);
    return text(shortened(lines[index].name), { x: frame.left + frame.width + 8, y: y + 4, fill: colour });
  });
}

function legendOf(model, frame, palette) {
  if (!hasLegend(model)) return [];
  return namedLines(model).flatMap((line, i) => {
    const { colour, dash } = lineLook(palette, line, line.index);
    const [x, y] = [frame.left + (i % 3) * 205, SIZE.height + Math.floor(i / 3) * 18 + 4];
    return [
      tag("path", { d: `M${x} ${y - 4}h22`, stroke: colour, "stroke-width": 2, "stroke-dasharray": dash.join(" ") }),
      text(shortened(line.name, 26), { x: x + 28, y, fill: palette.ink }),
    ];
  });
}

const round = (value) => Math.round(value * 100) / 100;
const rect = (frame) => tag("rect", { x: frame.left, y: frame.top, width: frame.width, height: frame.height });
const text = (content, attributes) => (content ? tag("text", attributes, [xmlText(content)]) : "");

function tag(name, attributes, content = []) {
  const given = Object.entries(attributes).filter(([, value]) => value !== "");
  return `<${name}${given.map(([key, value]) => ` ${key}="${xmlText(value)}"`).join("")}>${content.join("")}</${name}>`;
}
