// What if a zygote dies, hangs or is left by its Node? Rows P14 and P17 of the fault taxonomy, on real processes.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';

import { LIMITS } from '../../actors/ground/limits.ts';
import { createRuntime, defineAdapter, type PoolOptions, type Runtime } from '../../src/index.ts';
import { guardiansOf, isAlive, processesOf, tokenOf, until } from '../support/processes.ts';
import { nextEvent, PYTHON, rejection, workersOf, zygoteOf } from '../support/real-runtime.ts';

const HOST = path.resolve(import.meta.dirname, '../../dist/test/faults/zygote-host.js');
const BRIDGE = path.resolve(import.meta.dirname, '../../python/tests/support/zygote_bridge.py');
const START_MS = 30_000;
/** What is promised: `docs/protocol.md` §8. */
const PROMISE_MS = 1_000;
const HEARTBEAT_MS = 200;

let runtime: Runtime | undefined;
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
});

async function started(pool: PoolOptions = {}): Promise<Runtime> {
  const made = await createRuntime({
    python: PYTHON,
    logger: false,
    bridges: {
      sample: {
        adapter: defineAdapter({ framework: 'sample', operations: {} }),
        scriptPath: BRIDGE,
        pool: { size: 2, ...pool },
      },
    },
  });
  runtime = made;
  await until(() => workersOf(made).every(({ state }) => state === 'ready'), START_MS);
  return made;
}

const pidsOf = (of: Runtime): readonly number[] => workersOf(of).flatMap(({ pid }) => pid ?? []);

/** Zygote and workers are others, and all is well. */
async function replaced(of: Runtime, before: readonly number[]): Promise<void> {
  await until(
    () => workersOf(of).length === 2 && workersOf(of).every(({ state }) => state === 'ready'),
    START_MS,
  );
  const now = [...pidsOf(of), zygoteOf(of)?.pid ?? 0];
  expect(now.filter((pid) => before.includes(pid))).toEqual([]);
  expect(before.filter(isAlive)).toEqual([]);
  expect(await of.pool('sample').call('children')).toEqual({ status: 7 });
}

describe.skipIf(process.platform !== 'linux')('a zygote (P17)', { timeout: 2 * START_MS }, () => {
  it.each(['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const)(
    'that dies of %s is replaced with its workers; each of their calls fails once, and no restart of theirs is spent',
    async (signal) => {
      const of = await started({ maxRestarts: 0 });
      const before = [...pidsOf(of), zygoteOf(of)?.pid ?? 0];
      const decided: string[] = [];
      const crashed: number[] = [];
      of.on('supervisor.decided', ({ child }) => decided.push(child));
      of.on('child.crashed', ({ path: crashedPath, inFlightCalls }) => {
        if (crashedPath !== 'sample/zygote') crashed.push(inFlightCalls);
      });
      const calls = ['a', 'b'].map((sessionId) =>
        rejection(of.pool('sample').call('sleep', { seconds: 60 }, { sessionId })),
      );
      await until(() => of.pool('sample').statistics().gauges.busy === 2, START_MS);
      process.kill(before.at(-1) ?? 0, signal);
      for (const error of await Promise.all(calls)) {
        expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
      }
      await replaced(of, before);
      expect(decided).toEqual(['zygote']);
    },
  );

  it('that is stopped is found by its heartbeat and replaced', async () => {
    const of = await started({ heartbeatMs: HEARTBEAT_MS });
    const before = [...pidsOf(of), zygoteOf(of)?.pid ?? 0];
    const hung = nextEvent(of, 'zygote.hung');
    const ready = nextEvent(of, 'child.ready', ({ path: at }) => at === 'sample/zygote');
    const atMs = performance.now();
    process.kill(before.at(-1) ?? 0, 'SIGSTOP');
    expect(await hung).toMatchObject({ path: 'sample/zygote', what: 'heartbeat' });
    // Three misses and not fewer: the first beat may have been answered just before.
    expect(performance.now() - atMs).toBeGreaterThan(
      HEARTBEAT_MS * (LIMITS.heartbeatMissesMax - 1),
    );
    await ready;
    await replaced(of, before);
  });

  it('that owes a fork is replaced before its heartbeat tells', async () => {
    const of = await started({ heartbeatMs: START_MS });
    const before = [...pidsOf(of), zygoteOf(of)?.pid ?? 0];
    const hung = nextEvent(of, 'zygote.hung');
    const ready = nextEvent(of, 'child.ready', ({ path: at }) => at === 'sample/zygote');
    process.kill(before.at(-1) ?? 0, 'SIGSTOP');
    process.kill(before[0] ?? 0, 'SIGKILL');
    // Its exit is the zygote's to tell, and that tells nothing: the worker is given up.
    expect(await hung).toMatchObject({ path: 'sample/zygote' });
    await ready;
    await replaced(of, before);
  });

  it.each([1, 4, 11])(
    'leaves nobody for longer than a second when Node is killed after the launch of %i of 12 workers (P14)',
    async (count) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'caduceus-test-'));
      const host = spawn(process.execPath, [HOST, PYTHON, BRIDGE, '12'], {
        env: { ...process.env, TMPDIR: folder },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const pids: number[] = [];
      try {
        createInterface({ input: host.stdout }).on('line', (line) => pids.push(Number(line)));
        // The zygote is the first of them.
        await until(() => pids.length > count, START_MS);
        const token = tokenOf(pids[0] ?? 0) ?? 'none';
        expect(processesOf(token).length).toBeGreaterThanOrEqual(count);
        host.kill('SIGKILL');
        await until(() => processesOf(token).length + guardiansOf(token).length === 0, PROMISE_MS);
        expect(pids.filter(isAlive)).toEqual([]);
      } finally {
        host.kill('SIGKILL');
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
