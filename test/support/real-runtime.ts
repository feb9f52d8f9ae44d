// How does a test get a runtime over real processes, and how does it wait for facts of the operating system?
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { createRuntime, defineAdapter, type PoolOptions, type Runtime } from '../../src/index.ts';
import type { BusEventName, BusEvents } from '../../src/index.ts';

/** The interpreter that the suites prepare. */
export const PYTHON = process.env['CADUCEUS_PYTHON'] ?? join(process.cwd(), '.venv/bin/python');

export function fixture(name: string): string {
  return join(import.meta.dirname, '..', 'fixtures', name);
}

export const echoAdapter = defineAdapter({
  framework: 'echo',
  operations: {
    ...Object.fromEntries(
      ['echo', 'pid', 'sleep', 'raise', 'spin', 'print', 'nan', 'exit', 'environ', 'recall'].map(
        (op) => [op, {}],
      ),
    ),
    remember: { change: 'create', key: (args) => String(args['id']) },
  },
});

/** A runtime with one bridge `echo`. */
export function echoRuntime(
  pool: PoolOptions = {},
  more: { readonly script?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Runtime> {
  return createRuntime({
    python: PYTHON,
    logger: false,
    bridges: {
      echo: {
        adapter: echoAdapter,
        scriptPath: fixture(more.script ?? 'echo_bridge.py'),
        pool: { size: 2, ...pool },
        env: more.env ?? {},
      },
    },
  });
}

/** The next event of this name for which `when` holds. */
export function nextEvent<Name extends BusEventName>(
  runtime: Runtime,
  name: Name,
  when: (event: BusEvents[Name]) => boolean = () => true,
): Promise<BusEvents[Name]> {
  return new Promise((resolve) => {
    const end = runtime.on(name, (event) => {
      if (!when(event)) return;
      end();
      resolve(event);
    });
  });
}

/** Whether the process runs; one that is only waiting to be reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z/su.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

const POLL_MS = 5;

/** Wait for a fact of the operating system, which tells nobody by itself. @returns how long it took, in ms. */
export async function until(fact: () => boolean, withinMs: number): Promise<number> {
  const startedMs = performance.now();
  while (!fact()) {
    const tookMs = performance.now() - startedMs;
    if (tookMs > withinMs) throw new Error(`did not come about within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return performance.now() - startedMs;
}

export async function rejection(
  promise: Promise<unknown>,
): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('was expected to be rejected');
}
