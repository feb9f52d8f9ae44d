import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { encodeFrame } from '../../../actors/port/frame.ts';
import { LANES } from '../../../actors/port/transport.ts';
import { HELLO, READY, REPLY, REQUEST, wire as setUp } from './wire.ts';

describe('a port', () => {
  it('invites its process with the address and a nonce in one variable', () => {
    const { environment } = setUp();
    const { CADUCEUS_WORKER: invitation, ...rest } = environment();
    expect(JSON.parse(invitation ?? '')).toEqual({
      ...{ socket: '/socket', nonce: 'n', parentPid: null },
    });
    expect(rest).toEqual({ GIVEN: '1' });
  });

  it("marks its process as the run's own, over whatever the environment says, and ties it to a parent where it can", () => {
    const { environment } = setUp({
      request: { spawn: { ...REQUEST.spawn, env: { GIVEN: '1', CADUCEUS_RUN: 'stolen' } } },
      guard: { parentPid: 42, envOf: (id, epoch) => ({ CADUCEUS_RUN: `run/${id}/${epoch}` }) },
    });
    const { CADUCEUS_WORKER: invitation, ...rest } = environment();
    expect(JSON.parse(invitation ?? '')).toMatchObject({ parentPid: 42 });
    expect(rest).toEqual({ GIVEN: '1', CADUCEUS_RUN: 'run/p/0/3' });
  });

  it('tells that the process was launched', () => {
    const { process, facts } = setUp();
    process({ type: 'spawned', pid: 7 });
    expect(facts).toEqual([{ type: 'launched', pid: 7 }]);
  });

  it('welcomes a hello, with all that the worker must know', () => {
    const { connected, message, written, types } = setUp();
    connected();
    message('control', HELLO);
    expect(types()).toEqual(['greeted']);
    const welcome = {
      ...{ type: 'welcome', protocol: '2.2', workerId: 'p/0', epoch: 3, mode: 'pool-worker' },
      ...{ frameBytesMax: LIMITS.frameBytesMax, scratchDir: '/scratch', bridge: REQUEST.bridge },
    };
    expect(written()).toEqual([['control', welcome]]);
  });

  it('lets its welcome go out with what is written once that is told, so that nothing meets a bridge that has failed meanwhile', () => {
    const { connected, message, port, times, written } = setUp();
    connected();
    message('control', HELLO);
    port.control({ type: 'ping', seq: 1 });
    expect(written()).toMatchObject([
      ['control', { type: 'welcome' }],
      ['control', { type: 'ping' }],
    ]);
    expect(times()).toEqual(['soon', 'now']);
  });

  it('tells in its welcome how many calls are wanted at a time, and what the kernel is to hold it to', () => {
    const asked = { concurrency: 4, limits: { openFilesMax: 64, cpuMsMax: 1_000 } };
    const { connected, message, written } = setUp({ request: asked });
    connected();
    message('control', HELLO);
    expect(written()).toMatchObject([['control', { type: 'welcome', ...asked }]]);
  });

  it.each([
    ['2.1', false],
    ['2.2', true],
  ])('can be asked for batches when %s is spoken: %s', (protocol, hasBatches) => {
    const { connected, message, port, written } = setUp();
    connected();
    expect(port.abilities.has('batches')).toBe(false);
    message('control', { ...HELLO, protocol });
    expect(written()).toMatchObject([['control', { type: 'welcome', protocol }]]);
    expect(port.abilities.has('batches')).toBe(hasBatches);
  });

  it('answers a hello only when all lanes stand: what is written to one that does not is lost', () => {
    const { process, opened, message, written } = setUp();
    process({ type: 'spawned', pid: 7 });
    opened(...LANES.slice(0, -1));
    message('control', HELLO);
    const before = written().length;
    opened(...LANES.slice(-1));
    expect([before, written().length]).toEqual([0, 1]);
  });

  it('answers a hello only when it knows the pid: the guardian is to know it before its use', () => {
    const { process, opened, message, written, order } = setUp();
    opened(...LANES);
    message('control', HELLO);
    const before = written().length;
    process({ type: 'spawned', pid: 7 });
    expect([before, order]).toEqual([0, ['launched 7 p/0 3', 'control welcome']]);
  });

  it('refuses a hello of another protocol, and says why to both sides', () => {
    const { connected, message, written, facts } = setUp();
    connected();
    message('control', { ...HELLO, protocol: '3.0' });
    const reason = 'protocol 3.0 found, 2.x wanted';
    expect(written()).toEqual([['control', { type: 'refuse', reason }]]);
    expect(facts).toMatchObject([
      {
        type: 'broken',
        cause: { error: { code: 'protocol_error', message: `worker refused: ${reason}` } },
      },
    ]);
  });

  it('tells that the bridge did not start', () => {
    const { connected, message, facts } = setUp();
    const error = { type: 'E', message: 'm', traceback: 't', code: 'c' };
    connected();
    message('control', HELLO);
    message('control', { type: 'failed', error });
    expect(facts.at(-1)).toEqual({ type: 'failed', error });
  });

  it('tells what the bridge is when it is ready', () => {
    const { connected, message, facts } = setUp({ request: { schemaHash: 'abc' } });
    connected();
    message('control', HELLO);
    message('control', READY);
    const { type: _, ...info } = READY;
    expect(facts.at(-1)).toEqual({ type: 'ready', info });
  });

  it('is broken by a bridge with other operations than were expected: both hashes and the operations are named', () => {
    const { connected, message, facts } = setUp({ request: { schemaHash: 'def' } });
    connected();
    message('control', HELLO);
    message('control', { ...READY, operations: ['echo', 'ping'] });
    expect(facts.slice(1)).toMatchObject([{ type: 'broken', cause: { type: 'error' } }]);
    const found = JSON.stringify(facts.at(-1), (_key, value: unknown) =>
      value instanceof Error ? value.message : value,
    );
    expect(found).toMatch(/hash abc found, def wanted.*echo, ping/u);
  });

  it.each([
    ['pong', { type: 'pong', seq: 5, running: 17 }],
    ['pong while nothing runs', { type: 'pong', seq: 5, running: null }],
    ['withdrawn', { type: 'withdrawn', id: 18, ok: false }],
  ])('tells what the control thread answers: %s', (_what, answer) => {
    const { connected, message, facts } = setUp();
    connected();
    message('control', HELLO);
    message('control', answer);
    expect(facts.at(-1)).toEqual(answer);
  });

  it('tells a log record', () => {
    const { message, facts } = setUp();
    const log = { type: 'log', level: 'info', logger: 'l', message: 'm', callId: null };
    message('control', log);
    expect(facts).toEqual([{ type: 'logged', log }]);
  });

  it('cuts a log record that is too long, which a worker should have done', () => {
    const { message, facts } = setUp();
    const long = 'x'.repeat(LIMITS.outputLineBytesMax + 1);
    const log = { type: 'log', level: 'info', callId: null };
    message('control', { ...log, logger: long, message: long });
    const cut = long.slice(1);
    expect(facts).toEqual([{ type: 'logged', log: { ...log, logger: cut, message: cut } }]);
  });

  it('asks for the end on the control lane', () => {
    const { port, written } = setUp();
    port.shutdown();
    expect(written()).toEqual([['control', { type: 'shutdown' }]]);
  });

  it('tells lines of output, before the lanes stand and after', () => {
    const { process, bytes, facts } = setUp();
    process({ type: 'output', stream: 'stderr', bytes: Buffer.from('early\n') });
    bytes('stdout', 'late\n');
    expect(facts).toEqual([
      { type: 'output', stream: 'stderr', line: 'early' },
      { type: 'output', stream: 'stdout', line: 'late' },
    ]);
  });
});

describe('a message out of turn', () => {
  const ERROR = { type: 'E', message: 'm', traceback: 't', code: 'c' };
  const FAILED = { type: 'failed', error: ERROR };

  it.each([
    ['a second hello', [HELLO, HELLO], ['greeted', 'broken']],
    ['ready before hello', [READY], ['broken']],
    ['a second ready', [HELLO, READY, READY], ['greeted', 'ready', 'broken']],
    ['failed after ready', [HELLO, READY, FAILED], ['greeted', 'ready', 'broken']],
    ['ready after failed', [HELLO, FAILED, READY], ['greeted', 'failed', 'broken']],
    ['a pong before hello', [{ type: 'pong', seq: 1, running: null }], ['broken']],
    ['withdrawn before hello', [{ type: 'withdrawn', id: 1, ok: true }], ['broken']],
    ['ready after a refusal', [{ ...HELLO, protocol: '3.0' }, READY], ['broken']],
  ])('breaks a rule of the wire: %s', (_what, messages, told) => {
    const { connected, message, types } = setUp();
    connected();
    for (const one of messages) message('control', one);
    expect(types()).toEqual(told);
  });
});

describe('a broken rule of the wire', () => {
  const garbage = Buffer.from('GET / HTTP/1.1\r\n');

  it.each([
    ['garbage on replies', 'replies', garbage],
    ['garbage on control', 'control', garbage],
    ['an unknown message on control', 'control', encodeFrame({ type: 'ping' })],
    ['a message of the wrong lane', 'replies', encodeFrame(HELLO)],
    ['bytes on the lane that only Node writes to', 'calls', encodeFrame({})],
  ] as const)('is told as broken, with a protocol error: %s', (_what, lane, bytes) => {
    const port = setUp();
    port.bytes(lane, bytes);
    expect(port.facts).toMatchObject([{ type: 'broken', cause: { type: 'error' } }]);
    const [fact] = port.facts;
    expect(
      fact?.type === 'broken' && fact.cause?.type === 'error' && fact.cause.error,
    ).toBeInstanceOf(ProtocolError);
  });

  it('ends all reading: there is no resynchronisation', () => {
    const port = setUp();
    port.bytes('replies', garbage);
    port.message('replies', REPLY);
    port.message('control', HELLO);
    expect(port.types()).toEqual(['broken']);
  });

  it('takes nothing from the replies before it', () => {
    const port = setUp();
    port.bytes('replies', Buffer.concat([encodeFrame(REPLY), garbage]));
    expect(port.types()).toEqual(['reply', 'broken']);
  });
});

describe('the guard of a run', () => {
  const launched = () => {
    const port = setUp();
    port.process({ type: 'spawned', pid: 7 });
    return port;
  };

  it('is told of a process before its watcher, and before it is welcome', () => {
    const { connected, message, order } = setUp();
    connected();
    message('control', HELLO);
    expect(order).toEqual(['launched 7 p/0 3', 'control welcome']);
  });

  it('is told of its end with its exit, once', () => {
    const { exited, port, order } = launched();
    exited(0);
    port.close();
    expect(order).toEqual(['launched 7 p/0 3', 'ended 7 p/0 3']);
  });

  it('is told of its end when the port lets go of it', () => {
    const { exited, port, order } = launched();
    port.close();
    exited(0);
    expect(order).toEqual(['launched 7 p/0 3', 'ended 7 p/0 3']);
  });

  it('hears nothing of a process that could not be started', () => {
    const { process, port, order } = setUp();
    process({ type: 'failed', error: new Error('ENOENT') });
    port.close();
    expect(order).toEqual([]);
  });
});

describe('a port that is let go of', () => {
  it('kills what still lives and closes the connections', () => {
    const port = setUp();
    port.port.close();
    expect([port.kills, port.isLinkClosed()]).toEqual([['SIGKILL'], true]);
  });

  it('tells nothing more and leaves no timer', () => {
    const port = setUp();
    port.opened('replies');
    port.exited(0);
    const told = port.types();
    port.port.close();
    port.message('replies', REPLY);
    port.clock.advance(LIMITS.drainAfterExitMs);
    expect([port.types(), port.clock.pending]).toEqual([told, 0]);
  });
});
