// How does a test see who comes and who goes in a pool? What the bus tells of it in a few words, and how few workers were ready at any moment.
import type { Bus, BusEvents } from '../../../actors/ground/bus.ts';
import type { CallRequest } from '../../../supervisors/pool/call-row.ts';
import type { Done } from '../../../supervisors/pool/fleet-requests.ts';
import type { PoolOptions } from '../../../supervisors/pool/pool-options.ts';
import type { Pool, PoolPorts } from '../../../supervisors/pool/pool.ts';
import {
  fateOf,
  microtasks,
  request,
  scriptedPool,
  type Fate,
} from '../../support/scripted-pool.ts';
import type { ScriptedWorld, StartScript, WorldOptions } from '../../support/scripted-world.ts';
import { pooled } from './calling.ts';

export interface Watched {
  readonly pool: Pool;
  readonly bus: Bus;
  readonly world: ScriptedWorld;
}

const LINES: {
  readonly [
    Name in
      | 'worker.starting'
      | 'worker.start_failed'
      | 'worker.retiring'
      | 'pool.resized'
      | 'pool.changed'
  ]: (event: BusEvents[Name]) => string;
} = {
  'worker.starting': ({ worker, because, replaces }) =>
    [`${worker} comes: ${because}`, replaces && `for ${replaces}`].filter(Boolean).join(' '),
  'worker.start_failed': ({ worker, because, retryInMs }) =>
    `${worker} failed: ${because}${retryInMs === undefined ? '' : ` again in ${retryInMs}`}`,
  'worker.retiring': ({ worker, epoch, because }) => `${worker}#${epoch} goes: ${because}`,
  'pool.resized': ({ from, to, because }) => `size ${from} to ${to}: ${because}`,
  'pool.changed': ({ from, to }) => `${from} to ${to}`,
};

/** `log` has what was told; `ready.fewest` is the smallest number of workers that took calls, since it was set to infinity last. */
export function watched({ pool, bus, world }: Watched) {
  const log: string[] = [];
  const ready = { fewest: Number.POSITIVE_INFINITY };
  for (const name of Object.keys(LINES) as (keyof typeof LINES)[]) {
    bus.on(name, (event) => log.push((LINES[name] as (event: unknown) => string)(event)));
  }
  bus.on('*', () => {
    const { idle, busy, held } = pool.statistics.gauges;
    ready.fewest = Math.min(ready.fewest, idle + busy + held);
  });
  return {
    log,
    ready,
    /** Who takes calls: the ids. */
    ids: () => pool.supervisor?.children().map(({ id }) => id) ?? [],
    living: () => world.processes.filter(({ isAlive }) => isAlive).length,
    counters: () => pool.statistics.counters,
    gauges: () => pool.statistics.gauges,
  };
}

/** An order's answer, readable without waiting. */
export function answered(): { readonly done: Done; readonly answers: (string | undefined)[] } {
  const answers: (string | undefined)[] = [];
  const done: Done = (error) => {
    answers.push(error === undefined ? undefined : (error as Error & { code: string }).code);
  };
  return { done, answers };
}

/** Time enough for whatever a test has waiting. */
export const LONG = { timeoutMs: 600_000, checkoutTimeoutMs: 600_000 };

/** A running pool without jitter, and who comes and goes in it. */
export function fleet(
  options: PoolOptions,
  world: Partial<WorldOptions> = {},
  ports: Partial<Pick<PoolPorts, 'host' | 'random'>> = {},
) {
  const setup = scriptedPool({ recycleJitter: 0, ...options }, world, ports);
  setup.advance(0);
  const pass = async (ms: number): Promise<void> => {
    setup.advance(ms);
    await microtasks();
  };
  const call = (
    op: string,
    args: Readonly<Record<string, unknown>> = {},
    more: Partial<CallRequest> = {},
  ): Fate => fateOf(setup.pool.call(request(op, args, { ...LONG, ...more })));
  return {
    ...setup,
    ...watched(setup),
    ...{ pass, call, done: () => pass(0), hang: () => call('hang') },
    advance: (ms: number) => setup.advance(ms),
    stop: () => setup.stop(),
    /** Let the last call of a process end. */
    reply: (pid: number): void => {
      const process = setup.world.processes[pid - 1]!;
      process.reply(process.calls.at(-1)!.id, 'done');
      setup.advance(0);
    },
    reload: (timeoutMs?: number) => {
      const { done, answers } = answered();
      setup.pool.reload(done, timeoutMs);
      return answers;
    },
  };
}

/** A running pool, and what is answered to the orders of its life. */
export function living(options: PoolOptions, world?: Pick<WorldOptions, 'nextStart'>) {
  const setup = pooled(options, world);
  const stopped: string[] = [];
  const drained: unknown[] = [];
  return {
    ...setup,
    ...watched(setup),
    stopped,
    drained,
    state: () => setup.pool.statistics.state,
    stopPool: () => setup.pool.stop(() => stopped.push('stopped')),
    drain: (timeoutMs: number) =>
      setup.pool.drain(timeoutMs, (error, leftCount) =>
        drained.push(error === undefined ? leftCount : (error as Error & { code: string }).code),
      ),
    startPool: () => {
      const { done, answers } = answered();
      setup.pool.start(done);
      return answers;
    },
    reply: (pid: number): void => {
      const process = setup.world.processes[pid - 1]!;
      process.reply(process.calls.at(-1)!.id, 'done');
    },
  };
}

/** Starts that go as listed, and `ready` after that. */
export function starting(...scripts: readonly StartScript['type'][]): {
  readonly nextStart: () => StartScript;
} {
  const left = [...scripts];
  return {
    nextStart: () => {
      const type = left.shift() ?? 'ready';
      return type === 'exits_before_hello' ? { type, status: 3 } : { type };
    },
  };
}
