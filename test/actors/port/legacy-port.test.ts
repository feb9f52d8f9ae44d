import { describe, expect, it } from 'vitest';
import { UnencodableError, UnsupportedError } from '../../../actors/ground/errors.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { ProtocolError, SpawnFailedError } from '../../../actors/ground/start-errors.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { openLegacyPort } from '../../../actors/port/legacy-port.ts';
import { noGuard } from '../../../actors/port/run-guard.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { callOf, legacyWire, PONG, REQUEST, v1Bytes } from './legacy-wire.ts';

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
    wire.port.call(callOf(1));
    expect(wire.written).toEqual([{ id: 3, command: 'echo', args: { n: 1 } }]);
    wire.reply(3, { a: 1 });
    expect(wire.facts).toEqual([{ type: 'reply', id: 1, ok: true, result: { a: 1 } }]);
  });

  it('of a session carries it among its arguments', () => {
    const wire = legacyWire().start();
    wire.port.call(callOf(1, { session: 'alice' }));
    expect(wire.written).toMatchObject([{ args: { n: 1, session_id: 'alice' } }]);
  });

  it('waits for the one before it: the script is asked one thing at a time', () => {
    const wire = legacyWire().start();
    for (const id of [1, 2, 3]) wire.port.call(callOf(id));
    expect(wire.written.map(({ id }) => id)).toEqual([3]);
    wire.reply(3, null);
    expect(wire.written.map(({ id }) => id)).toEqual([3, 4]);
    wire.refuse(4, 'no');
    expect(wire.written.map(({ id }) => id)).toEqual([3, 4, 5]);
  });

  it('that fails has the error of the script', () => {
    const wire = legacyWire().start();
    wire.port.call(callOf(1));
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
    expect(() => wire.port.call(callOf(1, more))).toThrow(error);
    expect(wire.written).toEqual([]);
    wire.port.call(callOf(2));
    expect(wire.written).toHaveLength(1);
  });

  it('that is larger than a message may be is refused', () => {
    const wire = legacyWire().start();
    const args = encodeValue({ text: 'x'.repeat(LIMITS.frameBytesMax) }, 'args');
    expect(() => wire.port.call(callOf(1, { args }))).toThrow(/a v1 message holds/u);
  });

  it('that waits can be withdrawn, and then never runs', () => {
    const wire = legacyWire().start();
    wire.port.call(callOf(1));
    wire.port.call(callOf(2));
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

describe('a reply that nobody waits for', () => {
  it.each([
    ['a second one', [3, 3], [1, 1]],
    ['one of an unknown call', [99, 3], [97, 1]],
    // It must not settle a call that has not been written.
    ['one of a call that waits', [4, 3], [0, 1]],
    ['one to the ping', [1, 3], [-1, 1]],
  ])('is handed on to be dropped and counted: %s', (_what, ids, told) => {
    const wire = legacyWire().start();
    wire.port.call(callOf(1));
    wire.port.call(callOf(2));
    for (const id of ids) wire.reply(id, null);
    expect(wire.facts.map((fact) => (fact as { id: number }).id)).toEqual(told);
    expect(wire.written.map(({ id }) => id)).toEqual([3, 4]);
  });

  it('may be that to the question what the script can do: it came too late', () => {
    const wire = legacyWire();
    wire.process(SPAWNED);
    wire.reply(1, PONG);
    wire.clock.advance(LIMITS.v1CapabilitiesMs);
    wire.port.call(callOf(1));
    wire.reply(2, { supported_operations: ['ping'] });
    wire.reply(3, 'done');
    expect(wire.facts.slice(-2)).toMatchObject([
      { type: 'reply', id: 0 },
      { type: 'reply', id: 1, result: 'done' },
    ]);
  });
});

describe('the end of a v1 script', () => {
  it('is asked for in two ways: the ported bridge answers `shutdown` and goes at the end of its stdin', () => {
    const wire = legacyWire().start();
    wire.port.shutdown();
    expect(wire.written).toEqual([{ id: 3, command: 'shutdown', args: {} }]);
    expect(wire.input()).toBe('ended');
    wire.reply(3, { status: 'shutting_down' });
    wire.exited(0);
    expect(wire.types()).toEqual(['broken', 'exited']);
  });

  it('is asked for behind the call that runs; those that wait never run', () => {
    const wire = legacyWire().start();
    for (const id of [1, 2]) wire.port.call(callOf(id));
    wire.port.control({ type: 'shutdown' });
    wire.port.shutdown();
    expect([wire.written.length, wire.input()]).toEqual([1, 'open']);
    wire.reply(3, null);
    expect(wire.written.map(({ id, command }) => [id, command])).toEqual([
      [3, 'echo'],
      [5, 'shutdown'],
    ]);
    expect(wire.input()).toBe('ended');
  });

  it('comes with its last reply, its last words and what ended it', () => {
    const wire = legacyWire().start();
    wire.port.call(callOf(1));
    wire.process({ type: 'exited', status: null, signal: 'SIGKILL' });
    wire.reply(3, 'last');
    wire.stderr('half a line');
    wire.process({ type: 'closed' });
    expect(wire.facts).toMatchObject([
      { type: 'broken', cause: undefined },
      { type: 'reply', result: 'last' },
      { type: 'output', stream: 'stderr', line: 'half a line' },
      {
        type: 'exited',
        report: { reason: { type: 'signal', signal: 'SIGKILL' }, stderrTail: 'half a line' },
      },
    ]);
    expect([wire.guarded.at(-1), wire.clock.pending]).toEqual(['ended 7', 0]);
  });

  it('is told in time although a grandchild holds its stdout open', () => {
    const wire = legacyWire().start();
    wire.process({ type: 'exited', status: 3, signal: null });
    wire.clock.advance(LIMITS.drainAfterExitMs);
    wire.clock.poll();
    expect(wire.types()).toEqual(['broken', 'exited']);
  });

  it('of its wire while it lives is told: it must be killed', () => {
    const wire = legacyWire().start();
    wire.endWire();
    expect(wire.facts).toEqual([{ type: 'broken', cause: undefined }]);
  });

  it('by letting go of it kills it, tells nothing more and leaves no timer', () => {
    const wire = legacyWire();
    wire.process(SPAWNED);
    wire.reply(1, PONG);
    const told = wire.types();
    wire.port.close();
    wire.reply(2, {});
    wire.exited(null, 'SIGKILL');
    expect([wire.types(), wire.kills, wire.clock.pending]).toEqual([told, ['SIGKILL'], 0]);
    expect(wire.guarded).toEqual(['launched 7', 'ended 7']);
  });
});

describe('a v1 script that prints', () => {
  it('to stderr has its lines told', () => {
    const wire = legacyWire().start();
    wire.stderr('one\ntwo\n');
    expect(wire.facts).toEqual([
      { type: 'output', stream: 'stderr', line: 'one' },
      { type: 'output', stream: 'stderr', line: 'two' },
    ]);
  });

  it('to stdout has broken its wire: told once, quoting it, and nothing more is read', () => {
    const wire = legacyWire().start();
    wire.port.call(callOf(1));
    wire.stdout('loading the model\n');
    wire.reply(3, null);
    wire.endWire();
    expect(wire.types()).toEqual(['broken']);
    const [fact] = wire.facts;
    const error = fact?.type === 'broken' && fact.cause?.type === 'error' && fact.cause.error;
    expect(error).toBeInstanceOf(ProtocolError);
    expect(String(error)).toContain('"loading the model\\n"');
  });

  it('behind a reply has that reply told before', () => {
    const wire = legacyWire().start();
    wire.port.call(callOf(1));
    wire.stdout(Buffer.concat([v1Bytes({ id: 3, success: true }), Buffer.from('and more\n')]));
    expect(wire.types()).toEqual(['reply', 'broken']);
  });
});
