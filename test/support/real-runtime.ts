// How does a test get a runtime over real processes?
import { join } from 'node:path';

import { createRuntime, defineAdapter, type PoolOptions, type Runtime } from '../../src/index.ts';
import type { BusEventName, BusEvents, TreeNode } from '../../src/index.ts';

export { isAlive, until } from './processes.ts';

/** The interpreter that the suites prepare. */
export const PYTHON = process.env['CADUCEUS_PYTHON'] ?? join(process.cwd(), '.venv/bin/python');

export function fixture(name: string): string {
  return join(import.meta.dirname, '..', 'fixtures', name);
}

export const echoAdapter = defineAdapter({
  framework: 'echo',
  operations: {
    ...Object.fromEntries(
      [
        'echo',
        'pid',
        'sleep',
        'raise',
        'spin',
        'print',
        'unsendable',
        'exit',
        'environ',
        'recall',
      ].map((op) => [op, {}]),
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

/** The workers of all pools, without the zygotes that they were forked from and the registry beside them, which is no process. */
export function workersOf(runtime: Runtime): readonly TreeNode[] {
  const leaves = (node: TreeNode): readonly TreeNode[] =>
    node.kind === 'worker' ? [node] : node.children.flatMap(leaves);
  return leaves(runtime.tree()).filter(({ id, path }) => id !== 'zygote' && path !== 'registry');
}

/** The zygote of the only pool. */
export function zygoteOf(runtime: Runtime): TreeNode | undefined {
  return runtime.tree().children[0]?.children.find(({ id }) => id === 'zygote');
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
