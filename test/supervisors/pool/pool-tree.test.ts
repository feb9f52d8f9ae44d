// Do workers go down with their zygote, come up with the next one, and spend no budget on it?
import { describe, expect, it } from 'vitest';

import type { BusEvents } from '../../../actors/ground/bus.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import type { Child } from '../../../actors/lifecycle/child.ts';
import type { PoolOptions } from '../../../supervisors/pool/pool-options.ts';
import { forkingPool, type ScriptedForks } from '../../support/scripted-forks.ts';
import { fateOf, microtasks, request, type Fate } from '../../support/scripted-pool.ts';
import { shown } from './calling.ts';

function pooled(options: PoolOptions = {}, prepare?: (forks: ScriptedForks) => void) {
  const setup = forkingPool(
    options,
    {
      nextStart: () => ({ type: 'ready' }),
      onCall: (process, call) => {
        if (call.op === 'echo') process.reply(call.id, process.pid);
        if (call.op === 'exit') process.exit(3, null);
      },
    },
    prepare,
  );
  const crashes: string[] = [];
  const decisions: BusEvents['supervisor.decided'][] = [];
  setup.bus.on('child.crashed', ({ path, epoch }) => crashes.push(`${path}#${epoch}`));
  setup.bus.on('supervisor.decided', (decision) => decisions.push(decision));
  const call = (op: string): Fate => fateOf(setup.pool.call(request(op)));
  return { ...setup, crashes, decisions, call, tree: () => setup.root.children().map(shape) };
}

type Shape = readonly [string, ...(string | Shape)[]];

function shape(child: Child): Shape {
  return [`${child.id} ${child.state} ${child.epoch}`, ...child.children().map(shape)];
}

const UP = [
  'p ready 1',
  ['zygote ready 1'],
  ['workers ready 1', ['0 ready 1'], ['1 ready 1']],
] as const;

describe('a pool with a zygote', () => {
  it('starts the zygote, then forks its workers from it', () => {
    const { forks, tree, pool } = pooled();
    expect(forks.log).toEqual(['zygote', 'fork', 'fork']);
    expect(tree()).toEqual([UP]);
    expect(pool.statistics).toMatchObject({ size: 2, gauges: { idle: 2 }, state: 'serving' });
  });

  it('calls its workers as any pool does', () => {
    const { bus, world, advance } = pooled();
    const crashed: string[] = [];
    bus.on('child.crashed', ({ path }) => crashed.push(path));
    world.processes[0]!.exit(1, null);
    advance(0);
    expect(crashed).toEqual(['p/0']);
  });

  it('restarts a worker that ends, from the same zygote', async () => {
    const { call, advance, forks, tree } = pooled();
    const fate = call('exit');
    advance(0);
    await microtasks();
    expect(shown(fate)).toBe('worker_crashed maybeExecuted');
    expect(forks.log).toEqual(['zygote', 'fork', 'fork', 'fork']);
    expect(tree()[0]?.[2]).toEqual(['workers ready 1', ['0 ready 2'], ['1 ready 1']]);
  });

  it('replaces zygote and workers when the zygote dies, fails each call once, and counts no crash of a worker', async () => {
    const { call, advance, forks, tree, decisions, scratches } = pooled({ maxRestarts: 0 });
    const fates = [call('hang'), call('hang')];
    advance(0);
    forks.die('SIGKILL');
    advance(0);
    await microtasks();
    expect(fates.map(shown)).toEqual(Array(2).fill('worker_crashed maybeExecuted'));
    expect(forks.log).toEqual(['zygote', 'fork', 'fork', 'zygote', 'fork', 'fork']);
    const workers = ['workers ready 2', ['0 ready 2'], ['1 ready 2']];
    expect(tree()).toEqual([['p ready 1', ['zygote ready 2'], workers]]);
    expect(decisions.map(({ supervisor, child }) => [supervisor, child])).toEqual([
      ['p', 'zygote'],
    ]);
    // No epoch is given twice, though the supervisor of the workers is another.
    expect(new Set(scratches).size).toBe(4);
    const after = call('echo');
    advance(0);
    await microtasks();
    expect(shown(after)).toBe(3);
  });

  it('does so in whatever order the ends are told', async () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const { call, settle, advance, forks, decisions, pool, stop, clock } = pooled({
        maxRestarts: 0,
      });
      let step = seed;
      const choose = (): number => (step = (step * 31 + 7) % 1_009);
      const fates = [call('hang'), call('echo'), call('hang')];
      settle(choose);
      forks.die('SIGKILL');
      advance(LIMITS.drainAfterExitMs, choose);
      advance(0, choose);
      await microtasks();
      expect(fates.filter(({ state }) => state === 'pending')).toEqual([]);
      expect(decisions.map(({ child }) => child)).toEqual(['zygote']);
      expect(pool.statistics).toMatchObject({ state: 'serving', gauges: { idle: 2 } });
      stop();
      expect(clock.pending).toBe(0);
    }
  });

  it('spawns its workers when the zygote is of no use', () => {
    const prepare = (forks: ScriptedForks): void => {
      forks.ready = { type: 'ready', modules: 1, importMs: 1, hazard: '2 threads' };
    };
    const { forks, pool } = pooled({}, prepare);
    expect(forks.log).toEqual(['zygote', 'cold', 'cold']);
    expect(pool.statistics).toMatchObject({ state: 'serving', gauges: { idle: 2 } });
  });

  it('spawns a worker that the zygote refuses, and says why', () => {
    const { forks, bus, world, advance, pool } = pooled();
    const refused: string[] = [];
    bus.on('zygote.refused', ({ path, hazard }) => refused.push(`${path}: ${hazard}`));
    forks.answer = 'refuses';
    world.processes[0]!.exit(1, null);
    advance(0);
    expect(forks.log.slice(3)).toEqual(['cold']);
    expect(refused).toEqual(['p/zygote: 2 threads']);
    expect(pool.statistics.gauges.idle).toBe(2);
  });

  it('replaces a zygote that owes a worker, and all is well with the next one (P17)', () => {
    const { forks, world, advance, pool, decisions } = pooled();
    forks.answer = 'hangs';
    world.processes[0]!.exit(1, null);
    advance(0);
    forks.answer = 'hangs';
    advance(LIMITS.forkTimeoutMs - 1);
    forks.answer = 'forks';
    advance(1);
    advance(LIMITS.drainAfterExitMs);
    advance(0);
    expect(decisions.map(({ child }) => child)).toEqual(['0', 'zygote']);
    expect(forks.log.filter((line) => line === 'zygote').length).toBe(2);
    expect(pool.statistics).toMatchObject({ state: 'serving', gauges: { idle: 2 } });
  });

  it('gives up with its workers, without a second budget from the supervisor above', async () => {
    const { call, advance, pool, bus } = pooled({ maxRestarts: 1 });
    const failed: string[] = [];
    bus.on('pool.failed', ({ error }) => failed.push(error.message));
    call('exit');
    advance(0);
    call('exit');
    advance(0);
    await microtasks();
    expect(pool.statistics.state).toBe('failed');
    expect(failed).toEqual([expect.stringContaining('reached max restart intensity')]);
    expect(failed.length).toBe(1);
  });

  it('gives up when its zygote dies again and again', async () => {
    const { forks, advance, pool, tree } = pooled();
    for (let death = 0; death <= LIMITS.maxRestarts; death += 1) {
      forks.die('SIGKILL');
      advance(0);
    }
    await microtasks();
    expect([pool.statistics.state, tree()]).toEqual(['failed', []]);
  });

  it('stops its workers, then the zygote', () => {
    const { stop, bus, clock } = pooled();
    const stopped: string[] = [];
    bus.on('child.stopped', ({ path }) => stopped.push(path));
    stop();
    expect(stopped).toEqual(['p/1', 'p/0', 'p/zygote']);
    expect(clock.pending).toBe(0);
  });
});
