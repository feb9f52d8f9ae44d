// Which bridge made the program of an id that its caller chose? Remembered by scope and id, as many as there is room for.
import { LIMITS } from '../actors/ground/limits.ts';

/** The bridges of chosen ids. */
export class ChosenIds {
  readonly #max: number;
  /** In the order of their making: the oldest are forgotten first. */
  readonly #bridges = new Map<string, readonly string[]>();

  constructor(max: number = LIMITS.chosenIdsMax) {
    this.#max = max;
  }

  /** A program has been made. */
  add(sessionId: string | undefined, id: string, bridge: string): void {
    const key = keyOf(sessionId, id);
    const known = this.#bridges.get(key) ?? [];
    if (known.includes(bridge)) return;
    this.#bridges.delete(key);
    this.#bridges.set(key, [...known, bridge]);
    if (this.#bridges.size <= this.#max) return;
    const [oldest] = this.#bridges.keys();
    if (oldest !== undefined) this.#bridges.delete(oldest);
  }

  /** One has been deleted. */
  remove(sessionId: string | undefined, id: string, bridge: string): void {
    const key = keyOf(sessionId, id);
    const left = this.#bridges.get(key)?.filter((each) => each !== bridge) ?? [];
    if (left.length === 0) this.#bridges.delete(key);
    else this.#bridges.set(key, left);
  }

  /** The bridges that have made one of this id in this scope, the first first. */
  bridgesOf(sessionId: string | undefined, id: string): readonly string[] {
    return this.#bridges.get(keyOf(sessionId, id)) ?? [];
  }
}

/** No text of one scope and id is that of another: the length says where the id begins. */
function keyOf(sessionId: string | undefined, id: string): string {
  return sessionId === undefined ? `:${id}` : `${sessionId.length}:${sessionId}${id}`;
}
