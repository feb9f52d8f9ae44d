// What must a store of sessions do? The interface that `sqliteStore` and `keyvStore` fulfil, and that a user's own store can.

/** One journal entry. Its bytes mean nothing to a store. */
export interface SavedEntry {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** What one save changes. A store that keeps one value for each id writes `whole()`; one that keeps entries needs no more than the change, which costs less. */
export interface SavedChange {
  /** Of what is saved: no other save has the same, whoever wrote it. */
  readonly revision: string;
  /**
   * The revision that must be in the store for `put` and `removeSeqs` to be all that it lacks. When it has another, or nothing, or this is undefined, `all()` takes the place
   * of everything that it has of this id.
   */
  readonly baseRevision: string | undefined;
  /** Number of the latest entry. */
  readonly head: number;
  readonly put: readonly SavedEntry[];
  readonly removeSeqs: readonly number[];
  /** Everything, as it is by now: with this change at least. */
  all(): { readonly head: number; readonly entries: readonly SavedEntry[] };
  /** The same as one value, for `load` to give back. */
  whole(): Uint8Array;
  /** How long it must be kept from now, in ms; undefined: until it is removed. */
  readonly expiresInMs: number | undefined;
}

/** What was saved: the `whole()` of the last save, or its `revision`, its `head` and all entries' bytes, in any order. */
export type SavedScope =
  | Uint8Array
  | {
      readonly revision: string;
      readonly head: number;
      readonly entries: readonly Uint8Array[];
    };

/**
 * Where the state of sessions outlives this process. One that is kept by a class of your own must hold to this:
 *
 * - A promise resolves once the thing is done and would survive the end of this process, and rejects when that is not certain.
 * - A save is done whole or not at all, whatever ends meanwhile.
 * - Ids are ASCII text without spaces. Operations of one id are called one after the other; of different ids at any time.
 * - What has expired is not there: `load` gives undefined.
 * - Nothing needs to be retried: what fails is told to the caller, and the next save of the same id brings all of it.
 */
export interface SessionStore {
  /** For messages, e.g. `sqlite /var/lib/app/sessions.db`. */
  readonly name: string;
  load(id: string): Promise<SavedScope | undefined>;
  save(id: string, change: SavedChange): Promise<void>;
  /** Keep it so much longer from now; what is not there is ignored. */
  touch(id: string, expiresInMs: number | undefined): Promise<void>;
  /** What is not there is ignored. */
  remove(id: string): Promise<void>;
}
