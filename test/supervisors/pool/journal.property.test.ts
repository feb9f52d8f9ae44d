// Does every incarnation get to exactly the same state, and every later process too, whatever each had done or missed?
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodeValue } from '../../../actors/port/codec.ts';
import { AppliedMark, Journal, type JournalEntry } from '../../../supervisors/pool/journal.ts';
import type {
  ScopeChange,
  StoredEntry,
  StoredScope,
} from '../../../supervisors/pool/scope-store.ts';
import { changeOf } from '../../../supervisors/pool/stored-entry.ts';

/** What a scope is in one incarnation: configurations and things, each with what was done to it. */
type State = Map<string, readonly number[]>;

interface Incarnation {
  readonly mark: AppliedMark;
  state: State;
}

const fresh = (): Incarnation => ({ mark: new AppliedMark(), state: new Map() });
const sorted = (state: State) => [...state].sort(([a], [b]) => (a < b ? -1 : 1));
const isConfigured = (name: string) => name.startsWith('configured ');

/** As Python would, which refuses what makes no sense: such a replay would fail for ever. */
function apply(state: State, { change, key, args }: JournalEntry): void {
  const { edition, snapshot } = args.json as { edition: number; snapshot: [string, number[]][] };
  switch (change) {
    case 'configure':
      state.set(`configured ${key}`, [edition]);
      return;
    case 'create':
      state.set(key, [edition]);
      return;
    case 'update':
      expect([...state.keys()]).toContain(key);
      state.set(key, [...(state.get(key) ?? []), edition]);
      return;
    case 'delete':
      expect([...state.keys()]).toContain(key);
      state.delete(key);
      return;
    case 'restore':
      for (const name of [...state.keys()]) if (!isConfigured(name)) state.delete(name);
      for (const [name, editions] of snapshot) state.set(name, editions);
  }
}

function sync(journal: Journal, { mark, state }: Incarnation): void {
  for (const entry of journal.missing(mark)) {
    apply(state, entry);
    mark.add(entry.seq);
  }
}

/** A store that keeps entries by their number, as a table does. */
class Table {
  readonly #rows = new Map<number, StoredEntry>();
  #head = 0;

  #isBehind = false;

  /** @param failure of which it tells its caller; one that lies has done what was asked. */
  save(
    { head, put, removeSeqs }: ScopeChange,
    whole: () => StoredScope,
    failure: 'none' | 'store fails' | 'store lies',
  ): void {
    if (failure !== 'store fails') {
      if (this.#isBehind) this.#rows.clear();
      for (const entry of this.#isBehind ? whole().entries : put) this.#rows.set(entry.seq, entry);
      for (const seq of removeSeqs) this.#rows.delete(seq);
      this.#head = head;
    }
    this.#isBehind = failure !== 'none';
  }

  load() {
    return { head: this.#head, entries: [...this.#rows.values()] };
  }
}

const who = fc.nat({ max: 2 });
const key = fc.constantFrom('a', 'b');
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom('create', 'update', 'delete', 'configure'),
      who,
      key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restore'), who, key }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom('sync', 'restart', 'reload', 'store fails', 'store lies'),
      who,
      key,
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A pool of three incarnations and a store that fails at times, before or after it has done what was asked. */
class Pool {
  journal = new Journal();
  readonly table = new Table();
  readonly truth: State = new Map();
  all = [fresh(), fresh(), fresh()];
  #failure: 'none' | 'store fails' | 'store lies' = 'none';

  take({ type, who: index, key: name }: Step, edition: number): void {
    if (type === 'restart') this.all[index] = fresh();
    else if (type === 'store fails' || type === 'store lies') this.#failure = type;
    else if (type === 'reload') this.#reload();
    else {
      // Every call is preceded by a replay of what its incarnation lacks.
      const incarnation = this.all[index]!;
      sync(this.journal, incarnation);
      if (type !== 'sync') this.#execute(incarnation, type, name, edition);
    }
  }

  /** All incarnations and the process end; what the store has acknowledged is what the next one begins with. */
  #reload(): void {
    this.note();
    this.journal = Journal.from(this.table.load(), () => undefined);
    this.all = [fresh(), fresh(), fresh()];
  }

  #execute(
    { mark, state }: Incarnation,
    change: 'create' | 'update' | 'delete' | 'configure' | 'restore',
    name: string,
    edition: number,
  ): void {
    if ((change === 'update' || change === 'delete') && !state.has(name)) return;
    const snapshot = [...state].filter(([one]) => !isConfigured(one));
    const args = encodeValue({ edition, snapshot }, 'args');
    const about = change === 'restore' ? 'restore' : name;
    const entry = this.journal.append(change, change, args, about);
    apply(state, entry);
    apply(this.truth, entry);
    mark.add(entry.seq);
    this.journal.prune(this.all.map((one) => one.mark));
    this.table.save(changeOf(entry), () => this.journal.stored(), this.#failure);
    this.#failure = 'none';
  }

  /** One more entry, which the store acknowledges. */
  note(): void {
    const args = encodeValue({ edition: -1 }, 'args');
    const entry = this.journal.append('configure', 'configure', args, 'last');
    apply(this.truth, entry);
    this.table.save(changeOf(entry), () => this.journal.stored(), 'none');
  }
}

describe('a journal', () => {
  it('brings each incarnation to exactly the final state, also in the next process', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const pool = new Pool();
        for (const [edition, one] of steps.entries()) pool.take(one, edition);
        pool.note();
        for (const incarnation of [...pool.all, fresh()]) {
          sync(pool.journal, incarnation);
          expect(sorted(incarnation.state)).toEqual(sorted(pool.truth));
        }
        const next = fresh();
        sync(
          Journal.from(pool.table.load(), () => undefined),
          next,
        );
        expect(sorted(next.state)).toEqual(sorted(pool.truth));
        expect(pool.table.load()).toEqual(pool.journal.stored());
        expect(pool.journal.bytes).toBe(Journal.from(pool.table.load(), () => undefined).bytes);
      }),
      { numRuns: 4_000 },
    );
  });

  it('keeps no more than what the state needs, however long it is used without updates', () => {
    const plain = fc.record({ type: fc.constantFrom('create', 'delete', 'configure'), who, key });
    fc.assert(
      fc.property(fc.array(plain, { maxLength: 40 }), (steps) => {
        const pool = new Pool();
        for (const [edition, one] of steps.entries()) pool.take(one, edition);
        expect(pool.journal.size).toBe(pool.truth.size);
      }),
      { numRuns: 1_000 },
    );
  });
});
