// What can happen to calls that are sent ahead, run side by side, stream and are abandoned? Scenarios as plain data, and their run under virtual time.
import fc from 'fast-check';
import { vi } from 'vitest';

import type { Cancellation } from '../../actors/ground/errors.ts';
import { PythonWorker } from '../../actors/worker/worker.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import type { OpenCall } from '../../supervisors/pool/router-types.ts';
import {
  fateOf,
  microtasks,
  request,
  scriptedPool,
  type Fate,
  type ScriptedPool,
} from '../support/scripted-pool.ts';
import { scriptedPython, type ScriptedPython } from '../support/scripted-python.ts';

const OPS = ['echo', 'hang', 'hang', 'create', 'use', 'count', 'exit'] as const;
const ENDED_BY = ['flag', 'raise', 'interrupt', 'kill'] as const;

interface CallStep {
  readonly type: 'call';
  readonly op: (typeof OPS)[number];
  readonly endedBy: (typeof ENDED_BY)[number];
  /** The last one is the anonymous scope. */
  readonly session: number;
  readonly timeoutMs: number;
}

type Step =
  | CallStep
  | { readonly type: 'abort' | 'finish' | 'stop_reading'; readonly call: number }
  | { readonly type: 'kill' | 'garbage'; readonly worker: number }
  | { readonly type: 'deliver'; readonly facts: number }
  | { readonly type: 'time'; readonly ms: number };

export interface Scenario {
  readonly size: number;
  readonly concurrency: number;
  readonly execution: 'threads' | 'asyncio';
  readonly prefetch: number;
  readonly steps: readonly Step[];
  /** Which channel is next: choice i picks channel `i modulo their number`; beyond the end the first. */
  readonly schedule: readonly number[];
}

const NO_SESSION = 2;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('call' as const),
      op: fc.constantFrom(...OPS),
      endedBy: fc.constantFrom(...ENDED_BY),
      session: fc.nat(NO_SESSION),
      timeoutMs: fc.constantFrom(30_000, 50, 400),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constantFrom('abort' as const, 'finish' as const, 'stop_reading' as const),
      call: fc.nat(6),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('kill' as const, 'garbage' as const),
      worker: fc.nat(3),
    }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('deliver' as const), facts: fc.nat(12) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('time' as const),
      ms: fc.constantFrom(0, 1, 60, 120, 300, 700, 6_000),
    }),
  },
);

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  size: fc.integer({ min: 1, max: 2 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  execution: fc.constantFrom('threads' as const, 'asyncio' as const),
  prefetch: fc.nat(2),
  steps: fc.array(step, { maxLength: 40, size: 'max' }),
  schedule: fc.array(fc.nat(11), { maxLength: 200, size: 'max' }),
});

/** One call as its caller knows it. */
export interface Made {
  /** Stands in its arguments, so that it is known again in Python. */
  readonly number: number;
  readonly op: string;
  readonly fate: Fate;
  readonly items: unknown[];
  readonly controller: AbortController;
  readonly open: OpenCall | undefined;
  settlements: number;
}

export interface Run {
  readonly sim: ScriptedPool;
  readonly python: ScriptedPython;
  readonly calls: readonly Made[];
  /** Sends to a worker in which a call was being ended. Must stay empty. */
  readonly sentMeanwhile: readonly string[];
  /** Facts of interest that came about, to prove that the scenarios reach them. */
  readonly seen: ReadonlySet<string>;
}

export const STREAM_ITEMS = 20;
const CREDIT = 4;

export const cancellationOf = ({ fate }: Made): Cancellation | undefined =>
  (fate.error as { readonly cancellation?: Cancellation } | undefined)?.cancellation;

/** Run the steps, let all deadlines pass, and every worker come back. */
export async function run(given: Scenario): Promise<Run> {
  const { size, prefetch, concurrency, schedule } = given;
  const python = scriptedPython(concurrency, concurrency === 1 ? 'sync' : given.execution);
  const sim = scriptedPool({ size, prefetch, maxRestarts: 1_000 }, python);
  const seen = new Set<string>();
  const choices = [...schedule];
  const choose = (): number => choices.shift() ?? 0;
  const calls: Made[] = [];
  const watch = watchEnds();
  try {
    for (const one of given.steps) {
      act(one, { sim, python, calls, choose });
      await microtasks();
    }
    sim.advance(120_000, choose);
    await microtasks();
  } finally {
    watch.restore();
  }
  for (const made of calls) {
    if (made.fate.error?.code !== undefined) seen.add(made.fate.error.code);
    const stage = cancellationOf(made)?.stage;
    if (stage !== undefined) seen.add(stage);
    if (made.op === 'count' && made.fate.state === 'resolved') seen.add('streamed');
  }
  return { sim, python, calls, seen, sentMeanwhile: watch.sentMeanwhile };
}

interface Acting {
  readonly sim: ScriptedPool;
  readonly python: ScriptedPython;
  readonly calls: Made[];
  readonly choose: () => number;
}

function act(one: Step, { sim, python, calls, choose }: Acting): void {
  const alive = sim.world.processes.filter((process) => process.isAlive);
  switch (one.type) {
    case 'call':
      calls.push(make(sim, calls.length, one));
      return;
    case 'abort':
      calls.at(-1 - one.call)?.controller.abort();
      return;
    case 'stop_reading':
      calls.at(-1 - one.call)?.open?.stop();
      return;
    case 'finish': {
      const running = alive.flatMap((process) =>
        [...python.loopOf(process).running.values()].map(({ call }) => ({ process, call })),
      );
      const found = running[one.call % Math.max(1, running.length)];
      if (found !== undefined) python.loopOf(found.process).finish(found.call.id, 'finished');
      return;
    }
    case 'kill':
      alive[one.worker % Math.max(1, alive.length)]?.exit(null, 'SIGKILL');
      return;
    case 'garbage':
      alive[one.worker % Math.max(1, alive.length)]?.emitBytes(
        'replies',
        Buffer.from('GET / HTTP/1.1\r\n'),
      );
      return;
    case 'deliver':
      for (let n = 0; n < one.facts; n += 1) if (!sim.world.step(choose())) sim.clock.poll();
      return;
    case 'time':
      sim.advance(one.ms, choose);
      return;
    default:
      one satisfies never;
  }
}

function make(
  sim: ScriptedPool,
  number: number,
  { op, endedBy, session, timeoutMs }: CallStep,
): Made {
  const controller = new AbortController();
  const items: unknown[] = [];
  const more = {
    ...{ timeoutMs, signal: controller.signal },
    ...(session === NO_SESSION ? {} : { sessionId: `s${session}` }),
  };
  const args = { number, endedBy, id: `id-${number}`, upTo: STREAM_ITEMS };
  let open: OpenCall | undefined;
  // Read at once, and one more asked for.
  const item = (value: unknown): void => {
    items.push(value);
    open?.credit(1);
  };
  if (op === 'count') {
    open = sim.pool.open({ ...request(op, args, more), stream: { credit: CREDIT, item } });
  }
  const promise = open?.settled ?? sim.pool.call(request(op, args, more));
  const made: Made = {
    ...{ number, op, items, controller, open },
    fate: fateOf(promise),
    settlements: 0,
  };
  const settled = (): void => {
    made.settlements += 1;
  };
  promise.then(settled, settled);
  return made;
}

type Method<Name extends 'cancel' | 'send'> = (
  this: Worker,
  ...given: Parameters<Worker[Name]>
) => ReturnType<Worker[Name]>;

/** Looks at every order to end a call, and at every call that is sent before that is over. */
function watchEnds(): { readonly sentMeanwhile: string[]; readonly restore: () => void } {
  const sentMeanwhile: string[] = [];
  const ends = new Map<Worker, Set<number>>();
  const { prototype } = PythonWorker;
  const cancel = Reflect.get(prototype, 'cancel') as Method<'cancel'>;
  const send = Reflect.get(prototype, 'send') as Method<'send'>;
  const cancelling = vi.spyOn(prototype, 'cancel').mockImplementation(function (
    this: PythonWorker,
    id,
    told,
  ) {
    const own = ends.get(this) ?? new Set();
    ends.set(this, own);
    own.add(id);
    cancel.call(this, id, (fact) => {
      if (fact.type === 'over') own.delete(id);
      told(fact);
    });
  });
  const sending = vi.spyOn(prototype, 'send').mockImplementation(function (
    this: PythonWorker,
    message,
    settle,
    handlers,
  ) {
    const own = [...(ends.get(this) ?? [])];
    if (own.length > 0) sentMeanwhile.push(`${message.op} while ${own.join(', ')}`);
    return send.call(this, message, settle, handlers);
  });
  const restore = (): void => {
    cancelling.mockRestore();
    sending.mockRestore();
  };
  return { sentMeanwhile, restore };
}
