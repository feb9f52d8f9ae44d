// How is the plan of a fleet carried out? Rows of workers that are started on probation, adopted, retired and removed.
import { LIMITS } from '../../actors/ground/limits.ts';
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { ComingBecause, FleetOrder, FleetState, GoingBecause } from './fleet-plan.ts';
import type { FleetRequests } from './fleet-requests.ts';
import { newFleetRow, type FleetRow } from './fleet-row.ts';
import type { FleetPorts, FleetRouter, FleetStatistics, FleetTree } from './fleet-types.ts';
import type { Wear } from './recycle.ts';

export interface CrewParts {
  readonly pool: string;
  readonly drainMs: number;
  readonly ports: FleetPorts;
  readonly tree: FleetTree;
  readonly router: FleetRouter;
  readonly requests: FleetRequests;
  /** There may be something to do. */
  readonly changed: () => void;
}

/** Doubling it further would be longer than its limit anyway. */
const BACKOFF_EXPONENT_MAX = 16;

/** The rows of one fleet, in the order in which they came. */
export class FleetCrew {
  readonly rows = new Map<string, FleetRow>();
  readonly #parts: CrewParts;
  readonly #recycled: Record<Wear, number> = { calls: 0, age: 0, rss: 0 };
  readonly #counters = { reloaded: 0, overflowed: 0, startsFailed: 0 };
  #size: number;
  #nextId = 0;
  /** Planned starts in a row that failed. */
  #failures = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(size: number, parts: CrewParts) {
    this.#size = size;
    this.#parts = parts;
  }

  get size(): number {
    return this.#size;
  }

  /** When the next start may be tried that nobody has ordered. */
  get notBeforeMs(): number {
    return this.#notBeforeMs;
  }

  statistics(): FleetStatistics {
    let [starting, retiring] = [0, 0];
    for (const { state } of this.rows.values()) {
      if (state === 'probation' || state === 'restarting') starting += 1;
      else if (state !== 'ready') retiring += 1;
    }
    return { starting, retiring, recycled: { ...this.#recycled }, ...this.#counters };
  }

  /** Those that are counted on, as many as the size is, are to be started anew; the others are forgotten. */
  muster(): readonly string[] {
    const members = [...this.rows.values()].filter(({ state }) => {
      return state === 'ready' || state === 'restarting';
    });
    this.rows.clear();
    for (const row of members.slice(0, this.#size)) {
      this.rows.set(row.id, row);
      Object.assign(row, { state: 'restarting', replaces: undefined, readySinceMs: undefined });
      row.build = this.#parts.requests.build;
    }
    while (this.rows.size < this.#size) this.#add('restarting', 'size', undefined);
    return [...this.rows.keys()];
  }

  resize(size: number, because: 'resize' | 'autoscale' | 'start_failed'): void {
    const from = this.#size;
    if (size === from) return;
    this.#size = size;
    const { ports, pool } = this.#parts;
    ports.bus.emit('pool.resized', { pool, from, to: size, because });
  }

  carryOut(order: FleetOrder): void {
    switch (order.type) {
      case 'start':
        this.#start(order.because, order.replaces);
        return;
      case 'size':
        this.resize(order.size, 'autoscale');
        return;
      case 'retire':
        this.#onRow(order.id, (row) => this.#retire(row, order.because));
        return;
      case 'remove':
        this.#onRow(order.id, (row) => {
          this.#count(row, order.because);
          this.stop(row, 'in_time', order.because);
        });
        return;
      default:
        order satisfies never;
    }
  }

  /** It was on probation and is ready. */
  adopt(row: FleetRow): void {
    this.#failures = 0;
    this.#parts.tree.adopt(row.id);
  }

  /** Stop it and forget it. */
  stop(row: FleetRow, how: 'in_time' | 'at_once', because: GoingBecause): void {
    row.state = 'stopping';
    row.because = because;
    if (this.#parts.tree.removeWorker(row.id, how, because) === 'gone') this.forget(row);
  }

  forget(row: FleetRow): void {
    this.rows.delete(row.id);
    this.#parts.changed();
  }

  /** One that belongs to the pool did not become ready: its supervisor judges that. */
  memberFailed(): void {
    this.#counters.startsFailed += 1;
    this.#parts.router.startFailed();
  }

  /** One on probation did not become ready: whoever has ordered it is told, or it is tried again later. */
  startFailed(row: FleetRow, reason: ExitReason): void {
    const { pool, ports, requests } = this.#parts;
    const { id, because } = row;
    this.#counters.startsFailed += 1;
    this.forget(row);
    const isOrdered = because === 'reload' || because === 'resize';
    const retryInMs = isOrdered ? undefined : this.#backOff();
    const worker = `${pool}/${id}`;
    ports.bus.emit('worker.start_failed', { pool, worker, because, reason, retryInMs });
    const cause = reason.type === 'error' ? reason.error : undefined;
    if (because === 'autoscale') this.resize(this.#size - 1, 'start_failed');
    if (because === 'reload') requests.failReloads(`worker ${worker} did not start`, cause);
    if (because === 'resize') requests.failResize(`worker ${worker} did not start`, cause);
  }

  #backOff(): number {
    const exponent = Math.min(this.#failures, BACKOFF_EXPONENT_MAX);
    const delayMs = Math.min(
      LIMITS.plannedStartBackoffMaxMs,
      LIMITS.plannedStartBackoffMinMs * 2 ** exponent,
    );
    this.#failures += 1;
    this.#notBeforeMs = this.#parts.ports.clock.nowMs() + delayMs;
    return delayMs;
  }

  #start(because: ComingBecause, replaces: string | undefined): void {
    const { pool, ports, tree } = this.#parts;
    const row = this.#add('probation', because, replaces);
    if (because === 'overflow') this.#counters.overflowed += 1;
    const worker = `${pool}/${row.id}`;
    const replaced = replaces === undefined ? undefined : `${pool}/${replaces}`;
    ports.bus.emit('worker.starting', { pool, worker, because, replaces: replaced });
    tree.startWorker(row.id, (error) => {
      const isKnown = this.rows.get(row.id) === row;
      if (error === undefined && !isKnown) tree.removeWorker(row.id, 'in_time', 'called off');
      if (error !== undefined && isKnown) this.startFailed(row, { type: 'error', error });
    });
  }

  #add(state: FleetState, because: ComingBecause, replaces: string | undefined): FleetRow {
    const id = String(this.#nextId);
    this.#nextId += 1;
    const { build } = this.#parts.requests;
    const row = newFleetRow({ id, state, because, replaces, build });
    this.rows.set(id, row);
    return row;
  }

  #retire(row: FleetRow, because: GoingBecause): void {
    const { pool, drainMs, ports, router } = this.#parts;
    const { worker } = row;
    if (worker === undefined) return;
    this.#count(row, because);
    row.state = 'retiring';
    row.because = because;
    const { workerId, epoch } = worker;
    ports.bus.emit('worker.retiring', { pool, worker: workerId, epoch, because, drainMs });
    router.retire(worker, { because, drainMs }, () => {
      if (this.rows.get(row.id) !== row || row.state !== 'retiring') return;
      this.stop(row, 'in_time', because);
    });
  }

  /** Its replacement, if it has one, has nobody left to replace. */
  #count(row: FleetRow, because: GoingBecause): void {
    for (const next of this.rows.values()) {
      if (next.replaces === row.id) next.replaces = undefined;
    }
    if (because === 'reload') this.#counters.reloaded += 1;
    else if (because === 'calls' || because === 'age' || because === 'rss')
      this.#recycled[because] += 1;
  }

  #onRow(id: string, act: (row: FleetRow) => void): void {
    const row = this.rows.get(id);
    if (row !== undefined) act(row);
  }
}
