import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { Journal } from '../../../supervisors/pool/journal.ts';
import type { ScopeKey } from '../../../supervisors/pool/scope-store.ts';
import { changeOf } from '../../../supervisors/pool/stored-entry.ts';
import { ScopeDesk } from '../../../src/stores/scope-desk.ts';
import type { SavedChange, SavedScope, SessionStore } from '../../../src/stores/session-store.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const ALICE: ScopeKey = { pool: 'dspy', scope: 'session', sessionId: 'alice' };
const BOB: ScopeKey = { pool: 'dspy', scope: 'session', sessionId: 'bob' };

/** What the store was asked for, and how the test answers. */
interface Asked {
  readonly what: string;
  readonly change?: SavedChange;
  readonly resolve: (saved?: SavedScope) => void;
  readonly reject: (error: unknown) => void;
}

class ScriptedStore implements SessionStore {
  readonly name = 'scripted';
  readonly asked: Asked[] = [];

  load(id: string): Promise<SavedScope | undefined> {
    return this.#ask(`load ${id}`);
  }

  async save(id: string, change: SavedChange): Promise<void> {
    await this.#ask(`save ${id}`, change);
  }

  async touch(id: string, expiresInMs: number | undefined): Promise<void> {
    await this.#ask(`touch ${id} ${expiresInMs}`);
  }

  async remove(id: string): Promise<void> {
    await this.#ask(`remove ${id}`);
  }

  #ask(what: string, change?: SavedChange): Promise<SavedScope | undefined> {
    return new Promise((resolve, reject) => {
      this.asked.push({ what, resolve, reject, ...(change !== undefined && { change }) });
    });
  }
}

function stage() {
  const clock = new VirtualClock();
  const store = new ScriptedStore();
  const ids = { next: (prefix: string) => prefix, nonce: () => 'desk' };
  const desk = new ScopeDesk(store, clock, ids);
  const journal = new Journal();
  const told: string[] = [];
  const tell = (what: string) => (error?: Error) => {
    told.push(error === undefined ? what : `${what}: ${error.message}`);
  };
  return {
    clock,
    store,
    desk,
    told,
    tell,
    journal,
    save: (what: string, key = ALICE, expiresInMs = 1_000) => {
      const entry = journal.append('create', 'create', encodeValue({}, 'args'), what);
      desk.save(key, changeOf(entry), () => journal.stored(), expiresInMs, tell(what));
    },
    asked: () => store.asked.map(({ what }) => what),
    /** Answer the question of this number, and let that sink in. */
    answer: async (number: number, error?: Error) => {
      if (error === undefined) store.asked[number]?.resolve();
      else store.asked[number]?.reject(error);
      await sunkIn();
    },
  };
}

/** Whatever promises that are settled lead to has happened. */
const sunkIn = () => new Promise((resolve) => setImmediate(resolve));
const seqs = (change: SavedChange | undefined) => change?.put.map(({ seq }) => seq);

describe('the desk of a store', () => {
  it('does one thing at a time for a scope, and others beside it', async () => {
    const { desk, asked, answer, save, tell } = stage();
    save('first');
    desk.load(BOB, () => undefined);
    desk.remove(ALICE, tell('removed'));
    expect(asked()).toEqual(['save dspy/session/alice', 'load dspy/session/bob']);
    await answer(0);
    expect(asked()[2]).toBe('remove dspy/session/alice');
  });

  it('puts saves that wait together, and tells each when all is saved', async () => {
    const { store, asked, answer, save, told } = stage();
    for (const what of ['one', 'two', 'three']) save(what);
    await answer(0);
    expect(told).toEqual(['one']);
    expect(asked()).toHaveLength(2);
    expect(seqs(store.asked[1]?.change)).toEqual([2, 3]);
    await answer(1);
    expect(told).toEqual(['one', 'two', 'three']);
  });

  it('does not save what is removed before it is its turn', async () => {
    const { desk, asked, answer, save, told, tell } = stage();
    save('one');
    save('two');
    desk.touch(ALICE, 5, tell('touched'));
    desk.remove(ALICE, tell('removed'));
    await answer(0);
    await answer(1);
    expect(asked()).toEqual(['save dspy/session/alice', 'remove dspy/session/alice']);
    expect(told).toEqual(['one', 'two', 'touched', 'removed']);
  });

  it('lets a save that waits keep the scope for as long as the last word was', async () => {
    const { desk, store, answer, save, told, tell } = stage();
    save('one');
    save('two', ALICE, 1_000);
    desk.touch(ALICE, 2_000, tell('touched'));
    await answer(0);
    await answer(1);
    expect(store.asked[1]?.change?.expiresInMs).toBe(2_000);
    expect(told).toEqual(['one', 'two', 'touched']);
  });

  it('asks once for a scope that several wait for', async () => {
    const { desk, asked, answer, save } = stage();
    save('one');
    const found: string[] = [];
    for (let n = 0; n < 3; n += 1) desk.load(ALICE, ({ type }) => found.push(type));
    await answer(0);
    await answer(1);
    expect([asked().length, found]).toEqual([2, ['absent', 'absent', 'absent']]);
  });

  it('says on which revision a save builds, and none after a failure', async () => {
    const { store, answer, save } = stage();
    const errors = [undefined, undefined, new Error('the disk is full'), undefined, undefined];
    for (const [number, error] of errors.entries()) {
      save(`save ${number}`);
      await answer(number, error);
    }
    const revisions = store.asked.map(({ change }) => [change?.baseRevision, change?.revision]);
    expect(revisions).toEqual([
      [undefined, 'desk.1'],
      ['desk.1', 'desk.2'],
      ['desk.2', 'desk.3'],
      [undefined, 'desk.4'],
      ['desk.4', 'desk.5'],
    ]);
  });

  it('builds on what it has loaded', async () => {
    const { desk, store, save } = stage();
    desk.load(ALICE, () => undefined);
    store.asked[0]?.resolve({ revision: 'of another process', head: 0, entries: [] });
    await sunkIn();
    save('one');
    expect(store.asked[1]?.change?.baseRevision).toBe('of another process');
  });

  it('builds on nothing after the scope was removed', async () => {
    const { desk, store, answer, save, tell } = stage();
    save('one');
    await answer(0);
    desk.remove(ALICE, tell('removed'));
    await answer(1);
    save('two');
    expect(store.asked[2]?.change?.baseRevision).toBeUndefined();
  });
});

describe('a store that fails', () => {
  it('is told with the reason, and with whether the call had run', async () => {
    const { desk, answer } = stage();
    const errors: unknown[] = [];
    desk.remove(ALICE, (error) => errors.push(error));
    desk.load(BOB, (found) => found.type === 'failed' && errors.push(found.error));
    await answer(0, new Error('the disk is full'));
    await answer(1, new Error('no connection'));
    expect(errors).toEqual([
      expect.objectContaining({ code: 'store_failed', outcome: 'maybeExecuted' }),
      expect.objectContaining({ code: 'store_failed', outcome: 'notSent' }),
    ]);
    expect(String(errors[0])).toMatch(
      /scripted: removing session alice of pool dspy.*disk is full/u,
    );
  });

  it('is one also by what it gives back that cannot be read', async () => {
    const { desk, store } = stage();
    const found: unknown[] = [];
    desk.load(ALICE, (one) => found.push(one));
    store.asked[0]?.resolve(Buffer.from('no frame at all'));
    await sunkIn();
    expect(found).toMatchObject([{ type: 'failed', error: { code: 'store_failed' } }]);
  });

  it('fails who waits when its time is over, and nobody twice', async () => {
    const { clock, told, answer, save } = stage();
    save('one');
    clock.advance(LIMITS.storeTimeoutMs);
    expect(told).toEqual([expect.stringMatching(/^one: .*no answer within 5000 ms/u)]);
    await answer(0);
    expect(told).toHaveLength(1);
  });

  it('keeps the order of a scope though it answers too late: nothing newer is overtaken', async () => {
    const { clock, store, asked, answer, save, told } = stage();
    save('one');
    save('two');
    clock.advance(LIMITS.storeTimeoutMs);
    save('three');
    expect([asked().length, told.length]).toEqual([1, 2]);
    await answer(0);
    expect(seqs(store.asked[1]?.change)).toEqual([2, 3]);
    await answer(1);
    expect(told.at(-1)).toBe('three');
  });

  it('keeps no more than it is told of, however many wait', () => {
    const { desk, told, tell } = stage();
    for (let n = 0; n <= LIMITS.storeWaitingMax; n += 1) desk.touch(ALICE, 1, tell('touched'));
    expect(told).toEqual([expect.stringMatching(/storeWaitingMax is 10000 and reached/u)]);
  });
});

describe('a desk that is to close', () => {
  it('is idle at once when nothing is under way', () => {
    const { desk, told, tell } = stage();
    desk.whenIdle(tell('idle'));
    expect(told).toEqual(['idle']);
  });

  it('is idle when all is saved', async () => {
    const { clock, desk, told, tell, save, answer } = stage();
    save('one');
    save('two');
    desk.whenIdle(tell('idle'));
    await answer(0);
    await answer(1);
    expect([told, clock.pending]).toEqual([['one', 'two', 'idle'], 0]);
  });

  it('waits for no store that does not answer', () => {
    const { clock, desk, told, tell, save } = stage();
    save('one');
    desk.whenIdle(tell('idle'));
    clock.advance(LIMITS.storeTimeoutMs);
    expect(told).toContain('idle');
  });
});
