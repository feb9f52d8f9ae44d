import { describe, expect, it } from 'vitest';
import { UnencodableError, UnsupportedError } from '../../../actors/ground/errors.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { SpawnFailedError } from '../../../actors/ground/start-errors.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { openLegacyPort } from '../../../actors/port/legacy-port.ts';
import { noGuard } from '../../../actors/port/run-guard.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { callOf, legacyWire, PONG, REQUEST } from './legacy-wire.ts';

const SPAWNED = { type: 'spawned', pid: 7 } as const;

describe('a v1 script that starts', () => {
  it('is run with its mode and its id, and is told what every process of a run is told', () => {
    expect(legacyWire().spawnRequest()).toEqual({
      ...{ command: 'python', stdio: 'wire' },
      args: ['/bridge.py', '--mode', 'pool-worker', '--worker-id', 'p/0'],
      env: { GIVEN: '1', CADUCEUS_SCRATCH_DIR: '/scratch', CADUCEUS_INCARNATION: 'run/p/0/3' },
    });
  });

  it('is greeted when it is there: it says nothing before it is asked, however long it imports', () => {
    const wire = legacyWire();
    wire.process(SPAWNED);
    expect(wire.types()).toEqual(['launched', 'greeted']);
    expect(wire.facts[1]).toMatchObject({ hello: { protocol: '1', pid: 7 } });
    expect(wire.guarded).toEqual(['launched 7']);
    expect(wire.written).toEqual([{ id: 1, command: 'ping', args: {} }]);
  });

  it('is ready when it has answered a ping, and said what it can do', () => {
    const wire = legacyWire();
    wire.process(SPAWNED);
    wire.reply(1, PONG);
    expect(wire.written.at(-1)).toEqual({ id: 2, command: 'get_capabilities', args: {} });
    expect(wire.types()).not.toContain('ready');
    wire.reply(2, { supported_operations: ['ping', 'echo'] });
    expect(wire.facts.at(-1)).toEqual({
      type: 'ready',
      info: {
        ...{ bridge: 'p', framework: PONG.framework, operations: ['ping', 'echo'], schemas: {} },
        schemaHash: expect.stringMatching(/^[0-9a-f]{64}$/u) as string,
        ...{ execution: 'sync', concurrency: 1 },
      },
    });
    expect(wire.clock.pending).toBe(0);
  });

  it.each([
    ['says so', (wire: ReturnType<typeof legacyWire>) => wire.refuse(2, 'Unknown command')],
    ['answers something else', (wire: ReturnType<typeof legacyWire>) => wire.reply(2, [1])],
    [
      'stays silent',
      (wire: ReturnType<typeof legacyWire>) => wire.clock.advance(LIMITS.v1CapabilitiesMs),
    ],
  ])('need not know what it can do: one that %s is ready all the same', (_what, answer) => {
    const wire = legacyWire();
    wire.process(SPAWNED);
    wire.reply(1, 'pong');
    answer(wire);
    const framework = { name: 'p', version: 'unknown', capabilities: [] };
    expect(wire.facts.at(-1)).toMatchObject({ type: 'ready', info: { framework, operations: [] } });
  });

  it('has failed when its ping is answered by an error', () => {
    const wire = legacyWire();
    wire.process(SPAWNED);
    wire.refuse(1, 'no model');
    const error = { message: 'its answer to ping is an error: no model' };
    expect(wire.facts.at(-1)).toMatchObject({ type: 'failed', error });
  });

  it('has failed when other operations were expected', () => {
    const wire = legacyWire({ schemaHash: 'other' });
    wire.process(SPAWNED);
    wire.reply(1, PONG);
    wire.reply(2, { supported_operations: ['ping'] });
    expect(wire.types()).toEqual(['launched', 'greeted', 'broken']);
    expect(wire.facts.at(-1)).toMatchObject({ cause: { error: { code: 'protocol_error' } } });
  });

  it('whose imports fail is told with its exception and its stderr', () => {
    const wire = legacyWire();
    wire.process(SPAWNED);
    const said = [
      'Traceback (most recent call last):',
      '  File "/bridge.py", line 1, in <module>',
      '    import dspy',
      "ModuleNotFoundError: No module named 'dspy'",
    ].join('\n');
    wire.stderr(`${said}\n`);
    wire.endWire();
    wire.exited(1);
    const { report } = wire.facts.at(-1) as { report: object };
    expect(report).toMatchObject({
      stderrTail: `${said}\n`,
      reason: {
        type: 'error',
        error: {
          ...{ code: 'bridge_start_failed', pythonType: 'ModuleNotFoundError', traceback: said },
          message: "the bridge did not start: ModuleNotFoundError: No module named 'dspy'",
        },
      },
    });
  });

  it('and ends without a traceback is told with its status', () => {
    const wire = legacyWire();
    wire.process(SPAWNED);
    wire.stderr('bridge.py: error: unrecognized arguments\n');
    wire.exited(2);
    expect(wire.facts.at(-1)).toMatchObject({
      report: { reason: { type: 'exit_status', status: 2 } },
    });
  });

  it('cannot be started by a launcher that gives it no stdin: it is killed, and said so', () => {
    const kills: string[] = [];
    const spawner = {
      spawn: () => ({ kill: (signal: string) => kills.push(signal), notify: () => undefined }),
    };
    const transport = {
      address: '',
      expect: () => ({ write: () => undefined, close: () => undefined }),
    };
    const ports = { clock: new VirtualClock(), guard: noGuard, spawner, transport };
    expect(() => openLegacyPort(REQUEST, ports, () => undefined)).toThrow(SpawnFailedError);
    expect(kills).toEqual(['SIGKILL']);
  });

  it('but cannot be run is told as such', () => {
    const wire = legacyWire();
    wire.process({ type: 'failed', error: new Error('ENOENT') });
    expect(wire.facts.at(-1)).toMatchObject({
      report: { reason: { type: 'error', error: { code: 'spawn_failed' } } },
    });
  });
});

describe('a call of a v1 script', () => {
  it('is written with its arguments and answered under its own id', () => {
    const wire = legacyWire().start();
    wire.port.call(...callOf(1));
    expect(wire.written).toEqual([{ id: 3, command: 'echo', args: { n: 1 } }]);
    wire.reply(3, { a: 1 });
    expect(wire.facts).toEqual([{ type: 'reply', id: 1, ok: true, result: { a: 1 } }]);
  });

  it('of a session carries it among its arguments', () => {
    const wire = legacyWire().start();
    wire.port.call(...callOf(1, { session: 'alice' }));
    expect(wire.written).toMatchObject([{ args: { n: 1, session_id: 'alice' } }]);
  });

  it('waits for the one before it: the script is asked one thing at a time', () => {
    const wire = legacyWire().start();
    for (const id of [1, 2, 3]) wire.port.call(...callOf(id));
    expect(wire.written.map(({ id }) => id)).toEqual([3]);
    wire.reply(3, null);
    expect(wire.written.map(({ id }) => id)).toEqual([3, 4]);
    wire.refuse(4, 'no');
    expect(wire.written.map(({ id }) => id)).toEqual([3, 4, 5]);
  });

  it('that fails has the error of the script', () => {
    const wire = legacyWire().start();
    wire.port.call(...callOf(1));
    wire.refuse(3, 'no luck');
    const error = { type: 'Error', message: 'no luck', traceback: '', code: 'python_error' };
    expect(wire.facts).toEqual([{ type: 'reply', id: 1, ok: false, error }]);
  });

  it.each([
    [
      'a value that JSON lacks',
      { args: encodeValue({ n: [Number.NaN] }, 'args') },
      UnencodableError,
    ],
    ['a stream', { stream: { credit: 1 } }, UnsupportedError],
    ['a call from inside a callback', { nested: { parent: 1, callback: 1 } }, UnsupportedError],
  ])('is refused before anything is written: %s', (_what, more, error) => {
    const wire = legacyWire().start();
    expect(() => wire.port.call(...callOf(1, more))).toThrow(error);
    expect(wire.written).toEqual([]);
    wire.port.call(...callOf(2));
    expect(wire.written).toHaveLength(1);
  });

  it('that is larger than a message may be is refused', () => {
    const wire = legacyWire().start();
    const args = encodeValue({ text: 'x'.repeat(LIMITS.frameBytesMax) }, 'args');
    expect(() => wire.port.call(...callOf(1, { args }))).toThrow(/a v1 message holds/u);
  });

  it('that waits can be withdrawn, and then never runs', () => {
    const wire = legacyWire().start();
    wire.port.call(...callOf(1));
    wire.port.call(...callOf(2));
    wire.port.control({ type: 'withdraw', id: 1 });
    wire.port.control({ type: 'withdraw', id: 2 });
    expect(wire.facts).toEqual([]);
    wire.clock.poll();
    expect(wire.facts).toMatchObject([
      { type: 'withdrawn', id: 1, ok: false },
      { type: 'withdrawn', id: 2, ok: true },
      { type: 'reply', id: 2, ok: false, error: { code: 'withdrawn' } },
    ]);
    wire.reply(3, null);
    expect(wire.written).toHaveLength(1);
  });

  it('cannot be streamed, cancelled or called back from, and the script has no heartbeat', () => {
    const wire = legacyWire().start();
    expect(wire.port.abilities.size).toBe(0);
    wire.port.control({ type: 'ping', seq: 1 });
    wire.port.control({ type: 'cancel', id: 1, stage: 'flag' });
    wire.port.control({ type: 'credit', id: 1, n: 1 });
    wire.port.answer({ callback: 1, ok: true, value: encodeValue(1, 'value') });
    wire.port.notify('SIGUSR1');
    wire.port.notify('SIGINT');
    wire.clock.poll();
    expect([wire.written, wire.facts, wire.kills]).toEqual([[], [], []]);
  });
});
