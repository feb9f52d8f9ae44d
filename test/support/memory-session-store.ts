// What is the smallest store of sessions? A Map, which forgets with its process: it shows that a store of the user's own is a matter of a few lines.
import { systemClock } from '../../actors/ground/clock.ts';
import type { SavedChange, SessionStore } from '../../src/stores/session-store.ts';

interface Row {
  readonly bytes: Uint8Array;
  readonly expiresAtMs: number;
}

export class MemorySessionStore implements SessionStore {
  readonly name = 'memory';
  readonly #rows = new Map<string, Row>();

  async load(id: string) {
    return this.#find(id)?.bytes;
  }

  async save(id: string, change: SavedChange) {
    this.#rows.set(id, { bytes: change.whole(), expiresAtMs: expiryOf(change.expiresInMs) });
  }

  async touch(id: string, expiresInMs: number | undefined) {
    const row = this.#find(id);
    if (row !== undefined) this.#rows.set(id, { ...row, expiresAtMs: expiryOf(expiresInMs) });
  }

  async remove(id: string) {
    this.#rows.delete(id);
  }

  #find(id: string): Row | undefined {
    const row = this.#rows.get(id);
    return row !== undefined && row.expiresAtMs > systemClock.wallMs() ? row : undefined;
  }
}

function expiryOf(expiresInMs: number | undefined): number {
  return expiresInMs === undefined ? Infinity : systemClock.wallMs() + expiresInMs;
}
