import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { openPort } from '../../../actors/port/port.ts';
import { noGuard } from '../../../actors/port/run-guard.ts';
import { systemSpawner } from '../../../actors/port/spawn.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { REPLY, REQUEST, wire as setUp, WIRE_LANES } from './wire.ts';

describe('the end of a process', () => {
  it('is told after a reply that had arrived, even when the exit is told first', () => {
    const { opened, exited, message, ended, types } = setUp();
    opened('replies', 'control', 'stderr');
    exited(9);
    message('replies', REPLY);
    ended('replies', 'control', 'stderr');
    expect(types()).toEqual(['broken', 'reply', 'exited']);
  });

  it('is told with the exact reason when the end of the lanes comes first', () => {
    const { opened, exited, ended, facts } = setUp();
    opened('replies', 'control', 'stderr');
    ended('replies', 'control', 'stderr');
    exited(9);
    const report = { reason: { type: 'exit_status', status: 9 }, stderrTail: '' };
    expect(facts.at(-1)).toEqual({ type: 'exited', report });
  });

  it('is told as broken at once when a lane of the wire ends while it still lives', () => {
    const { opened, ended, facts } = setUp();
    opened(...WIRE_LANES);
    ended('replies');
    expect(facts).toEqual([{ type: 'broken', cause: undefined }]);
  });

  it('is told as broken once, however many lanes end', () => {
    const { opened, ended, types } = setUp();
    opened(...WIRE_LANES);
    ended(...WIRE_LANES);
    expect(types()).toEqual(['broken']);
  });

  it('is not told when user code closes its output', () => {
    const { opened, ended, types } = setUp();
    opened('stdout', 'stderr');
    ended('stdout', 'stderr');
    expect(types()).toEqual([]);
  });

  it('waits no longer for the lanes than its bound: a grandchild may hold them open', () => {
    const { opened, exited, clock, types } = setUp();
    opened('replies', 'control', 'stderr');
    exited(0);
    const before = types();
    clock.advance(LIMITS.drainAfterExitMs);
    expect([before, types()]).toEqual([['broken'], ['broken', 'exited']]);
  });

  it('is told after a reply that had arrived, also when a stall of the event loop outlasts the bound', () => {
    const { opened, exited, clock, message, types } = setUp();
    opened('replies');
    exited(9);
    // After a stall the timer fires first; only then are the sockets read, and what waits for a poll runs last.
    clock.advance(LIMITS.drainAfterExitMs, () => undefined);
    message('replies', REPLY);
    clock.poll();
    expect(types()).toEqual(['broken', 'reply', 'exited']);
  });

  it('is told once when the lanes end in that last poll', () => {
    const { opened, exited, ended, clock, types } = setUp();
    opened('replies');
    exited(9);
    clock.advance(LIMITS.drainAfterExitMs, () => undefined);
    ended('replies');
    clock.poll();
    expect([types(), clock.pending]).toEqual([['broken', 'exited'], 0]);
  });

  it('is told as broken at once when the exit comes first: it takes no more calls', () => {
    const { opened, exited, types } = setUp();
    opened('replies');
    exited(0);
    expect(types()).toEqual(['broken']);
  });

  it('leaves no timer and no connection', () => {
    const { opened, exited, ended, clock, isLinkClosed } = setUp();
    opened('replies');
    exited(0);
    ended('replies');
    expect([clock.pending, isLinkClosed()]).toEqual([0, true]);
  });

  it('is told once, and nothing after it', () => {
    const { exited, message, bytes, types } = setUp();
    exited(0);
    exited(1);
    message('replies', REPLY);
    bytes('stdout', 'late\n');
    expect(types()).toEqual(['broken', 'exited']);
  });

  it('carries the last lines of stderr, the one without an end too', () => {
    const { opened, bytes, exited, ended, facts } = setUp();
    opened('stderr');
    exited(1);
    bytes('stderr', 'Traceback\nValueError');
    ended('stderr');
    expect(facts.at(-1)).toMatchObject({ report: { stderrTail: 'Traceback\nValueError' } });
    expect(facts.at(-2)).toEqual({ type: 'output', stream: 'stderr', line: 'ValueError' });
  });

  it('is told with the reason of the system when the process could not be started', () => {
    const { process, facts } = setUp();
    process({ type: 'failed', error: new Error('ENOENT') });
    expect(facts).toMatchObject([
      { type: 'exited', report: { reason: { type: 'error', error: { code: 'spawn_failed' } } } },
    ]);
  });

  describe('that was asked for its stacks', () => {
    const dumped = () => {
      const port = setUp();
      port.opened('stderr');
      port.bytes('stderr', 'before\n');
      port.port.notify('SIGUSR1');
      return port;
    };
    const dumpOf = ({ facts }: ReturnType<typeof setUp>): unknown => {
      const last = facts.at(-1);
      return last?.type === 'exited' ? last.report.dump : 'not exited';
    };

    it('carries what came on stderr since, on its pipe too, and nothing of before', () => {
      const port = dumped();
      port.bytes('stderr', 'Thread 0x1 (most recent call first):\n');
      port.process({ type: 'output', stream: 'stderr', bytes: Buffer.from('  File "x"\n') });
      port.bytes('stdout', 'not this\n');
      port.exited(null, 'SIGKILL');
      port.ended('stderr');
      expect([port.notices, dumpOf(port)]).toEqual([
        ['SIGUSR1'],
        'Thread 0x1 (most recent call first):\n  File "x"\n',
      ]);
    });

    it('carries no more of it than its bound', () => {
      const port = dumped();
      for (let time = 0; time < 3; time += 1) {
        port.bytes('stderr', 'x'.repeat(LIMITS.dumpBytesMax / 2 + 1));
      }
      port.exited(null, 'SIGKILL');
      port.ended('stderr');
      expect(String(dumpOf(port))).toHaveLength(LIMITS.dumpBytesMax);
    });

    it('carries none when it wrote nothing, or was only interrupted', () => {
      const silent = dumped();
      const interrupted = setUp();
      interrupted.port.notify('SIGINT');
      interrupted.process({ type: 'output', stream: 'stderr', bytes: Buffer.from('no stack\n') });
      for (const port of [silent, interrupted]) {
        port.exited(0);
        port.ended('stderr');
      }
      expect([silent, interrupted].map(dumpOf)).toEqual([undefined, undefined]);
    });
  });

  it(
    'carries what a real process wrote to stderr before it had connected',
    { timeout: 5_000 },
    async () => {
      const clock = new VirtualClock();
      const link = { write: () => undefined, close: () => undefined };
      const transport = { address: '/socket', expect: () => link };
      const dying = async (): Promise<string> =>
        new Promise((resolve) => {
          const spawn = {
            command: '/bin/sh',
            args: ['-c', 'head -c 20000 /dev/zero | tr "\\0" x >&2; echo boom >&2; exit 3'],
            env: { PATH: process.env['PATH'] ?? '' },
          };
          const ports = { clock, transport, spawner: systemSpawner, guard: noGuard };
          openPort({ ...REQUEST, spawn }, ports, (fact) => {
            if (fact.type === 'exited') resolve(fact.report.stderrTail.slice(-5));
          });
        });
      const tails = await Promise.all(Array.from({ length: 20 }, dying));
      expect(new Set(tails)).toEqual(new Set(['boom\n']));
    },
  );
});
