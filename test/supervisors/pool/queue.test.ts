import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeValue } from '../../../actors/port/codec.ts';
import {
  newCallRow,
  newLane,
  type CallRow,
  type Session,
  type Slot,
} from '../../../supervisors/pool/call-row.ts';
import { AppliedMark, Journal } from '../../../supervisors/pool/journal.ts';
import { CallQueue } from '../../../supervisors/pool/queue.ts';

const slot = () => ({ lane: newLane(), sessions: new Set() }) as unknown as Slot;
const session = (id: string, bound?: Slot): Session => ({
  ...{ id, journal: new Journal(), slot: bound, mark: new AppliedMark() },
  ...{ waiting: [], listed: undefined, phase: 'idle' },
});

function setUp() {
  const queue = new CallQueue();
  let seq = 0;
  const add = (of?: Session): CallRow => {
    seq += 1;
    const row = newCallRow({
      ...{ seq, session: of, deadlineAtMs: 0, args: encodeValue({}, 'args') },
      ...{ request: { op: 'op', args: {}, timeoutMs: 1, checkoutTimeoutMs: 1 } },
      ...{ resolve: () => undefined, reject: () => undefined },
    });
    queue.add(row);
    return row;
  };
  /** Taken by a worker, which binds the call's session. */
  const take = (by: Slot): number | undefined => {
    const row = queue.take(by);
    if (row === undefined) return undefined;
    row.phase = 'running';
    if (row.session !== undefined) row.session.slot = by;
    return row.seq;
  };
  /** The running call of a session has ended. */
  const end = (of: Session): void => {
    of.phase = 'idle';
    queue.relist(of);
  };
  const settle = (row: CallRow): void => {
    queue.drop(row);
    row.phase = 'settled';
  };
  return { queue, add, take, end, settle };
}

describe('waiting calls', () => {
  it('are taken in the order in which they came', () => {
    const { add, take } = setUp();
    for (let calls = 0; calls < 3; calls += 1) add();
    expect([1, 2, 3, 4].map(() => take(slot()))).toEqual([1, 2, 3, undefined]);
  });

  it('are counted', () => {
    const { queue, add, take, settle } = setUp();
    const first = add();
    add(session('s'));
    add();
    settle(first);
    take(slot());
    expect(queue.length).toBe(1);
  });

  it('are not taken once they are settled', () => {
    const { add, take, settle } = setUp();
    const first = add();
    add();
    settle(first);
    expect([take(slot()), take(slot())]).toEqual([2, undefined]);
  });

  it('are all given back at the end', () => {
    const { queue, add } = setUp();
    const bound = session('s', slot());
    const free = session('t');
    add();
    add(bound);
    add(free);
    add(free);
    const rows = queue.drain([bound, free]);
    expect([rows.map(({ seq }) => seq).sort(), queue.length]).toEqual([[1, 2, 3, 4], 0]);
  });
});

describe('the end of the queue', () => {
  const drained = () => {
    const setUpQueue = setUp();
    const home = slot();
    const own = session('s', home);
    setUpQueue.add(own);
    setUpQueue.queue.drain([own]);
    return { ...setUpQueue, home, own };
  };

  it('leaves no place behind that a worker could take', () => {
    const { queue, take, home } = drained();
    expect([take(home), queue.length]).toEqual([undefined, 0]);
  });

  it('leaves a session idle that only waited', () => {
    expect(drained().own.phase).toBe('idle');
  });
});

describe('calls of one session', () => {
  it('are taken one at a time', () => {
    const { add, take } = setUp();
    const own = session('s');
    add(own);
    add(own);
    expect([take(slot()), take(slot())]).toEqual([1, undefined]);
  });

  it('are taken in order, by the worker that the first one bound', () => {
    const { add, take, end } = setUp();
    const own = session('s');
    const [home, other] = [slot(), slot()];
    add(own);
    add(own);
    take(home);
    end(own);
    expect([take(other), take(home)]).toEqual([undefined, 2]);
  });

  it('hold up nobody else while they wait for their own worker', () => {
    const { add, take } = setUp();
    const home = slot();
    add(session('s', home));
    add();
    add(session('t'));
    expect([take(slot()), take(slot())]).toEqual([2, 3]);
  });

  it('come before later calls of others on their own worker', () => {
    const { add, take } = setUp();
    const home = slot();
    add();
    add(session('s', home));
    add();
    expect([take(home), take(home), take(home)]).toEqual([1, 2, 3]);
  });

  it('may be taken by any worker once their own is gone', () => {
    const { queue, add, take } = setUp();
    const home = slot();
    const own = session('s', home);
    add(own);
    own.slot = undefined;
    queue.release(home);
    expect(take(slot())).toBe(1);
  });

  it('wait behind earlier calls of others, also after one of them was given up', () => {
    const { add, take, settle } = setUp();
    const own = session('s');
    const first = add(own);
    add();
    settle(first);
    add(own);
    expect([take(slot()), take(slot())]).toEqual([2, 3]);
  });
});

describe('the queue', () => {
  interface Step {
    readonly type: 'add' | 'take' | 'end' | 'settle' | 'release';
    readonly n: number;
  }
  const step: fc.Arbitrary<Step> = fc.record({
    type: fc.constantFrom('add', 'add', 'take', 'end', 'settle', 'release'),
    n: fc.nat({ max: 11 }),
  });

  it('always gives a worker the earliest call that it may run', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { queue, add, take, end, settle } = setUp();
        const slots = [slot(), slot()];
        const sessions = [session('s'), session('t'), session('u')];
        const running = new Set<Session>();
        let waiting: CallRow[] = [];
        for (const { type, n } of steps) {
          const own = sessions[n % 4];
          const by = slots[n % 2]!;
          if (type === 'add') waiting.push(add(own));
          if (type === 'take') {
            const mayRun = ({ session: of }: CallRow) =>
              of === undefined || (!running.has(of) && (of.slot === undefined || of.slot === by));
            const first = waiting.find(mayRun);
            expect(take(by)).toBe(first?.seq);
            waiting = waiting.filter((row) => row !== first);
            if (first?.session !== undefined) running.add(first.session);
          }
          if (type === 'end' && own !== undefined && running.delete(own)) end(own);
          const row = waiting[n];
          if (type === 'settle' && row !== undefined) {
            settle(row);
            waiting = waiting.filter((one) => one !== row);
          }
          if (type === 'release') {
            for (const one of sessions) if (one.slot === by) one.slot = undefined;
            queue.release(by);
          }
          expect(queue.length).toBe(waiting.length);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not grow by calls that were given up while the worker of their session was busy', () => {
    const { add, settle } = setUp();
    const home = slot();
    const own = session('s', home);
    home.sessions.add(own);
    for (let calls = 0; calls < 1_000; calls += 1) settle(add(own));
    expect(home.lane.size).toBeLessThan(100);
  });

  it('forgets a flood of calls that were settled while they waited', () => {
    const { queue, add, take, settle } = setUp();
    const flood = Array.from({ length: 300 }, () => add());
    const last = add();
    for (const row of flood) settle(row);
    expect([queue.length, take(slot())]).toEqual([1, last.seq]);
  });
});
