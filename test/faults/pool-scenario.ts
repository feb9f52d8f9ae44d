// What can happen to a pool? Scenarios as plain data, so that every part of them shrinks, and their run under virtual time.
import fc from 'fast-check';

import type { StartScript } from '../support/scripted-world.ts';
import {
  fateOf,
  microtasks,
  request,
  scriptedPool,
  type Fate,
  type ScriptedPool,
} from '../support/scripted-pool.ts';

type Step =
  | {
      readonly type: 'call';
      readonly op: 'echo' | 'create' | 'use' | 'hang' | 'exit';
      readonly session: number;
      readonly timeoutMs: number;
    }
  | { readonly type: 'kill'; readonly worker: number }
  | { readonly type: 'clean_exit'; readonly worker: number }
  | { readonly type: 'garbage'; readonly worker: number }
  | { readonly type: 'bad_starts'; readonly scripts: readonly StartScript[] }
  | { readonly type: 'deliver'; readonly facts: number }
  | { readonly type: 'time'; readonly ms: number };

export interface Scenario {
  readonly size: number;
  readonly maxRestarts: number;
  readonly steps: readonly Step[];
  /** Which channel is next: choice i picks channel `i modulo their number`; beyond the end the first. */
  readonly schedule: readonly number[];
}

const call = fc.record({
  type: fc.constant('call' as const),
  op: fc.constantFrom(
    'echo' as const,
    'create' as const,
    'use' as const,
    'hang' as const,
    'exit' as const,
  ),
  session: fc.nat(3),
  timeoutMs: fc.constantFrom(30_000, 50, 7_000),
});
const badStart = fc.constantFrom<StartScript>(
  { type: 'import_fails' },
  { type: 'exits_before_hello', status: 1 },
  { type: 'hangs' },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: call },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('deliver' as const), facts: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('kill' as const), worker: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('clean_exit' as const), worker: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('garbage' as const), worker: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('bad_starts' as const),
      scripts: fc.array(badStart, { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('time' as const),
      ms: fc.constantFrom(0, 1, 60, 4_000, 6_000, 12_000),
    }),
  },
);

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  size: fc.integer({ min: 1, max: 3 }),
  maxRestarts: fc.constantFrom(0, 1, 3, 1_000),
  steps: fc.array(step, { maxLength: 40, size: 'max' }),
  schedule: fc.array(fc.nat(11), { maxLength: 200, size: 'max' }),
});

interface SentCall {
  readonly op: string;
  /** Stands in its arguments, so that it is known again on the wire. */
  readonly number: number;
  readonly fate: Fate;
  settlements: number;
}

export interface Run {
  readonly sim: ScriptedPool;
  readonly calls: readonly SentCall[];
  /** Times at which a restart was decided. */
  readonly restartsAtMs: readonly number[];
  readonly gaveUp: readonly { readonly atMs: number; readonly because: string }[];
  /** Incarnations that ended before they were ever ready. */
  readonly startFailures: number;
  /** Facts of interest that came about, to prove that the scenarios reach them. */
  readonly seen: ReadonlySet<string>;
}

const NO_SESSION = 3;

/** Run the steps, end the faults, let all deadlines pass. */
export async function run(given: Scenario): Promise<Run> {
  const badStarts: StartScript[] = [];
  const seen = new Set<string>();
  let startFailures = 0;
  const sim = scriptedPool(
    { size: given.size, maxRestarts: given.maxRestarts, periodMs: 5_000, startTimeoutMs: 5_000 },
    {
      nextStart: () => badStarts.shift() ?? { type: 'ready' },
    },
  );
  const choices = [...given.schedule];
  const choose = (): number => choices.shift() ?? 0;
  const calls: SentCall[] = [];
  const restartsAtMs: number[] = [];
  const gaveUp: { atMs: number; because: string }[] = [];
  sim.bus.on('supervisor.decided', ({ verdict, because }) => {
    seen.add(verdict);
    if (verdict === 'restart') restartsAtMs.push(sim.clock.nowMs());
    if (verdict === 'give_up') gaveUp.push({ atMs: sim.clock.nowMs(), because });
  });
  const readyEpochs = new Set<string>();
  sim.bus.on('child.ready', ({ path, epoch }) => readyEpochs.add(`${path}#${epoch}`));
  sim.bus.on('child.crashed', ({ path, epoch }) => {
    if (!readyEpochs.has(`${path}#${epoch}`)) startFailures += 1;
  });
  sim.bus.on('scope.replayed', () => seen.add('replayed'));
  let ids = 0;
  const acknowledged = new Map<number, string>();
  const send = (one: Extract<Step, { type: 'call' }>): void => {
    const { op, session, timeoutMs } = one;
    const id = op === 'create' ? `id-${(ids += 1)}` : acknowledged.get(session);
    if (op === 'use' && id === undefined) return;
    const sessionId = session === NO_SESSION ? undefined : `s${session}`;
    const number = calls.length;
    const args = id === undefined ? { number } : { number, id };
    const promise = sim.pool.call(request(op, args, { sessionId, timeoutMs }));
    const sent: SentCall = { op, number, fate: fateOf(promise), settlements: 0 };
    calls.push(sent);
    promise.then(
      () => {
        sent.settlements += 1;
        if (op === 'create' && id !== undefined) acknowledged.set(session, id);
      },
      () => (sent.settlements += 1),
    );
  };
  const victim = (worker: number) => {
    const alive = sim.world.processes.filter((process) => process.isAlive);
    return alive[worker % alive.length];
  };
  for (const one of given.steps) {
    switch (one.type) {
      case 'call':
        send(one);
        break;
      case 'kill':
        victim(one.worker)?.exit(null, 'SIGKILL');
        break;
      case 'clean_exit':
        victim(one.worker)?.exit(0, null);
        break;
      case 'garbage':
        victim(one.worker)?.emitBytes('replies', Buffer.from([255, 255, 255, 255, 0, 0, 0, 2]));
        break;
      case 'bad_starts':
        badStarts.push(...one.scripts);
        break;
      case 'deliver':
        for (let n = 0; n < one.facts; n += 1) if (!sim.world.step(choose())) sim.clock.poll();
        break;
      case 'time':
        sim.advance(one.ms, choose);
        break;
      default:
        one satisfies never;
    }
    await microtasks();
  }
  badStarts.length = 0;
  sim.advance(60_000, choose);
  await microtasks();
  for (const { fate } of calls) if (fate.error?.code !== undefined) seen.add(fate.error.code);
  return { sim, calls, restartsAtMs, gaveUp, seen, startFailures };
}
