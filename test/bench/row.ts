// What is one figure of the benchmark, and how is it written for people?

export interface Row {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  /** The limit, and the goal beyond it: `aim` lies on the better side of `must`. */
  readonly must: number;
  readonly aim: number;
  /** Measured calls of ours; `p50` and `p99` are their times in µs. */
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A row that can be measured. */
export interface Benchmark {
  readonly id: string;
  readonly question: string;
  readonly run: () => Promise<Row>;
}

/** The value below which `share` of the samples lie. `sorted` is in ascending order and not empty. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** One row for people: the figure against its limits, then what stands behind it. */
export function describeRow(row: Row, question: string): string {
  const { id, value, unit, must, aim, n, p50, p99, detail } = row;
  const sign = aim < must ? '≤' : '≥';
  const isMet = (limit: number) => (aim < must ? value <= limit : value >= limit);
  const verdict = isMet(aim) ? 'aim met' : isMet(must) ? 'must met' : 'must not met';
  const facts = Object.entries(detail).map(([name, fact]) => [name, textOf(fact)] as const);
  const width = Math.max(...facts.map(([name]) => name.length));
  return [
    `${id}   ${value} ${unit}   must ${sign} ${must}, aim ${aim}   ${verdict}`,
    `  ${question}`,
    `  ours: p50 ${p50} µs, p99 ${p99} µs, ${n} calls`,
    ...facts.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`),
  ].join('\n');
}

function textOf(fact: unknown): string {
  return typeof fact === 'string' ? fact : JSON.stringify(fact);
}
