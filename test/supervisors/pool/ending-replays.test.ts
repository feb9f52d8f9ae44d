// What becomes of a worker that is being told of what it lacks, for a call that nobody waits for any more?
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { inSession, pooled, shown, STAGES_MS } from './calling.ts';
import { scriptedPython } from '../../support/scripted-python.ts';

/** A worker that has died once: its successor knows nothing of the session, and `create` there never ends by itself. */
async function behind(options: Parameters<typeof pooled>[0], endedBy: string) {
  const python = scriptedPython();
  let isOver = false;
  const setup = pooled(options, {
    ...python,
    onCall: (process, call) => {
      const isReplay = isOver && call.op === 'create' && process.pid === 2;
      python.onCall(process, isReplay ? { ...call, op: 'hang', args: { endedBy } } : call);
    },
  });
  setup.call('create', { id: 'x' }, inSession('s'));
  await setup.done();
  isOver = true;
  setup.world.processes[0]!.exit(null, 'SIGKILL');
  await setup.done();
  return setup;
}

describe('what a worker is told for a call that is given up', () => {
  it('is taken back where it waits behind another call, which runs on', async () => {
    const { call, pass, done, world } = await behind({ prefetch: 1 }, 'kill');
    const running = call('hang', { endedBy: 'flag' });
    await done();
    const late = call('use', { id: 'x' }, { ...inSession('s'), timeoutMs: 100 });
    await pass(100);
    await pass(STAGES_MS + LIMITS.withdrawMs);
    expect([shown(late), running.state]).toEqual(['deadline_exceeded notSent', 'pending']);
    expect(world.processes.map(({ isAlive }) => isAlive)).toEqual([false, true]);
  });

  it('is told again to the next call of that session', async () => {
    const { call, pass, done, world, python } = await behind({ prefetch: 1 }, 'flag');
    const { signal, abort } = aborting();
    const running = call('hang', { endedBy: 'flag' }, { signal });
    await done();
    const late = call('use', { id: 'x' }, { ...inSession('s'), timeoutMs: 100 });
    await pass(100 + LIMITS.withdrawMs);
    abort();
    await pass(LIMITS.cancelFlagMs);
    expect([shown(late), shown(running)]).toEqual([
      'deadline_exceeded notSent',
      'aborted maybeExecuted',
    ]);
    call('use', { id: 'x' }, inSession('s'));
    await done();
    expect(python(2).started.map(({ op }) => op)).toEqual(['hang', 'hang']);
    expect(world.processes).toHaveLength(2);
  });

  it.each(['flag', 'raise', 'interrupt'] as const)(
    'costs its worker where it was cut short (%s), since what it has done nobody knows',
    async (endedBy) => {
      const { call, pass, done, world, pool } = await behind({}, endedBy);
      const late = call('use', { id: 'x' }, { ...inSession('s'), timeoutMs: 100 });
      await pass(100);
      await pass(STAGES_MS);
      expect(shown(late)).toBe('deadline_exceeded notSent');
      expect(world.processes).toHaveLength(3);
      // It speaks against no session, and spends no restart.
      const use = call('use', { id: 'x' }, inSession('s'));
      await done();
      expect([use.state, pool.statistics.counters.lost]).toEqual(['resolved', 0]);
    },
  );
});

function aborting(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
