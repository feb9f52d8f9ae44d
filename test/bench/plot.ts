// How is a figure drawn? Bars against a limit, and lines on logarithmic axes, as SVG that is readable in light and in dark.

/** One bar: `value` in multiples of the line that is drawn at 1. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Where the goal lies, on the same scale. */
  readonly aim?: number;
  /** The figures behind it. */
  readonly note: string;
}

export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  /** What is written at the line at 1. */
  readonly lineLabel: string;
  /** A bar that is longer is cut, and shows it: its note says how long it is. */
  readonly longest: number;
  /** Whether a bar beyond the line is marked. */
  readonly isLimit: boolean;
  readonly bars: readonly Bar[];
  readonly source: string;
}

export interface Axis {
  readonly label: string;
  /** Powers of two for what is counted so, such as workers; else 1, 2, 5, 10 … */
  readonly ticks: 'binary' | 'decimal';
  readonly format: (value: number) => string;
}

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly source: string;
}

const WIDTH = 760;
const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2937; }
  .title { font-size: 16px; font-weight: 600; }
  .soft { fill: #5b6470; font-size: 12px; }
  .paper { fill: #ffffff; }
  .grid { stroke: #e3e6ea; stroke-width: 1; }
  .limit { stroke: #1f2937; stroke-width: 1.5; }
  .aim { stroke: #1f2937; stroke-width: 1.5; stroke-dasharray: 3 2; }
  .bar { fill: #3b6fd4; }
  .over { fill: #c2571a; }
  .line { fill: none; stroke-width: 2; }
  .s0 { stroke: #3b6fd4; } .d0 { fill: #3b6fd4; }
  .s1 { stroke: #c2571a; } .d1 { fill: #c2571a; }
  .s2 { stroke: #7a828d; } .d2 { fill: #7a828d; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ee; }
    .soft { fill: #a3acb8; }
    .paper { fill: #14181e; }
    .grid { stroke: #2c333c; }
    .limit, .aim { stroke: #e6e9ee; }
    .bar { fill: #6f9df2; }
    .over { fill: #f0935a; }
    .s0 { stroke: #6f9df2; } .d0 { fill: #6f9df2; }
    .s1 { stroke: #f0935a; } .d1 { fill: #f0935a; }
    .s2 { stroke: #9aa3ae; } .d2 { fill: #9aa3ae; }
  }`;

const BAR = { left: 150, right: 264, top: 84, step: 30, thick: 16, bottom: 40 };

export function barChart(chart: BarChart): string {
  const { title, subtitle, lineLabel, isLimit, bars, source } = chart;
  const height = BAR.top + bars.length * BAR.step + BAR.bottom;
  const values = bars.flatMap(({ value, aim = 0 }) => [value, aim]);
  const longest = Math.min(Math.max(1.15, ...values), chart.longest);
  const scale = (WIDTH - BAR.left - BAR.right) / longest;
  const at = (value: number) => BAR.left + Math.min(Math.max(value, 0), longest) * scale;
  const rows = bars.flatMap(({ label, value, aim, note }, index) => {
    const y = BAR.top + index * BAR.step;
    const middle = y + BAR.thick / 2;
    return [
      text(BAR.left - 10, middle + 4, label, 'end'),
      `<rect class="${isLimit && value > 1 ? 'over' : 'bar'}" x="${BAR.left}" y="${y}" width="${px(Math.max(1, at(value) - BAR.left))}" height="${BAR.thick}" rx="2"/>`,
      ...(value > longest ? [cut(at(longest) - 14, y)] : []),
      ...(aim === undefined ? [] : [mark('aim', at(aim), y - 4, y + BAR.thick + 4)]),
      text(WIDTH - BAR.right + 12, middle + 4, note, 'start', 'soft'),
    ];
  });
  return svg(height, [
    ...heading(title, subtitle),
    text(at(1), BAR.top - 12, lineLabel, 'middle', 'soft'),
    ...rows,
    mark('limit', at(1), BAR.top - 6, height - BAR.bottom),
    text(16, height - 12, source, 'start', 'soft'),
  ]);
}

const AREA = { left: 74, right: 150, top: 78, height: 300, bottom: 66 };
const LABEL_GAP = 16;

/** Both axes are logarithmic. Points that are not above 0 cannot be drawn, and are left out. */
export function lineChart({ title, subtitle, x, y, series, source }: LineChart): string {
  const drawn = series
    .map(({ name, points }, color) => {
      return { name, color, points: points.filter(([a, b]) => a > 0 && b > 0) };
    })
    .filter(({ points }) => points.length > 0);
  const all = drawn.flatMap(({ points }) => points);
  const height = AREA.top + AREA.height + AREA.bottom;
  const bottom = AREA.top + AREA.height;
  const right = WIDTH - AREA.right;
  const xScale = logScale(
    all.map(([value]) => value),
    x.ticks,
    AREA.left,
    right,
  );
  const yScale = logScale(
    all.map(([, value]) => value),
    y.ticks,
    bottom,
    AREA.top,
  );
  const grid = [
    ...yScale.ticks.flatMap((value) => [
      `<line class="grid" x1="${AREA.left}" x2="${right}" y1="${px(yScale.at(value))}" y2="${px(yScale.at(value))}"/>`,
      text(AREA.left - 8, yScale.at(value) + 4, y.format(value), 'end', 'soft'),
    ]),
    ...xScale.ticks.flatMap((value) => [
      `<line class="grid" x1="${px(xScale.at(value))}" x2="${px(xScale.at(value))}" y1="${AREA.top}" y2="${bottom}"/>`,
      text(xScale.at(value), bottom + 18, x.format(value), 'middle', 'soft'),
    ]),
  ];
  const lines = drawn.flatMap(({ points, color }) => [
    `<polyline class="line s${color}" points="${points.map(([a, b]) => `${px(xScale.at(a))},${px(yScale.at(b))}`).join(' ')}"/>`,
    ...points.map(
      ([a, b]) =>
        `<circle class="d${color}" cx="${px(xScale.at(a))}" cy="${px(yScale.at(b))}" r="3"/>`,
    ),
  ]);
  const labels = lineLabels(
    drawn.map(({ name, points }) => {
      const [a, b] = points.at(-1)!;
      return { name, x: xScale.at(a), y: yScale.at(b) };
    }),
    right,
  );
  return svg(height, [
    ...heading(title, subtitle),
    ...grid,
    ...lines,
    ...labels,
    text((AREA.left + right) / 2, bottom + 38, x.label, 'middle', 'soft'),
    text(AREA.left - 8, AREA.top - 12, y.label, 'start', 'soft'),
    text(16, height - 8, source, 'start', 'soft'),
  ]);
}

interface End {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** Each line's name at its end; those that end together at the right are moved apart. */
function lineLabels(ends: readonly End[], right: number): readonly string[] {
  const early = ends.filter(({ x }) => x < right - 1);
  const last = ends.filter(({ x }) => x >= right - 1);
  const places = apart(last.map(({ y }) => y));
  return [
    ...early.map(({ name, x, y }) => text(x - 8, y - 8, name, 'end')),
    ...last.map(({ name }, index) => text(right + 10, places[index]! + 4, name)),
  ];
}

interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From the tick below the least value to the one above the greatest. */
function logScale(values: readonly number[], kind: Axis['ticks'], from: number, to: number): Scale {
  const ticks = ticksOf(Math.min(...values), Math.max(...values), kind);
  const low = Math.log(ticks[0]!);
  const high = Math.log(ticks.at(-1)!);
  return { at: (value) => from + ((Math.log(value) - low) / (high - low)) * (to - from), ticks };
}

/** More than this many decades get a tick each, and none in between. */
const DECADES_WITH_TICKS_BETWEEN = 2.5;

export function ticksOf(low: number, high: number, kind: Axis['ticks']): readonly number[] {
  const isFine = Math.log10(high / low) <= DECADES_WITH_TICKS_BETWEEN;
  const base = kind === 'binary' ? 2 : 10;
  const within = kind === 'decimal' && isFine ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log(low) / Math.log(base) - 1e-9); ; power += 1) {
    for (const factor of within) {
      const tick = factor * base ** power;
      // Of those below the least value only the greatest is of use.
      if (ticks.length > 0 && tick <= low * (1 + 1e-9)) ticks.pop();
      ticks.push(tick);
      if (tick >= high * (1 - 1e-9) && ticks.length > 1) return ticks;
    }
  }
}

/** Labels that would lie on each other are moved apart, in their order. */
export function apart(places: readonly number[]): readonly number[] {
  const order = places.map((place, index) => ({ place, index })).sort((a, b) => a.place - b.place);
  const moved: number[] = [];
  let last = -Infinity;
  for (const { place, index } of order) {
    last = Math.max(place, last + LABEL_GAP);
    moved[index] = last;
  }
  return moved;
}

function heading(title: string, subtitle: string): readonly string[] {
  return [text(16, 28, title, 'start', 'title'), text(16, 48, subtitle, 'start', 'soft')];
}

/** Two strokes of the paper's colour: this bar goes on. */
function cut(x: number, y: number): string {
  const stroke = (from: number) =>
    `M${px(from)} ${px(y + BAR.thick + 2)} l4 ${px(-BAR.thick - 4)} h3 l-4 ${px(BAR.thick + 4)} z`;
  return `<path class="paper" d="${stroke(x)} ${stroke(x + 6)}"/>`;
}

function mark(name: string, x: number, from: number, to: number): string {
  return `<line class="${name}" x1="${px(x)}" x2="${px(x)}" y1="${px(from)}" y2="${px(to)}"/>`;
}

function text(x: number, y: number, words: string, anchor = 'start', name = ''): string {
  const kind = name === '' ? '' : ` class="${name}"`;
  return `<text${kind} x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function px(value: number): string {
  return String(Number(value.toFixed(1)));
}

function svg(height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}" rx="6"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}
