// Where do journals outlive this process? What the pool asks of a store, and what it is given back.
import type { EncodedValue } from '../../actors/port/codec.ts';
import type { StateChange } from './journal-entry.ts';

/** Whose state it is. */
export type ScopeKey =
  | { readonly pool: string; readonly scope: 'bridge' | 'anonymous' }
  | { readonly pool: string; readonly scope: 'session'; readonly sessionId: string };

/** An entry of a journal, as a store may see it. */
export interface StoredEntry {
  readonly seq: number;
  readonly change: StateChange;
  readonly op: string;
  readonly key: string;
  /** Without its secret arguments. */
  readonly args: EncodedValue;
  /** For each argument that was taken out, the name by which it is found again. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Of `restore`: the keys of the things that are in the snapshot. */
  readonly holds?: readonly string[];
}

/** A whole journal: what a new incarnation must be told. */
export interface StoredScope {
  /** Sequence number of the latest entry, which may be a deletion and so stand in none. */
  readonly head: number;
  /** In the order of their numbers. */
  readonly entries: readonly StoredEntry[];
}

/** What one append has made of a journal (`changeOf`), for stores to which the whole is too much. */
export interface ScopeChange {
  readonly head: number;
  readonly put: readonly StoredEntry[];
  readonly removeSeqs: readonly number[];
}

/** What a store knows of a scope. */
export type LoadedScope =
  | { readonly type: 'found'; readonly scope: StoredScope }
  | { readonly type: 'absent' }
  | { readonly type: 'failed'; readonly error: Error };

/** Told once, maybe at once, that an order has been carried out, or why not. */
export type StoreDone = (error?: Error) => void;

/**
 * Callbacks and no promises, since decisions wait for no microtask. `done` is called exactly once, maybe at once, and never later than the store's own deadline.
 * Orders of one key are carried out in the order in which they were given.
 */
export interface ScopeStore {
  load(key: ScopeKey, done: (found: LoadedScope) => void): void;
  /**
   * Every append has one save, in order. One that fails is not repeated: the next save of its key writes the whole.
   * @param whole what the scope is by now; asked at most once, maybe later.
   * @param expiresInMs undefined: never.
   */
  save(
    key: ScopeKey,
    change: ScopeChange,
    whole: () => StoredScope,
    expiresInMs: number | undefined,
    done: StoreDone,
  ): void;
  /** It is in use: it expires so much later from now. */
  touch(key: ScopeKey, expiresInMs: number | undefined, done: StoreDone): void;
  remove(key: ScopeKey, done: StoreDone): void;
}

/** Resolves the name of a secret; undefined: it is not there. */
export type ResolveSecret = (name: string) => string | undefined;
