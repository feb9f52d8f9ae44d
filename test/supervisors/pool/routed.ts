// How does a test get a router over workers that are real up to their processes? Under virtual time, and with its books checked after every single step.
import { expect } from 'vitest';
import { Bus, type BusEventName, type BusEvents } from '../../../actors/ground/bus.ts';
import { RuntimeStoppedError } from '../../../actors/ground/errors.ts';
import { SHUTDOWN } from '../../../actors/ground/exit-reason.ts';
import { lifecycleStart } from '../../../actors/lifecycle/child.ts';
import { Names } from '../../../actors/lifecycle/names.ts';
import { noGuard } from '../../../actors/port/run-guard.ts';
import type { Worker } from '../../../actors/worker/worker-types.ts';
import { workerStart } from '../../../actors/worker/worker.ts';
import type { CallRequest } from '../../../supervisors/pool/call-row.ts';
import type { Checkout, CheckoutRequest } from '../../../supervisors/pool/checkout.ts';
import type { RouterOptions } from '../../../supervisors/pool/router-types.ts';
import { Router } from '../../../supervisors/pool/router.ts';
import { checkFlags } from '../../../supervisors/supervisor-flags.ts';
import { Supervisor } from '../../../supervisors/supervisor.ts';
import { assertBooks } from '../../support/books.ts';
import { fateOf, request, type Fate } from '../../support/scripted-pool.ts';
import { ScriptedWorld, type WorldOptions } from '../../support/scripted-world.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { RoutedWorld } from './routed-world.ts';

/** Turns of the microtask queue after which every fate is known. */
const MICROTASKS = 4;
const RESTARTS_MAX = 1_000;

export interface RoutedOptions extends Partial<RouterOptions> {
  /** How many workers. Default 1. */
  readonly size?: number;
}

/** A checkout, and what became of the wish for it. */
export interface Holding {
  readonly fate: Fate;
  readonly checkout: () => Checkout;
}

const CHANGES = {
  create: 'create',
  update: 'update',
  delete: 'delete',
  configure: 'configure',
} as const;

/** A request; what changes state says so by its name. */
export function routedRequest(
  op: string,
  args: Readonly<Record<string, unknown>> = {},
  more: Partial<CallRequest> = {},
): CallRequest {
  const change = CHANGES[op as keyof typeof CHANGES] as
    (typeof CHANGES)[keyof typeof CHANGES] | undefined;
  const key = change === 'configure' ? op : String(args['id']);
  return request(op, args, { change: change && { change, key }, ...more });
}

type Made = ReturnType<typeof makeTree>;

function makeTree({ size = 1, ...options }: RoutedOptions, more: Partial<WorldOptions>) {
  const clock = new VirtualClock();
  const bus = new Bus();
  const python = new RoutedWorld();
  const world = new ScriptedWorld({
    nextStart: () => ({ type: 'ready' }),
    ...{ onCall: python.onCall, onControl: python.onControl },
    ...more,
  });
  const random = { next: () => 0.5 };
  let nonces = 0;
  const router: Router = new Router(
    {
      ...{ pool: 'p', queueLengthMax: 1_000, ...options },
      replaceWorker: (worker, epoch, because) => root.replaceChild(worker.id, epoch, because),
    },
    { clock, bus, random },
  );
  const life = { clock, bus, random, names: new Names() };
  const start = workerStart(
    {
      spawn: { command: 'python', args: [], env: {} },
      bridge: { framework: 'p', module: 'scripted' },
      startTimeoutMs: 60_000,
      makeScratch: (path) => ({ path, remove: () => undefined }),
      watcher: router,
    },
    {
      ...{ ...life, guard: noGuard, spawner: world, transport: world },
      ids: { next: (prefix) => prefix, nonce: () => `nonce-${(nonces += 1)}` },
      host: { readProcess: () => undefined, countOpenFiles: () => undefined },
    },
  );
  const children = Array.from({ length: size }, (_, index) => ({
    ...({ id: String(index), restart: 'permanent', shutdown: 1_000 } as const),
    start: lifecycleStart('worker', () => start),
  }));
  const flags = checkFlags({ children, maxRestarts: RESTARTS_MAX }, { childPath: 'p' });
  const root: Supervisor = new Supervisor(
    { id: 'root', path: '', epoch: 1, listener: () => undefined },
    flags,
    life,
  );
  return { clock, bus, python, world, router, root };
}

/** Everything that takes no time happens, one fact at a time, and after each the books are looked at. */
function stepsOf({ world, clock, router }: Made) {
  const look = (): void => assertBooks(router.statistics());
  const settle = (): void => {
    look();
    while (world.step() || clock.poll()) look();
  };
  return { settle, look };
}

/** A router with its workers ready. `call` does not wait; `done` lets the world act, `pass` time. */
export function routed(options: RoutedOptions = {}, more: Partial<WorldOptions> = {}) {
  const made = makeTree(options, more);
  const { clock, bus, world, router, root } = made;
  const { settle, look } = stepsOf(made);
  const fates: Fate[] = [];
  const kinds = new Set<'call' | 'checkout'>();
  const noted = (promise: Promise<unknown>, kind: 'call' | 'checkout' = 'call'): Fate => {
    look();
    kinds.add(kind);
    const fate = fateOf(promise);
    fates.push(fate);
    return fate;
  };
  /** What the callers were told is what the books say. */
  const compare = async (): Promise<void> => {
    for (let turn = 0; turn < MICROTASKS; turn += 1) await Promise.resolve();
    const { counters, gauges } = router.statistics();
    const refused = Object.values(counters.refused).reduce((sum, one) => sum + one, 0);
    expect(fates.length).toBe(counters.accepted + refused);
    // Whoever got a checkout was told so at its beginning, which the books know as running.
    if (kinds.has('checkout')) return;
    const count = (state: Fate['state']) => fates.filter((fate) => fate.state === state).length;
    expect([count('resolved'), count('rejected'), count('pending')]).toEqual([
      counters.completed,
      counters.failed + counters.cancelled + refused,
      gauges.queued + gauges.running,
    ]);
  };
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms, settle);
    await compare();
  };
  const told: { readonly name: BusEventName; readonly event: object }[] = [];
  bus.on('*', (event, name) => told.push({ name, event }));
  clock.advance(0, settle);
  return {
    ...made,
    ...{ settle, pass, noted },
    done: () => pass(0),
    call: (
      op: string,
      args: Readonly<Record<string, unknown>> = {},
      rest: Partial<CallRequest> = {},
    ) => noted(router.call(routedRequest(op, args, rest))),
    checkout: (wanted: Partial<CheckoutRequest> = {}): Holding => checkOut(router, wanted, noted),
    /** A call on a worker that is held. */
    callHeld: (of: Holding, op: string, args: object = {}, rest: Partial<CallRequest> = {}) =>
      noted(router.callHeld(of.checkout(), routedRequest(op, { ...args }, rest))),
    told: <Name extends BusEventName>(name: Name): readonly BusEvents[Name][] =>
      told.flatMap((one) => (one.name === name ? [one.event as never] : [])),
    worker: (index: number) => root.children()[index] as unknown as Worker,
    /** Calls that each process was sent, in words. */
    sent: (): readonly string[] =>
      world.callsWritten.map(({ op, args, session }) =>
        [op, args['id'] ?? args['n'], session && `of ${session}`].filter(Boolean).join(' '),
      ),
    stop: () => {
      router.close(() => new RuntimeStoppedError('pool p'));
      root.stop('infinity', SHUTDOWN);
      clock.advance(60_000, settle);
      router.dispose();
    },
  };
}

export type Routed = ReturnType<typeof routed>;

function checkOut(
  router: Router,
  wanted: Partial<CheckoutRequest>,
  noted: (promise: Promise<unknown>, kind: 'checkout') => Fate,
): Holding {
  let held: Checkout | undefined;
  let answers = 0;
  const ended = new Promise((resolve, reject) => {
    router.checkout({ timeoutMs: 5_000, leaseMs: 60_000, ...wanted }, (error, checkout) => {
      answers += 1;
      expect(answers).toBe(1);
      held = checkout;
      if (error !== undefined) reject(error);
      else resolve(checkout);
    });
  });
  const fate = noted(ended, 'checkout');
  return {
    fate,
    checkout: () => {
      if (held === undefined) throw new Error('it holds no worker');
      return held;
    },
  };
}
