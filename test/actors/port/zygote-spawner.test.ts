// Are workers forked where they can be, spawned where they cannot, and never signalled by a number that has become another's?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import type { ProcessFact, SpawnedProcess, SpawnRequest } from '../../../actors/port/launcher.ts';
import { ZygoteSpawner } from '../../../actors/port/zygote-spawner.ts';
import { ScriptedHost } from '../../support/scripted-zygote.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const REQUEST: SpawnRequest = {
  command: 'python',
  args: [],
  env: { A: '1', CADUCEUS_WORKER: '{"socket":"/s","nonce":"n","parentPid":7}' },
};

function scene(line: 'with a zygote' | 'without' = 'with a zygote') {
  const clock = new VirtualClock();
  const host = new ScriptedHost();
  const log: string[] = [];
  const orders: { readonly fork: number; readonly request: SpawnRequest }[] = [];
  const cold: SpawnRequest[] = [];
  const spawner = new ZygoteSpawner({
    clock,
    host,
    system: {
      spawn: (request) => {
        cold.push(request);
        log.push('cold');
        return {
          kill: (signal) => log.push(`cold ${signal}`),
          notify: (signal) => log.push(`cold ${signal}`),
        };
      },
    },
    signals: {
      signalGroup: (pid, signal) => log.push(`group ${pid} ${signal}`),
      signalProcess: (pid, signal) => log.push(`process ${pid} ${signal}`),
    },
  });
  const start = (request: SpawnRequest = REQUEST) => {
    const facts: ProcessFact[] = [];
    const process: SpawnedProcess = spawner.spawn(request, (fact) => facts.push(fact));
    return { facts, process };
  };
  const use = (): void =>
    spawner.use({
      fork: (fork, request) => orders.push({ fork, request }),
      onRefused: (hazard) => log.push(`refused ${hazard}`),
      onHung: () => log.push('hung'),
    });
  if (line === 'with a zygote') use();
  const forked = (fork: number, pid: number): void => {
    host.starts.set(pid, pid * 10);
    spawner.onFact({ type: 'forked', fork, pid });
  };
  const exited = (pid: number, status: number | null, signal: string | null): void =>
    spawner.onFact({ type: 'exited', pid, status, signal });
  return { clock, host, log, orders, cold, spawner, start, use, forked, exited };
}

describe('a spawner with a zygote', () => {
  it('forks a worker whose parent is the zygote, and tells of it as of any process', () => {
    const { start, orders, forked, exited, cold, log } = scene();
    const { facts } = start();
    expect(facts).toEqual([]);
    const invitation = { socket: '/s', nonce: 'n', parentPid: 0 };
    const env = { A: '1', CADUCEUS_WORKER: JSON.stringify(invitation) };
    expect(orders).toEqual([{ fork: 1, request: { ...REQUEST, env } }]);
    forked(1, 60);
    exited(60, 3, null);
    expect(facts).toEqual([
      { type: 'spawned', pid: 60 },
      { type: 'exited', status: 3, signal: null },
      { type: 'closed' },
    ]);
    // What the dead leader's group still holds must not outlive it.
    expect([cold, log]).toEqual([[], ['group 60 SIGKILL']]);
  });

  it('orders one at a time', () => {
    const { start, orders, forked } = scene();
    start();
    start();
    expect(orders.map(({ fork }) => fork)).toEqual([1]);
    forked(1, 60);
    expect(orders.map(({ fork }) => fork)).toEqual([1, 2]);
  });

  it('spawns before it has a zygote, after it has lost it, and whoever needs pipes', () => {
    const { start, use, spawner, cold, orders } = scene('without');
    start();
    use();
    start({ ...REQUEST, stdio: 'wire' });
    spawner.lose();
    start();
    expect([cold.length, orders]).toEqual([3, []]);
    expect(cold[0]).toEqual(REQUEST);
  });

  it('spawns whom the zygote refuses, as it was asked for, and forks the next', () => {
    const { start, spawner, cold, log, orders } = scene();
    const { process } = start();
    start();
    spawner.onFact({ type: 'refused', fork: 1, hazard: '2 threads' });
    expect([log, cold]).toEqual([['refused 2 threads', 'cold'], [REQUEST]]);
    process.kill('SIGTERM');
    process.notify('SIGINT');
    expect(log.slice(2)).toEqual(['cold SIGTERM', 'cold SIGINT']);
    expect(orders.length).toBe(2);
  });

  it('signals the group of a worker, or the worker alone', () => {
    const { start, forked, log } = scene();
    const { process } = start();
    forked(1, 60);
    process.kill('SIGTERM');
    process.notify('SIGINT');
    expect(log).toEqual(['group 60 SIGTERM', 'process 60 SIGINT']);
  });

  it('signals nobody once the end was told', () => {
    const { start, forked, exited, log } = scene();
    const { process } = start();
    forked(1, 60);
    exited(60, 0, null);
    log.length = 0;
    process.kill('SIGKILL');
    process.notify('SIGUSR1');
    exited(60, 0, null);
    expect(log).toEqual([]);
  });

  it('signals nobody else when the number has been used again (P16)', () => {
    const { start, forked, host, log, exited } = scene();
    const { process, facts } = start();
    forked(1, 60);
    // Reaped by the zygote, whose word is on the way.
    host.starts.set(60, 999);
    process.kill('SIGKILL');
    process.notify('SIGINT');
    exited(60, 0, null);
    expect(log).toEqual([]);
    expect(facts.at(-2)).toEqual({ type: 'exited', status: 0, signal: null });
  });

  it('kills the group of a leader that is gone: no other can have its number as long as somebody is in it', () => {
    const { start, forked, host, log } = scene();
    const { process } = start();
    forked(1, 60);
    host.starts.delete(60);
    process.kill('SIGKILL');
    process.notify('SIGINT');
    expect(log).toEqual(['group 60 SIGKILL']);
  });

  it('signals nobody of whom it cannot be known who it was', () => {
    const { start, spawner, log, host } = scene();
    const { process } = start();
    spawner.onFact({ type: 'forked', fork: 1, pid: 60 });
    host.starts.set(60, 1);
    process.kill('SIGKILL');
    expect(log).toEqual([]);
  });

  it('takes a fork that is not answered in time for a hung zygote, after one more poll', () => {
    const { start, clock, log, spawner, cold } = scene();
    const { facts } = start();
    clock.advance(LIMITS.forkTimeoutMs - 1);
    expect(log).toEqual([]);
    clock.advance(1);
    clock.poll();
    expect(log).toEqual(['hung']);
    // Not before its end: a child of it could still take the worker's place.
    expect(cold).toEqual([]);
    spawner.lose();
    expect([cold, facts]).toEqual([[REQUEST], []]);
  });

  it('lets an answer win that had arrived when the time was over', () => {
    const { start, clock, log, forked } = scene();
    start();
    clock.advance(LIMITS.forkTimeoutMs, () => undefined);
    forked(1, 60);
    clock.poll();
    expect(log).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('gives each order its own time', () => {
    const { start, clock, log, forked } = scene();
    start();
    start();
    clock.advance(LIMITS.forkTimeoutMs - 1);
    forked(1, 60);
    clock.advance(LIMITS.forkTimeoutMs - 1);
    clock.poll();
    expect(log).toEqual([]);
  });

  it('ends a worker that was killed while it waited, without starting it', () => {
    const { start, clock, orders, forked, cold } = scene();
    start();
    const { process, facts } = start();
    process.kill('SIGTERM');
    expect(facts).toEqual([]);
    clock.poll();
    expect(facts).toEqual([
      { type: 'exited', status: null, signal: 'SIGTERM' },
      { type: 'closed' },
    ]);
    forked(1, 60);
    expect([orders.length, cold]).toEqual([1, []]);
  });

  it('kills a worker as soon as it is there that was killed while it was asked for', () => {
    const { start, forked, exited, log } = scene();
    const { process, facts } = start();
    process.kill('SIGTERM');
    process.kill('SIGKILL');
    process.kill('SIGTERM');
    forked(1, 60);
    expect(log).toEqual(['group 60 SIGKILL']);
    exited(60, null, 'SIGKILL');
    expect(facts.map(({ type }) => type)).toEqual(['spawned', 'exited', 'closed']);
  });

  it('spawns nobody who was killed meanwhile', () => {
    const { start, spawner, cold } = scene();
    const { process, facts } = start();
    process.kill('SIGKILL');
    spawner.onFact({ type: 'refused', fork: 1, hazard: '2 threads' });
    expect([cold, facts.map(({ type }) => type)]).toEqual([[], ['exited', 'closed']]);
  });

  it('kills all that were forked when the zygote is lost, and tells each end once', () => {
    const { start, forked, spawner, log, exited } = scene();
    const { facts } = start();
    forked(1, 60);
    spawner.lose();
    spawner.lose();
    exited(60, 0, null);
    expect(log).toEqual(['group 60 SIGKILL']);
    expect(facts.slice(1)).toEqual([
      { type: 'exited', status: null, signal: 'SIGKILL' },
      { type: 'closed' },
    ]);
  });

  it('spawns all that waited when the zygote is lost, and no answer comes for them any more', () => {
    const { start, spawner, cold, forked, clock } = scene();
    start();
    start();
    spawner.lose();
    forked(1, 60);
    expect([cold.length, clock.pending]).toEqual([2, 0]);
  });

  it('drops answers that nobody waits for', () => {
    const { start, forked, exited } = scene();
    const { facts } = start();
    forked(9, 61);
    exited(61, 0, null);
    expect(facts).toEqual([]);
  });
});
