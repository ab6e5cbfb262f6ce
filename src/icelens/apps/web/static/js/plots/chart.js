// The interactive drawing of a model on uPlot: axes, lines, marks, direct labels, zoom and cursor.
import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { lineEnds, shortened, spread } from "./labels.js";
import { rangesOf } from "./model.js";
import { faint, lineLook } from "./palette.js";
import { axisTitle, ticksOf } from "./scales.js";

const FONT = '12px system-ui, -apple-system, "Segoe UI", sans-serif';
const NAMED_MARGIN = 8;

/** Draw a model into an element; `hooks` are `{onCursor(index), onZoom(isZoomed)}`. */
export function drawChart(element, model, palette, height, hooks) {
  const whole = rangesOf(model).x;
  const options = {
    width: Math.max(120, element.clientWidth),
    height,
    padding: [10, rightMargin(model), 0, 0],
    legend: { show: false },
    cursor: {
      drag: { x: true, y: false },
      points: { size: 7, width: 1.5 },
      y: false,
      ...(model.sync ? { sync: { key: model.sync } } : {}),
    },
    scales: {
      x: {
        time: false,
        distr: model.x.scale === "log" ? 3 : 1,
        range: (u, low, high) => (low !== null && low < high ? [low, high] : whole),
      },
      y: {
        distr: model.y.scale === "log" ? 3 : 1,
        range: (u) => rangesOf(model, seenX(u)).y,
      },
    },
    axes: [xAxis(model, palette), yAxis(model, palette)],
    series: [{}, ...model.lines.map((line) => seriesOf(line, model, palette))],
    hooks: {
      draw: [(u) => drawMarks(u, model, palette), (u) => drawNames(u, model, palette)],
      setCursor: [(u) => hooks.onCursor(u.cursor.idx)],
      setScale: [(u, key) => key === "x" && hooks.onZoom(isZoomed(u))],
    },
  };
  return new uPlot(options, [model.xs, ...model.lines.map((line) => line.column)], element);
}

function seenX(u) {
  const { min, max } = u.scales.x;
  return Number.isFinite(min) && Number.isFinite(max) && min < max ? [min, max] : undefined;
}

function isZoomed(u) {
  const xs = u.data[0];
  const { min, max } = u.scales.x;
  return xs.length > 1 && (min > xs[0] || max < xs[xs.length - 1]);
}

function seriesOf(line, model, palette) {
  const { colour, dash } = lineLook(palette, line, line.index);
  const isAlone = line.column.filter((value) => typeof value === "number").length === 1;
  return {
    label: line.name,
    show: !line.isHidden,
    stroke: line.isFaint ? faint(colour) : colour,
    width: line.isFaint ? 1 : 1.75,
    dash: line.isFaint ? [] : dash,
    points: { show: isAlone || Boolean(line.hasPoints), size: 5, fill: colour },
  };
}

function xAxis(model, palette) {
  return {
    ...axisLook(model.x, palette, false),
    size: 30,
    labelSize: model.x.label ? 18 : 0,
  };
}

function yAxis(model, palette) {
  return {
    ...axisLook(model.y, palette, true),
    size: (u, labels) => 14 + widest(u, labels || []),
    labelSize: model.y.label ? 20 : 0,
  };
}

function widest(u, labels) {
  u.ctx.save();
  u.ctx.font = FONT;
  const width = Math.max(20, ...labels.map((label) => u.ctx.measureText(label || "").width));
  u.ctx.restore();
  return Math.ceil(width);
}

function axisLook(axis, palette, isUpright) {
  const ticks = (u, low, high) => ticksOf(axis, low, high, (isUpright ? u.bbox.height : u.bbox.width) / uPlot.pxRatio, isUpright);
  return {
    stroke: palette.muted,
    font: FONT,
    label: axisTitle(axis) || null,
    labelFont: FONT,
    labelGap: 4,
    gap: 6,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { stroke: palette.grid, width: 1, size: 4 },
    splits: (u, index, low, high) => ticks(u, low, high).ticks,
    filter: (u, splits) => splits,
    values: (u, splits) => {
      const scale = u.scales[isUpright ? "y" : "x"];
      return ticks(u, scale.min, scale.max).labels.slice(0, splits.length);
    },
  };
}

/** Room for the names of lines beside their ends. */
function rightMargin(model) {
  if (!model.isDirect) return 16;
  const longest = Math.max(...model.lines.map((line) => shortened(line.name).length));
  return Math.min(170, longest * 6.6 + NAMED_MARGIN + 6);
}

function drawMarks(u, model, palette) {
  const ratio = uPlot.pxRatio;
  const { left, top, width, height } = u.bbox;
  within(u, (ctx) => {
    ctx.strokeStyle = ctx.fillStyle = palette.muted;
    ctx.setLineDash([5 * ratio, 4 * ratio]);
    for (const mark of model.marks) {
      const isLevel = mark.y !== undefined;
      const at = u.valToPos(isLevel ? mark.y : mark.x, isLevel ? "y" : "x", true);
      if (!Number.isFinite(at) || (isLevel ? at < top || at > top + height : at < left || at > left + width)) continue;
      ctx.beginPath();
      ctx.moveTo(isLevel ? left : at, isLevel ? at : top);
      ctx.lineTo(isLevel ? left + width : at, isLevel ? at : top + height);
      ctx.stroke();
      ctx.textAlign = isLevel ? "right" : "left";
      ctx.fillText(mark.label || "", isLevel ? left + width - 4 * ratio : at + 4 * ratio, isLevel ? at - 4 * ratio : top + 12 * ratio);
    }
  });
}

function drawNames(u, model, palette) {
  if (!model.isDirect) return;
  const ratio = uPlot.pxRatio;
  const shown = model.lines.filter((line) => !line.isFaint && !line.isHidden);
  const { min, max } = u.scales.x;
  const ends = lineEnds(model.xs, shown.map((line) => line.column), min, max);
  const places = ends.map((end) => ({ ...end, y: u.valToPos(end.y, "y") }));
  within(u, (ctx) => {
    for (const { index, y } of spread(places, 6, u.bbox.height / ratio - 4)) {
      ctx.fillStyle = lineLook(palette, shown[index], shown[index].index).colour;
      ctx.textBaseline = "middle";
      ctx.fillText(shortened(shown[index].name), u.bbox.left + u.bbox.width + NAMED_MARGIN * ratio, u.bbox.top + y * ratio);
    }
  });
}

function within(u, draw) {
  u.ctx.save();
  u.ctx.font = FONT.replace("12px", `${12 * uPlot.pxRatio}px`);
  u.ctx.lineWidth = uPlot.pxRatio;
  u.ctx.textAlign = "left";
  u.ctx.textBaseline = "alphabetic";
  draw(u.ctx);
  u.ctx.restore();
}
