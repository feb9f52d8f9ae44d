// Does the port of a zygote tell what happens, in turn, and end what breaks the rules?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import { noGuard } from '../../../actors/port/run-guard.ts';
import { ZygotePort, type ZygoteFact } from '../../../actors/port/zygote-port.ts';
import { ScriptedZygote, ZYGOTE_HELLO, ZYGOTE_READY } from '../../support/scripted-zygote.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const SPAWN = { command: 'python', args: ['-c', 'x'], env: { GIVEN: '1' } };

function opened(spawner?: { readonly spawn: ScriptedZygote['spawn'] }) {
  const clock = new VirtualClock();
  const zygote = new ScriptedZygote();
  const facts: ZygoteFact[] = [];
  const guarded: string[] = [];
  const guard = {
    ...noGuard,
    envOf: (path: string, epoch: number) => ({ CADUCEUS_INCARNATION: `t/${path}/${epoch}` }),
    parentPid: 7,
    launched: (pid: number, path: string) => guarded.push(`launched ${pid} ${path}`),
    ended: (pid: number, path: string) => guarded.push(`ended ${pid} ${path}`),
  };
  const request = { path: 'p/zygote', epoch: 2, nonce: 'n', spawn: SPAWN, preload: ['torch'] };
  const ports = { clock, spawner: spawner ?? zygote, transport: zygote, guard };
  const port = new ZygotePort(request, ports, (fact) => facts.push(fact));
  return { clock, zygote, facts, guarded, port, types: () => facts.map(({ type }) => type) };
}

describe('the port of a zygote', () => {
  it('starts it as a worker is started, under the same guard', () => {
    const { zygote, guarded } = opened();
    zygote.spawned();
    expect(zygote.env).toEqual({
      GIVEN: '1',
      CADUCEUS_INCARNATION: 't/p/zygote/2',
      CADUCEUS_WORKER: JSON.stringify({ socket: '/socket', nonce: 'n', parentPid: 7 }),
    });
    expect(guarded).toEqual(['launched 50 p/zygote']);
  });

  it('says welcome once it knows whom it started', () => {
    const { zygote, types } = opened();
    zygote.connected();
    zygote.say(ZYGOTE_HELLO);
    expect([zygote.orders, types()]).toEqual([[], []]);
    zygote.spawned();
    const welcome = { type: 'welcome', protocol: '2.1', preload: ['torch'], packages: [] };
    expect(zygote.orders).toEqual([{ ...welcome, frameBytesMax: LIMITS.frameBytesMax }]);
    expect(types()).toEqual(['launched', 'greeted']);
  });

  it('refuses one that speaks another protocol', () => {
    const { zygote, facts } = opened();
    zygote.spawned();
    zygote.connected();
    zygote.say({ ...ZYGOTE_HELLO, protocol: '3.0' });
    expect(zygote.orders).toMatchObject([{ type: 'refuse' }]);
    expect(facts.at(-1)).toMatchObject({ type: 'broken', cause: { type: 'error' } });
  });

  it('orders forks and hears of them', () => {
    const { zygote, port, facts } = opened();
    zygote.comeUp();
    port.fork(1, { ...SPAWN, cwd: '/there' });
    port.ping(4);
    expect(zygote.orders.slice(1)).toEqual([
      { type: 'fork', fork: 1, env: { GIVEN: '1' }, cwd: '/there' },
      { type: 'ping', seq: 4 },
    ]);
    const forked = { type: 'forked', fork: 1, pid: 60 };
    zygote.say(forked, { type: 'pong', seq: 4 });
    expect(facts.slice(2)).toEqual([
      ZYGOTE_READY,
      { type: 'worker', fact: forked },
      { type: 'pong', seq: 4 },
    ]);
  });

  it.each([
    ['a second hello', [ZYGOTE_HELLO, ZYGOTE_HELLO]],
    ['ready before hello', [ZYGOTE_READY]],
    ['a fork before ready', [ZYGOTE_HELLO, { type: 'forked', fork: 1, pid: 60 }]],
    ['ready twice', [ZYGOTE_HELLO, ZYGOTE_READY, ZYGOTE_READY]],
    ['what is no message', [{ type: 'dance' }]],
  ])('is broken, once, by %s', (_what, messages) => {
    const { zygote, facts } = opened();
    zygote.spawned();
    zygote.connected();
    zygote.say(...messages);
    zygote.say(ZYGOTE_READY);
    zygote.disconnected();
    const broken = facts.filter(({ type }) => type === 'broken');
    expect(broken).toMatchObject([{ cause: { type: 'error', error: { code: 'protocol_error' } } }]);
  });

  it('is broken by a frame that no zygote needs, before memory is taken for it', () => {
    const { zygote, facts } = opened();
    zygote.spawned();
    zygote.connected();
    zygote.sayBytes(Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 2]));
    expect(facts.at(-1)).toMatchObject({ type: 'broken', cause: { type: 'error' } });
  });

  it('delivers what it said of its workers before its own end', () => {
    const { zygote, types, guarded } = opened();
    zygote.comeUp();
    zygote.exited(null, 'SIGKILL');
    zygote.say({ type: 'exited', pid: 60, status: 3, signal: null });
    expect(types().slice(3)).toEqual(['worker']);
    zygote.disconnected();
    expect(types().slice(3)).toEqual(['worker', 'exited']);
    expect(guarded).toEqual(['launched 50 p/zygote', 'ended 50 p/zygote']);
  });

  it('does not wait for ever for a lane that somebody else holds open', () => {
    const { clock, zygote, facts } = opened();
    zygote.comeUp();
    zygote.print('last words\n');
    zygote.exited(1);
    clock.advance(LIMITS.drainAfterExitMs);
    clock.poll();
    const report = { reason: { type: 'exit_status', status: 1 }, stderrTail: 'last words\n' };
    expect(facts.at(-1)).toEqual({ type: 'exited', report });
    expect(clock.pending).toBe(0);
  });

  it('tells of one that could not be started', () => {
    const { zygote, facts } = opened();
    zygote.failed(new Error('ENOENT'));
    zygote.disconnected();
    expect(facts.at(-1)).toMatchObject({
      type: 'exited',
      report: { reason: { type: 'error', error: { code: 'spawn_failed' } } },
    });
  });

  it('lets go of the connection when the start itself throws', () => {
    const spawn = (): never => {
      throw new Error('EMFILE');
    };
    expect(() => opened({ spawn })).toThrow('EMFILE');
  });

  it('is asked to leave by the end of its lane, and killed when it is let go of', () => {
    const { zygote, port, facts, guarded } = opened();
    zygote.comeUp();
    port.leave();
    port.kill('SIGTERM');
    port.close();
    zygote.exited(0);
    zygote.disconnected();
    expect(zygote.log).toEqual(['start 50', 'end of lane', 'SIGTERM 50', 'SIGKILL 50', 'close']);
    expect(facts.map(({ type }) => type)).toEqual(['launched', 'greeted', 'ready']);
    expect(guarded.at(-1)).toBe('ended 50 p/zygote');
  });
});
