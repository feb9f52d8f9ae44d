// What can happen to a pool? Scenarios as plain data, so that every part of them shrinks, and their run under virtual time.
import fc from 'fast-check';

import { LIMITS } from '../../actors/ground/limits.ts';
import type { CallMessage, ScriptedProcess, StartScript } from '../support/scripted-world.ts';
import {
  fateOf,
  microtasks,
  request,
  scriptedPool,
  type Fate,
  type ScriptedPool,
} from '../support/scripted-pool.ts';

/** How long a start may take in these scenarios. */
const START_TIMEOUT_MS = 5_000;

const OPS = [
  ...(['echo', 'create', 'use', 'delete', 'use_deleted'] as const),
  ...(['configure', 'hang', 'exit'] as const),
] as const;

type Step =
  | {
      readonly type: 'call';
      readonly op: (typeof OPS)[number];
      readonly session: number;
      readonly timeoutMs: number;
    }
  | { readonly type: 'abort'; readonly call: number }
  | { readonly type: 'replace'; readonly worker: number; readonly times: number }
  | { readonly type: 'stop' }
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
  op: fc.constantFrom(...OPS),
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
  { weight: 1, arbitrary: fc.record({ type: fc.constant('abort' as const), call: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('replace' as const),
      worker: fc.nat(2),
      times: fc.constantFrom(1, 2, 40),
    }),
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
  steps: fc
    .tuple(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.option(fc.nat(40), { freq: 4, nil: undefined }),
    )
    .map(([steps, stopAt]) =>
      stopAt === undefined ? steps : steps.toSpliced(stopAt, 0, { type: 'stop' }),
    ),
  schedule: fc.array(fc.nat(11), { maxLength: 200, size: 'max' }),
});

interface SentCall {
  readonly op: string;
  /** Stands in its arguments, so that it is known again on the wire. */
  readonly number: number;
  readonly session: number;
  readonly id: string | undefined;
  readonly fate: Fate;
  /** The last configuration that had been acknowledged when it was made, by its place in that order. */
  readonly configuredBefore: number;
  settlements: number;
}

export interface Run {
  readonly sim: ScriptedPool;
  readonly calls: readonly SentCall[];
  /** Numbers of the configurations without a session, in the order in which they were acknowledged. */
  readonly configured: readonly number[];
  /** Ids whose deletion was asked for. */
  readonly deletedIds: ReadonlySet<string>;
  readonly wasStopped: boolean;
  /** Times at which a restart was decided. */
  readonly restartsAtMs: readonly number[];
  readonly gaveUp: readonly { readonly atMs: number; readonly because: string }[];
  /** Incarnations that ended before they were ever ready. */
  readonly startFailures: number;
  /** Facts of interest that came about, to prove that the scenarios reach them. */
  readonly seen: ReadonlySet<string>;
}

export const NO_SESSION = 3;

/** Run the steps, end the faults, let all deadlines pass. */
export async function run(given: Scenario): Promise<Run> {
  const badStarts: StartScript[] = [];
  const seen = new Set<string>();
  let startFailures = 0;
  const sim = scriptedPool(
    {
      size: given.size,
      maxRestarts: given.maxRestarts,
      periodMs: 5_000,
      startTimeoutMs: START_TIMEOUT_MS,
    },
    {
      nextStart: () => badStarts.shift() ?? { type: 'ready' },
      onCall: answer,
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
  const deleted = new Map<number, string>();
  const deletedIds = new Set<string>();
  const configured: number[] = [];
  const controllers: AbortController[] = [];
  let wasStopped = false;
  const send = (one: Extract<Step, { type: 'call' }>): void => {
    const { op, session, timeoutMs } = one;
    const known = op === 'use_deleted' ? deleted.get(session) : acknowledged.get(session);
    const id = op === 'create' ? `id-${(ids += 1)}` : known;
    if (['use', 'delete', 'use_deleted'].includes(op) && id === undefined) return;
    const sessionId = session === NO_SESSION ? undefined : `s${session}`;
    const number = calls.length;
    const args = id === undefined ? { number } : { number, id };
    const controller = new AbortController();
    controllers.push(controller);
    const { signal } = controller;
    const change = op === 'configure' ? ({ change: op, key: op } as const) : undefined;
    const promise = sim.pool.call({
      ...request(op === 'use_deleted' ? 'use' : op, args, { sessionId, timeoutMs, signal }),
      ...(change && { change }),
    });
    if (op === 'delete' && id !== undefined) {
      acknowledged.delete(session);
      deletedIds.add(id);
    }
    const configuredBefore = configured.length - 1;
    const sent: SentCall = {
      ...{ op, number, session, id, configuredBefore },
      ...{ fate: fateOf(promise), settlements: 0 },
    };
    calls.push(sent);
    promise.then(
      () => {
        sent.settlements += 1;
        if (op === 'create' && id !== undefined) acknowledged.set(session, id);
        if (op === 'delete' && id !== undefined) deleted.set(session, id);
        if (op === 'configure' && session === NO_SESSION) configured.push(number);
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
      case 'abort':
        controllers.at(-1 - one.call)?.abort();
        break;
      case 'replace':
        for (let time = 0; time < one.times; time += 1) {
          const child = sim.pool.supervisor?.children()[one.worker];
          if (child !== undefined) {
            sim.pool.supervisor?.replaceChild(child.id, child.epoch, 'storm');
          }
          if (one.times > 2) sim.settle(choose);
        }
        break;
      case 'stop':
        wasStopped = true;
        sim.pool.close();
        sim.root.stop('infinity', { type: 'shutdown' });
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
  // A start that hangs is given up late, and trips a breaker that opens then.
  sim.advance(START_TIMEOUT_MS + LIMITS.breakerOpenMs, choose);
  await microtasks();
  for (const { fate } of calls) if (fate.error?.code !== undefined) seen.add(fate.error.code);
  return {
    ...{ sim, calls, configured, deletedIds, wasStopped },
    ...{ restartsAtMs, gaveUp, seen, startFailures },
  };
}

/** A worker with a memory, which also tells what it was configured with; a deletion of what is not there fails. */
function answer(process: ScriptedProcess, { id: callId, op, args, session }: CallMessage): void {
  const scope = process.known.get(session ?? '') ?? new Set<string>();
  process.known.set(session ?? '', scope);
  const id = String(args['id']);
  if (op === 'hang') return;
  if (op === 'exit') {
    process.exit(0, null);
    return;
  }
  if ((op === 'use' || op === 'delete') && !scope.has(id)) {
    process.fail(callId, 'program_not_found');
    return;
  }
  if (op === 'create') scope.add(id);
  if (op === 'delete') scope.delete(id);
  if (op === 'configure' && session === null) {
    process.known.set('configuration', new Set([String(args['number'])]));
  }
  const [configuration] = process.known.get('configuration') ?? [];
  process.reply(callId, { configuration: configuration ?? null });
}
