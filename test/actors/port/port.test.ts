import { describe, expect, it } from 'vitest';
import { UnencodableError } from '../../../actors/ground/errors.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { encodeFrame } from '../../../actors/port/frame.ts';
import { LANES } from '../../../actors/port/transport.ts';
import { CALL, HELLO, REPLY, REQUEST, wire as setUp } from './wire.ts';

describe('a port', () => {
  it('invites its process with the address and a nonce in one variable', () => {
    const { environment } = setUp();
    const { CADUCEUS_WORKER: invitation, ...rest } = environment();
    expect(JSON.parse(invitation ?? '')).toEqual({ socket: '/socket', nonce: 'n' });
    expect(rest).toEqual({ GIVEN: '1' });
  });

  it('tells that the process was launched', () => {
    const { process, facts } = setUp();
    process({ type: 'spawned', pid: 7 });
    expect(facts).toEqual([{ type: 'launched', pid: 7 }]);
  });

  it('welcomes a hello, with all that the worker must know', () => {
    const { opened, message, written, types } = setUp();
    opened(...LANES);
    message('control', HELLO);
    expect(types()).toEqual(['greeted']);
    const welcome = {
      ...{ type: 'welcome', protocol: '2.0', workerId: 'p/0', epoch: 3, mode: 'pool-worker' },
      ...{ frameBytesMax: LIMITS.frameBytesMax, scratchDir: '/scratch', bridge: REQUEST.bridge },
    };
    expect(written()).toEqual([['control', welcome]]);
  });

  it('answers a hello only when all lanes stand: what is written to one that does not is lost', () => {
    const { opened, message, written } = setUp();
    opened(...LANES.slice(0, -1));
    message('control', HELLO);
    const before = written().length;
    opened(...LANES.slice(-1));
    expect([before, written().length]).toEqual([0, 1]);
  });

  it('refuses a hello of another protocol, and says why to both sides', () => {
    const { opened, message, written, facts } = setUp();
    opened(...LANES);
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
    const { opened, message, facts } = setUp();
    const error = { type: 'E', message: 'm', traceback: 't', code: 'c' };
    opened(...LANES);
    message('control', HELLO);
    message('control', { type: 'failed', error });
    expect(facts.at(-1)).toEqual({ type: 'failed', error });
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

  it('writes a call to the calls lane', () => {
    const { port, written } = setUp();
    port.call(CALL);
    expect(written()).toEqual([['calls', CALL]]);
  });

  it('refuses a call that is larger than a frame, and writes nothing', () => {
    const { port, written } = setUp();
    const args = { text: 'x'.repeat(LIMITS.frameBytesMax) };
    expect(() => port.call({ ...CALL, args })).toThrow(UnencodableError);
    expect(written()).toEqual([]);
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
  const READY = {
    ...{ type: 'ready', bridge: 'b', operations: [] },
    framework: { name: 'b', version: '1', capabilities: [] },
  };
  const FAILED = { type: 'failed', error: ERROR };

  it.each([
    ['a second hello', [HELLO, HELLO], ['greeted', 'broken']],
    ['ready before hello', [READY], ['broken']],
    ['a second ready', [HELLO, READY, READY], ['greeted', 'ready', 'broken']],
    ['failed after ready', [HELLO, READY, FAILED], ['greeted', 'ready', 'broken']],
    ['ready after failed', [HELLO, FAILED, READY], ['greeted', 'failed', 'broken']],
    ['ready after a refusal', [{ ...HELLO, protocol: '3.0' }, READY], ['broken']],
  ])('breaks a rule of the wire: %s', (_what, messages, told) => {
    const { opened, message, types } = setUp();
    opened(...LANES);
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
