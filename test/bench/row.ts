// What is one figure of the benchmark, and how is it written for people?

export interface Row {
  readonly id: string;
  /** Null when it could not be measured; `detail.reason` then says why. */
  readonly value: number | null;
  readonly unit: string;
  /** The limit, and the goal beyond it: `aim` lies on the better side of `must`. Null for what is only shown. */
  readonly must: number | null;
  readonly aim: number | null;
  /** Measured calls (starts, deaths) of ours; `p50` and `p99` are their times in µs. */
  readonly n: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** How thoroughly? `quick` is for a look: a tenth of the calls, fewer points of the curves. */
export type Thoroughness = 'full' | 'quick';

/** A row that can be measured. */
export interface Benchmark {
  readonly id: string;
  readonly question: string;
  readonly unit: string;
  readonly must: number | null;
  readonly aim: number | null;
  readonly run: (thoroughness: Thoroughness) => Promise<Outcome>;
}

/** What a measurement found; with the benchmark's own fields it is the row. */
export type Outcome = Pick<Row, 'value' | 'n' | 'p50' | 'p99' | 'detail'>;

export function rowOf(benchmark: Benchmark, outcome: Outcome): Row {
  const { id, unit, must, aim } = benchmark;
  const { value, n, p50, p99, detail } = outcome;
  return { id, value, unit, must, aim, n, p50, p99, detail };
}

/** The outcome of a row that could not be measured. */
export function notMeasured(reason: string): Outcome {
  return { value: null, n: 0, p50: null, p99: null, detail: { reason } };
}

/** The value below which `share` of the samples lie. `sorted` is in ascending order and not empty. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

export function median(samples: readonly number[]): number {
  return percentile(ascending(samples), 0.5);
}

export function ascending(samples: readonly number[]): number[] {
  return [...samples].sort((a, b) => a - b);
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** Median, 99th percentile and extremes of times in ms. */
export function timesOf(samplesMs: readonly number[]): Readonly<Record<string, number>> {
  const sorted = ascending(samplesMs);
  return {
    n: sorted.length,
    minMs: round(sorted[0]!, 3),
    p50Ms: round(percentile(sorted, 0.5), 3),
    p99Ms: round(percentile(sorted, 0.99), 3),
    maxMs: round(sorted.at(-1)!, 3),
  };
}

/** The times of ours, as a row wants them. */
export function microsecondsOf(samplesMs: readonly number[]): Pick<Row, 'n' | 'p50' | 'p99'> {
  const sorted = ascending(samplesMs);
  return {
    n: sorted.length,
    p50: round(percentile(sorted, 0.5) * 1000, 1),
    p99: round(percentile(sorted, 0.99) * 1000, 1),
  };
}

export type Verdict = 'aim met' | 'must met' | 'must not met' | 'no limit' | 'not measured';

export function verdictOf({ value, must, aim }: Pick<Row, 'value' | 'must' | 'aim'>): Verdict {
  if (value === null) return 'not measured';
  if (must === null || aim === null) return 'no limit';
  const isMet = (limit: number) => (isLessBetter(must, aim) ? value <= limit : value >= limit);
  return isMet(aim) ? 'aim met' : isMet(must) ? 'must met' : 'must not met';
}

export function isLessBetter(must: number, aim: number): boolean {
  return aim < must;
}

/** One row for people: the figure against its limits, then what stands behind it. */
export function describeRow(row: Row, question: string): string {
  const { id, value, unit, must, aim, n, p50, p99, detail } = row;
  const facts = Object.entries(detail).flatMap(([name, fact]) => factLines(name, fact));
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  const limits =
    must === null || aim === null
      ? ''
      : `   must ${isLessBetter(must, aim) ? '≤' : '≥'} ${must}, aim ${aim}`;
  const figure = value === null ? '–' : `${value} ${unit}`;
  return [
    `${id}   ${figure}${limits}   ${verdictOf(row)}`,
    `  ${question}`,
    ...(p50 === null || p99 === null
      ? []
      : [`  ours: p50 ${timeText(p50)}, p99 ${timeText(p99)}, n ${n}`]),
    ...facts.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`),
  ].join('\n');
}

function timeText(us: number): string {
  return us < 10_000 ? `${round(us, 1)} µs` : `${round(us / 1000, 2)} ms`;
}

/** A list of objects, such as the points of a curve, gets a line for each. */
function factLines(name: string, fact: unknown): (readonly [string, string])[] {
  if (Array.isArray(fact) && fact.every((item) => typeof item === 'object')) {
    return fact.map((item, index) => [index === 0 ? name : '', textOf(item)] as const);
  }
  return [[name, textOf(fact)]];
}

function textOf(fact: unknown): string {
  if (typeof fact === 'string') return fact;
  return JSON.stringify(fact).replaceAll('"', '').replaceAll(',', ', ').replaceAll(':', ': ');
}
