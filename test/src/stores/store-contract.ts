// What must hold of every store of sessions? The same tests for each of them.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { systemClock } from '../../../actors/ground/clock.ts';
import { systemIds } from '../../../actors/ground/ids.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { Journal, type StateChange } from '../../../supervisors/pool/journal.ts';
import type {
  LoadedScope,
  ScopeKey,
  ScopeStore,
  StoredScope,
} from '../../../supervisors/pool/scope-store.ts';
import { changeOf } from '../../../supervisors/pool/stored-entry.ts';
import { encodeStoredScope } from '../../../supervisors/pool/stored-scope.ts';
import { ScopeDesk } from '../../../src/stores/scope-desk.ts';
import type { SavedChange, SavedScope, SessionStore } from '../../../src/stores/session-store.ts';

/** A store under test. */
export interface StorePlace {
  readonly store: SessionStore;
  /** Another one on the same data, as the next process opens it. */
  readonly again: () => SessionStore;
  readonly close: () => Promise<void>;
}

const LONG_MS = 60_000;
const SHORT_MS = 100;
const GONE_WITHIN_MS = 5_000;

/** Any session is another caller's: each test has its own. */
let sessions = 0;
function nextKey(): ScopeKey {
  sessions += 1;
  return { pool: 'sample', scope: 'session', sessionId: `session ${sessions}` };
}

function load(store: ScopeStore, key: ScopeKey): Promise<LoadedScope> {
  return new Promise((resolve) => store.load(key, resolve));
}

/** Whether this is the journal, byte by byte. */
function isSame(found: LoadedScope, journal: Journal): boolean {
  if (found.type !== 'found') return false;
  return encodeStoredScope(found.scope).equals(encodeStoredScope(journal.stored()));
}

function order(give: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    give((error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** A session with a journal, as a pool has it. */
class Scope {
  readonly journal = new Journal();
  readonly #store: ScopeStore;
  readonly #key: ScopeKey;

  constructor(store: ScopeStore, key: ScopeKey) {
    this.#store = store;
    this.#key = key;
  }

  append(
    change: StateChange,
    key: string,
    args: object,
    expiresInMs: number | undefined = LONG_MS,
  ) {
    const entry = this.journal.append(change, change, encodeValue(args, 'args'), key);
    return order((done) => {
      const whole = (): StoredScope => this.journal.stored();
      this.#store.save(this.#key, changeOf(entry), whole, expiresInMs, done);
    });
  }
}

const change = (expiresInMs: number | undefined): SavedChange => {
  const entries = [{ seq: 1, bytes: Buffer.from('anything') }];
  return {
    ...{ revision: 'first', baseRevision: undefined, head: 1 },
    ...{ put: entries, removeSeqs: [], expiresInMs },
    all: () => ({ head: 1, entries }),
    whole: () => Buffer.from('anything'),
  };
};

const step = fc.record({
  change: fc.constantFrom<StateChange>('configure', 'create', 'update', 'delete', 'restore'),
  key: fc.constantFrom('a', 'b', 'c'),
  data: fc.uint8Array({ maxLength: 50 }),
});

export function storeContract(title: string, make: () => Promise<StorePlace>): void {
  describe(title, () => {
    let place: StorePlace;
    let desk: ScopeDesk;
    const afresh = () => new ScopeDesk(place.again(), systemClock, systemIds);

    beforeAll(async () => {
      place = await make();
      desk = new ScopeDesk(place.store, systemClock, systemIds);
    });

    afterAll(async () => {
      await place.close();
    });

    it('knows nothing of what was never saved', async () => {
      expect(await load(desk, nextKey())).toEqual({ type: 'absent' });
    });

    it('gives back to the next process what a journal was, byte by byte', async () => {
      const key = nextKey();
      const scope = new Scope(desk, key);
      const data = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
      await scope.append('create', 'a', { data, text: '\u0000 \ud83d 🐍', x: Number.NaN });
      await scope.append('update', 'a', { more: new Float64Array([1, 2, -0]) });
      expect(isSame(await load(afresh(), key), scope.journal)).toBe(true);
    });

    it('has each state that was acknowledged, whatever came before', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
          const key = nextKey();
          const scope = new Scope(desk, key);
          for (const one of steps) {
            await scope.append(one.change, one.key, { data: one.data });
            expect(isSame(await load(afresh(), key), scope.journal)).toBe(true);
          }
        }),
        { numRuns: 30 },
      );
    });

    it('has what was saved last where many saves wait for each other', async () => {
      const key = nextKey();
      const scope = new Scope(desk, key);
      const all = Array.from({ length: 100 }, (_, n) => scope.append('create', `${n % 7}`, { n }));
      await Promise.all(all);
      expect(isSame(await load(afresh(), key), scope.journal)).toBe(true);
    });

    it('takes the whole of a journal that goes on from what it does not have', async () => {
      const key = nextKey();
      const scope = new Scope(desk, key);
      await scope.append('create', 'a', { n: 1 });
      await new Scope(afresh(), key).append('create', 'b', { n: 2 });
      await scope.append('update', 'a', { n: 3 });
      expect(isSame(await load(afresh(), key), scope.journal)).toBe(true);
    });

    it('forgets what was removed, and only that', async () => {
      const [key, other] = [nextKey(), nextKey()];
      for (const one of [key, other]) await new Scope(desk, one).append('create', 'a', {});
      await order((done) => desk.remove(key, done));
      const found = [await load(afresh(), key), await load(afresh(), other)];
      expect(found.map(({ type }) => type)).toEqual(['absent', 'found']);
    });

    it('takes as done what is to be removed and is not there', async () => {
      await expect(order((done) => desk.remove(nextKey(), done))).resolves.toBeUndefined();
    });

    it('tells scopes apart whose names are alike', async () => {
      const keys: ScopeKey[] = [
        { pool: 'p', scope: 'bridge' },
        { pool: 'p', scope: 'anonymous' },
        { pool: 'p', scope: 'session', sessionId: 'bridge' },
        { pool: 'p', scope: 'session', sessionId: '../bridge' },
        { pool: 'p', scope: 'session', sessionId: '' },
        { pool: 'p', scope: 'session', sessionId: 'A' },
        { pool: 'p', scope: 'session', sessionId: 'a' },
        { pool: 'p', scope: 'session', sessionId: '\ud83d' },
        { pool: 'p', scope: 'session', sessionId: '\ufffd' },
        { pool: 'p/session', scope: 'session', sessionId: 'a' },
      ];
      for (const [n, key] of keys.entries())
        await new Scope(desk, key).append('create', 'a', { n });
      for (const [n, key] of keys.entries()) {
        const found = await load(afresh(), key);
        expect(found).toMatchObject({ scope: { entries: [{ args: { json: { n } } }] } });
      }
    });

    describe('with an end', () => {
      const there = (id: string): Promise<SavedScope | undefined> => place.store.load(id);
      const gone = (id: string) =>
        vi.waitFor(async () => expect(await there(id)).toBeUndefined(), {
          ...{ timeout: GONE_WITHIN_MS, interval: 10 },
        });

      it('has a scope until its time is over, and not after', async () => {
        await place.store.save('short', change(SHORT_MS));
        await place.store.save('long', change(LONG_MS));
        await place.store.save('ever', change(undefined));
        await gone('short');
        expect(await there('long')).toBeDefined();
        expect(await there('ever')).toBeDefined();
      });

      it('has a scope longer that is in use', async () => {
        await place.store.save('used', change(SHORT_MS));
        await place.store.touch('used', LONG_MS);
        await place.store.save('unused', change(SHORT_MS));
        await gone('unused');
        expect(await there('used')).toBeDefined();
      });

      it('brings nothing back that is gone', async () => {
        await place.store.save('over', change(SHORT_MS));
        await gone('over');
        for (const id of ['over', 'never']) await place.store.touch(id, LONG_MS);
        expect([await there('over'), await there('never')]).toEqual([undefined, undefined]);
      });

      it('takes the whole of a journal whose time was over meanwhile', async () => {
        const key = nextKey();
        const scope = new Scope(desk, key);
        await scope.append('create', 'a', { n: 1 }, SHORT_MS);
        await vi.waitFor(async () => expect((await load(afresh(), key)).type).toBe('absent'), {
          timeout: GONE_WITHIN_MS,
          interval: 10,
        });
        await scope.append('create', 'b', { n: 2 });
        expect(isSame(await load(afresh(), key), scope.journal)).toBe(true);
      });
    });
  });
}
