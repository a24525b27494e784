/** Curves of time against size as an SVG, each kind of thing in a panel of its own. */

export interface Curve {
  readonly name: string;
  /** In the order of `x`. */
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly seconds: number;
}

export interface Panel {
  readonly title: string;
  /** What is counted along the lower edge. */
  readonly unit: string;
  readonly curves: readonly Curve[];
}

const WIDTH = 470;
const HEIGHT = 300;
const PLOT = { left: 52, right: 120, top: 40, bottom: 44 } as const;
/** Told apart without colours too, by their names beside their ends (Okabe and Ito's palette). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"] as const;

/** The panels in two columns. Both axes are linear and begin at 0, so that a straight line is linear growth. */
export function plot(panels: readonly Panel[]): string {
  const columns = Math.min(2, panels.length);
  const width = WIDTH * columns;
  const height = HEIGHT * Math.ceil(panels.length / columns);
  const drawn = panels.map(
    (panel, at) =>
      `<g transform="translate(${(at % columns) * WIDTH} ${Math.floor(at / columns) * HEIGHT})">\n${drawPanel(panel)}\n</g>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function drawPanel({ title, unit, curves }: Panel): string {
  const points = curves.flatMap((curve) => curve.points);
  const xs = ticks(Math.max(1, ...points.map(({ x }) => x)));
  const ys = ticks(Math.max(0.1, ...points.map(({ seconds }) => seconds)));
  const [x_most = 1, y_most = 1] = [xs.at(-1), ys.at(-1)];
  const [plotWidth, plotHeight] = [WIDTH - PLOT.left - PLOT.right, HEIGHT - PLOT.top - PLOT.bottom];
  const px = (x: number): number => round(PLOT.left + (x / x_most) * plotWidth);
  const py = (y: number): number => round(PLOT.top + (1 - y / y_most) * plotHeight);
  const bottom = PLOT.top + plotHeight;
  const names = placeNames(curves, py);
  return [
    words(PLOT.left, 22, title, 'font-weight="bold"'),
    ...ys.flatMap((y) => [
      `<path d="M${PLOT.left} ${py(y)}h${plotWidth}" stroke="#dddddd"/>`,
      words(PLOT.left - 6, py(y) + 4, `${y} s`, 'text-anchor="end"'),
    ]),
    ...xs.map((x) => words(px(x), bottom + 16, short(x), 'text-anchor="middle"')),
    words(PLOT.left + plotWidth / 2, bottom + 34, unit, 'text-anchor="middle"'),
    `<path d="M${PLOT.left} ${PLOT.top}V${bottom}H${PLOT.left + plotWidth}" fill="none" stroke="#444444"/>`,
    ...curves.flatMap((curve, at) => {
      const colour = COLOURS[at % COLOURS.length] ?? "#000000";
      const places = curve.points.map(({ x, seconds }) => `${px(x)} ${py(seconds)}`);
      if (places.length === 0) return [];
      return [
        `<path d="M${places.join("L")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...curve.points.map(
          ({ x, seconds }) => `<circle cx="${px(x)}" cy="${py(seconds)}" r="3" fill="${colour}"/>`,
        ),
        words(PLOT.left + plotWidth + 8, (names[at] ?? 0) + 4, curve.name, `fill="${colour}"`),
      ];
    }),
  ].join("\n");
}

/** Where the name of each curve stands: at the height of its end, and none over another. */
function placeNames(curves: readonly Curve[], py: (seconds: number) => number): number[] {
  const line = 15;
  const places = curves.map(({ points }) => py(points.at(-1)?.seconds ?? 0));
  const order = places.map((_, at) => at).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  let above = 0;
  for (const at of order) {
    above = Math.max(places[at] ?? 0, above + line);
    places[at] = above;
  }
  return places;
}

/** Round numbers from 0 to at least `most`, four to eight of them. */
export function ticks(most: number): number[] {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? most;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

function short(value: number): string {
  return value >= 10_000 ? `${value / 1000} k` : String(value);
}

function words(x: number, y: number, text: string, more: string): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" ${more}>${escaped}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
