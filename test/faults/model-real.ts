// How is a plan played on real processes? The same pool in a real runtime, real signals, and a log that all workers append to.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createRuntime, type Runtime } from '../../src/index.ts';
import { fixture, isAlive, PYTHON, until, workersOf } from '../support/real-runtime.ts';
import type { Plan } from './model-plan.ts';
import {
  adapterOf,
  POOL,
  poolOptionsOf,
  type Execution,
  type Incarnation,
  type Target,
  type Tempo,
} from './model-target.ts';

/** Bounds are for a machine that is busy with other things: what holds is waited for, never slept for. */
const TEMPO: Tempo = {
  ...{ quickMs: 0, slowMs: 80, ampleMs: 60_000, tightMs: 60 },
  spans: { blink: 10, moment: 150, while: 700 },
  ...{
    lateMsMax: 20_000,
    recoveryMs: 60_000,
    idleMs: 300,
    heartbeatMs: 500,
    breakerMs: 400,
    drainMs: 5_000,
  },
};

/** Of the operating system's clock, which Python reads too. */
const NS_PER_MS = 1e6;
/** Facts come by themselves: so long they are given. */
const MS_PER_FACT = 1;

type Line = readonly [
  kind: Execution['kind'],
  number: number,
  op: string,
  session: string | null,
  pid: number,
  ns: number,
];

export async function realTarget(plan: Plan): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'model-'));
  const log = join(folder, 'log');
  const runtime = await createRuntime({
    ...{ python: PYTHON, logger: false },
    bridges: {
      [POOL]: {
        ...{ adapter: adapterOf(plan), scriptPath: fixture('model_bridge.py') },
        pool: { ...poolOptionsOf(plan, TEMPO), startTimeoutMs: TEMPO.ampleMs },
        env: { MODEL_FOLDER: folder, MODEL_CONCURRENCY: String(plan.options.concurrency) },
      },
    },
  }).catch((error: unknown) => {
    rmSync(folder, { recursive: true });
    throw error;
  });
  const pids = new Set<number>();
  for (const { pid } of workersOf(runtime)) if (pid !== undefined) pids.add(pid);
  runtime.on('child.launched', ({ pid }) => pids.add(pid));
  const executions: Execution[] = [];
  return {
    ...{ bridge: runtime.pool(POOL), tempo: TEMPO, executions: () => executions, ...passing() },
    on: (name, listener) => runtime.on(name, listener),
    ...{ nowMs: () => performance.now(), stamp: () => Number(process.hrtime.bigint()) / NS_PER_MS },
    workers: () => incarnationsOf(runtime),
    hurt: (how, { pid }) => signal(pid, how === 'kill' ? 'SIGKILL' : 'SIGSTOP'),
    failStarts: (count) => failStarts(folder, count),
    close: async () => {
      await runtime.stop();
      if (existsSync(log)) executions.push(...read(readFileSync(log, 'utf8')));
      rmSync(folder, { recursive: true });
      return [...pids].filter(isAlive).map((pid) => `process ${pid} is left`);
    },
  };
}

function incarnationsOf(runtime: Runtime): readonly Incarnation[] {
  return workersOf(runtime).flatMap(({ path, epoch, pid, state }) =>
    pid === undefined ? [] : [{ path, epoch, pid, state }],
  );
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself since it was listed.
  }
}

const BAD_STARTS_MAX = 2;

/** One file for each start that is to fail; whoever takes it away does. */
function failStarts(folder: string, count: number): void {
  for (let n = 0; n < BAD_STARTS_MAX; n += 1) {
    const token = join(folder, `bad_start_${n}`);
    if (n < count) writeFileSync(token, '');
    else rmSync(token, { force: true });
  }
}

function read(text: string): readonly Execution[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const found = lines.map((line): Execution => {
    const [kind, number, op, session, pid, ns] = JSON.parse(line) as Line;
    return { kind, number, op, session, pid, stamp: ns / NS_PER_MS };
  });
  return found.sort((left, right) => left.stamp - right.stamp);
}

function passing(): Pick<Target, 'rest' | 'deliver' | 'pass' | 'until'> {
  const pass = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, ms);
    });
  return {
    pass,
    rest: () => new Promise((resolve) => setImmediate(resolve)),
    deliver: (facts) => pass(facts * MS_PER_FACT),
    until: (fact, withinMs) =>
      until(fact, withinMs).then(
        () => true,
        () => false,
      ),
  };
}
