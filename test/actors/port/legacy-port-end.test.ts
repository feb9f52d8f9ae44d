import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { callOf, legacyWire, PONG, v1Bytes } from './legacy-wire.ts';

const SPAWNED = { type: 'spawned', pid: 7 } as const;

describe('a reply that nobody waits for', () => {
  it.each([
    ['a second one', [3, 3], [1, 1]],
    ['one of an unknown call', [99, 3], [97, 1]],
    // It must not settle a call that has not been written.
    ['one of a call that waits', [4, 3], [0, 1]],
    ['one to the ping', [1, 3], [-1, 1]],
  ])('is handed on to be dropped and counted: %s', (_what, ids, told) => {
    const wire = legacyWire().start();
    wire.port.call(...callOf(1));
    wire.port.call(...callOf(2));
    for (const id of ids) wire.reply(id, null);
    expect(wire.facts.map((fact) => (fact as { id: number }).id)).toEqual(told);
    expect(wire.written.map(({ id }) => id)).toEqual([3, 4]);
  });

  it('may be that to the question what the script can do: it came too late', () => {
    const wire = legacyWire();
    wire.process(SPAWNED);
    wire.reply(1, PONG);
    wire.clock.advance(LIMITS.v1CapabilitiesMs);
    wire.port.call(...callOf(1));
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
    for (const id of [1, 2]) wire.port.call(...callOf(id));
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
    wire.port.call(...callOf(1));
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
    wire.port.call(...callOf(1));
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
    wire.port.call(...callOf(1));
    wire.stdout(Buffer.concat([v1Bytes({ id: 3, success: true }), Buffer.from('and more\n')]));
    expect(wire.types()).toEqual(['reply', 'broken']);
  });
});
