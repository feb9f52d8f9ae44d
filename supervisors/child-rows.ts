// Which children has this supervisor, and where does each stand? The rows, their launches, and the lives that are let go of.
import { isAbnormal, SHUTDOWN } from '../actors/ground/exit-reason.ts';
import { actorStart } from '../actors/lifecycle/actor-child.ts';
import {
  lifecycleKindOf,
  type Child,
  type ChildFact,
  type ChildStart,
  type LifecycleStart,
  type LifePorts,
} from '../actors/lifecycle/child.ts';
import type { AnyStart } from '../actors/lifecycle/inside.ts';
import { ChildNames } from './child-names.ts';
import { DOWN, epochOf, lifeOf, newRow, takeEpoch, type Row } from './child-row.ts';
import type { FullChildSpec } from './child-spec.ts';
import type { ExitFacts, TryFacts } from './restart-policy.ts';
import { isByRef, type FullSupervisorFlags } from './supervisor-flags.ts';

/** The rows of one supervisor, in start order. */
export class ChildRows {
  readonly byRef: boolean;
  readonly #path: string;
  readonly #flags: FullSupervisorFlags;
  readonly #ports: LifePorts;
  readonly #tell: (row: Row, fact: ChildFact) => void;
  readonly #launchFailed: (row: Row, cause: unknown) => void;
  readonly #rows = new Map<string, Row>();
  readonly #names: ChildNames;
  /** Launched, not ready: they count against `maxConcurrentStarts`. */
  readonly #loading = new Set<Row>();
  readonly #queued = new Set<Row>();
  /** Lifecycles that have no row any more, or whose row has moved on, and are not quite over. */
  readonly #leaving = new Map<string, Child>();
  #whenGone: (() => void) | undefined;
  #nextKey = 1;

  constructor(
    path: string,
    flags: FullSupervisorFlags,
    ports: LifePorts,
    ends: {
      readonly tell: (row: Row, fact: ChildFact) => void;
      /** A launch that had waited for its turn threw. */
      readonly launchFailed: (row: Row, cause: unknown) => void;
    },
  ) {
    this.#path = path;
    this.#flags = flags;
    this.#ports = ports;
    this.#names = new ChildNames(path, ports.names);
    this.#tell = ends.tell;
    this.#launchFailed = ends.launchFailed;
    this.byRef = isByRef(flags);
    if (flags.strategy !== 'simple_one_for_one') for (const spec of flags.children) this.add(spec);
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  need(key: string): Row {
    const row = this.#rows.get(key);
    if (row === undefined) throw new Error(`supervisor ${this.#path} has no child ${key}`);
    return row;
  }

  values(): IterableIterator<Row> {
    return this.#rows.values();
  }

  /** A new row at the end of the start order. Children without ids are told apart by numbers. */
  add(spec: FullChildSpec): Row {
    const key = this.byRef ? String(this.#nextKey) : spec.id;
    this.#nextKey += 1;
    const row = newRow(key, this.byRef ? undefined : spec.id, spec, this.#startOf(spec));
    row.nextEpoch = (this.#flags.epochs?.get(key) ?? 0) + 1;
    this.#rows.set(key, row);
    return row;
  }

  delete(row: Row): void {
    this.#rows.delete(row.key);
    this.#flags.epochs?.delete(row.key);
    this.#names.release(row);
  }

  /** Begin the row's next incarnation: in the lifecycle that has crashed, else in a new one. @throws what its start throws, or {@link SupervisorError} when its name is taken. */
  launch(row: Row): void {
    const life = lifeOf(row);
    const before = life?.state === 'crashed' ? life : undefined;
    if (row.spec.ack === 'spawned' && this.#loading.size >= this.#flags.maxConcurrentStarts) {
      row.standing = { type: 'queued', life: before };
      this.#queued.add(row);
      return;
    }
    this.#names.claim(row);
    row.order = 'none';
    const epoch = takeEpoch(row);
    this.#flags.epochs?.set(row.key, epoch);
    const type = row.spec.ack === 'spawned' ? 'up' : 'starting';
    if (type === 'up') this.#loading.add(row);
    try {
      if (before !== undefined) {
        row.standing = { type, life: before };
        before.restart(epoch, 0);
        return;
      }
      row.standing = DOWN;
      this.#begin(row, epoch, type);
    } catch (cause) {
      this.#loading.delete(row);
      throw cause;
    }
    if (row.spec.restart === 'temporary' && row.spec.input !== undefined) this.#forgetInput(row);
  }

  /** Whether the fact is of the row's present incarnation, and the row is still ours. */
  isCurrent(row: Row, fact: ChildFact): boolean {
    if (this.#rows.get(row.key) !== row || fact.epoch !== epochOf(row)) return false;
    return row.standing.type === 'up' || row.standing.type === 'starting';
  }

  ready(row: Row, info: unknown): void {
    const life = lifeOf(row);
    if (life !== undefined) row.standing = { type: 'up', life };
    row.lastRef = life?.ref;
    row.info = info;
    row.startFailuresCount = 0;
    row.upSinceMs = this.#ports.clock.nowMs();
    this.#names.bind(row);
    this.settled(row);
  }

  /** There is nothing to run: its specification stays, unless nobody could start it again. */
  ignored(row: Row): void {
    row.standing = DOWN;
    row.info = undefined;
    this.settled(row);
    if (this.byRef || row.spec.restart === 'temporary') this.delete(row);
  }

  /** It is not on its way any more; the next that waits is launched. */
  settled(row: Row): void {
    if (!this.#loading.delete(row)) return;
    for (const next of this.#queued) {
      if (this.#loading.size >= this.#flags.maxConcurrentStarts) return;
      this.#queued.delete(next);
      try {
        this.launch(next);
      } catch (cause) {
        this.#launchFailed(next, cause);
      }
    }
  }

  /** Down from now on. A lifecycle that has crashed is let go of; its clean-up may still take its time. */
  release(row: Row): void {
    const life = lifeOf(row);
    row.standing = DOWN;
    this.#queued.delete(row);
    this.#ports.clock.clearTimeout(row.timer);
    this.settled(row);
    if (life === undefined || life.state === 'stopped') return;
    this.#leaving.set(leavingKey(row, life.epoch), life);
    life.stop(row.spec.shutdown, SHUTDOWN);
  }

  /** A lifecycle is over for good. */
  gone(row: Row, epoch: number): void {
    this.#leaving.delete(leavingKey(row, epoch));
    this.#tellWhenGone();
  }

  /** Call `then` once no lifecycle is left that was let go of. */
  whenAllGone(then: () => void): void {
    this.#whenGone = then;
    this.#tellWhenGone();
  }

  exitFacts(row: Row, nowMs: number): ExitFacts & { readonly isReported: boolean } {
    const { restart, significant } = row.spec;
    const reason = row.lastReason;
    const significantLeft = significant ? this.#significantBeside(row) : 0;
    const isReported = restart === 'permanent' || isAbnormal(reason);
    const own = { restart, reason, significant, significantLeft, isReported };
    return { ...this.tryFacts(row, nowMs), ...own };
  }

  tryFacts(row: Row, nowMs: number): TryFacts {
    const { maxConsecutiveStartFailures, isRetryable } = row.spec;
    const mends = isRetryable?.(row.lastReason) === false ? 'never' : 'perhaps';
    return {
      startFailuresCount: row.startFailuresCount,
      maxConsecutiveStartFailures,
      mends,
      nowMs,
    };
  }

  /** Whatever was let go of is killed. */
  hasten(): void {
    for (const life of this.#leaving.values()) life.stop('brutal_kill', SHUTDOWN);
  }

  /** No timer of a row fires any more, and nothing that waits is launched. */
  disarm(): void {
    this.#queued.clear();
    for (const row of this.#rows.values()) {
      row.order = 'none';
      this.#ports.clock.clearTimeout(row.timer);
    }
  }

  /** End all lives at once. One that cannot even be asked is not waited for: its siblings must end all the same. */
  killAll(): void {
    for (const row of this.#rows.values()) {
      try {
        lifeOf(row)?.stop('brutal_kill', SHUTDOWN);
      } catch {
        // Its error is not the first one, which is the one that is told.
        row.standing = DOWN;
      }
    }
    for (const [key, life] of this.#leaving) {
      try {
        life.stop('brutal_kill', SHUTDOWN);
      } catch {
        this.#leaving.delete(key);
      }
    }
  }

  /** The supervisor has ended: its children's names are free. */
  end(): void {
    this.#names.releaseAll();
  }

  /** Its own code may look for its name, or have it or its supervisor stopped, before the start has returned: it stands in its row by then. */
  #begin(row: Row, epoch: number, type: 'up' | 'starting'): void {
    const { key } = row;
    const path = this.#path === '' ? key : `${this.#path}/${key}`;
    let phase: 'beginning' | 'begun' = 'beginning';
    const begun = (life: Child): void => {
      if (phase === 'beginning') row.standing = { type, life };
      phase = 'begun';
      this.#names.bind(row);
    };
    const listener = (fact: ChildFact): void => this.#tell(row, fact);
    try {
      const life = row.start({ id: key, path, epoch, listener, begun });
      if (phase === 'beginning') begun(life);
    } catch (cause) {
      row.standing = DOWN;
      throw cause;
    }
  }

  #startOf(spec: FullChildSpec): ChildStart {
    const { start, input, startTimeoutMs, restart } = spec;
    if (lifecycleKindOf(start) !== undefined) return (start as LifecycleStart).make(this.#ports);
    const keepsInput = restart !== 'temporary';
    const options = { start: start as AnyStart, input, startTimeoutMs, keepsInput };
    return actorStart(options, this.#ports);
  }

  /** OTP keeps no arguments of temporary children: they may be large. What was made to start it holds them too. */
  #forgetInput(row: Row): void {
    row.spec = { ...row.spec, input: undefined };
    row.start = this.#startOf(row.spec);
  }

  #significantBeside(row: Row): number {
    let count = 0;
    for (const other of this.#rows.values()) {
      if (other !== row && other.spec.significant && other.standing.type !== 'down') count += 1;
    }
    return count;
  }

  #tellWhenGone(): void {
    if (this.#leaving.size > 0) return;
    const then = this.#whenGone;
    this.#whenGone = undefined;
    then?.();
  }
}

function leavingKey(row: Row, epoch: number): string {
  return `${row.key}#${epoch}`;
}
