import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallRow, Slot } from '../../../supervisors/pool/call-row.ts';
import type { Session } from '../../../supervisors/pool/session.ts';
import { queued, session, slot } from './queued.ts';

describe('turns', () => {
  it('go from session to session, however many calls one of them has waiting', () => {
    const { add, take, end } = queued();
    const [greedy, modest] = [session('greedy'), session('modest')];
    const home = slot();
    for (let calls = 0; calls < 500; calls += 1) add(greedy);
    for (let calls = 0; calls < 3; calls += 1) add(modest);
    const order: unknown[] = [];
    for (let calls = 0; calls < 6; calls += 1) {
      const seq = take(home)!;
      order.push(seq > 500 ? 'modest' : 'greedy');
      end(seq > 500 ? modest : greedy);
    }
    expect(order).toEqual(['greedy', 'modest', 'greedy', 'modest', 'greedy', 'modest']);
  });

  it('come to a call without a session before the second of those that were there', () => {
    const { add, take, end } = queued();
    const own = session('s');
    const home = slot();
    add(own);
    add(own);
    add();
    const first = take(home);
    end(own);
    expect([first, take(home), take(home)]).toEqual([1, 3, 2]);
  });

  it('come again to a call that is tried again where it stood, alone or in a session', () => {
    const { add, take, retry } = queued();
    const own = session('s');
    const home = slot();
    add();
    add(own);
    add(own);
    add();
    const order = [take(home)];
    retry();
    order.push(take(home), take(home));
    retry();
    order.push(take(home), take(home), take(home));
    // The third is of the session, whose second runs.
    expect(order).toEqual([1, 1, 2, 2, 4, undefined]);
  });

  it('are kept by a session whose first call was given up', () => {
    const { add, take, settle } = queued();
    const own = session('s');
    const first = add(own);
    add(own);
    add();
    settle(first);
    expect([take(slot()), take(slot())]).toEqual([2, 3]);
  });

  it('are kept by a session that moves', () => {
    const { queue, add, take } = queued();
    const own = session('s', slot());
    add(own);
    add();
    own.slot = undefined;
    queue.move(own);
    expect([take(slot()), take(slot())]).toEqual([1, 2]);
  });
});

type StepType = 'add' | 'take' | 'end' | 'settle' | 'lose' | 'retry';

interface Step {
  readonly type: StepType;
  readonly n: number;
}

/** The same in the simplest words: all that wait in one list, each with its turn. */
class Model {
  waiting: { readonly row: CallRow; turn: number }[] = [];
  readonly running = new Map<Session, number>();
  #turns = 0;

  add(row: CallRow): void {
    const of = row.session;
    const isFirst = of === undefined || (!this.running.has(of) && this.firstOf(of) === undefined);
    this.waiting.push({ row, turn: isFirst ? this.#next() : 0 });
  }

  firstOf(of: Session): { readonly row: CallRow; turn: number } | undefined {
    return this.waiting.find(({ row }) => row.session === of);
  }

  /** The one with the earliest turn of those that this worker may run: of a session only the first, while none of it runs. */
  take(by: Slot): CallRow | undefined {
    const mayRun = (one: { readonly row: CallRow; turn: number }): boolean => {
      const { session: of, affinity } = one.row;
      if (of === undefined) return true;
      if (this.running.has(of) || this.firstOf(of) !== one) return false;
      return affinity !== 'required' || of.slot === undefined || of.slot === by;
    };
    const found = this.waiting.filter(mayRun).sort((a, b) => a.turn - b.turn)[0];
    if (found === undefined) return undefined;
    this.waiting = this.waiting.filter((one) => one !== found);
    if (found.row.session !== undefined) this.running.set(found.row.session, found.turn);
    return found.row;
  }

  end(of: Session): boolean {
    if (!this.running.delete(of)) return false;
    const next = this.firstOf(of);
    if (next !== undefined) next.turn = this.#next();
    return true;
  }

  retry(row: CallRow, turn: number): void {
    if (row.session !== undefined) this.running.delete(row.session);
    this.waiting.unshift({ row, turn });
  }

  settle(row: CallRow): void {
    const of = row.session;
    const turn = this.waiting.find((one) => one.row === row)!.turn;
    this.waiting = this.waiting.filter((one) => one.row !== row);
    const next = of === undefined || this.running.has(of) ? undefined : this.firstOf(of);
    if (next !== undefined && turn > 0) next.turn = turn;
  }

  #next(): number {
    this.#turns += 1;
    return this.#turns;
  }
}

describe('the queue', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    type: fc.constantFrom<StepType>(
      'add',
      'add',
      'add',
      'take',
      'take',
      'end',
      'settle',
      'lose',
      'retry',
    ),
    n: fc.nat({ max: 23 }),
  });

  it('always gives a worker the call whose turn is the earliest of those that it may run', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const setup = queued();
        const model = new Model();
        const slots = [slot(), slot()];
        const sessions = [session('s'), session('t'), session('u')];
        const turnOf = new Map<CallRow, number>();
        let last: CallRow | undefined;
        for (const { type, n } of steps) {
          const own = sessions[n % 4];
          const by = slots[n % 2]!;
          if (type === 'add')
            model.add(setup.add(own, (['required', 'preferred', 'none'] as const)[n % 3]));
          if (type === 'take') {
            const before = new Map(model.waiting.map(({ row, turn }) => [row, turn]));
            const found = model.take(by);
            expect(setup.take(by)).toBe(found?.seq);
            last = found;
            if (found !== undefined) turnOf.set(found, before.get(found)!);
          }
          if (type === 'retry' && last !== undefined) {
            const isOver = last.session !== undefined && !model.running.has(last.session);
            if (!isOver) {
              model.retry(last, turnOf.get(last)!);
              setup.retry();
            }
            last = undefined;
          }
          if (type === 'end' && own !== undefined && model.end(own)) setup.end(own);
          const row = model.waiting[n]?.row;
          if (type === 'settle' && row !== undefined) {
            model.settle(row);
            setup.settle(row);
          }
          if (type === 'lose') {
            for (const one of sessions.filter((bound) => bound.slot === by)) {
              one.slot = undefined;
              setup.queue.move(one);
            }
          }
          expect(setup.queue.length).toBe(model.waiting.length);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what was given up', () => {
  it('does not stay while the worker of its session is busy', () => {
    const { add, settle } = queued();
    const home = slot();
    const own = session('s', home);
    home.sessions.add(own);
    for (let calls = 0; calls < 1_000; calls += 1) settle(add(own));
    expect(home.lane.size).toBeLessThan(100);
  });

  it('is forgotten, also a flood of it that was settled while it waited', () => {
    const { queue, add, take, settle } = queued();
    const flood = Array.from({ length: 300 }, () => add());
    const last = add();
    for (const row of flood) settle(row);
    expect([queue.length, take(slot())]).toEqual([1, last.seq]);
  });
});
