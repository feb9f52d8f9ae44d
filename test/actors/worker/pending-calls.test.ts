import { describe, expect, it } from 'vitest';
import {
  PendingCalls,
  type CallHandlers,
  type SentOutcome,
} from '../../../actors/worker/pending-calls.ts';

const REPORT = { reason: { type: 'signal', signal: 'SIGKILL' }, stderrTail: '' } as const;

/** Calls by the number of their id, each with what it came to. */
function setUp() {
  const calls = new PendingCalls();
  const told: string[] = [];
  const settle =
    (name: string) =>
    (outcome: SentOutcome): void => {
      told.push(`${name} ${outcome.type === 'crashed' ? outcome.outcome : outcome.type}`);
    };
  const add = (place?: 'nested', handlers?: CallHandlers): number => {
    let written = 0;
    return calls.add(
      (id) => (written = id),
      (outcome) => settle(String(written))(outcome),
      handlers,
      place,
    );
  };
  const reply = (id: number): boolean => calls.take({ type: 'reply', id, ok: true, result: id });
  const crash = (concurrency: number): readonly string[] => {
    calls.crash(REPORT, concurrency);
    return told;
  };
  return { calls, told, add, reply, crash };
}

describe('which calls can have started', () => {
  it('is the first that is not answered, at one at a time', () => {
    const { calls, add, reply } = setUp();
    const ids = [add(), add(), add()];
    const before = ids.map((id) => calls.mayRun(id, 1));
    reply(1);
    expect([before, ids.map((id) => calls.mayRun(id, 1))]).toEqual([
      [true, false, false],
      [false, true, false],
    ]);
  });

  it('is the first n that are not answered, in whatever order others were', () => {
    const { calls, add, reply } = setUp();
    const ids = [add(), add(), add(), add()];
    reply(2);
    expect(ids.map((id) => calls.mayRun(id, 2))).toEqual([true, false, true, false]);
  });

  it('is a nested one always, and it takes nobody’s place', () => {
    const { calls, add } = setUp();
    const ids = [add(), add('nested'), add(), add('nested')];
    expect(ids.map((id) => calls.mayRun(id, 1))).toEqual([true, true, false, true]);
    expect(ids.map((id) => calls.mayRun(id, 2))).toEqual([true, true, true, true]);
  });

  it('is none that is not in flight', () => {
    const { calls, add } = setUp();
    add();
    expect(calls.mayRun(99, 1_000)).toBe(false);
  });

  it('is not the next one while the answer of one that was withdrawn is still to come: it comes first', () => {
    const { calls, add, reply } = setUp();
    const [first, second, third] = [add(), add(), add()];
    calls.withdraw(second);
    reply(first);
    const before = calls.mayRun(third, 1);
    reply(second);
    expect([before, calls.mayRun(third, 1)]).toEqual([false, true]);
  });
});

describe('at the end of an incarnation', () => {
  it.each([
    [1, ['1 maybeExecuted', '2 notSent', '3 notSent']],
    [2, ['1 maybeExecuted', '2 maybeExecuted', '3 notSent']],
    [8, ['1 maybeExecuted', '2 maybeExecuted', '3 maybeExecuted']],
  ])(
    'the first %i unanswered calls may have run, those behind were never started',
    (concurrency, told) => {
      const { add, crash } = setUp();
      for (let calls = 0; calls < 3; calls += 1) add();
      expect(crash(concurrency)).toEqual(told);
    },
  );

  it('a nested call may have run, and those behind its parent were not started', () => {
    const { add, crash } = setUp();
    add();
    add();
    add('nested');
    expect(crash(1)).toEqual(['1 maybeExecuted', '2 notSent', '3 maybeExecuted']);
  });

  it('a call is settled once: not one that was answered or withdrawn before', () => {
    const { calls, add, reply, crash } = setUp();
    for (let calls_ = 0; calls_ < 3; calls_ += 1) add();
    reply(1);
    calls.withdraw(2);
    expect(crash(1)).toEqual(['1 replied', '3 notSent']);
    expect(crash(1)).toEqual(['1 replied', '3 notSent']);
  });

  it('those who wait for it are told behind the calls, and once', () => {
    const { calls, told, add, crash } = setUp();
    calls.whenCrashed(({ reason }) => told.push(`ended ${reason.type}`));
    add();
    crash(1);
    expect(crash(1)).toEqual(['1 maybeExecuted', 'ended signal']);
  });

  it('a call that is made while it is told belongs to the next one', () => {
    const { calls, add, crash } = setUp();
    calls.add(
      () => undefined,
      () => add(),
    );
    crash(1);
    expect([calls.size, calls.has(2)]).toEqual([1, true]);
  });
});

describe('a call that is withdrawn', () => {
  it('is over at once, is not counted, and its answer is known and says nothing', () => {
    const { calls, told, add, reply } = setUp();
    add();
    const id = add();
    expect([calls.withdraw(id), calls.size, calls.has(id)]).toEqual([true, 1, false]);
    expect([reply(id), told, calls.size]).toEqual([true, [], 1]);
  });

  it('cannot be withdrawn twice, nor one that is over', () => {
    const { calls, add, reply } = setUp();
    const [one, two] = [add(), add()];
    calls.withdraw(one);
    reply(two);
    expect([calls.withdraw(one), calls.withdraw(two), calls.withdraw(99)]).toEqual([
      ...[false, false, false],
    ]);
  });
});

describe('what a call hears before its end', () => {
  const listening = () => {
    const heard: unknown[] = [];
    const setup = setUp();
    const id = setup.add(undefined, {
      item: (value) => heard.push(value),
      progress: (value) => heard.push(value),
      callback: ({ name }) => heard.push(name),
    });
    const item = (seq: number, value: unknown): boolean =>
      setup.calls.take({ type: 'item', id, seq, value });
    return { ...setup, id, heard, item };
  };

  it('are its items, in order', () => {
    const { item, heard } = listening();
    expect([item(0, 'a'), item(1, 'b'), heard]).toEqual([true, true, ['a', 'b']]);
  });

  it.each([
    ['twice', [0, 0]],
    ['too early', [1, 0]],
  ])('is no item that comes %s', (_what, seqs) => {
    const { item, heard } = listening();
    const known = seqs.map((seq) => item(seq, seq));
    expect([known.filter(Boolean).length, heard]).toEqual([1, [0]]);
  });

  it('is nothing after its reply', () => {
    const { id, calls, reply, item, heard } = listening();
    reply(id);
    const progress = { type: 'progress', id, value: 1 } as const;
    expect([item(0, 'late'), calls.take(progress), heard]).toEqual([false, false, []]);
  });

  it('is progress, which nobody need listen to', () => {
    const { calls, add, heard, id } = listening();
    const deaf = add();
    const known = [id, deaf].map((of) => calls.take({ type: 'progress', id: of, value: of }));
    expect([known, heard]).toEqual([[true, true], [id]]);
  });

  it.each(['item', 'callback'] as const)(
    'is known to be in vain when nobody listens to an %s',
    (type) => {
      const { calls, add } = setUp();
      const id = add();
      const message = type === 'item' ? { type, id, seq: 0, value: 1 } : callback(id);
      expect(calls.take(message)).toBe(false);
    },
  );

  it('is no callback once it is withdrawn', () => {
    const { calls, id, heard } = listening();
    const before = calls.take(callback(id));
    calls.withdraw(id);
    expect([before, calls.take(callback(id)), heard]).toEqual([true, false, ['f']]);
  });
});

const callback = (id: number) =>
  ({ type: 'callback', id, callback: 1, name: 'f', args: {}, timeoutMs: null }) as const;

describe('the call that runs now', () => {
  it('is the oldest that is not answered, or the newest that is nested in it', () => {
    const { calls, add, reply } = setUp();
    const seen: unknown[] = [calls.currentId];
    add();
    add();
    seen.push(calls.currentId);
    add('nested');
    seen.push(calls.currentId);
    reply(3);
    reply(1);
    seen.push(calls.currentId);
    expect(seen).toEqual([undefined, 1, 3, 2]);
  });
});

describe('a call that cannot be written', () => {
  it('is not remembered, and its number is not given again', () => {
    const { calls, add } = setUp();
    const write = (): never => {
      throw new Error('too large');
    };
    expect(() => calls.add(write, () => undefined)).toThrow('too large');
    expect([calls.size, add()]).toEqual([0, 2]);
  });
});
