// Are workers really forked from a process that has imported their framework, and do they compute? Real processes, real frameworks.
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';

import { linuxHost } from '../../actors/port/host.ts';
import {
  createRuntime,
  defineAdapter,
  dspy,
  type PoolOptions,
  type Runtime,
  type ZygoteOption,
} from '../../src/index.ts';
import { startLocalModel } from '../../src/testing/index.ts';
import {
  isAlive,
  nextEvent,
  PYTHON,
  rejection,
  until,
  workersOf,
  zygoteOf,
} from '../support/real-runtime.ts';

const SUPPORT = path.resolve(import.meta.dirname, '../../python/tests/support');
/** Importing three frameworks from a cold disk, on a machine that does other things too. */
const IMPORTS_MS = 60_000;
const SOON_MS = 10_000;

let runtime: Runtime;
/** Of the log: what happened before the runtime was there. */
let lines: string[] = [];
afterEach(async () => {
  await runtime.stop();
});

async function started(
  zygote: ZygoteOption | undefined,
  more: { readonly pool?: PoolOptions; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Runtime> {
  lines = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  runtime = await createRuntime({
    python: PYTHON,
    logger,
    bridges: {
      sample: {
        adapter: defineAdapter({ framework: 'sample', operations: {} }),
        scriptPath: path.join(SUPPORT, 'zygote_bridge.py'),
        pool: { size: 2, ...more.pool },
        env: { PYTHONPATH: SUPPORT, ...more.env },
        zygote,
      },
    },
  });
  await allReady();
  return runtime;
}

const pool = () => runtime.pool('sample');
const allReady = () =>
  until(() => workersOf(runtime).every(({ state }) => state === 'ready'), IMPORTS_MS);
const pids = (): readonly number[] => workersOf(runtime).flatMap(({ pid }) => pid ?? []);
const parentsOf = (children: readonly number[]): readonly (number | undefined)[] =>
  children.map((pid) => linuxHost.readProcess(pid)?.parentPid);

/** On each of the two workers once: a session stays with one. */
const onEach = (op: string, args = {}): Promise<readonly Record<string, unknown>[]> =>
  Promise.all(
    ['a', 'b'].map(
      (sessionId) =>
        pool().call(op, args, { sessionId, timeoutMs: IMPORTS_MS }) as Promise<
          Record<string, unknown>
        >,
    ),
  );

describe.skipIf(process.platform !== 'linux')('a pool with a zygote', () => {
  it(
    'forks workers in which NumPy, scikit-learn and torch compute with their threads back',
    { timeout: 2 * IMPORTS_MS },
    async () => {
      const preload = ['numpy', 'sklearn.ensemble', 'sklearn.linear_model', 'torch'];
      await started({ preload }, { env: { OMP_NUM_THREADS: '3', OPENBLAS_NUM_THREADS: '3' } });
      expect(parentsOf(pids())).toEqual(Array(2).fill(zygoteOf(runtime)?.pid));
      for (const found of await onEach('describe')) {
        expect(found).toMatchObject({ modules: ['numpy', 'sklearn', 'torch'] });
      }
      for (const found of await onEach('numpy', { size: 500 })) {
        expect(found['trace']).toBe(found['wanted']);
        expect(found['threads']).toBeGreaterThanOrEqual(4);
      }
      for (const found of await onEach('torch')) expect(found).toMatchObject({ threads: 3 });
      for (const { linear } of await onEach('sklearn')) expect(linear).toBeGreaterThan(0.8);
      const [first, second] = await onEach('draws');
      for (const name of ['random', 'numpy', 'torch']) {
        expect(first?.[name]).not.toBe(second?.[name]);
      }
    },
  );

  it('forks workers in which DSPy answers', { timeout: IMPORTS_MS }, async () => {
    const model = await startLocalModel();
    try {
      runtime = await createRuntime({
        python: PYTHON,
        logger: false,
        bridges: { dspy: { adapter: dspy(), pool: { size: 2 } } },
      });
      await allReady();
      const zygote = zygoteOf(runtime)?.pid;
      expect(parentsOf(pids())).toEqual([zygote, zygote]);
      await runtime.ml.configure('dspy', {
        model: 'openai/local',
        apiBase: model.baseUrl,
        apiKey: 'none',
      });
      const id = await runtime.ml.createProgram({ signature: 'question -> answer' });
      const answers = await Promise.all(
        ['What is 2 + 2?', 'What is 3 + 4?'].map((question) =>
          runtime.ml.execute(id, { question }),
        ),
      );
      expect(answers).toMatchObject([{ answer: '4' }, { answer: '7' }]);
    } finally {
      await model.close();
    }
  });

  it('is what a pool has unless it is told otherwise, with nothing of its own to import', async () => {
    await started(undefined);
    expect(parentsOf(pids())).toEqual(Array(2).fill(zygoteOf(runtime)?.pid));
    const [found] = await onEach('describe');
    expect(found).toMatchObject({ modules: [], is_gc_enabled: true });
    expect(workersOf(runtime).map((worker) => worker.path)).toEqual(['sample/0', 'sample/1']);
  });

  it('is none when it is told so: Node starts every worker itself', async () => {
    await started(false);
    expect(parentsOf(pids())).toEqual([process.pid, process.pid]);
    expect(zygoteOf(runtime)).toBeUndefined();
  });

  it.each([
    ['status 3', 3, { type: 'exit_status', status: 3 }],
    ['SIGSEGV', 'SIGSEGV', { type: 'signal', signal: 'SIGSEGV' }],
    ['SIGKILL', 'SIGKILL', { type: 'signal', signal: 'SIGKILL' }],
  ] as const)('tells exactly how a worker ended: %s', async (_what, end, exitReason) => {
    await started(true);
    const { pid } = (await pool().call('describe', {}, { sessionId: 'a' })) as {
      readonly pid: number;
    };
    const crashed = nextEvent(runtime, 'child.crashed');
    if (end === 3) {
      const failed = rejection(pool().call('exit', { status: 3 }, { sessionId: 'a' }));
      expect(await failed).toMatchObject({ code: 'worker_crashed', exitReason });
    } else {
      process.kill(pid, end);
    }
    expect(await crashed).toMatchObject({ reason: exitReason });
  });

  it('tells the end of one worker while its sibling lives and computes (W17)', async () => {
    await started(true);
    const [first, second] = await onEach('describe');
    const crashed = nextEvent(runtime, 'child.crashed');
    const working = pool().call('numpy', { size: 300 }, { sessionId: 'b' });
    process.kill(first?.['pid'] as number, 'SIGKILL');
    expect(await crashed).toMatchObject({ reason: { type: 'signal', signal: 'SIGKILL' } });
    expect(await working).toMatchObject({ wanted: expect.any(Number) as number });
    expect(isAlive(second?.['pid'] as number)).toBe(true);
  });

  it.each([
    [
      'cannot be imported',
      'no_such_module',
      "ModuleNotFoundError: No module named 'no_such_module'",
    ],
    ['ends the process', 'zygote_preloads.leaves', 'it ended with exit status 9'],
    ['leaves a thread', 'zygote_preloads.a_thread', '2 threads: MainThread, warmer'],
    ['leaves a connection', 'zygote_preloads.a_connection', 'an open connection: descriptor'],
    ['leaves a GPU in use', 'zygote_preloads.a_context', 'an initialised CUDA context'],
  ])('spawns its workers when a preload %s, and says why', async (_what, module, hazard) => {
    await started({ preload: [module] });
    expect(parentsOf(pids())).toEqual([process.pid, process.pid]);
    expect(zygoteOf(runtime)).toMatchObject({ state: 'ready', pid: undefined });
    expect(lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg)).toEqual([
      expect.stringContaining(`sample/zygote forks no workers: ${hazard}`),
    ]);
    expect(await pool().call('children')).toEqual({ status: 7 });
  });

  it('spawns a worker when its zygote has become unsafe, and says why', async () => {
    await started({ preload: ['zygote_preloads.late'] });
    const [first] = await onEach('describe');
    process.kill(zygoteOf(runtime)?.pid ?? 0, 'SIGUSR2');
    const refused = nextEvent(runtime, 'zygote.refused');
    const ready = nextEvent(runtime, 'child.ready', ({ epoch }) => epoch === 2);
    process.kill(first?.['pid'] as number, 'SIGKILL');
    expect(await refused).toMatchObject({
      path: 'sample/zygote',
      hazard: expect.stringContaining('an open connection') as string,
    });
    expect(parentsOf([(await ready).pid ?? 0])).toEqual([process.pid]);
  });

  it('leaves no process when it is stopped', async () => {
    await started(true);
    const all = [...pids(), zygoteOf(runtime)?.pid ?? 0];
    expect(all.every(isAlive)).toBe(true);
    await runtime.stop();
    await until(() => !all.some(isAlive), SOON_MS);
  });
});
