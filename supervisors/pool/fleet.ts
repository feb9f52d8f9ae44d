// Which workers has a pool, and who comes and goes? What is told of them goes into rows, a plan is made of these, and carried out.
import { LIMITS } from '../../actors/ground/limits.ts';
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type { ChildFact } from '../../actors/lifecycle/child.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import { FleetAlarm } from './fleet-alarm.ts';
import { FleetCrew } from './fleet-crew.ts';
import { planFleet, type FleetFacts } from './fleet-plan.ts';
import { FleetRequests, type Done } from './fleet-requests.ts';
import { beginIncarnation, workerOf, type FleetRow } from './fleet-row.ts';
import type { FleetPorts, FleetRouter, FleetStatistics, FleetTree } from './fleet-types.ts';
import type { PoolOptions } from './pool-options.ts';

/** The workers of one pool. */
export class Fleet {
  readonly #options: PoolOptions;
  readonly #ports: FleetPorts;
  readonly #tree: FleetTree;
  readonly #router: FleetRouter;
  readonly #crew: FleetCrew;
  readonly #requests: FleetRequests;
  readonly #alarm: FleetAlarm;
  readonly #idleTimeoutMs: number;
  /** Workers that may be added because calls wait, as of the last plan. */
  #room = 0;

  constructor(
    pool: string,
    options: PoolOptions,
    ports: FleetPorts,
    ends: { readonly tree: FleetTree; readonly router: FleetRouter },
  ) {
    const { size = LIMITS.poolSize, autoscale, drainMs = LIMITS.drainMs } = options;
    this.#options = options;
    this.#ports = ports;
    this.#tree = ends.tree;
    this.#router = ends.router;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? LIMITS.idleTimeoutMs;
    this.#alarm = new FleetAlarm(ports.clock, () => this.#look());
    this.#requests = new FleetRequests(pool, ports.clock, (what, backTo) => {
      if (backTo !== undefined) this.#crew.resize(backTo, 'start_failed');
      for (const row of [...this.#crew.rows.values()]) {
        if (row.state === 'probation' && row.because === what)
          this.#crew.stop(row, 'in_time', 'start_failed');
      }
      this.#alarm.soon();
    });
    const begin = Math.min(Math.max(size, autoscale?.min ?? size), autoscale?.max ?? size);
    this.#crew = new FleetCrew(begin, {
      ...{ pool, drainMs, ports, ...ends, requests: this.#requests },
      changed: () => this.#alarm.soon(),
    });
  }

  /** Workers that the pool is to have. */
  get size(): number {
    return this.#crew.size;
  }

  statistics(): FleetStatistics {
    return this.#crew.statistics();
  }

  /** Their supervisor begins, for the first time or again. @returns who is to run: those that were counted on, as many as the size is. */
  begin(): readonly string[] {
    const ids = this.#crew.muster();
    this.#alarm.begin();
    return ids;
  }

  /** Nothing comes or goes any more until it begins again; whoever waits for an order is told. */
  end(makeError: () => Error): void {
    this.#alarm.end();
    this.refuse(makeError);
  }

  /** Whoever waits for an order is told that it will not be. */
  refuse(makeError: () => Error): void {
    this.#requests.failAll(makeError);
  }

  /** Have `size` workers. `done` when it is so; when one does not start, the size is again what it was. */
  resize(size: number, timeoutMs: number, done: Done): void {
    const { min = 1, max = LIMITS.poolSizeMax } = this.#options.autoscale ?? {};
    if (!Number.isSafeInteger(size) || size < min || size > max) {
      const expected = `a whole number from ${min} to ${max} is expected, found ${size}`;
      done(new InvalidConfigError('size', expected));
      return;
    }
    this.#requests.resize(this.size, size, timeoutMs, done);
    this.#crew.resize(size, 'resize');
    this.#alarm.soon();
  }

  /** Replace every worker, one after the other, each when its replacement is ready. `done` when the last of the old ones has ended. */
  reload(timeoutMs: number, done: Done): void {
    this.#requests.reload(timeoutMs, done);
    this.#alarm.soon();
  }

  /** @returns whether it may be given calls. */
  workerReady(worker: Worker): boolean {
    const row = this.#crew.rows.get(worker.id);
    // Called off before its start had begun.
    if (row === undefined) return false;
    if (row.state === 'probation') this.#crew.adopt(row);
    const { clock, random } = this.#ports;
    beginIncarnation(row, worker, this.#options, { nowMs: clock.nowMs(), random });
    this.#alarm.soon();
    return true;
  }

  workerUnavailable(worker: Worker): void {
    const row = this.#crew.rows.get(worker.id);
    if (row?.state === 'ready') row.state = 'restarting';
  }

  /** What its supervisor is told of a worker. */
  onFact(id: string, fact: ChildFact): void {
    const row = this.#crew.rows.get(id);
    if (row === undefined || (fact.type !== 'child.crashed' && fact.type !== 'child.stopped'))
      return;
    switch (row.state) {
      case 'probation':
        // A tree that ends takes it along: that is no failure of it.
        if (this.#tree.state === 'down') this.#crew.forget(row);
        else
          this.#crew.startFailed(
            row,
            fact.type === 'child.crashed' ? fact.report.reason : fact.reason,
          );
        return;
      case 'retiring':
      case 'stopping':
        this.#crew.forget(row);
        return;
      case 'ready':
      case 'restarting':
        if (fact.type === 'child.crashed' && row.readySinceMs === undefined)
          this.#crew.memberFailed();
        row.state = 'restarting';
        row.readySinceMs = undefined;
        // What its next incarnation loads is at least as new as this.
        row.build = this.#requests.build;
        return;
      default:
        row.state satisfies never;
    }
  }

  /** A call waits. */
  onQueued(): void {
    const { autoscale } = this.#options;
    if (this.#room > 0) this.#alarm.soon();
    else if (autoscale !== undefined) this.#alarm.within(autoscale.queueWaitMs);
  }

  /** A worker has nothing to do. */
  onIdle(worker: Worker, epoch: number): void {
    const row = this.#rowOf(worker, epoch);
    if (row === undefined) return;
    row.idleSinceMs = this.#ports.clock.nowMs();
    const isSpare = this.#crew.rows.size > this.size || this.#options.autoscale !== undefined;
    if (isSpare) this.#alarm.within(this.#idleTimeoutMs);
  }

  onCallOver(worker: Worker, epoch: number, callsCount: number): void {
    const row = this.#rowOf(worker, epoch);
    if (row === undefined) return;
    row.idleSinceMs = Infinity;
    row.calls = callsCount;
    if (callsCount >= row.limits.calls) this.#alarm.soon();
  }

  /** A call has left this incarnation in a state that nobody knows: the next one takes its place, unless it was to go anyway. */
  replace(worker: Worker, epoch: number, because: string): void {
    const row = this.#crew.rows.get(worker.id);
    if (row?.state !== 'retiring' && row?.state !== 'stopping')
      this.#tree.replaceWorker(worker.id, epoch, because);
    else if (worker.epoch === epoch) this.#crew.stop(row, 'at_once', 'condemned');
  }

  #look(): void {
    if (this.#tree.state === 'down') return;
    const plan = planFleet(this.#facts());
    for (const order of plan.orders) this.#crew.carryOut(order);
    this.#room = plan.room;
    const isSettled = this.#requests.settle([...this.#crew.rows.values()], this.size);
    this.#alarm.by(plan.lookAtMs);
    const { maxRssBytes, heartbeatMs = LIMITS.heartbeatMs } = this.#options;
    if (maxRssBytes !== undefined) this.#alarm.within(heartbeatMs);
    // What was done may allow the next thing.
    if (plan.orders.length > 0 || isSettled) this.#alarm.soon();
  }

  #facts(): FleetFacts {
    const { overflow = 0, autoscale } = this.#options;
    const nowMs = this.#ports.clock.nowMs();
    const wanted = this.#requests.wantedBuild;
    return {
      ...{ nowMs, overflow, autoscale, size: this.size, idleTimeoutMs: this.#idleTimeoutMs },
      workers: [...this.#crew.rows.values()].map((row) => {
        const isSpare = row.worker !== undefined && this.#router.isSpare(row.worker);
        const seen = workerOf(row, nowMs, wanted);
        return isSpare ? seen : { ...seen, idleSinceMs: Infinity };
      }),
      load: this.#router.load(),
      resize: this.#requests.isResizing ? 'ordered' : 'none',
      notBeforeMs: this.#crew.notBeforeMs,
    };
  }

  #rowOf(worker: Worker, epoch: number): FleetRow | undefined {
    const row = this.#crew.rows.get(worker.id);
    return row?.worker === worker && worker.epoch === epoch ? row : undefined;
  }
}
