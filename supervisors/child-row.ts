// What does a supervisor remember of one child, across its lifecycles? Rows; they alone give out epochs.
import type { Bus, BusEvents } from '../actors/ground/bus.ts';
import type { TimerId } from '../actors/ground/clock.ts';
import { SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { Child, ChildFact } from '../actors/lifecycle/child.ts';
import { fullChildSpec, type ChildSpec, type FullChildSpec } from './child-spec.ts';
import { replacementDelayMs } from './restart-intensity.ts';
import type { CrashFacts } from './restart-policy.ts';

/** A row outlives lifecycles. Epochs go from 1 up, and none is given twice. */
export interface Row {
  readonly spec: FullChildSpec;
  nextEpoch: number;
  life: Child | undefined;
  /** Starts in a row that never became ready. */
  startFailuresCount: number;
  lastReason: ExitReason;
  /** What follows when the present lifecycle has ended. */
  order: 'none' | 'replace';
  /** Times of ordered replacements, newest first. */
  replacements: readonly number[];
  timer: TimerId;
}

/** One row for each specification, in start order. @throws {@link InvalidConfigError} on an id that comes twice. */
export function rowsOf(specs: readonly ChildSpec[]): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const given of specs) {
    const spec = fullChildSpec(given);
    if (rows.has(spec.id)) throw new InvalidConfigError('children[].id', `${spec.id} comes twice`);
    rows.set(spec.id, newRow(spec));
  }
  return rows;
}

export function rowOf(rows: ReadonlyMap<string, Row>, id: string): Row {
  const row = rows.get(id);
  if (row === undefined) throw new Error(`supervisor has no child ${id}`);
  return row;
}

function newRow(spec: FullChildSpec): Row {
  return {
    spec,
    nextEpoch: 1,
    life: undefined,
    startFailuresCount: 0,
    lastReason: SHUTDOWN,
    order: 'none',
    replacements: [],
    timer: undefined,
  };
}

/** The row's next epoch, given out. */
export function takeEpoch(row: Row): number {
  const epoch = row.nextEpoch;
  row.nextEpoch += 1;
  return epoch;
}

/** Whether the fact is of the row's present incarnation. */
export function isCurrent(row: Row, fact: ChildFact): boolean {
  return fact.epoch === row.nextEpoch - 1;
}

/** What a crash is judged by. */
export function crashFacts(row: Row, reason: ExitReason, nowMs: number): CrashFacts {
  const { restart, maxConsecutiveStartFailures } = row.spec;
  const { startFailuresCount } = row;
  return { restart, reason, startFailuresCount, maxConsecutiveStartFailures, nowMs };
}

/** Begin a new lifecycle in this row. */
export function startLife(row: Row, parentPath: string, tell: (fact: ChildFact) => void): void {
  const { id, start } = row.spec;
  const epoch = takeEpoch(row);
  row.order = 'none';
  const path = parentPath === '' ? id : `${parentPath}/${id}`;
  row.life = start({ id, path, epoch, listener: tell });
}

/** End all lives at once. One that cannot even be asked is not waited for: its siblings must end all the same. */
export function killLives(rows: Iterable<Row>): void {
  for (const row of rows) {
    try {
      row.life?.stop('brutal_kill', SHUTDOWN);
    } catch {
      // Its error is not the first one, which is the one that is told.
      row.life = undefined;
    }
  }
}

const REPLACEMENT_LIMIT = {
  maxRestarts: LIMITS.replacementsMax,
  periodMs: LIMITS.replacementPeriodMs,
};

/** Note one more ordered replacement. @returns how long it must wait, in ms. */
export function takeReplacement(row: Row, nowMs: number): number {
  const delayMs = replacementDelayMs(REPLACEMENT_LIMIT, row.replacements, nowMs);
  row.replacements = [nowMs + delayMs, ...row.replacements].slice(0, LIMITS.replacementsMax);
  return delayMs;
}

/** What a supervisor decided about a child that has ended. */
export type Verdict = BusEvents['supervisor.decided']['verdict'];

/** Every decision is one event, with what it was made from. */
export function tellDecision(
  bus: Bus,
  supervisor: string,
  row: Row,
  decision: {
    readonly verdict: Verdict;
    readonly because: string;
    readonly reason: ExitReason;
    /** Restarts that count in the window. */
    readonly history: readonly number[];
  },
): void {
  const { verdict, because, reason, history } = decision;
  bus.emit('supervisor.decided', {
    supervisor,
    child: row.spec.id,
    epoch: row.nextEpoch - 1,
    reason,
    verdict,
    because,
    restartsInWindow: history.length,
  });
}
