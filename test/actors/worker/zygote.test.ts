// Does a zygote live as every child does, and keep out of the way when it is of no use?
import { describe, expect, it } from 'vitest';

import { Bus, type BusEvents } from '../../../actors/ground/bus.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import type { ChildFact } from '../../../actors/lifecycle/child.ts';
import { noGuard } from '../../../actors/port/run-guard.ts';
import { ZygoteSpawner } from '../../../actors/port/zygote-spawner.ts';
import { zygoteStart } from '../../../actors/worker/zygote.ts';
import {
  ScriptedHost,
  ScriptedZygote,
  ZYGOTE_HELLO,
  ZYGOTE_READY,
} from '../../support/scripted-zygote.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const SPAWN = { command: 'python', args: [], env: {} };
const WORKER = { ...SPAWN, env: { CADUCEUS_WORKER: '{"nonce":"w"}' } };

function oneZygote() {
  const clock = new VirtualClock();
  const bus = new Bus();
  const scripted = new ScriptedZygote();
  const host = new ScriptedHost();
  const log: string[] = [];
  const signals = {
    signalGroup: (pid: number, signal: string) => log.push(`group ${pid} ${signal}`),
    signalProcess: () => undefined,
  };
  const cold = { spawn: () => ({ kill: () => undefined, notify: () => undefined }) };
  const spawner = new ZygoteSpawner({
    ...{ clock, host, signals },
    system: { spawn: () => (log.push('cold'), cold.spawn()) },
  });
  const events: string[] = [];
  bus.on('*', (event, name) => {
    const { hazard, what } = event as Partial<
      BusEvents['zygote.unsafe'] & BusEvents['zygote.hung']
    >;
    const about = hazard ?? what;
    events.push(about === undefined ? name : `${name}: ${about}`);
  });
  let nonces = 0;
  const ids = { next: (prefix: string) => prefix, nonce: () => `nonce-${(nonces += 1)}` };
  const facts: ChildFact[] = [];
  const child = zygoteStart(
    { spawn: SPAWN, preload: ['torch'], startTimeoutMs: 30_000, spawner },
    {
      ...{ clock, bus, ids, guard: noGuard, spawner: scripted, transport: scripted },
      host: { readProcess: (pid) => host.readProcess(pid), countOpenFiles: () => 0 },
    },
  )({
    ...{ id: 'zygote', path: 'p/zygote', epoch: 1 },
    listener: (fact) => {
      facts.push(fact);
      log.push(fact.type);
    },
  });
  const advance = (ms: number): void => clock.advance(ms, () => void clock.poll());
  host.starts.set(50, 1);
  return { clock, child, scripted, spawner, facts, events, log, host, advance };
}

describe('a zygote', () => {
  it('is ready when it has imported, and forks from then on', () => {
    const { child, scripted, spawner, log, events } = oneZygote();
    expect(child.state).toBe('spawning');
    scripted.comeUp();
    expect([child.state, child.pid, log]).toEqual(['ready', 50, ['child.ready']]);
    spawner.spawn(WORKER, () => undefined);
    expect(scripted.orders.at(-1)).toMatchObject({ type: 'fork', fork: 1 });
    expect(events).toEqual(['child.starting', 'child.launched', 'child.greeted', 'child.ready']);
  });

  it.each([
    ['a preload that fails', { type: 'ImportError', message: 'no torch' }, 'ImportError: no torch'],
    ['a preload that leaves threads', undefined, '2 threads: MainThread, warmer'],
  ])('is out of the way after %s: ready, without a process', (_what, error, hazard) => {
    const { child, scripted, spawner, log, events, clock } = oneZygote();
    const failed = { type: 'failed', error: { ...error, traceback: '', code: 'python_error' } };
    scripted.comeUp(error === undefined ? { ...ZYGOTE_READY, hazard } : failed);
    expect([child.state, child.pid]).toEqual(['ready', undefined]);
    expect(events.slice(3)).toEqual([`zygote.unsafe: ${hazard}`]);
    expect(scripted.log).toEqual(['start 50', 'SIGKILL 50', 'close']);
    spawner.spawn(WORKER, () => undefined);
    expect(log).toEqual(['child.ready', 'cold']);
    child.stop(1_000, { type: 'shutdown' });
    expect([child.state, log.at(-1), clock.pending]).toEqual(['stopped', 'child.stopped', 0]);
  });

  it.each([
    ['ends', (one: ScriptedZygote) => one.exited(1), 'status 1'],
    ['cannot be started', (one: ScriptedZygote) => one.failed(new Error('ENOENT')), 'ENOENT'],
    ['breaks the rules', (one: ScriptedZygote) => one.comeUp(ZYGOTE_HELLO), 'out of turn'],
  ])('is out of the way when it %s before it is ready', (_what, happen, said) => {
    const { child, scripted, events, log } = oneZygote();
    happen(scripted);
    scripted.disconnected();
    expect([child.state, log]).toEqual(['ready', ['child.ready']]);
    expect(events.at(-1)).toMatch(/^zygote\.unsafe: /u);
    expect(events.at(-1)).toContain(said);
  });

  it.each([
    [LIMITS.helloTimeoutMs, 'it did not connect in time', () => undefined],
    [
      30_000,
      'it was not ready in time',
      (one: ScriptedZygote) => {
        one.spawned();
        one.connected();
        one.say(ZYGOTE_HELLO);
      },
    ],
  ])('is out of the way after %i ms without a word', (afterMs, hazard, happen) => {
    const { child, scripted, advance, events } = oneZygote();
    happen(scripted);
    advance(afterMs - 1);
    expect(child.state).toBe('spawning');
    advance(1);
    expect([child.state, events.at(-1)]).toEqual(['ready', `zygote.unsafe: ${hazard}`]);
  });

  it('tells its crash before the ends of its workers, and begins anew', () => {
    const { child, scripted, spawner, log, facts, host, advance } = oneZygote();
    scripted.comeUp();
    spawner.spawn(WORKER, (fact) => log.push(fact.type));
    host.starts.set(60, 5);
    scripted.say({ type: 'forked', fork: 1, pid: 60 });
    scripted.disconnected();
    expect(child.state).toBe('crashed');
    expect(scripted.log.at(-1)).toBe('SIGKILL 50');
    scripted.exited(null, 'SIGSEGV');
    expect(log.slice(1)).toEqual([
      ...['spawned', 'child.unavailable', 'child.crashed'],
      ...['group 60 SIGKILL', 'exited', 'closed'],
    ]);
    const reason = { type: 'signal', signal: 'SIGSEGV' };
    expect(facts.at(-1)).toMatchObject({ type: 'child.crashed', report: { reason } });
    child.restart(2, 0);
    advance(0);
    scripted.comeUp();
    expect([child.state, child.epoch, child.pid, log.at(-1)]).toEqual([
      'ready',
      2,
      51,
      'child.ready',
    ]);
  });

  it('is killed when it owes an answer, and has crashed', () => {
    const { child, scripted, spawner, advance, events, facts, log } = oneZygote();
    scripted.comeUp();
    spawner.spawn(WORKER, () => undefined);
    advance(LIMITS.forkTimeoutMs);
    expect([child.state, scripted.log.at(-1), events.at(-1)]).toEqual([
      ...['crashed', 'SIGKILL 50', 'zygote.hung: fork'],
    ]);
    scripted.exited(null, 'SIGKILL');
    scripted.disconnected();
    const reason = { type: 'timeout', what: 'fork' };
    expect(facts.at(-1)).toMatchObject({ type: 'child.crashed', report: { reason } });
    // The worker that it owed.
    expect(log.at(-1)).toBe('cold');
  });

  it('is killed when it is stopped, after three heartbeats without an answer (P17)', () => {
    const { child, scripted, advance, host, events } = oneZygote();
    scripted.comeUp();
    for (let seq = 1; seq <= 3; seq += 1) {
      expect(scripted.orders.at(-1)).toEqual({ type: 'ping', seq });
      scripted.say({ type: 'pong', seq });
      advance(LIMITS.heartbeatMs);
    }
    host.state = 'stopped';
    advance(LIMITS.heartbeatMs * (LIMITS.heartbeatMissesMax - 1));
    expect(child.state).toBe('ready');
    advance(LIMITS.heartbeatMs);
    expect([child.state, events.at(-1)]).toEqual(['crashed', 'zygote.hung: heartbeat']);
    expect(scripted.log.at(-1)).toBe('SIGKILL 50');
  });

  it('gives itself up when a kill does not end it', () => {
    const { child, scripted, advance, facts } = oneZygote();
    scripted.comeUp();
    scripted.disconnected();
    advance(LIMITS.reapTimeoutMs);
    const reason = { type: 'timeout', what: 'reap' };
    expect(child.state).toBe('crashed');
    expect(facts.at(-1)).toMatchObject({ type: 'child.crashed', report: { reason } });
  });

  it('is asked to leave, then terminated, then killed', () => {
    const { child, scripted, advance, facts } = oneZygote();
    scripted.comeUp();
    child.stop(LIMITS.zygoteShutdownMs, { type: 'shutdown' });
    expect([child.state, scripted.log.at(-1)]).toEqual(['stopping', 'end of lane']);
    advance(LIMITS.zygoteShutdownMs);
    expect(scripted.log.at(-1)).toBe('SIGTERM 50');
    advance(LIMITS.terminateGraceMs);
    expect(scripted.log.at(-1)).toBe('SIGKILL 50');
    scripted.exited(null, 'SIGKILL');
    scripted.disconnected();
    expect(facts.at(-1)).toMatchObject({ type: 'child.stopped', reason: { type: 'killed' } });
  });

  it('leaves when it is asked to', () => {
    const { child, scripted, facts, clock } = oneZygote();
    scripted.comeUp();
    child.stop(LIMITS.zygoteShutdownMs, { type: 'shutdown' });
    scripted.disconnected();
    scripted.exited(0);
    expect(facts.at(-1)).toMatchObject({ type: 'child.stopped', reason: { type: 'shutdown' } });
    expect([child.state, clock.pending]).toEqual(['stopped', 0]);
  });

  it('is terminated at once while it imports, and killed when that is the order', () => {
    const gentle = oneZygote();
    gentle.scripted.spawned();
    gentle.child.stop(1_000, { type: 'shutdown' });
    expect(gentle.scripted.log.at(-1)).toBe('SIGTERM 50');
    const brutal = oneZygote();
    brutal.scripted.comeUp();
    brutal.child.stop('brutal_kill', { type: 'shutdown' });
    expect(brutal.scripted.log.at(-1)).toBe('SIGKILL 50');
  });

  it('is over when it is stopped while it waits for a verdict, or for its time', () => {
    for (const wait of ['verdict', 'time'] as const) {
      const { child, scripted, log, clock } = oneZygote();
      scripted.comeUp();
      scripted.exited(1);
      scripted.disconnected();
      if (wait === 'time') child.restart(2, 500);
      child.stop(1_000, { type: 'shutdown' });
      expect([child.state, log.at(-1), clock.pending]).toEqual(['stopped', 'child.stopped', 0]);
    }
  });
});
