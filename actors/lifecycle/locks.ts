// Who may run now, of all who want the same key? One at a time, in order; the dead make room.
import { AsyncResource } from 'node:async_hooks';

import { errorFrom } from '../ground/error-from.ts';
import { isThenable } from '../ground/thenable.ts';
import type { Incarnation } from './ref.ts';

interface Turn {
  state: 'waiting' | 'running' | 'over';
  readonly run: () => void;
}

interface Line {
  readonly turns: Set<Turn>;
  isMoving: boolean;
}

/** Exclusive sections by key. Not reentrant: who has a key and asks for it again waits for itself. */
export class Locks {
  readonly #lines = new Map<unknown, Line>();

  /**
   * Run `work` once nobody before has the key. It is free again when `work` has settled, threw, or `owner` has ended.
   * @returns what `work` gives; never settles when `owner` ends before its turn.
   */
  lock<Result>(
    key: unknown,
    work: () => Result | PromiseLike<Result>,
    owner: Incarnation | undefined,
  ): Promise<Result> {
    // As the code of who asks, whoever leaves the key to it.
    const context = new AsyncResource('caduceus.lock');
    return new Promise((resolve, reject) => {
      const line = this.#lines.get(key) ?? { turns: new Set(), isMoving: false };
      this.#lines.set(key, line);
      const leave = (): void => {
        if (turn.state === 'over') return;
        turn.state = 'over';
        line.turns.delete(turn);
        release?.();
        this.#move(key, line);
      };
      const fail = (error: Error): void => {
        leave();
        context.runInAsyncScope(() => reject(error));
      };
      const turn: Turn = {
        state: 'waiting',
        run: () => {
          try {
            const given = context.runInAsyncScope(work);
            if (isThenable(given)) {
              Promise.resolve(given).then((result) => {
                leave();
                resolve(result);
              }, fail);
            } else {
              resolve(given);
              leave();
            }
          } catch (cause) {
            fail(errorFrom(cause));
          }
        },
      };
      line.turns.add(turn);
      const release = owner?.whenEnded(leave);
      this.#move(key, line);
    });
  }

  /** Let the first run. Not from inside itself: a thousand turns that are over at once are a loop, not a stack. */
  #move(key: unknown, line: Line): void {
    if (line.isMoving) return;
    line.isMoving = true;
    for (const first of line.turns) {
      if (first.state === 'waiting') {
        first.state = 'running';
        first.run();
      }
      // It is not over: all others wait for it.
      if (line.turns.has(first)) break;
    }
    line.isMoving = false;
    if (line.turns.size === 0 && this.#lines.get(key) === line) this.#lines.delete(key);
  }
}
