// How does a test get a real pool (machines, supervisor, router) over a scripted world under virtual time?
import { Bus } from '../../actors/ground/bus.ts';
import { SHUTDOWN, type ExitReason } from '../../actors/ground/exit-reason.ts';
import type { CallRequest } from '../../supervisors/pool/call-row.ts';
import { noGuard } from '../../actors/port/run-guard.ts';
import type { PoolOptions } from '../../supervisors/pool/pool-options.ts';
import { Pool, type PoolPorts, type PoolSetup } from '../../supervisors/pool/pool.ts';
import { Names } from '../../actors/lifecycle/names.ts';
import { checkFlags } from '../../supervisors/supervisor-flags.ts';
import { Supervisor } from '../../supervisors/supervisor.ts';
import { assertBooks } from './books.ts';
import {
  ScriptedWorld,
  type CallMessage,
  type ScriptedProcess,
  type WorldOptions,
} from './scripted-world.ts';
import { underRoot } from './under-root.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface ScriptedPool {
  readonly clock: VirtualClock;
  readonly bus: Bus;
  readonly world: ScriptedWorld;
  readonly pool: Pool;
  readonly root: Supervisor;
  readonly exitReason: () => ExitReason | undefined;
  /** Deliver facts and polls until nothing waits, choosing among channels by `choose`. */
  settle(choose?: () => number): void;
  advance(ms: number, choose?: () => number): void;
  stop(): void;
}

export function scriptedPool(
  options: PoolOptions,
  world: Partial<WorldOptions> = {},
  more: Partial<Pick<PoolPorts, 'host' | 'random'> & Pick<PoolSetup, 'operations' | 'start'>> = {},
): ScriptedPool {
  const clock = new VirtualClock();
  const bus = new Bus();
  const scripted = new ScriptedWorld({
    nextStart: () => ({ type: 'ready' }),
    onCall: answer,
    ...world,
  });
  let nonces = 0;
  const ids = {
    next: (prefix: string) => `${prefix}_1`,
    nonce: () => `nonce-${(nonces += 1)}`,
  };
  const { random = { next: () => 0.5 } } = more;
  const life = { clock, bus, random, names: new Names() };
  const { host = { readProcess: () => undefined, countOpenFiles: () => undefined } } = more;
  const ports = { ...life, ids, host, spawner: scripted, transport: scripted, guard: noGuard };
  const pool = new Pool(
    {
      name: 'p',
      options,
      launch: () => ({
        spawn: { command: 'python', args: [], env: {} },
        bridge: { framework: 'p', module: 'scripted' },
      }),
      start: more.start,
      operations: more.operations,
      makeScratch: (path) => ({ path, remove: () => undefined }),
      startTree: underRoot(() => root),
    },
    ports,
  );
  let exit: ExitReason | undefined;
  const root: Supervisor = new Supervisor(
    {
      id: 'root',
      path: '',
      epoch: 1,
      listener: (fact) => {
        if (fact.type === 'child.stopped') exit = fact.reason;
      },
    },
    checkFlags({ children: more.start === 'on_demand' ? [] : [pool.childSpec()] }),
    life,
  );
  const settle = (choose: () => number = () => 0): void => {
    while (scripted.step(choose()) || clock.poll());
    assertBooks(pool.statistics);
  };
  return {
    clock,
    bus,
    world: scripted,
    pool,
    root,
    exitReason: () => exit,
    settle,
    advance: (ms, choose) => {
      clock.advance(ms, () => {
        settle(choose);
      });
    },
    stop: () => {
      pool.close();
      root.stop('infinity', SHUTDOWN);
      clock.advance(60_000, settle);
    },
  };
}

/** A worker with a memory: `create`, `delete` and `use` of ids by scope, `echo`, `hang`, `exit`. */
function answer(process: ScriptedProcess, call: CallMessage): void {
  const scope = call.session ?? '';
  const known = process.known.get(scope) ?? new Set();
  process.known.set(scope, known);
  const id = String(call.args['id']);
  switch (call.op) {
    case 'create':
      known.add(id);
      process.reply(call.id, id);
      return;
    case 'delete':
      known.delete(id);
      process.reply(call.id, id);
      return;
    case 'use':
      if (known.has(id)) process.reply(call.id, `used ${id} in ${process.pid}`);
      else process.fail(call.id, 'program_not_found');
      return;
    case 'hang':
      return;
    case 'exit':
      process.exit(0, null);
      return;
    default:
      process.reply(call.id, { pid: process.pid, args: call.args });
  }
}

/** A request with the defaults of a test. */
export function request(
  op: string,
  args: Readonly<Record<string, unknown>> = {},
  more: Partial<CallRequest> = {},
): CallRequest {
  const change = CHANGES[op as keyof typeof CHANGES] as 'create' | 'delete' | undefined;
  return {
    op,
    args,
    timeoutMs: 30_000,
    checkoutTimeoutMs: 5_000,
    change: change && { change, key: String(args['id']) },
    ...more,
  };
}

const CHANGES = { create: 'create', delete: 'delete' } as const;

/** A promise's fate, readable without waiting. */
export interface Fate {
  state: 'pending' | 'resolved' | 'rejected';
  value?: unknown;
  error?: Error & { readonly code?: string; readonly outcome?: string };
}

export function fateOf(promise: Promise<unknown>): Fate {
  const fate: Fate = { state: 'pending' };
  promise.then(
    (value) => {
      fate.state = 'resolved';
      fate.value = value;
    },
    (error: unknown) => {
      fate.state = 'rejected';
      fate.error = error as Error;
    },
  );
  return fate;
}

/** Let settled promises tell their fate. */
export async function microtasks(): Promise<void> {
  await Promise.resolve();
  await Promise.resolve();
}
