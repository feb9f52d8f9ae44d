// In which order do children start and stop? One at a time: forward and acknowledged, or backward and awaited.
import { SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import type { Shutdown } from '../actors/lifecycle/child.ts';
import type { Row } from './child-row.ts';
import { errorFrom } from './error-from.ts';

export interface WalkEnds {
  readonly startLife: (row: Row) => void;
  readonly started: () => void;
  readonly startFailed: (row: Row, reason: ExitReason) => void;
  readonly stopped: () => void;
}

type Walk =
  | { readonly type: 'standing' }
  | { readonly type: 'starting'; readonly awaited: Row; readonly left: readonly Row[] }
  | { readonly type: 'stopping'; readonly awaited: Row; readonly left: readonly Row[] };

const STANDING: Walk = { type: 'standing' };

/** OTP: children start left to right, each blocking until its own init is done; they stop right to left, each awaited. */
export class ChildWalk {
  readonly #ends: WalkEnds;
  #walk: Walk = STANDING;
  #hastened: Shutdown | undefined;

  constructor(ends: WalkEnds) {
    this.#ends = ends;
  }

  start(rows: readonly Row[]): void {
    for (const [index, row] of rows.entries()) {
      if (row.spec.ack === 'ready') {
        this.#walk = { type: 'starting', awaited: row, left: rows.slice(index + 1) };
      }
      try {
        this.#ends.startLife(row);
      } catch (cause) {
        this.#walk = STANDING;
        this.#ends.startFailed(row, { type: 'error', error: errorFrom(cause) });
        return;
      }
      if (row.spec.ack === 'ready') return;
    }
    this.#walk = STANDING;
    this.#ends.started();
  }

  /** Stop in reverse start order; takes the place of a start that is under way. */
  stop(rows: readonly Row[]): void {
    const left = [...rows];
    for (let row = left.pop(); row !== undefined; row = left.pop()) {
      if (row.life === undefined) continue;
      this.#walk = { type: 'stopping', awaited: row, left };
      row.life.stop(this.#hastened ?? row.spec.shutdown, SHUTDOWN);
      return;
    }
    this.#walk = STANDING;
    this.#ends.stopped();
  }

  /** Whatever still has to stop is killed, the one that is awaited included. */
  hasten(): void {
    this.#hastened = 'brutal_kill';
    if (this.#walk.type === 'stopping') this.#walk.awaited.life?.stop('brutal_kill', SHUTDOWN);
  }

  onReady(row: Row): void {
    const walk = this.#walk;
    if (walk.type === 'starting' && walk.awaited === row) this.start(walk.left);
  }

  /** @returns whether the walk had waited for this end. */
  onEnd(row: Row, reason: ExitReason): boolean {
    const walk = this.#walk;
    if (walk.type === 'standing' || walk.awaited !== row) return false;
    if (walk.type === 'starting') {
      this.#walk = STANDING;
      this.#ends.startFailed(row, reason);
    } else if (row.life === undefined) {
      this.stop(walk.left);
    }
    return true;
  }
}
