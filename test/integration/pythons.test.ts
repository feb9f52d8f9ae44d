// On which Pythons does a worker run? On every one that is there, from 3.10 to the newest, with the core alone: no package is installed for it.
import { afterEach, describe, expect, it } from 'vitest';

import { createRuntime, defineAdapter, type Cancellation, type Runtime } from '../../src/index.ts';
import { pythonOf } from '../support/pythons.ts';
import { fixture, nextEvent, rejection } from '../support/real-runtime.ts';

const NEWER = ['3.10', '3.11', '3.12', '3.13', '3.14'];
const OLDER = ['3.8', '3.9'];

let runtime: Runtime | undefined;
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
});

const start = (python: string) =>
  createRuntime({
    python,
    logger: false,
    bridges: {
      calls: {
        adapter: defineAdapter({ framework: 'calls', operations: {} }),
        scriptPath: fixture('calls_bridge.py'),
        // Its sessions are made again, without what its bridge does not mark.
        pool: { size: 2, onSessionLoss: 'rebuild' },
      },
    },
  });

describe.each(NEWER)('a worker on Python %s', (version) => {
  const python = pythonOf(version);

  it.skipIf(python === undefined)(
    'calls, streams, calls back, is cancelled by stages and recovers from a kill',
    async () => {
      runtime = await start(python!);
      const bridge = runtime.pool('calls');

      const value = { big: 2n ** 70n, nan: Number.NaN, bytes: Buffer.from('hi') };
      expect(await bridge.call('echo', value)).toEqual(value);
      const seen: unknown[] = [];
      for await (const item of bridge.stream('acount', { to: 3 })) seen.push(item);
      expect(seen).toEqual([0, 1, 2]);
      const callbacks = { add: ({ left }: { left: number }) => left + 1 };
      const asked = bridge.call('ask', { name: 'add', args: { left: 1 } }, { callbacks });
      expect(await asked).toBe(2);

      for (const [op, stage] of [
        ['obedient', 'flag'],
        ['stubborn', 'raise'],
        ['sleeper', 'interrupt'],
      ] as const) {
        const error = await rejection(bridge.call(op, {}, { timeoutMs: 300 }));
        expect([op, await (error['cancellation'] as Cancellation).settled]).toEqual([op, stage]);
      }

      const sessionId = 'ada';
      const pid = (await bridge.call('pid', {}, { sessionId })) as number;
      const crashed = nextEvent(runtime, 'child.crashed');
      const greeted = nextEvent(runtime, 'child.greeted');
      process.kill(pid, 'SIGKILL');
      await crashed;
      expect(await bridge.call('pid', {}, { sessionId })).not.toBe(pid);
      const { hello } = await greeted;
      expect(hello).toMatchObject({ implementation: 'cpython', gil: 'enabled' });
      expect(hello.python.startsWith(`${version}.`)).toBe(true);
    },
  );
});

describe.each(OLDER)('Python %s', (version) => {
  const python = pythonOf(version);

  it.skipIf(python === undefined)('is refused with what was found and what is wanted', async () => {
    const error = await rejection(start(python!));
    expect(error).toMatchObject({ code: 'python_too_old', wanted: '3.10' });
    expect(String(error['found'])).toContain(version);
  });
});
