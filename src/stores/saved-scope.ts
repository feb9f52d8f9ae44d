// How do the entries that a pool tells become what a store sees, and what a store gives back entries again?
import type { LoadedScope, ScopeChange, StoredScope } from '../../supervisors/pool/scope-store.ts';
import {
  decodeStoredEntry,
  decodeStoredScope,
  encodeStoredEntry,
  encodeStoredScope,
  storedScopeOf,
} from '../../supervisors/pool/stored-scope.ts';
import type { SavedChange, SavedEntry, SavedScope } from './session-store.ts';

/** Two changes as one, the later of which knows better. */
export function mergedOf(earlier: ScopeChange, later: ScopeChange): ScopeChange {
  const removed = new Set(later.removeSeqs);
  return {
    head: later.head,
    put: [...earlier.put.filter(({ seq }) => !removed.has(seq)), ...later.put],
    removeSeqs: [...new Set([...earlier.removeSeqs, ...removed])],
  };
}

/** A change, as the store is told of it. */
export function savedFrom(
  { head, put, removeSeqs }: ScopeChange,
  whole: () => StoredScope,
  revisions: Pick<SavedChange, 'revision' | 'baseRevision'>,
  expiresInMs: number | undefined,
): SavedChange {
  return {
    ...{ ...revisions, head, removeSeqs, expiresInMs },
    // A store that writes the whole does not look at it.
    get put() {
      return put.map(savedEntryOf);
    },
    all: () => {
      const now = whole();
      return { head: now.head, entries: now.entries.map(savedEntryOf) };
    },
    whole: () => encodeStoredScope(whole()),
  };
}

/** @throws Error that says what of it is not understood. */
export function loadedFrom(saved: SavedScope | undefined): LoadedScope {
  if (saved === undefined) return { type: 'absent' };
  if (saved instanceof Uint8Array) return { type: 'found', scope: decodeStoredScope(saved) };
  const scope = storedScopeOf(saved.head, saved.entries.map(decodeStoredEntry));
  return { type: 'found', scope };
}

function savedEntryOf(entry: StoredScope['entries'][number]): SavedEntry {
  return { seq: entry.seq, bytes: encodeStoredEntry(entry) };
}
