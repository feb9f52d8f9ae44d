import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fate } from '../../support/scripted-pool.ts';
import { batching } from './batching.ts';

const COMMANDS_MAX = 40;
const RUNS = 300;

type Command =
  | {
      readonly type: 'call';
      readonly op: 'embed' | 'rank';
      readonly timeoutMs: number;
      readonly isIdempotent: boolean;
      readonly maxWaitMs: number;
    }
  | { readonly type: 'abort'; readonly which: number }
  | { readonly type: 'answer'; readonly which: number; readonly fails: number }
  | { readonly type: 'kill'; readonly which: number }
  | { readonly type: 'pass'; readonly ms: number };

const which = fc.nat({ max: 1_000 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('call' as const),
      op: fc.constantFrom('embed' as const, 'rank' as const),
      timeoutMs: fc.constantFrom(15, 200, 30_000),
      isIdempotent: fc.boolean(),
      maxWaitMs: fc.constantFrom(0, 10),
    }),
  },
  fc.record({ type: fc.constant('abort' as const), which }),
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('answer' as const),
      which,
      fails: fc.nat({ max: 4 }),
    }),
  },
  fc.record({ type: fc.constant('kill' as const), which }),
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 5, 10, 300),
    }),
  },
);

interface Caller {
  readonly n: number;
  readonly fate: Fate;
  readonly abort: AbortController;
}

/** One plan. The books are looked at after each command. */
async function run(commands: readonly Command[], concurrency: number): Promise<void> {
  const setup = batching(
    { size: 2, breaker: false, maxRestarts: 1_000, quarantine: { crashes: 1_000, forMs: 1_000 } },
    { concurrency, onCall: () => undefined },
  );
  const callers: Caller[] = [];
  const answered = new Set<string>();
  const act = (one: Command): void => {
    switch (one.type) {
      case 'call': {
        const { op, timeoutMs, isIdempotent, maxWaitMs } = one;
        const [n, abort] = [callers.length, new AbortController()];
        const batch = { maxSize: 3, maxWaitMs };
        const more = { timeoutMs, isIdempotent, maxRetries: 1, batch, signal: abort.signal };
        callers.push({ n, abort, fate: setup.call(op, { n }, more) });
        return;
      }
      case 'abort':
        callers[one.which % Math.max(1, callers.length)]?.abort.abort();
        return;
      case 'answer':
        answer(one.which, one.fails);
        return;
      case 'kill':
        living()[one.which % Math.max(1, living().length)]?.exit(9, null);
        return;
      case 'pass':
        return;
      default:
        one satisfies never;
    }
  };
  const living = () => setup.world.processes.filter((process) => process.isAlive);
  const open = () =>
    living().flatMap((process) =>
      process.calls
        .filter(({ id }) => !answered.has(`${process.pid}/${id}`))
        .map((call) => ({ process, call })),
    );
  const answer = (index: number, fails: number): void => {
    const found = open()[index % Math.max(1, open().length)];
    if (found === undefined) return;
    const { process, call } = found;
    answered.add(`${process.pid}/${call.id}`);
    const error = { type: 'ValueError', message: 'no', traceback: 'T', code: 'python_error' };
    const outcomeOf = (args: Readonly<Record<string, unknown>>) =>
      fails > 0 && Number(args['n']) % 4 === fails - 1
        ? { ok: false, error }
        : { ok: true, result: args['n'] };
    if (call.batch !== undefined) {
      const calls = call.args['calls'] as readonly Readonly<Record<string, unknown>>[];
      expect(calls).toHaveLength(call.batch);
      process.reply(call.id, calls.map(outcomeOf));
      return;
    }
    const outcome = outcomeOf(call.args);
    if (outcome.ok) process.reply(call.id, outcome.result);
    else process.fail(call.id, 'python_error');
  };
  const check = (): void => {
    const books = setup.books();
    expect(books.accepted).toBe(callers.length);
    const settled = callers.filter(({ fate }) => fate.state !== 'pending').length;
    expect(books.queued + books.running).toBe(callers.length - settled);
    expect(books.completed).toBe(callers.filter(({ fate }) => fate.state === 'resolved').length);
    for (const { n, fate } of callers) if (fate.state === 'resolved') expect(fate.value).toBe(n);
    for (const { batch = 0 } of setup.world.callsWritten) expect(batch).toBeLessThanOrEqual(3);
    expect(setup.world.callsToTheDead).toEqual([]);
  };
  for (const one of commands) {
    act(one);
    await setup.pass(one.type === 'pass' ? one.ms : 0);
    check();
  }
  // Whatever is left has an answer, or its deadline.
  for (let rounds = 0; rounds < 10 && open().length > 0; rounds += 1) {
    answer(0, 0);
    await setup.pass(20);
  }
  await setup.pass(60_000);
  check();
  expect(setup.books()).toMatchObject({ queued: 0, running: 0 });
  setup.stop();
}

describe('calls of batched operations', () => {
  it.each([1, 2])(
    'have one outcome each, their own, whatever happens, and the books balance: %i at a time',
    async (concurrency) => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: COMMANDS_MAX }), (commands) =>
          run(commands, concurrency),
        ),
        { numRuns: RUNS },
      );
    },
    120_000,
  );
});
