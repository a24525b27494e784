/** The picture as SVG 1.1 text, which needs nothing besides: no script, no font, no other file. */

import { LANE_STYLES } from "./lanes.ts";
import { type Chart, MARGIN, ROW, SIZES, type Section } from "./layout.ts";
import { type Bar, LABEL_SIZE } from "./pack.ts";
import { LANES } from "./record.ts";

const BAR = 13;

/** Draws the chart. Every text in it is escaped. */
export function drawSvg(chart: Chart): string {
  const { width, height } = chart;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escape(chart.title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" x="0" y="0" width="${width}" height="${height}"/>`,
    ...head(chart),
    ...chart.bands.map(
      ({ lane, left, right }) =>
        `<rect class="band ${lane}" x="${px(left)}" y="${px(chart.top)}" width="${px(right - left)}" height="${px(chart.bottom - chart.top)}"/>`,
    ),
    ...axis(chart),
    ...chart.sections.flatMap(drawSection),
    "</svg>",
    "",
  ].join("\n");
}

/** Text as it may stand in an element or an attribute; what XML 1.0 has no place for becomes U+FFFD. */
export function escape(words: string): string {
  return words
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
}

const STYLE = [
  'text{font-family:system-ui,"Segoe UI","DejaVu Sans",Helvetica,Arial,sans-serif;fill:#1b1f24}',
  ".paper{fill:#fff}.grid{stroke:#dde1e6;stroke-width:1}",
  `.title{font-size:${SIZES.title}px;font-weight:600}`,
  `.command{font-size:${SIZES.command}px;fill:#56606b}.total{font-size:${SIZES.total}px}`,
  `.tick{font-size:${SIZES.tick}px;fill:#56606b;text-anchor:middle}.section{font-size:${SIZES.section}px;font-weight:600}`,
  `.label{font-size:${LABEL_SIZE}px}.inside{fill:#fff}.before{text-anchor:end}.band{fill-opacity:.1}.open{fill-opacity:.55}`,
  ...LANES.map((lane) => `.${lane}{fill:${LANE_STYLES[lane].colour}}`),
  "@media (prefers-color-scheme:dark){text{fill:#e6e9ed}.paper{fill:#15181c}.grid{stroke:#2c333b}",
  ".command,.tick{fill:#9aa4af}.inside{fill:#fff}.band{fill-opacity:.2}}",
].join("");

function head({ title, command, totals }: Chart): string[] {
  const titleLine = text("title", MARGIN, MARGIN + SIZES.title - 2, title);
  const commandLines = command.map((line, at) => text("command", MARGIN, MARGIN + 40 + at * 16, line));
  const totalWords = totals.map(
    ({ lane, words, x, y }) =>
      `<rect class="${lane}" x="${px(x)}" y="${px(y - 10)}" width="11" height="11"/>${text("total", x + 16, y, words)}`,
  );
  return [titleLine, ...commandLines, ...totalWords];
}

function axis({ ticks, top, bottom }: Chart): string[] {
  return ticks.flatMap(({ x, words, words_x }) => [
    `<line class="grid" x1="${px(x)}" y1="${px(top)}" x2="${px(x)}" y2="${px(bottom)}"/>`,
    text("tick", words_x, top - 6, words),
    text("tick", words_x, bottom + 16, words),
  ]);
}

function drawSection(section: Section): string[] {
  const { lane, title, y, rows_y, bars } = section;
  return [
    text("section", MARGIN, y, title),
    ...bars.map((bar) => drawBar(lane, rows_y + bar.row * ROW, bar)),
  ];
}

function drawBar(lane: string, top: number, bar: Bar): string {
  const { left, queue, label, place, label_at, tip } = bar;
  const parts = [`<title>${escape(tip)}</title>`];
  if (queue !== undefined && left - queue >= 1)
    parts.push(rect(lane, queue, top + BAR / 2 - 1, left - queue, 2));
  parts.push(shape(lane, top, bar));
  if (label !== "") parts.push(text(`label ${place}`, label_at, top + 10.5, label));
  return `<g>${parts.join("")}</g>`;
}

function shape(lane: string, top: number, { kind, left, right }: Bar): string {
  if (kind !== "mark") return rect(kind === "open" ? `${lane} open` : lane, left, top, right - left, BAR);
  const [x, y, half] = [(left + right) / 2, top + BAR / 2, (right - left) / 2];
  return `<path class="${lane}" d="M${px(x)} ${px(y - half)}l${half} ${half}l${-half} ${half}l${-half} ${-half}z"/>`;
}

function rect(className: string, x: number, y: number, width: number, height: number): string {
  return `<rect class="${className}" x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}"/>`;
}

function text(className: string, x: number, y: number, words: string): string {
  return `<text class="${className}" x="${px(x)}" y="${px(y)}">${escape(words)}</text>`;
}

function px(pixels: number): string {
  return String(Math.round(pixels * 10) / 10);
}
