// How does a test of a fault get its workers, and see that the fault left nobody behind?
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';

import {
  createRuntime,
  defineAdapter,
  type PoolOptions,
  type Runtime,
  type ZygoteOption,
} from '../../src/index.ts';
import { guardiansOf, processesOf, tokenOf, until } from './processes.ts';
import { fixture, PYTHON, workersOf } from './real-runtime.ts';

/** What `badworker.py` is told. */
export interface BadPlan {
  readonly start?: string;
  readonly faultyEpochs?: number;
  readonly execution?: 'sync' | 'threads';
  readonly concurrency?: number;
}

interface RowsOptions {
  readonly zygote?: ZygoteOption;
  readonly python?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starting and replacing workers on a machine that does other things too. */
export const SOON_MS = 10_000;
/** Within which whatever a worker started is gone: `docs/protocol.md` §8. */
export const PROMISE_MS = 1_000;

const adapter = defineAdapter({ framework: 'rows', operations: {} });
const folders: string[] = [];
let current: Runtime | undefined;

/** A folder of this test's own. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'caduceus-test-'));
  folders.push(folder);
  return folder;
}

/** A runtime with one bridge `rows`, of `rows_bridge.py`; `leaveNobody` ends it. */
export async function rowsRuntime(
  pool: PoolOptions = {},
  more: RowsOptions = {},
): Promise<Runtime> {
  const bridge = { adapter, scriptPath: fixture('rows_bridge.py'), pool: { size: 1, ...pool } };
  const { python = PYTHON, ...rest } = more;
  current = await createRuntime({
    ...{ python, logger: false },
    bridges: { rows: { ...bridge, ...rest } },
  });
  return current;
}

/** The same over `badworker.py`, which speaks the wire by hand. */
export function badRuntime(plan: BadPlan = {}, pool: PoolOptions = {}): Promise<Runtime> {
  const env = { BADWORKER: JSON.stringify(plan) };
  return rowsRuntime(pool, { python: badPython(), env, zygote: false });
}

/** An interpreter that starts `badworker.py` where ours would start a worker, and is Python otherwise. */
function badPython(): string {
  const command = `exec '${PYTHON}' -I '${fixture('badworker.py')}'`;
  return pythonThat(`*'caduceus.worker import main'*) ${command} ;;`);
}

/** A Python that does something of its own for some arguments: `cases` of a shell's `case`. */
export function pythonThat(cases: string): string {
  const path = join(temporaryFolder(), 'python');
  const answer = `*sys.executable*) echo '["${path}", "3.11.0"]' ;;`;
  const script = `#!/bin/sh\ncase "$*" in\n${answer}\n${cases}\n*) exec '${PYTHON}' "$@" ;;\nesac\n`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}

/** All workers of the pool are ready. */
export async function isWhole(runtime: Runtime): Promise<void> {
  const pool = runtime.pool('rows');
  await until(() => pool.statistics().gauges.idle === pool.statistics().size, SOON_MS);
}

/** The token of the run, while it has a worker. */
export function tokenOfRun(runtime: Runtime): string {
  return tokenOf(workersOf(runtime).find(({ pid }) => pid !== undefined)?.pid ?? 0) ?? 'none';
}

/** Every process of the run is in its tree: what a fault started or ended is gone. */
export async function hasOnlyItsOwn(runtime: Runtime): Promise<void> {
  const token = tokenOfRun(runtime);
  const known = (): ReadonlySet<number | undefined> => new Set(pidsIn(runtime.tree()));
  await until(() => processesOf(token).every((pid) => known().has(pid)), PROMISE_MS);
}

function pidsIn(node: ReturnType<Runtime['tree']>): readonly (number | undefined)[] {
  return [node.pid, ...node.children.flatMap(pidsIn)];
}

/** For `afterEach`: stop, and find no process of the run. */
export async function leaveNobody(): Promise<void> {
  const runtime = current;
  current = undefined;
  const token = runtime === undefined ? 'none' : tokenOfRun(runtime);
  await runtime?.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  await until(() => guardiansOf(token).length === 0, PROMISE_MS);
  expect(processesOf(token)).toEqual([]);
}
