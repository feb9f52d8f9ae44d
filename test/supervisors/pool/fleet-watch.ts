// How does a test see who comes and who goes in a pool? What the bus tells of it in a few words, and how few workers were ready at any moment.
import type { BusEvents } from '../../../actors/ground/bus.ts';
import type { Done } from '../../../supervisors/pool/fleet-requests.ts';
import type { Pool } from '../../../supervisors/pool/pool.ts';
import type { Bus } from '../../../actors/ground/bus.ts';
import type { ScriptedWorld, StartScript } from '../../support/scripted-world.ts';

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
