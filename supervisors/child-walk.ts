// In which order do children start and stop? One at a time: forward and acknowledged, or backward and awaited; those of a simple_one_for_one stop all at once.
import { errorFrom } from '../actors/ground/error-from.ts';
import { SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import type { Shutdown } from '../actors/lifecycle/child.ts';
import { DOWN, lifeOf, type Row } from './child-row.ts';

/** What the walk has its owner do. None of these may walk on by itself. */
export interface WalkHands {
  /** Begin the row's next incarnation. @throws what its start threw. */
  readonly launch: (row: Row) => void;
  /** It has been told to end and has; its row is down. */
  readonly ended: (row: Row, reason: ExitReason) => void;
  /** A lifecycle that has crashed already is let go of. */
  readonly release: (row: Row) => void;
}

/** How a walk that starts children has ended. */
export type StartOutcome =
  | { readonly type: 'started' }
  | { readonly type: 'failed'; readonly row: Row; readonly reason: ExitReason }
  /** The start of this child was called off; those after it stay down. */
  | { readonly type: 'aborted'; readonly row: Row };

interface Stopping {
  readonly type: 'stopping';
  readonly awaited: Set<Row>;
  readonly left: Row[];
  readonly then: () => void;
}

type Walk =
  | { readonly type: 'standing' }
  | {
      readonly type: 'starting';
      readonly awaited: Row;
      /** All that are to start, and the place of the one after the awaited: copies of the rest would be quadratic. */
      readonly rows: readonly Row[];
      readonly next: number;
      readonly then: (outcome: StartOutcome) => void;
    }
  | {
      readonly type: 'aborting';
      readonly awaited: Row;
      readonly then: (outcome: StartOutcome) => void;
    }
  | Stopping;

const STANDING: Walk = { type: 'standing' };

/** OTP: children start left to right, each blocking until its own init is done; they stop right to left, each awaited. */
export class ChildWalk {
  readonly #hands: WalkHands;
  readonly #stops: 'one at a time' | 'all at once';
  #walk: Walk = STANDING;
  #hastened: Shutdown | undefined;

  constructor(hands: WalkHands, stops: 'one at a time' | 'all at once') {
    this.#hands = hands;
    this.#stops = stops;
  }

  start(rows: readonly Row[], then: (outcome: StartOutcome) => void): void {
    this.#startFrom(rows, 0, then);
  }

  /** Stop from the end of the list; takes the place of a walk that is under way. */
  stop(rows: readonly Row[], then: () => void): void {
    const walk: Stopping = { type: 'stopping', awaited: new Set(), left: [...rows], then };
    this.#walk = walk;
    this.#stopOn(walk);
  }

  /** Whatever still has to stop is killed, those that are awaited included. */
  hasten(): void {
    this.#hastened = 'brutal_kill';
    if (this.#walk.type !== 'stopping') return;
    for (const row of this.#walk.awaited) lifeOf(row)?.stop('brutal_kill', SHUTDOWN);
  }

  /** Whether it was killed itself: its time to stop was over, or it had none. Then it ends `killed`, as every child does. */
  get isHastened(): boolean {
    return this.#hastened !== undefined;
  }

  /** Whether the end of this row is the next step. */
  isAwaiting(row: Row): boolean {
    const walk = this.#walk;
    if (walk.type === 'standing') return false;
    return walk.type === 'stopping' ? walk.awaited.has(row) : walk.awaited === row;
  }

  /** Call off the start that is awaited, if it is this row's. @returns whether it was. */
  abort(row: Row): boolean {
    const walk = this.#walk;
    if (walk.type !== 'starting' || walk.awaited !== row) return false;
    this.#walk = { type: 'aborting', awaited: row, then: walk.then };
    lifeOf(row)?.stop(row.spec.shutdown, SHUTDOWN);
    return true;
  }

  /** The start of this row has been acknowledged, or there is nothing to start. */
  onAcknowledged(row: Row): void {
    const walk = this.#walk;
    if (walk.type === 'starting' && walk.awaited === row)
      this.#startFrom(walk.rows, walk.next, walk.then);
  }

  /** @returns whether the walk had waited for this end. */
  onEnd(row: Row, reason: ExitReason): boolean {
    const walk = this.#walk;
    switch (walk.type) {
      case 'standing':
        return false;
      case 'starting':
        if (walk.awaited !== row) return false;
        this.#walk = STANDING;
        walk.then({ type: 'failed', row, reason });
        return true;
      case 'aborting':
        if (walk.awaited !== row) return false;
        if (lifeOf(row) !== undefined && lifeOf(row)?.state !== 'stopped') return true;
        this.#walk = STANDING;
        walk.then({ type: 'aborted', row });
        return true;
      case 'stopping':
        if (!walk.awaited.has(row)) return false;
        // A crash that came first: the order to stop is on its way to it.
        if (lifeOf(row)?.state !== 'stopped') return true;
        walk.awaited.delete(row);
        this.#finish(row, reason);
        if (walk.awaited.size === 0) this.#stopOn(walk);
        return true;
      default:
        return walk satisfies never;
    }
  }

  #startFrom(rows: readonly Row[], index: number, then: (outcome: StartOutcome) => void): void {
    for (let at = index; at < rows.length; at += 1) {
      const row = rows[at];
      if (row === undefined) continue;
      if (row.spec.ack === 'ready') {
        this.#walk = { type: 'starting', awaited: row, rows, next: at + 1, then };
      }
      try {
        this.#hands.launch(row);
      } catch (cause) {
        this.#walk = STANDING;
        const error = errorFrom(cause);
        then({ type: 'failed', row, reason: { type: 'error', error } });
        return;
      }
      if (row.spec.ack === 'ready') return;
    }
    this.#walk = STANDING;
    then({ type: 'started' });
  }

  #stopOn(walk: Stopping): void {
    for (let row = walk.left.pop(); row !== undefined; row = walk.left.pop()) {
      this.#stopOne(row, walk.awaited);
      if (walk.awaited.size > 0 && this.#stops === 'one at a time') return;
    }
    if (walk.awaited.size > 0) return;
    this.#walk = STANDING;
    walk.then();
  }

  #stopOne(row: Row, awaited: Set<Row>): void {
    const life = lifeOf(row);
    if (row.standing.type !== 'up' && row.standing.type !== 'starting') {
      this.#hands.release(row);
    } else if (life?.state === 'stopped') {
      // It ended by itself, and nobody has judged that yet: OTP finds it dead and takes its own reason.
      this.#finish(row, life.ref.exitReason ?? row.lastReason);
    } else {
      awaited.add(row);
      life?.stop(this.#hastened ?? row.spec.shutdown, SHUTDOWN);
    }
  }

  #finish(row: Row, reason: ExitReason): void {
    row.standing = DOWN;
    this.#hands.ended(row, reason);
  }
}
