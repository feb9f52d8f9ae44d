// Who waits for the fleet to be as it was ordered? Resizes and reloads, each with a deadline, each answered once.
import type { Clock, TimerId } from '../../actors/ground/clock.ts';
import { ReloadFailedError } from '../../actors/ground/pool-errors.ts';
import type { FleetRow } from './fleet-row.ts';

/** Told once: nothing when it is as it was ordered, else why not. */
export type Done = (error?: Error) => void;

interface Waiting {
  readonly timer: TimerId;
  readonly done: Done;
}

interface Reload extends Waiting {
  /** All workers must have loaded at least this. */
  readonly build: number;
}

interface Resize extends Waiting {
  readonly from: number;
  readonly to: number;
}

/** What is ordered of one pool. */
export class FleetRequests {
  readonly #pool: string;
  readonly #clock: Clock;
  /** A request has failed: what was begun for it is called off. */
  readonly #onFailed: (what: 'reload' | 'resize', backTo: number | undefined) => void;
  #reloads: readonly Reload[] = [];
  #resize: Resize | undefined;
  #builds = 0;

  constructor(
    pool: string,
    clock: Clock,
    onFailed: (what: 'reload' | 'resize', backTo: number | undefined) => void,
  ) {
    this.#pool = pool;
    this.#clock = clock;
    this.#onFailed = onFailed;
  }

  /** What an incarnation that begins now has loaded. */
  get build(): number {
    return this.#builds;
  }

  /** What must be loaded by all. */
  get wantedBuild(): number {
    return Math.max(0, ...this.#reloads.map(({ build }) => build));
  }

  get isResizing(): boolean {
    return this.#resize !== undefined;
  }

  reload(timeoutMs: number, done: Done): void {
    this.#builds += 1;
    const timer = this.#clock.setTimeout(() => {
      this.failReloads(`it was not done within ${timeoutMs} ms`, undefined);
    }, timeoutMs);
    this.#reloads = [...this.#reloads, { build: this.#builds, timer, done }];
  }

  resize(from: number, to: number, timeoutMs: number, done: Done): void {
    const before = this.#take();
    const timer = this.#clock.setTimeout(() => {
      this.failResize(`it was not done within ${timeoutMs} ms`, undefined);
    }, timeoutMs);
    // Of two that are under way the later one counts; the former is not to be come back to.
    this.#resize = { from: before?.from ?? from, to, timer, done };
    before?.done(this.#error(`resize to ${before.to}: a resize to ${to} came after it`, undefined));
  }

  /** Answer those that are as they were ordered. @returns whether there were any: others may have waited for them. */
  settle(rows: readonly FleetRow[], size: number): boolean {
    const before = this.#count;
    const isGoing = ({ state }: FleetRow): boolean => state === 'retiring' || state === 'stopping';
    const members = rows.filter((row) => !isGoing(row));
    const areReady = members.every(({ state, replaces }) => {
      return state === 'ready' && replaces === undefined;
    });
    const going = new Set(rows.filter(isGoing).map(({ because }) => because));
    if (areReady && !going.has('reload')) this.#settleReloads(members);
    if (areReady && members.length === size && !going.has('resize')) this.#take()?.done();
    return this.#count < before;
  }

  failReloads(because: string, cause: Error | undefined): void {
    const failed = this.#reloads;
    if (failed.length === 0) return;
    this.#reloads = [];
    this.#onFailed('reload', undefined);
    for (const reload of failed) this.#end(reload, this.#error(because, cause));
  }

  failResize(because: string, cause: Error | undefined): void {
    const failed = this.#take();
    if (failed === undefined) return;
    this.#onFailed('resize', failed.from);
    failed.done(this.#error(`resize to ${failed.to}: ${because}`, cause));
  }

  /** The pool is over, or is ending. */
  failAll(makeError: () => Error): void {
    const failed: readonly Waiting[] = [...this.#reloads, ...(this.#resize ? [this.#resize] : [])];
    this.#reloads = [];
    this.#resize = undefined;
    for (const one of failed) this.#end(one, makeError());
  }

  get #count(): number {
    return this.#reloads.length + (this.#resize === undefined ? 0 : 1);
  }

  #settleReloads(members: readonly FleetRow[]): void {
    const loaded = Math.min(...members.map(({ build }) => build));
    const over = this.#reloads.filter(({ build }) => build <= loaded);
    if (over.length === 0) return;
    this.#reloads = this.#reloads.filter((reload) => !over.includes(reload));
    for (const reload of over) this.#end(reload, undefined);
  }

  #take(): Resize | undefined {
    const resize = this.#resize;
    this.#resize = undefined;
    if (resize !== undefined) this.#clock.clearTimeout(resize.timer);
    return resize;
  }

  #end({ timer, done }: Waiting, error: Error | undefined): void {
    this.#clock.clearTimeout(timer);
    done(error);
  }

  #error(because: string, cause: Error | undefined): ReloadFailedError {
    return new ReloadFailedError(this.#pool, because, cause);
  }
}
